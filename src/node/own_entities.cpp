// SPDX-License-Identifier: Apache-2.0
#include "node/own_entities.hpp"

#include <boost/asio/steady_timer.hpp>

namespace bw::node {
namespace {

constexpr Duration kLife = std::chrono::hours{24 * 365 * 2};
constexpr Duration kRenewBefore = std::chrono::hours{24 * 60};
constexpr Duration kRetry = 500ms;
constexpr Duration kCheck = std::chrono::hours{1};

}  // namespace

struct OwnEntities::Impl : std::enable_shared_from_this<OwnEntities::Impl> {
  Impl(net::asio::io_context& io, ledger::Ledger& ledger, replica::Replica& node,
       const Clock& wall_clock, telemetry::Log& logger, std::vector<OwnEntity> entities,
       std::string router_address)
      : replica(node),
        clock(wall_clock),
        log(logger),
        own(std::move(entities)),
        address(std::move(router_address)),
        writer(io, ledger, node, wall_clock),
        timer(io) {}

  Time now() const { return std::chrono::floor<std::chrono::seconds>(clock.now()); }

  // What has to be put now, entities before what they sign.
  Result<std::vector<Bytes>> missing() const {
    std::vector<Bytes> objects;
    for (const OwnEntity& entity : own) {
      BW_TRY(const auto status, replica.entity(entity.key->public_key()));
      if (status && (status->revoked || status->expires > now() + kRenewBefore)) continue;
      wave::Entity statement;
      statement.key = entity.key->public_key();
      statement.created = now();
      statement.expires = now() + kLife;
      statement.comment = entity.comment;
      BW_TRY(auto object, wave::sign(std::move(statement), *entity.key));
      objects.push_back(std::move(object.bytes));
    }
    if (!address.empty()) BW_CHECK(add_address(objects));
    return objects;
  }

  Result<void> add_address(std::vector<Bytes>& objects) const {
    const crypto::SigningKey& router = *own.back().key;
    BW_TRY(const auto known, replica.store().router_address(router.public_key(), clock.now()));
    if (known == address) return {};
    BW_TRY(const std::uint64_t nonce, replica.store().router_nonce(router.public_key()));
    wave::RouterAddress statement{router.public_key(), wave::next_nonce(nonce, clock.now()), now(),
                                  address};
    BW_TRY(auto object, wave::sign(std::move(statement), router));
    objects.push_back(std::move(object.bytes));
    return {};
  }

  void check() {
    auto objects = missing();
    if (!objects) return again(kRetry, objects.error().message);
    if (objects->empty()) return again(kCheck, "");
    writer.submit(*std::move(objects), [weak = weak_from_this()](auto outcomes) {
      const auto impl = weak.lock();
      if (!impl || impl->stopped) return;
      std::string trouble = outcomes ? "" : outcomes.error().message;
      for (const auto& outcome : outcomes ? *outcomes : std::vector<ledger::Submitted>{}) {
        if (!outcome.index) trouble = outcome.refusal.message;
      }
      impl->again(trouble.empty() ? kCheck : kRetry, trouble);
    });
  }

  void again(Duration after, const std::string& trouble) {
    if (!trouble.empty()) {
      log.limited(telemetry::Level::kWarning, "node",
                  "cannot put this node's own entities on the ledger yet", {{"reason", trouble}});
    }
    timer.expires_after(after);
    timer.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto impl = weak.lock();
      if (!error && impl && !impl->stopped) impl->check();
    });
  }

  replica::Replica& replica;
  const Clock& clock;
  telemetry::Log& log;
  std::vector<OwnEntity> own;
  std::string address;
  agent::LedgerWriter writer;
  net::asio::steady_timer timer;
  bool stopped = false;
};

OwnEntities::OwnEntities(net::asio::io_context& io, ledger::Ledger& ledger,
                         replica::Replica& replica, const Clock& clock, telemetry::Log& log,
                         std::vector<OwnEntity> own, std::string router_address)
    : impl_(std::make_shared<Impl>(io, ledger, replica, clock, log, std::move(own),
                                   std::move(router_address))) {
  impl_->check();
}
OwnEntities::~OwnEntities() = default;

void OwnEntities::stop() {
  impl_->stopped = true;
  impl_->timer.cancel();
  impl_->writer.stop();
}

}  // namespace bw::node
