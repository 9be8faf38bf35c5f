// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "base/id.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "net/address.hpp"
#include "syndication/message.hpp"
#include "telemetry/log.hpp"
#include "wave/permissions.hpp"

using namespace bw;

namespace {

void check_bytes(std::string_view text) {
  if (const auto bytes = from_base64url(text)) BW_ASSERT(to_base64url(*bytes) == text);
  BW_ASSERT(from_base64url(to_base64url(as_bytes(text))).value() == to_bytes(text));
  if (const auto bytes = from_hex(text)) BW_ASSERT(from_hex(to_hex(*bytes)).value() == *bytes);
  BW_ASSERT(from_hex(to_hex(as_bytes(text))).value() == to_bytes(text));
  if (const auto id = EntityKey::parse(text)) BW_ASSERT(id->text() == text);
}

void check_printable(std::string_view text) {
  const std::string shown = printable(text, text.size());
  BW_ASSERT(is_utf8(as_bytes(shown)));
  BW_ASSERT(printable(shown, shown.size()) == shown);
  if (shown == text) BW_ASSERT(is_utf8(as_bytes(text)));
}

void check_times(std::string_view text) {
  if (const auto time = parse_time(text)) BW_ASSERT(to_text(*time) == text);
  if (const auto duration = parse_duration(text)) {
    BW_ASSERT(duration->count() >= 0 && !to_text(*duration).empty());
  }
}

void check_address(std::string_view text) {
  const auto address = net::parse_host_port(text);
  if (!address) return;
  const bool bracketed = text.front() == '[';
  const std::string again =
      fmt::format(fmt::runtime(bracketed ? "[{}]:{}" : "{}:{}"), address->host, address->port);
  const auto reparsed = net::parse_host_port(again);
  BW_ASSERT(reparsed && reparsed->host == address->host && reparsed->port == address->port);
  BW_ASSERT(address->host.find_first_of(bracketed ? "[]" : "[]:") == std::string::npos);
}

void check_words(std::string_view text) {
  if (const auto permissions = wave::Permissions::parse(text)) {
    BW_ASSERT(!permissions->empty());
    BW_ASSERT(wave::Permissions::parse(permissions->text()).value() == *permissions);
    BW_ASSERT(wave::Permissions::from_wire(permissions->bits()).value() == *permissions);
  }
  if (const auto type = syndication::parse_payload_type(text)) {
    BW_ASSERT(syndication::payload_type_text(*type) == text);
  }
  static_cast<void>(telemetry::parse_level(text).has_value());
}

}  // namespace

// Whatever people and configuration write as text: ids, times, addresses, permissions, types.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  check_bytes(text);
  check_printable(text);
  check_times(text);
  if (!text.empty()) check_address(text);
  check_words(text);
  return 0;
}
