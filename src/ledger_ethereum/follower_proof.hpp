// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ledger_ethereum/endpoints.hpp"
#include "ledger_ethereum/registry_state.hpp"

namespace bw::ledger_ethereum {

// The tree of the ledger as the state of blocks proves it, by whichever endpoint has the proof.
class HeadProver {
 public:
  HeadProver(Endpoints& endpoints, const Address& registry, const Hash& registry_code)
      : endpoints_(endpoints), registry_(registry), registry_code_(registry_code) {}

  // `block` is believed, and at most `head`, the chain's number of blocks; `likely`: how large the
  // ledger may be, which saves a question. kDenied when what stands there is not the Registry.
  net::Task<Result<crypto::Frontier>> prove(Block block, std::uint64_t head, std::uint64_t likely);

 private:
  net::Task<Result<RegistryState>> prove_through(Endpoint& endpoint, Block block,
                                                 std::uint64_t likely);
  net::Task<Result<RegistryState>> ask(Endpoint& endpoint, Block block, std::uint64_t size);

  Endpoints& endpoints_;
  Address registry_;
  Hash registry_code_;
};

}  // namespace bw::ledger_ethereum
