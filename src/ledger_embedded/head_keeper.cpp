// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/head_keeper.hpp"

#include "store/file.hpp"

namespace bw::ledger_embedded {
namespace {

constexpr unsigned kMode = 0644;

std::filesystem::path evidence_of(const std::filesystem::path& file) {
  return file.string() + ".fork";
}

}  // namespace

HeadKeeper::HeadKeeper(std::filesystem::path file, const EntityKey& ledger,
                       const crypto::SubtreeReader& tree)
    : file_(std::move(file)), ledger_(ledger), tree_(tree) {}

Result<void> HeadKeeper::load(std::uint64_t held) {
  const std::scoped_lock lock(mutex_);
  if (std::filesystem::exists(evidence_of(file_))) {
    fork_ =
        Error{ErrorCode::kFork,
              fmt::format("ledger {} showed two histories; the evidence is in {}. Do not trust it "
                          "any more: move to another ledger",
                          ledger_.text(), evidence_of(file_).string())};
    return fail(*fork_);
  }
  auto file = store::File::open(file_, 0);
  if (!file) return file.error().code == ErrorCode::kNotFound ? Result<void>{} : fail(file.error());
  BW_TRY(const Bytes bytes, store::read_whole(*file, ledger::kSignedHeadBytes));
  const auto parsed = ledger::parse_head(bytes);
  if (!parsed) {
    return fail(ErrorCode::kCorrupt,
                "{} is damaged ({}); restore it from a back-up, or remove it to trust the ledger's "
                "next head unseen",
                file_.string(), parsed.error().message);
  }
  const ledger::SignedHead& kept = *parsed;
  if (kept.ledger != ledger_ || !ledger::verify_head(kept)) {
    return fail(ErrorCode::kCorrupt,
                "{} holds a head that ledger {} did not sign; if you changed "
                "ledgers, use a new directory",
                file_.string(), ledger_.text());
  }
  // Fewer entries than the head says: the copy here was put back or lost. They are fetched again
  // and must then give this head.
  if (kept.head.size <= held) {
    BW_TRY(const Hash root, crypto::root_at(tree_, kept.head.size));
    if (root != kept.head.root) {
      return fail(ErrorCode::kCorrupt,
                  "the entries held here are not those of the head in {}; "
                  "remove the directory to fetch them again",
                  file_.string());
    }
  }
  reached_ = kept.head.size <= held;
  latest_ = kept;
  return {};
}

Result<void> HeadKeeper::check(const ledger::SignedHead& head, std::uint64_t held,
                               const Hash& held_root, std::span<const Hash> consistency) {
  const std::scoped_lock lock(mutex_);
  if (fork_) return fail(*fork_);
  if (head.ledger != ledger_ || !ledger::verify_head(head)) {
    return fail(ErrorCode::kBadSignature, "the ledger sent a head that it did not sign");
  }
  // Honest ledgers sign smaller heads only for parts of what they are about to send.
  const bool forgot = head.head.size == held && latest_ && held < latest_->head.size;
  if (head.head.size < held || forgot) return record_fork(head, "went back");
  if (!crypto::verify_consistency(held, held_root, head.head.size, head.head.root, consistency)) {
    // A bad proof alone convicts nobody; the same size with another root does.
    if (latest_ && latest_->head.size == head.head.size && latest_->head.root != head.head.root) {
      return record_fork(head, "signed two roots for one size");
    }
    return fail(ErrorCode::kFork,
                "ledger {}: its head of {} entries does not extend the {} held here",
                ledger_.text(), head.head.size, held);
  }
  return {};
}

Result<void> HeadKeeper::advance(const ledger::SignedHead& head, std::uint64_t held) {
  const std::scoped_lock lock(mutex_);
  if (!reached_ && latest_->head.size <= held) {
    BW_CHECK(agrees(*latest_));
    reached_ = true;
  }
  const bool grew = !latest_ || head.head.size > latest_->head.size;
  if (grew || head.head.size == latest_->head.size) latest_ = head;
  unsaved_ = unsaved_ || grew;
  if (ahead_ && ahead_->head.size <= held) {
    const ledger::SignedHead theirs = *std::exchange(ahead_, std::nullopt);
    BW_CHECK(agrees(theirs));
  }
  return {};
}

Result<void> HeadKeeper::save() {
  const std::scoped_lock lock(mutex_);
  if (!unsaved_) return {};
  BW_CHECK(store::atomic_write_file(file_, ledger::encode(*latest_), kMode, true));
  unsaved_ = false;
  return {};
}

Result<void> HeadKeeper::compare(ByteView encoded, std::uint64_t held) {
  BW_TRY(const ledger::SignedHead theirs, ledger::parse_head(encoded));
  // A peer may follow another ledger, or show rubbish: neither says anything about ours.
  if (theirs.ledger != ledger_ || !ledger::verify_head(theirs)) return {};
  const std::scoped_lock lock(mutex_);
  if (theirs.head.size <= held) return agrees(theirs);
  if (!ahead_ || theirs.head.size < ahead_->head.size) ahead_ = theirs;
  return {};
}

std::optional<ledger::SignedHead> HeadKeeper::latest() const {
  const std::scoped_lock lock(mutex_);
  return latest_;
}

std::optional<Error> HeadKeeper::fork() const {
  const std::scoped_lock lock(mutex_);
  return fork_;
}

Result<void> HeadKeeper::agrees(const ledger::SignedHead& head) {
  BW_TRY(const Hash root, crypto::root_at(tree_, head.head.size));
  if (root != head.head.root) return record_fork(head, "signed another history for somebody else");
  return {};
}

Result<void> HeadKeeper::record_fork(const ledger::SignedHead& theirs, std::string_view what) {
  Bytes evidence = latest_ ? ledger::encode(*latest_) : Bytes{};
  append(evidence, ledger::encode(theirs));
  fork_ =
      Error{ErrorCode::kFork, fmt::format("ledger {} {}: this node stops trusting it. Evidence: {}",
                                          ledger_.text(), what, evidence_of(file_).string())};
  if (const auto kept = store::atomic_write_file(evidence_of(file_), evidence, kMode, true);
      !kept) {
    fork_->message += fmt::format(" (could not be written: {})", kept.error().message);
  }
  return fail(*fork_);
}

}  // namespace bw::ledger_embedded
