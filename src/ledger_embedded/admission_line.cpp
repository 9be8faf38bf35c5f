// SPDX-License-Identifier: Apache-2.0
#include "ledger_embedded/admission_line.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "ledger/pending_state.hpp"
#include "ledger_embedded/workers.hpp"

namespace bw::ledger_embedded {
namespace {

// What one thread verifies at once.
constexpr std::size_t kSlice = 64;
// What shares a disk flush, about: more would only take longer.
constexpr std::size_t kEntriesAtOnce = 4096;

struct Checked {
  std::optional<Result<wave::Object>> object;  // parsed
  std::optional<Result<void>> signature;       // nothing: not looked at yet
};

struct Submission {
  std::vector<Bytes> entries;
  std::vector<Checked> checked;
  AdmissionLine::Done done;
  std::atomic<std::size_t> unchecked = 0;  // slices
};
using SubmissionPtr = std::shared_ptr<Submission>;

}  // namespace

struct AdmissionLine::Impl {
  Impl(store::AuthorityStore& authority, const Clock& wall_clock, std::size_t threads,
       OnAppended appended)
      : store(authority), clock(wall_clock), on_appended(std::move(appended)), workers(threads) {
    writer = std::jthread([this] { write_for_ever(); });
  }
  ~Impl() {
    {
      const std::scoped_lock lock(mutex);
      stopped = true;
    }
    ready.notify_all();
    writer.join();
  }

  void submit(SubmissionPtr submission) {
    const std::size_t entries = submission->entries.size();
    const std::size_t slices = (entries + kSlice - 1) / kSlice;
    submission->checked.resize(entries);
    submission->unchecked = slices;
    {
      const std::scoped_lock lock(mutex);
      line.push_back(submission);
    }
    if (slices == 0) ready.notify_all();
    for (std::size_t begin = 0; begin < entries; begin += kSlice) {
      workers.add([this, submission, begin, end = std::min(begin + kSlice, entries)] {
        for (std::size_t i = begin; i < end; ++i) {
          check(submission->entries[i], submission->checked[i]);
        }
        if (--submission->unchecked > 0) return;
        const std::scoped_lock lock(mutex);
        ready.notify_all();
      });
    }
  }

  // A repeat is refused for less than a signature costs, so that nobody makes the ledger verify
  // what it has.
  void check(const Bytes& entry, Checked& out) const {
    out.object = wave::parse_object(entry);
    if (*out.object && !is_repeat(**out.object)) {
      out.signature = wave::verify_signature(**out.object);
    }
  }

  bool is_repeat(const wave::Object& object) const {
    if (const auto* dot = std::get_if<wave::Signed<wave::Dot>>(&object)) {
      const auto known = store.dot_status(dot->id);
      return known && *known;
    }
    if (const auto* entity = std::get_if<wave::Signed<wave::Entity>>(&object)) {
      const auto known = store.entity_status(entity->value.key);
      return known && *known && (*known)->created >= entity->value.created;
    }
    return false;
  }

  // ---- the writer's thread
  void write_for_ever() {
    while (true) {
      const std::vector<SubmissionPtr> some = next();
      if (some.empty()) return;
      admit(some);
    }
  }

  // The first of the line, once it is checked, and those behind it that are. None: stopped.
  std::vector<SubmissionPtr> next() {
    std::unique_lock lock(mutex);
    ready.wait(lock, [this] { return stopped || (!line.empty() && line.front()->unchecked == 0); });
    std::vector<SubmissionPtr> some;
    if (stopped) return some;
    for (std::size_t entries = 0; !line.empty() && line.front()->unchecked == 0;) {
      entries += line.front()->entries.size();
      if (entries > kEntriesAtOnce && !some.empty()) break;
      some.push_back(std::move(line.front()));
      line.pop_front();
    }
    return some;
  }

  void admit(const std::vector<SubmissionPtr>& submissions) {
    ledger::PendingState state(store);
    std::vector<wave::Object> passed;
    std::vector<std::vector<ledger::Submitted>> outcomes;
    const std::uint64_t first = store.log().size();
    for (const SubmissionPtr& submission : submissions) {
      auto& answers = outcomes.emplace_back();
      answers.reserve(submission->checked.size());
      for (Checked& checked : submission->checked) {
        auto object = judge(checked, state);
        if (object) {
          answers.push_back({first + passed.size(), {}});
          passed.push_back(*std::move(object));
        } else {
          answers.push_back({std::nullopt, std::move(object).error()});
        }
      }
    }
    const auto stored = append(passed);
    for (std::size_t i = 0; i < submissions.size(); ++i) {
      if (stored) {
        submissions[i]->done(std::move(outcomes[i]));
      } else {
        submissions[i]->done(fail(stored.error()));
      }
    }
  }

  Result<void> append(const std::vector<wave::Object>& passed) {
    if (passed.empty()) return {};
    BW_TRY(const ledger::Effects effects, store.append(passed));
    on_appended(effects);
    return {};
  }

  Result<wave::Object> judge(Checked& checked, ledger::PendingState& state) const {
    BW_TRY(wave::Object object, *std::move(checked.object));
    BW_CHECK(ledger::admissible(object, state, clock.now()));
    if (!checked.signature) checked.signature = wave::verify_signature(object);
    BW_CHECK(*std::move(checked.signature));
    BW_CHECK(state.add(object));
    return object;
  }

  store::AuthorityStore& store;
  const Clock& clock;
  OnAppended on_appended;
  std::mutex mutex;
  std::condition_variable ready;   // the first of the line is checked
  std::deque<SubmissionPtr> line;  // guarded by mutex
  bool stopped = false;            // guarded by mutex
  std::jthread writer;
  Workers workers;  // goes first: its threads use the rest
};

AdmissionLine::AdmissionLine(store::AuthorityStore& store, const Clock& clock, std::size_t threads,
                             OnAppended on_appended)
    : impl_(std::make_unique<Impl>(store, clock, threads, std::move(on_appended))) {}
AdmissionLine::~AdmissionLine() = default;

void AdmissionLine::submit(std::vector<Bytes> entries, Done done) {
  auto submission = std::make_shared<Submission>();
  submission->entries = std::move(entries);
  submission->done = std::move(done);
  impl_->submit(std::move(submission));
}

}  // namespace bw::ledger_embedded
