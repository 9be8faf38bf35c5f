// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/submitter_queue.hpp"

#include <algorithm>
#include <optional>
#include <ranges>

namespace bw::ledger_ethereum {

using ledger::Submitted;

struct SubmissionQueue::Submission {
  std::vector<std::optional<Submitted>> outcomes;
  std::size_t open = 0;   // outcomes that are not known
  std::size_t bytes = 0;  // of objects
  Time deadline;
  ledger::Ledger::SubmitDone done;  // empty once answered
  Submissions::iterator place;
};

SubmissionQueue::~SubmissionQueue() {
  close("this node is shutting down");
  deliver();
}

void SubmissionQueue::add(std::vector<Judged> objects, Time deadline,
                          ledger::Ledger::SubmitDone done) {
  if (closed_) {
    answers_.emplace_back(std::move(done),
                          fail(ErrorCode::kUnavailable, "submission: {}", *closed_));
    return;
  }
  std::size_t bytes = 0;
  for (const Judged& object : objects) bytes += object ? wave::bytes_of(*object).size() : 0;
  if (owed_entries_ + objects.size() > kOwedEntries || owed_bytes_ + bytes > kOwedBytes) {
    answers_.emplace_back(
        std::move(done),
        fail(ErrorCode::kLimited, "submission: {} entries wait for the chain already; try later",
             owed_entries_));
    return;
  }
  const auto submission = std::make_shared<Submission>();
  submission->outcomes.resize(objects.size());
  submission->open = objects.size();
  submission->bytes = bytes;
  submission->deadline = deadline;
  submission->done = std::move(done);
  submission->place = submissions_.insert(submissions_.end(), submission);
  owed_entries_ += objects.size();
  owed_bytes_ += bytes;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (objects[i]) {
      enqueue(submission, i, *std::move(objects[i]));
    } else {
      submission->outcomes[i] = Submitted{.index = std::nullopt, .refusal = objects[i].error()};
      --submission->open;
    }
  }
  if (submission->open == 0) answer(*submission);
}

void SubmissionQueue::enqueue(const std::shared_ptr<Submission>& submission, std::size_t index,
                              wave::Object object) {
  const auto item = std::make_shared<Item>(Item{.object = std::move(object),
                                                .submission = submission,
                                                .index = index,
                                                .failures = 0,
                                                .same = {}});
  const auto [open, is_new] = open_.try_emplace(wave::id_of(item->object), item);
  if (!is_new) {
    open->second->same.push_back(item);
    return;
  }
  bytes_ += wave::bytes_of(item->object).size();
  waiting_.push_back(item);
}

SubmissionQueue::ItemPtr SubmissionQueue::take() {
  ItemPtr item = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= wave::bytes_of(item->object).size();
  return item;
}

void SubmissionQueue::put_back(const std::vector<ItemPtr>& items) {
  for (const ItemPtr& item : std::views::reverse(items)) {
    bytes_ += wave::bytes_of(item->object).size();
    waiting_.push_front(item);
  }
  drop_unwanted();
}

bool SubmissionQueue::is_wanted(const Item& item) {
  const auto waits = [](const Item& one) {
    const auto submission = one.submission.lock();
    return submission && submission->done;
  };
  return waits(item) ||
         std::ranges::any_of(item.same, [&](const auto& one) { return waits(*one); });
}

void SubmissionQueue::settle(const ItemPtr& item, Submitted outcome) {
  open_.erase(wave::id_of(item->object));
  set(*item, outcome);
  if (outcome.index) {
    outcome = {.index = std::nullopt,
               .refusal = {ErrorCode::kConflict, "the same was put by an earlier submission"}};
  }
  for (const ItemPtr& same : item->same) set(*same, outcome);
  item->same.clear();
}

void SubmissionQueue::set(const Item& item, const Submitted& outcome) {
  const auto submission = item.submission.lock();
  if (!submission || !submission->done) return;
  submission->outcomes[item.index] = outcome;
  if (--submission->open == 0) answer(*submission);
}

void SubmissionQueue::answer(Submission& submission, Result<std::vector<Submitted>> result) {
  answers_.emplace_back(std::move(submission.done), std::move(result));
  submission.done = nullptr;
  owed_entries_ -= submission.outcomes.size();
  owed_bytes_ -= submission.bytes;
  submissions_.erase(submission.place);
}

void SubmissionQueue::answer(Submission& submission) {
  std::vector<Submitted> outcomes;
  for (auto& outcome : submission.outcomes) outcomes.push_back(*std::move(outcome));
  answer(submission, std::move(outcomes));
}

void SubmissionQueue::answer_late(Submission& submission, const std::string& why) {
  const Error late{ErrorCode::kUnavailable, "submission: " + why};
  if (submission.open == submission.outcomes.size()) return answer(submission, fail(late));
  for (auto& outcome : submission.outcomes) {
    if (!outcome) outcome = Submitted{.index = std::nullopt, .refusal = late};
  }
  answer(submission);
}

void SubmissionQueue::expire(Time now, const std::string& why) {
  bool any = false;
  while (!submissions_.empty() && submissions_.front()->deadline <= now) {
    const auto submission = submissions_.front();
    answer_late(*submission, why);
    any = true;
  }
  if (any) drop_unwanted();
}

void SubmissionQueue::close(const std::string& why) {
  closed_ = why;
  while (!submissions_.empty()) {
    const auto submission = submissions_.front();
    answer_late(*submission, why);
  }
  drop_unwanted();
}

void SubmissionQueue::drop_unwanted() {
  std::erase_if(waiting_, [this](const ItemPtr& item) {
    if (is_wanted(*item)) return false;
    bytes_ -= wave::bytes_of(item->object).size();
    open_.erase(wave::id_of(item->object));
    return true;
  });
}

void SubmissionQueue::deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (!answers_.empty()) {
    auto [done, result] = std::move(answers_.front());
    answers_.pop_front();
    done(std::move(result));
  }
  delivering_ = false;
}

}  // namespace bw::ledger_ethereum
