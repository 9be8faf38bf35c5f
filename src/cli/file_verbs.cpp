// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "base/text.hpp"
#include "cli/app.hpp"
#include "cli/output.hpp"
#include "cli/show.hpp"
#include "crypto/sealed_key.hpp"
#include "ledger/head.hpp"
#include "store/file.hpp"
#include "syndication/sealed_payload.hpp"
#include "syndication/standing_message.hpp"

namespace bw::cli {
namespace {

constexpr std::size_t kMostFileBytes = 8 * 1024 * 1024;

Result<Bytes> read_file(const std::string& path) {
  BW_TRY(const store::File file, store::File::open(path, 0));
  return store::read_whole(file, kMostFileBytes);
}

void show(const App& app, const Json& fields) {
  if (app.json) {
    print_json(fields);
  } else {
    print_fields(fields);
  }
}

// ---- proofs

Verb proof_verb(CLI::App& command) {
  const auto entity = std::make_shared<std::string>();
  const auto uri = std::make_shared<std::string>();
  const auto permissions = std::make_shared<std::string>();
  const auto file = std::make_shared<std::string>();
  command.add_option("entity", *entity, "Whose")->required();
  command.add_option("uri", *uri, "On what: NAMESPACE/pattern")->required();
  command.add_option("permissions", *permissions, "Which rights")->required();
  command.add_option("--out", *file, "Where to keep it")->required();
  return [=](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    api::WhyRequest request;
    request.set_entity(*entity);
    request.set_uri(*uri);
    request.set_permissions(*permissions);
    BW_TRY(const api::ProofReply reply, agent->build_proof(request));
    BW_CHECK(store::atomic_write_file(*file, as_bytes(reply.proof()), 0644, true));
    show(app, {{"file", *file}, {"hash", reply.hash()}, {"bytes", reply.proof().size()}});
    return {};
  };
}

Json describe_proof(const wave::Proof& proof) {
  Json out{{"kind", "proof"}, {"hash", wave::proof_hash(proof).text()}, {"dots", Json::array()}};
  for (const auto& dot : proof.dots) out["dots"].push_back(describe(wave::Object(dot)));
  return out;
}

// Signatures, and that each link starts where the last one ended, in one namespace.
Result<void> check_proof(const wave::Proof& proof) {
  const EntityKey* at = nullptr;
  for (std::size_t i = 0; i < proof.dots.size(); ++i) {
    const wave::Dot& dot = proof.dots[i].value;
    BW_CHECK(wave::verify_signature(proof.dots[i]));
    if (at == nullptr) at = &dot.ns;
    if (dot.ns != proof.dots[0].value.ns || dot.granter != *at) {
      return fail(ErrorCode::kDenied, "link {} of {} does not start where the one before ended",
                  i + 1, proof.dots.size());
    }
    at = &dot.grantee;
  }
  return {};
}

// ---- verify: what can be said of a file without a ledger

// What anybody can see of a payload: whether it is sealed, and then nothing else but this.
Json describe_payload(ByteView payload) {
  Json out{{"bytes", payload.size()}, {"sealed", syndication::is_sealed(payload)}};
  if (!syndication::is_sealed(payload)) return out;
  const auto sealed = syndication::parse_sealed_payload(payload);
  if (!sealed) {
    out["malformed"] = sealed.error().message;
    return out;
  }
  out["key"] = sealed->key_id.text();
  out["sealed_at"] = to_text(sealed->sealed_at);
  out["renewed"] = sealed->renewed;
  out["wrapped_for"] = sealed->keys ? sealed->keys->count() : 0;
  out["ciphertext_bytes"] = sealed->ciphertext.size();
  return out;
}

Result<Json> verify_message(ByteView bytes) {
  BW_TRY(const auto message, syndication::parse_standing_message(bytes));
  BW_TRY(const auto verdict, syndication::verify_offline(message));
  return Json{{"kind", "message"},
              {"verdict", "signed by its origin, which the proof entitles"},
              {"origin", verdict.header.origin.text()},
              {"uri", message.topic.ns.text() + "/" + message.topic.uri.text()},
              {"type", syndication::type_name(verdict.message.type)},
              {"created", to_text(verdict.header.created)},
              {"payload_bytes", verdict.message.payload.size()},
              {"payload", describe_payload(verdict.message.payload)},
              {"proof", describe_proof(message.proof)}};
}

Result<Json> verify_bytes(ByteView bytes) {
  if (syndication::is_standing_message(bytes)) return verify_message(bytes);
  if (auto object = wave::parse_object(bytes)) {
    BW_CHECK(wave::verify_signature(*object));
    Json out = describe(*object);
    out["verdict"] = "signed by " + wave::signer_of(*object).text();
    return out;
  }
  BW_TRY(const wave::Proof proof, wave::parse_proof(bytes));
  BW_CHECK(check_proof(proof));
  Json out = describe_proof(proof);
  out["verdict"] = "every link is signed by its granter and joins the next";
  return out;
}

Verb verify_verb(CLI::App& command) {
  const auto file = std::make_shared<std::string>();
  command
      .add_option("file", *file, "A message ('bw sub --save'), a proof ('bw proof') or an object")
      ->required();
  return [file](App& app) -> Result<void> {
    BW_TRY(const Bytes bytes, read_file(*file));
    auto verdict = verify_bytes(bytes);
    if (!verdict) return fail(verdict.error().code, "{}: {}", *file, verdict.error().message);
    (*verdict)["note"] = "offline: that nothing was revoked only the ledger can tell ('bw why')";
    show(app, *verdict);
    return {};
  };
}

// ---- inspect: anything

Result<Json> inspect_bytes(ByteView bytes) {
  if (const auto info = crypto::inspect_key_file(bytes)) {
    return Json{{"kind", "key file"}, {"key", info->key.text()}, {"sealed", info->sealed}};
  }
  if (bytes.size() == ledger::kSignedHeadBytes) {
    if (const auto head = ledger::parse_head(bytes)) {
      return Json{{"kind", "ledger head"},
                  {"ledger", head->ledger.text()},
                  {"size", head->head.size},
                  {"root", head->head.root.text()},
                  {"time", to_text(head->head.time)},
                  {"signature", ledger::verify_head(*head) ? "good" : "BAD"}};
    }
  }
  if (const auto message = syndication::parse_standing_message(bytes)) {
    Json out{{"kind", "message"},
             {"uri", message->topic.ns.text() + "/" + message->topic.uri.text()}};
    syndication::BatchView batch;
    if (syndication::parse_batch(message->batch, batch) && batch.messages.size() == 1) {
      out["payload"] = describe_payload(batch.messages.front().message.payload);
    }
    out["proof"] = describe_proof(message->proof);
    return out;
  }
  if (const auto object = wave::parse_object(bytes)) return describe(*object);
  if (const auto proof = wave::parse_proof(bytes)) return describe_proof(*proof);
  return fail(ErrorCode::kMalformed, "not a key file, object, proof, message or ledger head");
}

Verb inspect_verb(CLI::App& command) {
  const auto what = std::make_shared<std::string>();
  command.add_option("what", *what, "A file, an id, a key, an alias or a name")->required();
  const Verb from_ledger = [what](App& app) -> Result<void> {
    BW_TRY(client::Client * agent, app.connect());
    BW_TRY(const api::LookupReply reply, agent->lookup(*what));
    BW_TRY(const wave::Object object, wave::parse_object(as_bytes(reply.object())));
    Json fields = describe(object);
    fields["state"] = reply.state();
    show(app, fields);
    return {};
  };
  return [what, from_ledger](App& app) -> Result<void> {
    if (!std::filesystem::is_regular_file(*what)) return from_ledger(app);
    BW_TRY(const Bytes bytes, read_file(*what));
    const auto fields = inspect_bytes(bytes);
    if (!fields) return fail(fields.error().code, "{}: {}", *what, fields.error().message);
    show(app, *fields);
    return {};
  };
}

}  // namespace

void add_file_verbs(Verbs& verbs) {
  verbs.add("proof", "Keep the proof that somebody may do something", proof_verb);
  verbs.add("verify", "Check a message, proof or object from a file, without a ledger",
            verify_verb);
  verbs.add("inspect", "Show what a file, id, key or alias is", inspect_verb);
}

}  // namespace bw::cli
