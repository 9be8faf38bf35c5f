// SPDX-License-Identifier: Apache-2.0
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/show.hpp"
#include "store/file.hpp"

namespace bw::cli {
namespace {

struct Options {
  std::string name;
  std::string expires;
  std::vector<std::string> revokers;
  std::string contact;
  std::string comment;
  std::string passphrase_file;
  bool no_register = false;
};

void declare(CLI::App& command, Options& options) {
  command.add_option("name", options.name, "Name of the key in the agent's keystore")->required();
  command.add_option("--expires", options.expires,
                     "When: 10y, 90d or 2030-01-01T00:00:00Z (default 10y)");
  command.add_option("--revoker", options.revokers,
                     "An entity that may revoke this one; repeatable");
  command.add_option("--contact", options.contact, "How to reach its holder");
  command.add_option("--comment", options.comment, "What it is");
}

Result<std::string> first_line(const std::string& path) {
  BW_TRY(const store::File file, store::File::open(path, 0));
  BW_TRY(const Bytes bytes, store::read_whole(file, 4096));
  const std::string text(as_text(bytes));
  return text.substr(0, text.find('\n'));
}

Result<api::CreateEntityRequest> request_of(const Options& options) {
  api::CreateEntityRequest request;
  request.set_name(options.name);
  BW_TRY(const std::int64_t expires, when(options.expires));
  request.set_expires_us(expires);
  for (const std::string& revoker : options.revokers) request.add_revokers(revoker);
  request.set_contact(options.contact);
  request.set_comment(options.comment);
  request.set_register_(!options.no_register);
  if (!options.passphrase_file.empty()) {
    BW_TRY(const std::string passphrase, first_line(options.passphrase_file));
    request.set_passphrase(passphrase);
  }
  return request;
}

void show(const App& app, const api::EntityReply& reply, const char* done) {
  if (app.json) return print_json({{"name", reply.name()}, {"key", reply.key()}});
  print_line(fmt::format("{} {}  {}", done, reply.name(), reply.key()));
}

Verb create(CLI::App& command) {
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  command.add_option("--passphrase-file", options->passphrase_file,
                     "Seal the key file with the first line of this file");
  command.add_flag("--no-register", options->no_register,
                   "Only make the key; do not put the entity on the ledger");
  return [options](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const auto request, request_of(*options));
    BW_TRY(const auto reply, agent->create_entity(request));
    show(app, reply, "created");
    return {};
  };
}

Verb renew(CLI::App& command) {
  const auto options = std::make_shared<Options>();
  declare(command, *options);
  return [options](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const auto request, request_of(*options));
    BW_TRY(const auto reply, agent->renew_entity(request));
    show(app, reply, "renewed");
    return {};
  };
}

Verb list(CLI::App&) {
  return [](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::KeyList keys, agent->list_keys());
    Table table({"NAME", "KEY", "STATE", "EXPIRES"});
    for (const api::Key& key : keys.keys()) {
      const char* state = !key.registered() ? "not on the ledger"
                          : key.revoked()   ? "revoked"
                                            : "registered";
      if (app.json) {
        print_json({{"name", key.name()},
                    {"key", key.key()},
                    {"state", state},
                    {"expires_us", key.expires_us()}});
      }
      table.row({key.name(), key.key(), state, time_text(key.expires_us())});
    }
    if (!app.json) table.print();
    return {};
  };
}

Verb import(CLI::App& command) {
  const auto name = std::make_shared<std::string>();
  const auto file = std::make_shared<std::string>();
  const auto passphrase_file = std::make_shared<std::string>();
  command.add_option("name", *name, "Name in the agent's keystore")->required();
  command.add_option("file", *file, "Key file")->required();
  command.add_option("--passphrase-file", *passphrase_file,
                     "Its passphrase, in the first line of this file");
  return [=](App& app) -> Result<void> {
    BW_TRY(const store::File opened, store::File::open(*file, 0));
    BW_TRY(const Bytes bytes, store::read_whole(opened, 4096));
    api::ImportKeyRequest request;
    request.set_name(*name);
    request.set_key_file(std::string(as_text(bytes)));
    if (!passphrase_file->empty()) {
      BW_TRY(const std::string passphrase, first_line(*passphrase_file));
      request.set_passphrase(passphrase);
    }
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const auto reply, agent->import_key(request));
    show(app, reply, "imported");
    return {};
  };
}

}  // namespace

void add_entity_verbs(Verbs& verbs) {
  CLI::App* entity = verbs.group("entity", "Key pairs: create, show, renew, revoke, import");
  verbs.add(entity, "create", "Make a key and put its entity on the ledger", create);
  verbs.add(entity, "list", "Keys that the agent holds", list);
  verbs.add(entity, "renew", "Give an entity a later expiry, other revokers or texts", renew);
  verbs.add(entity, "import", "Take a key file into the agent's keystore", import);
  verbs.add(entity, "show", "An entity and what became of it", show_verb);
  verbs.add(entity, "revoke", "Revoke an entity, for ever", revoke_verb);
}

}  // namespace bw::cli
