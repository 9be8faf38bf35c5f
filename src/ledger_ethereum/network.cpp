// SPDX-License-Identifier: Apache-2.0
#include "ledger_ethereum/network.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "evm/account.hpp"
#include "evm/address.hpp"
#include "evm/transaction.hpp"
#include "ledger_ethereum/json_values.hpp"

namespace bw::ledger_ethereum {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kMembers = {"chain_id", "registry",         "alias",
                                 "affinity", "deployment_block", "code_hashes"};

Result<std::uint64_t> number_of(const nlohmann::json& json, const char* name) {
  const nlohmann::json& value = member(json, name);
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  return fail(ErrorCode::kMalformed, "network file: {} must be a whole number", name);
}

Result<Address> address_of(const nlohmann::json& json, const char* name) {
  const nlohmann::json& value = member(json, name);
  if (!value.is_string()) {
    return fail(ErrorCode::kMalformed, "network file: {} must be an address, \"0x...\"", name);
  }
  auto address = evm::parse_address(value.get<std::string>());
  if (address) return address;
  return fail(ErrorCode::kMalformed, "network file: {}: {}", name, address.error().message);
}

Result<Hash> code_hash_of(const nlohmann::json& json, const char* name) {
  auto hash = read_hash(json, name);
  if (hash) return hash;
  return fail(ErrorCode::kMalformed, "network file: code_hashes: {}", hash.error().message);
}

struct Expected {
  const char* name;
  Address address;
  Hash code;
};

// What stands at an address in the state of a block; nothing where there is no contract.
net::Task<Result<std::optional<Hash>>> code_at(Endpoints& endpoints, Address address, Block block) {
  using Found = std::optional<Hash>;
  Endpoints::Question<Found> question = [address,
                                         block](Endpoint& endpoint) -> net::Task<Result<Found>> {
    const auto proof = co_await endpoint.proof(address, {}, block.number);
    if (!proof) co_return fail(proof.error());
    const auto account = evm::prove_account(block.state_root, address, proof->account);
    if (!account) {
      co_return fail(ErrorCode::kUnavailable, "{}: its proof of the code at {} in block {}: {}",
                     endpoint.name(), evm::to_text(address), block.number, account.error().message);
    }
    co_return *account ? Found((*account)->code_hash) : Found();
  };
  co_return co_await endpoints.ask<Found>(std::move(question));
}

std::string names_of(const BelievedHead& head) {
  std::string out;
  for (const Endpoint* endpoint : head.agreeing) {
    out += (out.empty() ? "" : ", ") + endpoint->name();
  }
  return out;
}

}  // namespace

Network network_at(std::uint64_t chain_id, const Address& registry, std::uint64_t block) {
  // A contract's first creation has nonce 1 (EIP-161).
  return {chain_id, registry,     evm::made_by(registry, 1), evm::made_by(registry, 2),
          block,    code_hashes()};
}

std::string to_json(const Network& network) {
  const auto text = [](const Hash& hash) { return to_data(hash.bytes); };
  const Json json{{"chain_id", network.chain_id},
                  {"registry", evm::to_text(network.registry)},
                  {"alias", evm::to_text(network.alias)},
                  {"affinity", evm::to_text(network.affinity)},
                  {"deployment_block", network.deployment_block},
                  {"code_hashes",
                   {{"registry", text(network.code.registry)},
                    {"alias", text(network.code.alias)},
                    {"affinity", text(network.code.affinity)}}}};
  return json.dump(2) + "\n";
}

Result<Network> parse_network(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorCode::kMalformed,
                "network file: not a JSON object; take the file that 'bw ledger deploy' wrote");
  }
  for (const auto& [name, value] : json.items()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) {
      return fail(ErrorCode::kMalformed, "network file: '{}' is not known here", name);
    }
  }
  Network network;
  BW_TRY(network.chain_id, number_of(json, "chain_id"));
  BW_TRY(network.registry, address_of(json, "registry"));
  BW_TRY(network.alias, address_of(json, "alias"));
  BW_TRY(network.affinity, address_of(json, "affinity"));
  BW_TRY(network.deployment_block, number_of(json, "deployment_block"));
  const nlohmann::json& code = member(json, "code_hashes");
  BW_TRY(network.code.registry, code_hash_of(code, "registry"));
  BW_TRY(network.code.alias, code_hash_of(code, "alias"));
  BW_TRY(network.code.affinity, code_hash_of(code, "affinity"));
  if (network != network_at(network.chain_id, network.registry, network.deployment_block)) {
    return fail(ErrorCode::kUnsupported,
                "network file: its contracts are not those that this version of Bosswave knows");
  }
  return network;
}

net::Task<Result<void>> check_network(Endpoints& endpoints, HeadSource& heads, Network network) {
  const auto chain_id = co_await endpoints.chain_id();
  if (!chain_id) co_return fail(chain_id.error());
  const auto head = co_await heads.latest();
  if (!head) co_return fail(head.error());
  const std::string who = names_of(*head);
  if (*chain_id != network.chain_id) {
    co_return fail(ErrorCode::kInvalidArgument, "{}: is chain {}, not {} as the network file says",
                   who, *chain_id, network.chain_id);
  }
  const std::array expected = {Expected{"Registry", network.registry, network.code.registry},
                               Expected{"Alias", network.alias, network.code.alias},
                               Expected{"Affinity", network.affinity, network.code.affinity}};
  for (const Expected& one : expected) {
    const auto code = co_await code_at(endpoints, one.address, head->block);
    if (!code) co_return fail(code.error());
    if (*code == one.code) continue;
    co_return fail(ErrorCode::kInvalidArgument,
                   "{}: {} at {}; is the network file another chain's?", who,
                   *code ? fmt::format("the code is not that of the {}", one.name)
                         : fmt::format("there is no code of the {}", one.name),
                   evm::to_text(one.address));
  }
  co_return Result<void>{};
}

}  // namespace bw::ledger_ethereum
