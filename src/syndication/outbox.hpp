// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <vector>

#include "syndication/router_state.hpp"

namespace bw::syndication {

// Gathers what one call of the router core has to say, so that each session gets at most two sends:
// answers (topics and proofs among them), then deliveries. Sessions with the same deliveries share
// the same bytes.
class Outbox {
 public:
  using Piece = std::uint32_t;

  explicit Outbox(RouterOutput& output) : output_(output) {}

  // Where frames that must not be lost are appended.
  Bytes& answers(Session& session);
  // A BATCH frame with these bytes, which stay where they are until flush().
  Piece share(ByteView batch);
  // Whole frames.
  Piece keep(Bytes frames);
  void deliver(Session& session, Piece piece);
  // To be called before anything that names the proof; nothing happens when the peer has it.
  // `encode` returns its bytes.
  template <class Encode>
  void tell_proof(Session& session, const Hash& name, Encode&& encode) {
    if (session.told_proofs.contains(name)) return;
    const Bytes& proof = encode();
    encode_frame(ProofFrame{proof}, answers(session));
    session.told_proofs.add(name, proof.size(), nullptr);
  }

  void flush();
  // The session is going; nothing is sent to it any more.
  void forget(Session& session);
  void refuse(SessionId session, const Error& reason) { output_.close(session, reason); }
  // Sends what waits, then closes.
  void close(Session& session, const Error& reason);

 private:
  struct Content {
    ByteView batch;
    Bytes frames;
  };

  void wait(Session& session);
  void send(Session& session);
  SharedFrames bundle(const std::vector<Piece>& pieces);

  RouterOutput& output_;
  std::vector<Session*> waiting_;
  std::vector<Content> pieces_;
  std::map<std::vector<Piece>, SharedFrames> bundles_;
};

}  // namespace bw::syndication
