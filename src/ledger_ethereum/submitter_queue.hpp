// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ledger/ledger.hpp"
#include "wave/object.hpp"

namespace bw::ledger_ethereum {

// Of which callers wait to hear, sent or not.
inline constexpr std::size_t kOwedEntries = 131'072;
inline constexpr std::size_t kOwedBytes = 64 * 1024 * 1024;

// What callers submitted and are owed an answer for. Each is answered exactly once, at the latest
// when the queue goes. Pure but for the callbacks, which only deliver() and the destructor call;
// they may call back into the queue. One thread.
class SubmissionQueue {
 public:
  // One object of a submission.
  struct Item;
  using ItemPtr = std::shared_ptr<Item>;

  SubmissionQueue() = default;
  ~SubmissionQueue();
  SubmissionQueue(const SubmissionQueue&) = delete;
  SubmissionQueue& operator=(const SubmissionQueue&) = delete;

  // An object that is to be put, or the answer that is clear without.
  using Judged = Result<wave::Object>;
  // Deadlines must not fall from one call to the next. A DoT that waits already is not put twice:
  // it is refused with kConflict when the first stands, and else as the first was. Answers
  // kLimited at once when there is no room.
  void add(std::vector<Judged> objects, Time deadline, ledger::Ledger::SubmitDone done);

  // Waiting, in order. An item that was taken is settled or put back.
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  [[nodiscard]] std::size_t entries() const { return waiting_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] const ItemPtr& front() const { return waiting_.front(); }
  ItemPtr take();
  // In their order, before all that wait; those that nobody asks for any more are left out.
  void put_back(const std::vector<ItemPtr>& items);

  void settle(const ItemPtr& item, ledger::Submitted outcome);
  // Answers every submission whose deadline has passed with kUnavailable, where nothing else is
  // known, and takes out of the queue what nobody waits for any more.
  void expire(Time now, const std::string& why);
  // Answers all, and from now on every new one at once.
  void close(const std::string& why);
  // Calls back.
  void deliver();

  // Whether somebody is owed an answer.
  [[nodiscard]] bool idle() const { return submissions_.empty(); }
  [[nodiscard]] static bool is_wanted(const Item& item);

 private:
  struct Submission;
  using Submissions = std::list<std::shared_ptr<Submission>>;

  void enqueue(const std::shared_ptr<Submission>& submission, std::size_t index,
               wave::Object object);
  void set(const Item& item, const ledger::Submitted& outcome);
  void answer(Submission& submission, Result<std::vector<ledger::Submitted>> result);
  void answer(Submission& submission);
  void answer_late(Submission& submission, const std::string& why);
  void drop_unwanted();

  std::deque<ItemPtr> waiting_;
  std::size_t bytes_ = 0;
  Submissions submissions_;  // not answered, by deadline
  std::size_t owed_entries_ = 0;
  std::size_t owed_bytes_ = 0;
  std::unordered_map<ObjectId, ItemPtr> open_;
  std::deque<std::pair<ledger::Ledger::SubmitDone, Result<std::vector<ledger::Submitted>>>>
      answers_;
  bool delivering_ = false;
  std::optional<std::string> closed_;  // why
};

struct SubmissionQueue::Item {
  wave::Object object;
  std::weak_ptr<Submission> submission;
  std::size_t index = 0;      // in the submission
  std::size_t failures = 0;   // of calls with it, as a whole
  std::vector<ItemPtr> same;  // the same object, submitted again meanwhile
};

}  // namespace bw::ledger_ethereum
