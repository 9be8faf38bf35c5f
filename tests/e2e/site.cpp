// SPDX-License-Identifier: Apache-2.0
#include "site.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/text.hpp"

namespace bw::e2e {
namespace {

constexpr Duration kLookAgain = 5ms;
constexpr std::uint32_t kText = 0x40000000;  // payload object number 64.0.0.0

std::string without_namespace(const std::string& uri) {
  return uri.substr(uri.find('/') + 1);
}

std::string line_of(const api::Delivery& delivery) {
  std::string text;
  for (const api::PayloadObject& part : delivery.payload()) text += part.content();
  return without_namespace(delivery.uri()) + "=" + text;
}

}  // namespace

bool eventually(const std::function<bool()>& is_so, Duration patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
  return true;
}

Time now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "bw-e2e-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}
TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

RunningNode::RunningNode(node::Roles roles, const RunningNode* ledger, const Tweak& tweak)
    : log_({.level = telemetry::Level::kError}), roles_(roles) {
  config_.directory = directory_.path();
  config_.metrics.listen.clear();
  config_.ledger.listen = "127.0.0.1:0";
  config_.router.listen = "127.0.0.1:0";
  config_.router.threads = 2;  // so that attacks meet whatever threads could do wrong
  if (ledger != nullptr) {
    config_.ledger.address = ledger->at().ledger;
    config_.ledger.key = ledger->at().ledger_key;
  }
  if (tweak) tweak(config_);
  start();
}

RunningNode::~RunningNode() {
  stop();
}

void RunningNode::start() {
  node_ = must(node::Node::start(config_, roles_, log_));
  addresses_ = node_->addresses();
  // Where it is found again after a restart.
  if (roles_.ledger) config_.ledger.listen = addresses_.ledger;
  if (roles_.router) config_.router.listen = addresses_.router;
  client_ = connect();
  const std::string last = roles_.router ? addresses_.router_key->text() : "agent";
  const auto registered = [&] {
    const auto found = client_->lookup(last);
    return found && found->state() == "live";
  };
  if (!eventually(registered)) throw std::runtime_error("the node's entities were not put");
}

void RunningNode::stop() {
  client_.reset();
  if (node_) node_->stop();
  node_.reset();
}

std::unique_ptr<client::Client> RunningNode::connect() const {
  return must(client::Client::connect({"unix:" + addresses_.socket, ""}, kPatience));
}

Subscription::Subscription(RunningNode& node, const std::string& as, const std::string& uri,
                           bool tap)
    : client_(node.connect()) {
  api::SubscribeRequest request;
  request.set_as(as);
  request.set_uri(uri);
  request.set_tap(tap);
  thread_ = std::thread([this, request] {
    auto outcome = client_->subscribe(request, [this](const api::DeliveryFrame& frame) {
      const std::scoped_lock lock(mutex_);
      if (frame.event() == "standing") ++stood_;
      for (const api::Delivery& delivery : frame.deliveries()) {
        heard_.push_back(line_of(delivery));
        ids_.push_back(delivery.id());
      }
      changed_.notify_all();
      return true;
    });
    const std::scoped_lock lock(mutex_);
    over_ = true;
    if (!outcome) error_ = std::move(outcome).error();
    changed_.notify_all();
  });
  if (!wait([this] { return stood_ > 0 || over_; }, kPatience)) {
    ADD_FAILURE() << "the subscription to " << uri << " neither stands nor ends";
  }
}

Subscription::~Subscription() {
  client_->cancel();
  thread_.join();
}

bool Subscription::wait(const std::function<bool()>& is_so, Duration patience) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, is_so);
}
std::vector<std::string> Subscription::heard() const {
  const std::scoped_lock lock(mutex_);
  return heard_;
}
std::vector<std::string> Subscription::ids() const {
  const std::scoped_lock lock(mutex_);
  return ids_;
}
bool Subscription::waits_for(const std::string& text, Duration patience) const {
  return wait([&] { return std::ranges::find(heard_, text) != heard_.end(); }, patience);
}
int Subscription::stood() const {
  const std::scoped_lock lock(mutex_);
  return stood_;
}
bool Subscription::waits_to_stand(int times, Duration patience) const {
  return wait([&] { return stood_ >= times; }, patience);
}
std::optional<Error> Subscription::ended() const {
  const std::scoped_lock lock(mutex_);
  return error_;
}
bool Subscription::waits_for_end(Duration patience) const {
  return wait([&] { return over_; }, patience);
}

