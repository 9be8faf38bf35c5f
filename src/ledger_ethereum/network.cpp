// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/network.hpp"

#include <algorithm>

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "crypto/keccak.hpp"
#include "evm/account.hpp"
#include "evm/transaction.hpp"
#include "ledger_ethereum/json_values.hpp"
#include "store/file.hpp"

namespace bw::ledger_ethereum {
namespace {

using Json = nlohmann::ordered_json;
using nlohmann::json;

constexpr std::size_t kFileBytes = 16 * 1024;
constexpr std::size_t kNameBytes = 64;
constexpr unsigned kMode = 0644;
// In the order in which the Registry makes them.
constexpr std::uint64_t kAliasNumber = 1;
constexpr std::uint64_t kAffinityNumber = 2;

Result<void> only(const json& object, std::initializer_list<std::string_view> names) {
  if (!object.is_object()) return fail(ErrorCode::kMalformed, "not a JSON object");
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(names, name) == names.end()) {
      return fail(ErrorCode::kMalformed, "'{}' is not a member of it", printable(name, 60));
    }
  }
  return {};
}

Result<std::uint64_t> number_of(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_number_unsigned()) {
    return fail(ErrorCode::kMalformed, "{}: not a whole number", name);
  }
  return value.get<std::uint64_t>();
}

Result<Address> address_of(const json& object, const char* name) {
  const json& value = member(object, name);
  if (!value.is_string()) return fail(ErrorCode::kMalformed, "{}: no address", name);
  const auto address = evm::parse_address(value.get_ref<const std::string&>());
  if (!address) return fail(ErrorCode::kMalformed, "{}: {}", name, address.error().message);
  return *address;
}

Result<std::string> name_of(const json& object) {
  const json& value = member(object, "name");
  if (!value.is_string()) return fail(ErrorCode::kMalformed, "name: not a text");
  auto name = value.get<std::string>();
  if (name.empty() || name.size() > kNameBytes || printable(name, kNameBytes) != name) {
    return fail(ErrorCode::kMalformed, "name: not 1 to {} bytes of plain text", kNameBytes);
  }
  return name;
}

Result<Network> network_from(const json& parsed) {
  BW_CHECK(only(parsed, {"name", "chain_id", "registry", "alias", "affinity", "deployment_block",
                         "code_hashes"}));
  const json& code = member(parsed, "code_hashes");
  BW_CHECK(only(code, {"registry", "alias", "affinity"}));
  Network network;
  BW_TRY(network.name, name_of(parsed));
  BW_TRY(network.chain_id, number_of(parsed, "chain_id"));
  BW_TRY(network.registry, address_of(parsed, "registry"));
  BW_TRY(network.alias, address_of(parsed, "alias"));
  BW_TRY(network.affinity, address_of(parsed, "affinity"));
  BW_TRY(network.deployment_block, number_of(parsed, "deployment_block"));
  BW_TRY(network.code.registry, read_hash(code, "registry"));
  BW_TRY(network.code.alias, read_hash(code, "alias"));
  BW_TRY(network.code.affinity, read_hash(code, "affinity"));
  const bool children = network.alias == evm::made_by(network.registry, kAliasNumber) &&
                        network.affinity == evm::made_by(network.registry, kAffinityNumber);
  if (!children) {
    return fail(ErrorCode::kMalformed, "alias, affinity: not made by the registry {}",
                evm::to_text(network.registry));
  }
  return network;
}

// Of an account that is no contract.
Hash code_of_nothing() {
  return crypto::keccak256({});
}

// Of one contract, by what one endpoint proves.
net::Task<Result<void>> check_code(Endpoint& endpoint, Block block, const char* what,
                                   Address address, Hash expected) {
  const auto proof = co_await endpoint.proof(address, {}, block.number);
  if (!proof) co_return fail(proof.error());
  const auto account = evm::prove_account(block.state_root, address, proof->account);
  if (!account) {
    co_return fail(account.error().code, "{}: {}", endpoint.name(), account.error().message);
  }
  if (!*account || (*account)->code_hash == code_of_nothing()) {
    co_return fail(ErrorCode::kNotFound,
                   "{}: there is no {} at {}; is the network file of this chain?", endpoint.name(),
                   what, evm::to_text(address));
  }
  if ((*account)->code_hash != expected) {
    co_return fail(ErrorCode::kConflict,
                   "{}: what is at {} is not the {} that the network file names: its code hash is "
                   "{}",
                   endpoint.name(), evm::to_text(address), what,
                   to_data((*account)->code_hash.bytes));
  }
  co_return Result<void>{};
}

