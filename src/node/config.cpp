// SPDX-License-Identifier: Apache-2.0
#include "node/config.hpp"

#include <cstdlib>
#include <functional>
#include <map>

#include <fcntl.h>
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1  // Debian's library is built with exceptions
// Version 3.3 asserts that a table header starts with a key ("[=]"), and right after reports that
// it does not, with its line.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include "base/text.hpp"
#include "node/config_text.hpp"
#include "store/file.hpp"

namespace bw::node {
namespace {

constexpr std::size_t kMostBytes = 1024 * 1024;
constexpr std::int64_t kMostThreads = 64;
constexpr std::int64_t kMostEndpoints = 16;
constexpr std::int64_t kMostConfirmations = 10'000;

// Takes one value into the configuration, or says what was expected.
using Take = std::function<Result<void>(const toml::node&)>;
using Section = std::map<std::string, Take, std::less<>>;

template <class T>
Take value_of(T& into, const char* expected) {
  return [&into, expected](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<T>();  // value() would take 1 for true
    if (!value) return fail(ErrorCode::kInvalidArgument, "expected {}", expected);
    into = *value;
    return {};
  };
}

Take text(std::string& into) {
  return value_of(into, "text in quotes");
}

Take positive(double& into) {
  return [&into](const toml::node& node) -> Result<void> {
    const auto value = node.value<double>();
    if (!value || !(*value > 0))
      return fail(ErrorCode::kInvalidArgument, "expected a number above 0");
    into = *value;
    return {};
  };
}

Take not_negative(double& into) {
  return [&into](const toml::node& node) -> Result<void> {
    const auto value = node.value<double>();
    if (!value || !(*value >= 0))
      return fail(ErrorCode::kInvalidArgument, "expected a number, 0 or above");
    into = *value;
    return {};
  };
}

Take count(std::size_t& into, std::int64_t most = 1'000'000'000, std::int64_t least = 1) {
  return [&into, most, least](const toml::node& node) -> Result<void> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return fail(ErrorCode::kInvalidArgument, "expected a whole number from {} to {}", least,
                  most);
    }
    into = static_cast<std::size_t>(*value);
    return {};
  };
}

Take texts(std::vector<std::string>& into) {
  return [&into](const toml::node& node) -> Result<void> {
    const auto bad = [] {
      return fail(ErrorCode::kInvalidArgument, "expected a list of texts, [\"...\", \"...\"]");
    };
    if (!node.is_array()) return bad();
    into.clear();
    for (const auto& element : *node.as_array()) {
      const auto value = element.value_exact<std::string>();
      if (!value) return bad();
      into.push_back(*value);
    }
    return {};
  };
}

Take level(telemetry::Level& into) {
  return [&into](const toml::node& node) -> Result<void> {
    BW_TRY(into, telemetry::parse_level(node.value_or(std::string())));
    return {};
  };
}

Take key(std::optional<EntityKey>& into) {
  return [&into](const toml::node& node) -> Result<void> {
    BW_TRY(into, EntityKey::parse(node.value_or(std::string())));
    return {};
  };
}

// `section` and the settings of a listener, which every section with one has.
Section with_limits(Section section, net::ListenerLimits& limits) {
  section.insert({{"connections", count(limits.connections)},
                  {"connections_per_address", count(limits.per_address)},
                  {"strangers", count(limits.strangers)},
                  {"strangers_per_address", count(limits.strangers_per_address)},
                  {"arrivals_per_second", positive(limits.arrivals_per_second)},
                  {"arrivals_burst", positive(limits.arrivals_burst)}});
  return section;
}

std::string limits_toml(const net::ListenerLimits& limits) {
  return fmt::format(
      "connections = {}\nconnections_per_address = {}\nstrangers = {}\n"
      "strangers_per_address = {}\narrivals_per_second = {}\narrivals_burst = {}\n",
      limits.connections, limits.per_address, limits.strangers, limits.strangers_per_address,
      limits.arrivals_per_second, limits.arrivals_burst);
}

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

std::string ethereum_toml(const Config::EthereumPart& ethereum) {
  std::string endpoints;
  for (const std::string& url : ethereum.endpoints) {
    endpoints += (endpoints.empty() ? "" : ", ") + in_quotes(url);
  }
  return fmt::format(
      "[ethereum]\nnetwork = {}\nendpoints = [{}]\nagree = {}\ncheckpoint = {}\n"
      "confirmations = {}\nfinalized = {}\nfunding_key = {}\n"
      "funding_passphrase_file = {}\nmax_fee_gwei = {}\n\n",
      in_quotes(ethereum.network), endpoints, ethereum.agree, in_quotes(ethereum.checkpoint),
      ethereum.confirmations, ethereum.finalized, in_quotes(ethereum.funding_key),
      in_quotes(ethereum.funding_passphrase_file), ethereum.max_fee_gwei);
}

