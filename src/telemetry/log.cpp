// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.hpp"

#include <chrono>
#include <mutex>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/text.hpp"
#include "base/time.hpp"

namespace bw::telemetry {
namespace {

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "info";
}

std::string timestamp() {
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::string text = to_text(now);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, to_micros(now) / 1000 % 1000);
}

std::string json_line(Level level, std::string_view component, std::string_view message,
                      std::initializer_list<Field> fields) {
  nlohmann::ordered_json line;
  line["time"] = timestamp();
  line["level"] = level_name(level);
  line["component"] = component;
  line["message"] = printable(message, 2000);
  for (const Field& field : fields) line[std::string(field.name)] = printable(field.value, 2000);
  return line.dump();
}

std::string text_line(Level level, std::string_view component, std::string_view message,
                      std::initializer_list<Field> fields) {
  std::string line = fmt::format("{} {:7} {:9} {}", timestamp(), level_name(level), component,
                                 printable(message, 2000));
  for (const Field& field : fields) {
    line += fmt::format(" {}={}", field.name, printable(field.value, 500));
  }
  return line;
}

}  // namespace

struct Log::Impl {
  explicit Impl(Options chosen)
      : options(chosen),
        logger("bosswave", std::make_shared<spdlog::sinks::stderr_sink_mt>()),
        allowance(chosen.limited_per_second) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }

  // Refills with the time that passed; a second's worth can be saved up.
  bool allow(std::uint64_t& dropped_before) {
    const std::scoped_lock lock(mutex);
    const auto now = std::chrono::steady_clock::now();
    const double passed = std::chrono::duration<double>(now - refilled_at).count();
    refilled_at = now;
    allowance =
        std::min(options.limited_per_second, allowance + passed * options.limited_per_second);
    if (allowance < 1) {
      ++dropped;
      return false;
    }
    allowance -= 1;
    dropped_before = std::exchange(dropped, 0);
    return true;
  }

  Options options;
  spdlog::logger logger;
  std::mutex mutex;
  double allowance;
  std::uint64_t dropped = 0;
  std::chrono::steady_clock::time_point refilled_at = std::chrono::steady_clock::now();
};

Result<Level> parse_level(std::string_view text) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (level_name(level) == text) return level;
  }
  return fail(ErrorCode::kInvalidArgument, "'{}' is not a log level: debug, info, warning or error",
              printable(text, 40));
}

Log::Log(Options options) : impl_(std::make_unique<Impl>(options)) {}
Log::~Log() = default;

void Log::write(Level level, std::string_view component, std::string_view message,
                std::initializer_list<Field> fields) {
  if (level < impl_->options.level) return;
  impl_->logger.log(spdlog::level::info, "{}",
                    impl_->options.json ? json_line(level, component, message, fields)
                                        : text_line(level, component, message, fields));
}

void Log::limited(Level level, std::string_view component, std::string_view message,
                  std::initializer_list<Field> fields) {
  std::uint64_t dropped = 0;
  if (level < impl_->options.level || !impl_->allow(dropped)) return;
  if (dropped > 0) {
    write(level, component, "similar lines were dropped", {{"count", std::to_string(dropped)}});
  }
  write(level, component, message, fields);
}

}  // namespace bw::telemetry