net::Task<Result<void>> check_codes(Endpoint& endpoint, Block block, Network network) {
  struct Contract {
    const char* what;
    Address address;
    Hash code;
  };
  const Contract contracts[] = {{"Registry", network.registry, network.code.registry},
                                {"Alias", network.alias, network.code.alias},
                                {"Affinity", network.affinity, network.code.affinity}};
  for (const Contract& one : contracts) {
    auto checked = co_await check_code(endpoint, block, one.what, one.address, one.code);
    if (!checked) co_return checked;
  }
  co_return Result<void>{};
}

// At least one endpoint is of the chain; those that are of another are told apart.
net::Task<Result<void>> check_chain(Endpoints& endpoints, std::uint64_t chain_id) {
  const auto answers = co_await endpoints.ask_all<std::uint64_t>(
      endpoints.usable(), endpoints.size(), [](Endpoint& one) { return one.chain_id(); });
  std::vector<std::pair<Endpoint*, Error>> others;
  Error silent{ErrorCode::kUnavailable, "no endpoint of the chain can be asked now"};
  bool found = false;
  for (const auto& one : answers) {
    if (!one.answer) {
      silent = one.answer.error();
    } else if (*one.answer == chain_id) {
      found = true;
    } else {
      others.push_back(
          {one.endpoint,
           {ErrorCode::kConflict,
            fmt::format("{}: serves the chain {}, not {}, which the network file names",
                        one.endpoint->name(), *one.answer, chain_id)}});
    }
  }
  if (!found) co_return fail(others.empty() ? silent : others.front().second);
  for (const auto& [endpoint, why] : others) {
    endpoints.failed(*endpoint, {ErrorCode::kFork, why.message});
  }
  co_return Result<void>{};
}

Result<void> check_built_in(const Network& network) {
  if (network.code == built_in_code_hashes()) return {};
  return fail(ErrorCode::kConflict,
              "network {}: its contracts are not those that this program knows; use a program of "
              "the version that deployed them",
              network.name);
}

}  // namespace

Network network_of(std::string name, std::uint64_t chain_id, const Address& registry,
                   std::uint64_t deployment_block) {
  return {.name = std::move(name),
          .chain_id = chain_id,
          .registry = registry,
          .alias = evm::made_by(registry, kAliasNumber),
          .affinity = evm::made_by(registry, kAffinityNumber),
          .deployment_block = deployment_block,
          .code = built_in_code_hashes()};
}

Result<Network> parse_network(std::string_view text) {
  const json parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return fail(ErrorCode::kMalformed, "not JSON");
  return network_from(parsed);
}

std::string to_json(const Network& network) {
  const Json out{{"name", network.name},
                 {"chain_id", network.chain_id},
                 {"registry", evm::to_text(network.registry)},
                 {"alias", evm::to_text(network.alias)},
                 {"affinity", evm::to_text(network.affinity)},
                 {"deployment_block", network.deployment_block},
                 {"code_hashes",
                  {{"registry", to_data(network.code.registry.bytes)},
                   {"alias", to_data(network.code.alias.bytes)},
                   {"affinity", to_data(network.code.affinity.bytes)}}}};
  return out.dump(2) + "\n";
}

Result<Network> read_network(const std::filesystem::path& path) {
  BW_TRY(const store::File file, store::File::open(path, O_RDONLY));
  BW_TRY(const Bytes bytes, store::read_whole(file, kFileBytes));
  auto network = parse_network(as_text(bytes));
  if (!network) {
    return fail(network.error().code, "{}: is not a network file: {}", path.string(),
                network.error().message);
  }
  return network;
}

Result<void> write_network(const std::filesystem::path& path, const Network& network) {
  return store::atomic_write_file(path, as_bytes(to_json(network)), kMode, false);
}

net::Task<Result<void>> check_network(Endpoints& endpoints, HeadSource& heads, Network network) {
  if (auto known = check_built_in(network); !known) co_return known;
  if (auto chain = co_await check_chain(endpoints, network.chain_id); !chain) co_return chain;
  const auto head = co_await heads.latest();
  if (!head) co_return fail(head.error());
  Error last{ErrorCode::kUnavailable, "no endpoint of the chain can be asked now"};
  for (Endpoint* endpoint : head->agreeing) {
    auto checked = co_await check_codes(*endpoint, head->block, network);
    if (checked) co_return checked;
    last = checked.error();
    // Proved, whoever says so.
    if (last.code == ErrorCode::kNotFound || last.code == ErrorCode::kConflict) break;
    endpoints.failed(*endpoint, last);
  }
  co_return fail(last);
}

}  // namespace bw::ledger_ethereum
