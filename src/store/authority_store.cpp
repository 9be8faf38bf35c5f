// SPDX-License-Identifier: Apache-2.0
#include "store/authority_store.hpp"

#include <utility>

#include "store/authority_store_impl.hpp"
#include "store/file.hpp"

namespace bw::store {
namespace {

// Entries that are applied to the index at once when it catches up; a multiple of 64, so that the
// root after them needs no leaves.
constexpr std::uint64_t kCatchUpEntries = 4096;

// At most about so many entries are applied again after a crash, in well under a second.
constexpr std::uint64_t kEntriesPerFlush = 32'768;

void merge(ledger::Effects& into, const ledger::Effects& more) {
  const auto add = [](auto& ids, const auto& others) {
    ids.insert(ids.end(), others.begin(), others.end());
  };
  add(into.entities, more.entities);
  add(into.revoked_dots, more.revoked_dots);
  add(into.granted_in, more.granted_in);
  add(into.affinity, more.affinity);
}

Result<void> make_directories(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error) return {};
  return fail(system_error("create", directory, error.value()));
}

}  // namespace

AuthorityStore::AuthorityStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuthorityStore::~AuthorityStore() = default;

Result<std::unique_ptr<AuthorityStore>> AuthorityStore::open(const std::filesystem::path& directory,
                                                             const AuthorityStoreOptions& options) {
  BW_CHECK(make_directories(directory));
  auto impl = std::make_unique<Impl>();
  impl->index_directory = directory / "index";
  impl->options = options;
  BW_TRY(impl->log, EntryLog::open(directory / "ledger.log"));
  impl->recovery.log = impl->log->recovery();
  BW_CHECK(impl->open_index());
  return std::unique_ptr<AuthorityStore>(new AuthorityStore(std::move(impl)));
}

const EntryLog& AuthorityStore::log() const {
  return *impl_->log;
}
const AuthorityStore::Recovery& AuthorityStore::recovery() const {
  return impl_->recovery;
}

AuthorityStore::Counts AuthorityStore::counts() const {
  const std::scoped_lock lock(impl_->counts_mutex);
  Counts counts = impl_->counts;
  counts.bytes_on_disk = impl_->log->bytes_on_disk() + impl_->index->bytes_on_disk();
  return counts;
}

Result<void> AuthorityStore::Impl::open_index() {
  if (!AuthorityIndex::marked_damaged(index_directory)) {
    auto started = start_index();
    const bool useless = !started && (started.error().code == ErrorCode::kConflict ||
                                      AuthorityIndex::marked_damaged(index_directory));
    if (!useless) return started;
  }
  index.reset();
  BW_CHECK(AuthorityIndex::remove(index_directory));
  recovery.index_remade = true;
  return start_index();
}

// kConflict when the index does not belong to the log.
Result<void> AuthorityStore::Impl::start_index() {
  BW_TRY(index, AuthorityIndex::open(index_directory, options));
  BW_TRY(const auto found, index->row<MetaRow>(meta_key()));
  if (found) {
    BW_TRY(const bool ours, index_is_of_log(*found));
    if (!ours)
      return fail(ErrorCode::kConflict, "{}: is of another ledger", index_directory.string());
  }
  took(found.value_or(MetaRow{}));
  flushed = meta.applied;
  recovery.applied_entries = log->size() - meta.applied;
  return catch_up(nullptr);
}

Result<bool> AuthorityStore::Impl::index_is_of_log(const MetaRow& found) const {
  if (found.version != kIndexVersion || found.applied > log->size()) return false;
  BW_TRY(const Hash root, crypto::root_at(*log, found.applied));
  return root == found.root;
}

void AuthorityStore::Impl::took(const MetaRow& applied) {
  meta = applied;
  const std::scoped_lock lock(counts_mutex);
  counts = {.entities = applied.entities,
            .dots = applied.dots,
            .revocations = applied.revocations,
            .aliases = applied.aliases};
}

Result<void> AuthorityStore::Impl::catch_up(ledger::Effects* effects) {
  const std::uint64_t end = log->size();
  if (meta.applied == end) return {};
  auto indexer = std::make_unique<AuthorityIndexer>(*index, *log, meta, options.undo_entries);
  const auto visit = [&](std::uint64_t position, std::uint64_t offset,
                         ByteView entry) -> Result<void> {
    auto object = wave::parse_object(entry);
    if (!object) {
      return fail(object.error().code, "ledger entry {}: {}", position, object.error().message);
    }
    BW_CHECK(indexer->apply(*object, offset));
    const std::uint64_t applied = position + 1;
    if (applied % kCatchUpEntries != 0 && applied != end) return {};
    BW_CHECK(commit(*indexer, effects));
    indexer = std::make_unique<AuthorityIndexer>(*index, *log, meta, options.undo_entries);
    return {};
  };
  BW_CHECK(log->scan(meta.applied, visit));
  return flush_soon();
}

Result<void> AuthorityStore::Impl::commit(AuthorityIndexer& indexer, ledger::Effects* effects) {
  const std::uint64_t applied = indexer.meta().applied;
  if (applied == log->size()) {
    BW_CHECK(indexer.commit(log->root()));
  } else {
    BW_TRY(const Hash root, crypto::root_at(*log, applied));
    BW_CHECK(indexer.commit(root));
  }
  took(indexer.meta());
  if (effects == nullptr) return {};
  BW_TRY(const ledger::Effects some, indexer.effects());
  merge(*effects, some);
  return {};
}

Result<void> AuthorityStore::Impl::flush_soon() {
  flushed = meta.applied;
  return index->flush_soon();
}

Result<ledger::Effects> AuthorityStore::append(const std::vector<wave::Object>& objects) {
  ledger::Effects effects;
  if (impl_->meta.applied < impl_->log->size()) {
    BW_CHECK(impl_->index->resume());
    BW_CHECK(impl_->catch_up(&effects));
  }
  if (objects.empty()) return effects;
  std::vector<ByteView> entries;
  entries.reserve(objects.size());
  for (const wave::Object& object : objects) entries.push_back(wave::bytes_of(object));
  BW_TRY(const auto offsets, impl_->log->append(entries));
  BW_CHECK(impl_->apply(objects, offsets, effects));
  return effects;
}

Result<void> AuthorityStore::Impl::apply(const std::vector<wave::Object>& objects,
                                         const std::vector<std::uint64_t>& offsets,
                                         ledger::Effects& effects) {
  AuthorityIndexer indexer(*index, *log, meta, options.undo_entries);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    BW_CHECK(indexer.apply(objects[i], offsets[i]));
  }
  BW_CHECK(commit(indexer, &effects));
  return meta.applied - flushed < kEntriesPerFlush ? Result<void>{} : flush_soon();
}

}  // namespace bw::store