std::map<std::string, Section, std::less<>> sections(Config& config) {
  return {
      {"log",
       {{"level", level(config.log.level)}, {"json", value_of(config.log.json, "true or false")}}},
      {"metrics", {{"listen", text(config.metrics.listen)}}},
      {"ledger",
       with_limits({{"address", text(config.ledger.address)},
                    {"key", key(config.ledger.key)},
                    {"listen", text(config.ledger.listen)},
                    {"entries_per_second", not_negative(config.ledger.entries_per_second)},
                    {"burst", positive(config.ledger.burst)},
                    {"threads", count(config.ledger.threads, kMostThreads, 0)}},
                   config.ledger.limits)},
      {"ethereum",
       {{"network", text(config.ethereum.network)},
        {"endpoints", texts(config.ethereum.endpoints)},
        {"agree", count(config.ethereum.agree, kMostEndpoints)},
        {"checkpoint", text(config.ethereum.checkpoint)},
        {"confirmations", count(config.ethereum.confirmations, kMostConfirmations, 0)},
        {"finalized", value_of(config.ethereum.finalized, "true or false")},
        {"funding_key", text(config.ethereum.funding_key)},
        {"funding_passphrase_file", text(config.ethereum.funding_passphrase_file)},
        {"max_fee_gwei", positive(config.ethereum.max_fee_gwei)}}},
      {"router", with_limits({{"listen", text(config.router.listen)},
                              {"advertise", text(config.router.advertise)},
                              {"threads", count(config.router.threads, kMostThreads)}},
                             config.router.limits)},
      {"agent",
       {{"socket", text(config.agent.socket)},
        {"api_tcp", text(config.agent.api_tcp)},
        {"api_token", text(config.agent.api_token)},
        {"default_entity", text(config.agent.default_entity)}}},
  };
}

template <class Map>
std::string names_of(const Map& map) {
  std::string names;
  for (const auto& [name, ignored] : map) names += (names.empty() ? "" : ", ") + name;
  return names;
}

tl::unexpected<Error> complain(const std::filesystem::path& file, const toml::source_region& where,
                               std::string_view what) {
  return fail(ErrorCode::kInvalidArgument, "{}:{}: {}", file.string(), where.begin.line, what);
}

Result<std::string> read_text(const std::filesystem::path& path) {
  BW_TRY(const store::File file, store::File::open(path, O_RDONLY));
  BW_TRY(const Bytes bytes, store::read_whole(file, kMostBytes));
  return std::string(as_text(bytes));
}

Result<void> read_section(const std::filesystem::path& file, std::string_view section_name,
                          const toml::table& table, const Section& section) {
  for (const auto& [name, node] : table) {
    const auto take = section.find(name.str());
    if (take == section.end()) {
      return complain(file, node.source(),
                      fmt::format("[{}] has no setting '{}'; it has {}", section_name,
                                  printable(name.str(), 60), names_of(section)));
    }
    if (const auto taken = take->second(node); !taken) {
      return complain(file, node.source(),
                      fmt::format("{}.{}: {}", section_name, take->first, taken.error().message));
    }
  }
  return {};
}

}  // namespace

std::filesystem::path default_directory() {
  if (const char* chosen = std::getenv("BW_DIR"); chosen != nullptr && *chosen != '\0')
    return chosen;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr || *home == '\0' ? "/" : home) / ".bosswave";
}

Result<Config> load_config(const std::filesystem::path& directory,
                           const std::filesystem::path& file, bool required) {
  Config config;
  config.directory = directory;
  if (!std::filesystem::exists(file)) {
    if (!required) return config;
    return fail(ErrorCode::kNotFound, "there is no configuration file {}", file.string());
  }
  // The parser takes a directory for an empty file.
  if (std::filesystem::is_directory(file)) {
    return fail(ErrorCode::kInvalidArgument, "{} is a directory, not a configuration file",
                file.string());
  }
  BW_TRY(const std::string text, read_text(file));
  if (const auto line = line_of_stray_character(text)) {
    return fail(ErrorCode::kInvalidArgument,
                "{}:{}: a character that may stand only in quotes or in a comment", file.string(),
                *line);
  }
  const toml::parse_result parsed = toml::parse(text, file.string());
  if (!parsed) {
    return complain(file, parsed.error().source(), std::string(parsed.error().description()));
  }
  const auto known = sections(config);
  for (const auto& [name, node] : parsed.table()) {
    const auto section = known.find(name.str());
    if (section == known.end() || !node.is_table()) {
      return complain(file, node.source(),
                      fmt::format("'{}' is not a section; there are {}", printable(name.str(), 60),
                                  names_of(known)));
    }
    BW_CHECK(read_section(file, section->first, *node.as_table(), section->second));
  }
  return config;
}

std::string to_toml(const Config& config) {
  constexpr const char* kLevels[] = {"debug", "info", "warning", "error"};
  std::string out;
  out += fmt::format("[log]\nlevel = {}\njson = {}\n\n",
                     in_quotes(kLevels[static_cast<int>(config.log.level)]), config.log.json);
  out += fmt::format("[metrics]\nlisten = {}\n\n", in_quotes(config.metrics.listen));
  out += fmt::format("[ledger]\naddress = {}\n", in_quotes(config.ledger.address));
  if (config.ledger.key) out += fmt::format("key = {}\n", in_quotes(config.ledger.key->text()));
  out += fmt::format("listen = {}\nentries_per_second = {}\nburst = {}\nthreads = {}\n{}\n",
                     in_quotes(config.ledger.listen), config.ledger.entries_per_second,
                     config.ledger.burst, config.ledger.threads, limits_toml(config.ledger.limits));
  out += ethereum_toml(config.ethereum);
  out += fmt::format("[router]\nlisten = {}\nadvertise = {}\nthreads = {}\n{}\n",
                     in_quotes(config.router.listen), in_quotes(config.router.advertise),
                     config.router.threads, limits_toml(config.router.limits));
  out += fmt::format("[agent]\nsocket = {}\napi_tcp = {}\ndefault_entity = {}\n",
                     in_quotes(config.agent.socket), in_quotes(config.agent.api_tcp),
                     in_quotes(config.agent.default_entity));
  return out;
}

}  // namespace bw::node
