// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <tl/expected.hpp>
#include <utility>

#include "base/error.hpp"

namespace bw {

// For whatever input, peers, permissions or quotas can cause. Broken invariants of our own use
// BW_ASSERT; exceptions stay inside I/O rooms.
template <class T, class E = Error>
using Result = tl::expected<T, E>;

// fail(ErrorCode::kMalformed, "entity: {} trailing bytes", n)
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format,
                                         Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace bw

#define BW_CONCAT_INNER(a, b) a##b
#define BW_CONCAT(a, b) BW_CONCAT_INNER(a, b)

// BW_TRY(auto entity, parse_entity(bytes)); leaves the function with the error, or binds the value.
// Statements, not GNU statement expressions: those break across co_await.
#define BW_TRY_IMPL(result, declaration, ...)                       \
  auto result = (__VA_ARGS__);                                      \
  if (!result) return ::tl::unexpected(std::move(result).error());  \
  declaration = *std::move(result)
#define BW_TRY(declaration, ...) \
  BW_TRY_IMPL(BW_CONCAT(bw_try_result_, __LINE__), declaration, __VA_ARGS__)

// BW_CHECK(verify(x)); the same for Result<void>.
#define BW_CHECK_IMPL(result, ...)                                    \
  if (auto result = (__VA_ARGS__); !result) return ::tl::unexpected(std::move(result).error())
#define BW_CHECK(...) BW_CHECK_IMPL(BW_CONCAT(bw_check_result_, __LINE__), __VA_ARGS__)
