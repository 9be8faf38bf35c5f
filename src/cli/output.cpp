// SPDX-License-Identifier: Apache-2.0
#include "cli/output.hpp"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "base/text.hpp"

namespace bw::cli {
namespace {

Time now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// Code points: bytes that do not continue one.
std::size_t letters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
}

}  // namespace

void print_json(const Json& value) {
  print_line(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void print_line(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void print_error(const App& app, const Error& error) {
  if (app.json) {
    const Json line{{"error", error_name(error.code)}, {"message", error.message}};
    std::fprintf(stderr, "%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "bw: %s\n", printable(error.message, 2000).c_str());
  }
}

void Table::print() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], letters(row[i]));
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - letters(row[i]) + 2, ' ');
    }
    print_line(line);
  }
}

Progress::Progress(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(::isatty(STDERR_FILENO) == 1), began_(now()) {}

Progress::~Progress() {
  if (shown_ && drawn_ != Time{}) std::fputs("\r\033[K", stderr);
}

void Progress::at(std::uint64_t done) {
  const Time moment = now();
  if (!shown_ || moment - drawn_ < 100ms) return;
  drawn_ = moment;
  const double seconds = std::chrono::duration<double>(moment - began_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  std::fprintf(
      stderr, "\r\033[K%s  %llu / %llu  %.0f %%  %.0f/s  %.0f s left", what_.c_str(),
      static_cast<unsigned long long>(done), static_cast<unsigned long long>(total_),
      total_ == 0 ? 100.0 : 100.0 * static_cast<double>(done) / static_cast<double>(total_), rate,
      left);
}

std::string time_text(std::int64_t micros) {
  return micros == 0 ? "-" : to_text(Time{Duration{micros}});
}

Result<std::int64_t> when(const std::string& text) {
  if (text.empty()) return 0;
  if (const auto time = parse_time(text)) return time->time_since_epoch().count();
  const auto duration = parse_duration(text);
  if (!duration) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is neither a time (2026-12-31T23:59:59Z, never) nor a "
                "duration (90d, 1h30m)",
                printable(text, 60));
  }
  return std::min(now() + *duration, kNever).time_since_epoch().count();
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 2;
    case ErrorCode::kDenied:
    case ErrorCode::kRevoked:
    case ErrorCode::kExpired:
    case ErrorCode::kReplayed:
      return 3;
    case ErrorCode::kNotFound:
      return 4;
    case ErrorCode::kUnavailable:
    case ErrorCode::kStale:
      return 5;
    case ErrorCode::kConflict:
      return 6;
    case ErrorCode::kLimited:
    case ErrorCode::kBlacklisted:
    case ErrorCode::kTooLarge:
      return 7;
    case ErrorCode::kMalformed:
    case ErrorCode::kBadSignature:
    case ErrorCode::kUnsupported:
    case ErrorCode::kCorrupt:
    case ErrorCode::kFork:
      return 8;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      break;
  }
  return 1;
}

}  // namespace bw::cli
