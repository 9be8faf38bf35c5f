// SPDX-License-Identifier: Apache-2.0
#include "cli/send.hpp"

namespace bw::cli {

Result<void> error_of(const api::PublishResults& results) {
  if (results.errors().empty()) return {};
  const api::ValueError& first = results.errors(0);
  for (std::uint16_t number = 0; number < 100; ++number) {
    const ErrorCode code = error_code_from_wire(number);
    if (error_name(code) == first.error()) return fail(Error{code, first.message()});
  }
  return fail(Error{ErrorCode::kInternal, first.message()});
}

Result<void> send_one(App& app, const api::Value& value) {
  BW_TRY(client::Client * agent, app.connect());
  const auto stream = agent->publish();
  api::PublishFrame frame;
  frame.set_as(app.as);
  *frame.add_values() = value;
  api::PublishResults results;
  if (!stream->send(frame) || !stream->receive(results)) {
    BW_CHECK(stream->finish());
    return fail(ErrorCode::kUnavailable, "the agent ended the stream without an answer");
  }
  BW_CHECK(stream->finish());
  return error_of(results);
}

}  // namespace bw::cli