std::string make_entity(RunningNode& node, const std::string& name, Time expires) {
  api::CreateEntityRequest request;
  request.set_name(name);
  request.set_register_(true);
  request.set_expires_us(expires.time_since_epoch().count());
  return must(node.client().create_entity(request)).key();
}

std::string grant(RunningNode& node, const std::string& as, const std::string& grantee,
                  const std::string& uri, const std::string& permissions, unsigned ttl) {
  api::GrantRequest request;
  request.set_as(as);
  request.set_grantee(grantee);
  request.set_uri(uri);
  request.set_permissions(permissions);
  request.set_ttl(ttl);
  return must(node.client().grant(request)).id();
}

void revoke(RunningNode& node, const std::string& as, const std::string& target) {
  api::RevokeRequest request;
  request.set_as(as);
  request.set_target(target);
  must(node.client().revoke(request));
}

wave::Proof proof_of(RunningNode& node, const std::string& entity, const std::string& uri,
                     const std::string& permissions) {
  api::WhyRequest request;
  request.set_entity(entity);
  request.set_uri(uri);
  request.set_permissions(permissions);
  const api::ProofReply reply = must(node.client().build_proof(request));
  return must(wave::parse_proof(as_bytes(reply.proof())));
}

std::string publish(RunningNode& node, const std::string& as, const std::string& uri,
                    const std::string& text, bool persist) {
  api::PublishFrame frame;
  frame.set_as(as);
  api::Value* value = frame.add_values();
  value->set_uri(uri);
  value->set_persist(persist);
  api::PayloadObject* payload = value->add_payload();
  payload->set_type(kText);
  payload->set_content(text);
  const auto publisher = node.client().publish();
  api::PublishResults results;
  const bool answered = publisher->send(frame) && publisher->receive(results);
  const auto finished = publisher->finish();
  if (!finished) return std::string(error_name(finished.error().code));
  if (!answered) return "no answer";
  return results.errors_size() == 0 ? "" : results.errors(0).error();
}

Result<std::vector<std::string>> query(RunningNode& node, const std::string& as,
                                       const std::string& uri) {
  api::SubscribeRequest request;
  request.set_as(as);
  request.set_uri(uri);
  std::vector<std::string> lines;
  BW_CHECK(node.client().query(request, [&](const api::DeliveryFrame& frame) {
    for (const api::Delivery& delivery : frame.deliveries()) lines.push_back(line_of(delivery));
    return true;
  }));
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> submit(RunningNode& node, const std::vector<Bytes>& objects) {
  api::SubmitRequest request;
  for (const Bytes& object : objects) request.add_objects(std::string(as_text(object)));
  std::vector<std::string> errors;
  for (const api::SubmitOutcome& outcome : must(node.client().submit(request)).outcomes()) {
    errors.push_back(outcome.accepted() ? "" : outcome.error());
  }
  return errors;
}

void designate(RunningNode& ns_holder, const std::string& ns, RunningNode& router) {
  const std::string ns_key = must(ns_holder.client().resolve(ns)).key();
  api::AffinityRequest request;
  request.set_as("router");
  request.set_other(ns_key);
  must(router.client().offer_routing(request));
  request.set_as(ns);
  request.set_other(router.at().router_key->text());
  must(ns_holder.client().accept_routing(request));
  for (RunningNode* node : {&ns_holder, &router}) {
    const auto known = [&] {
      const auto resolved = node->client().resolve(ns_key);
      return resolved && resolved->router() == router.at().router_key->text() &&
             !resolved->address().empty();
    };
    if (!eventually(known)) throw std::runtime_error("the designation did not become known");
  }
}

Site::Site() : RunningNode({.ledger = true, .router = true}) {
  ns_ = must(EntityKey::parse(make_entity(*this, "ns")));
  designate(*this, "ns", *this);
}

}  // namespace bw::e2e
