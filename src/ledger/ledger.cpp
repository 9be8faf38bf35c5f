// SPDX-License-Identifier: Apache-2.0
#include "ledger/ledger.hpp"

#include "base/limits.hpp"

namespace bw::ledger {

Result<void> check_submission(const std::vector<Bytes>& objects) {
  if (objects.size() > limits::kLedgerBatchEntries) {
    return fail(ErrorCode::kInvalidArgument,
                "{} objects in one submission; a ledger takes {} at once, so send them in parts",
                objects.size(), limits::kLedgerBatchEntries);
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::size_t size = objects[i].size();
    if (size == 0) return fail(ErrorCode::kMalformed, "object {} of the submission is empty", i);
    if (size > limits::kObjectBytes) {
      return fail(ErrorCode::kTooLarge, "object {} of the submission has {} bytes; at most {} fit",
                  i, size, limits::kObjectBytes);
    }
  }
  const std::size_t total = submission_bytes(objects);
  if (total <= limits::kSubmissionBytes) return {};
  return fail(ErrorCode::kTooLarge,
              "a submission of {} bytes; a ledger takes {} at once, so send it in parts", total,
              limits::kSubmissionBytes);
}

std::size_t submission_bytes(const std::vector<Bytes>& objects) {
  std::size_t total = 0;
  for (const Bytes& object : objects) total += object.size();
  return total;
}

}  // namespace bw::ledger
