// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/send.hpp"
#include "syndication/seal_setting.hpp"
#include "syndication/sealed_payload.hpp"
#include "wave/object.hpp"

// Where a namespace wants payloads sealed (docs/operations.md, "Sealed payloads").
namespace bw::cli {
namespace {

std::string setting_uri(const std::string& ns) {
  return ns + "/" + std::string(syndication::kSealUri);
}

// Persisted in the namespace, where every agent that publishes there reads it.
Result<void> put_setting(App& app, const std::string& ns, const syndication::SealSetting& setting) {
  api::Value value;
  value.set_uri(setting_uri(ns));
  value.set_persist(true);
  api::PayloadObject* payload = value.add_payload();
  payload->set_type(syndication::kSealSettingType);
  payload->set_content(std::string(as_text(encode(setting))));
  return send_one(app, value);
}

// Whether the ledger says that the namespace has a setting.
Result<bool> is_announced(client::Client& agent, const std::string& ns) {
  api::WhyRequest request;
  request.set_uri(setting_uri(ns));
  request.set_permissions("C");
  BW_TRY(const api::HolderList holders, agent.who_can(request));
  return std::ranges::any_of(holders.holders(), [](const api::Holder& holder) {
    return holder.entity() == "everyone" && holder.path_size() == 1 &&
           holder.path(0).pattern().starts_with(syndication::kSealUri);
  });
}

// For as long as the namespace lives.
Result<void> announce(App& app, client::Client& agent, const std::string& ns) {
  BW_TRY(const api::LookupReply found, agent.lookup(ns));
  BW_TRY(const wave::Object object, wave::parse_object(as_bytes(found.object())));
  const auto* const entity = std::get_if<wave::Signed<wave::Entity>>(&object);
  if (entity == nullptr) {
    return fail(ErrorCode::kInvalidArgument, "{} is no namespace: it is no entity", ns);
  }
  api::GrantRequest request;
  request.set_as(app.as);
  request.set_grantee("everyone");
  request.set_uri(setting_uri(ns));
  request.set_permissions("C");
  request.set_expires_us(entity->value.expires.time_since_epoch().count());
  request.set_comment("this namespace says where payloads are sealed");
  BW_CHECK(agent.grant(request));
  return {};
}

Result<syndication::SealSetting> setting_of(const std::vector<std::string>& texts) {
  syndication::SealSetting setting;
  for (const std::string& text : texts) {
    BW_TRY(wave::Pattern pattern, wave::Pattern::parse(text));
    setting.patterns.push_back(std::move(pattern));
  }
  std::ranges::sort(setting.patterns);
  setting.patterns.erase(std::ranges::unique(setting.patterns).begin(), setting.patterns.end());
  if (setting.patterns.size() > limits::kSealPatterns) {
    return fail(ErrorCode::kTooLarge, "{} patterns; at most {} are allowed",
                setting.patterns.size(), limits::kSealPatterns);
  }
  return setting;
}

Json json_of(const std::string& ns, const syndication::SealSetting& setting) {
  Json patterns = Json::array();
  for (const wave::Pattern& pattern : setting.patterns) patterns.push_back(pattern.text());
  return {{"namespace", ns}, {"sealed", std::move(patterns)}};
}

void print(const App& app, const std::string& ns, const syndication::SealSetting& setting) {
  if (app.json) return print_json(json_of(ns, setting));
  if (setting.patterns.empty()) return print_line("nothing is sealed by default");
  for (const wave::Pattern& pattern : setting.patterns) {
    print_line("sealed: " + ns + "/" + pattern.text());
  }
}

Verb on_verb(CLI::App& command) {
  const auto ns = std::make_shared<std::string>();
  const auto patterns = std::make_shared<std::vector<std::string>>();
  command.add_option("namespace", *ns, "Name, key or alias of the namespace")->required();
  command.add_option("pattern", *patterns, "Only what matches one of these (default: *)");
  return [ns, patterns](App& app) -> Result<void> {
    if (app.as.empty()) app.as = *ns;
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const auto setting,
           setting_of(patterns->empty() ? std::vector<std::string>{"*"} : *patterns));
    // The setting first: agents look for it as soon as the ledger says that there is one.
    BW_CHECK(put_setting(app, *ns, setting));
    BW_TRY(const bool announced, is_announced(*agent, *ns));
    if (!announced) BW_CHECK(announce(app, *agent, *ns));
    print(app, *ns, setting);
    return {};
  };
}

Verb off_verb(CLI::App& command) {
  const auto ns = std::make_shared<std::string>();
  command.add_option("namespace", *ns, "Name, key or alias of the namespace")->required();
  return [ns](App& app) -> Result<void> {
    if (app.as.empty()) app.as = *ns;
    BW_CHECK(put_setting(app, *ns, {}));
    print(app, *ns, {});
    return {};
  };
}

Verb show_setting_verb(CLI::App& command) {
  const auto ns = std::make_shared<std::string>();
  command.add_option("namespace", *ns, "Name, key or alias of the namespace")->required();
  return [ns](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const bool announced, is_announced(*agent, *ns));
    if (!announced) {
      print(app, *ns, {});
      return {};
    }
    api::SubscribeRequest request;
    request.set_as(app.as);
    request.set_uri(setting_uri(*ns));
    std::string content;
    BW_CHECK(agent->query(request, [&](const api::DeliveryFrame& frame) {
      for (const api::Delivery& delivery : frame.deliveries()) {
        if (delivery.payload_size() == 1) content = delivery.payload(0).content();
      }
      return true;
    }));
    if (content.empty()) {
      return fail(ErrorCode::kNotFound,
                  "the ledger says that {} has a seal setting, but its router gives none: agents "
                  "seal everything",
                  *ns);
    }
    BW_TRY(const auto setting, syndication::parse_seal_setting(as_bytes(content)));
    print(app, *ns, setting);
    return {};
  };
}

}  // namespace

void add_seal_verbs(Verbs& verbs) {
  CLI::App* seal = verbs.group("seal", "Payloads that routers cannot read: where, by default");
  verbs.add(seal, "on", "Have payloads sealed in a namespace", on_verb);
  verbs.add(seal, "off", "No longer seal by default", off_verb);
  verbs.add(seal, "show", "Where a namespace has payloads sealed", show_setting_verb);
}

}  // namespace bw::cli
