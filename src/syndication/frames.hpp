// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/id.hpp"
#include "base/result.hpp"
#include "crypto/keys.hpp"
#include "syndication/topic.hpp"

// The frames of a session. On the wire: length u32 (of what follows, at most kFrameBytes), type u8,
// body. docs/formats.md, "Frames".
namespace bw::syndication {

enum class FrameType : std::uint8_t {
  kClientHello = 1,
  kServerHello = 2,
  kError = 3,  // why the sender is about to close
  kPing = 4,
  kPong = 5,
  // router sessions
  kAttach = 16,  // agent -> router: an entity opens a stream on this session
  kDetach = 17,  // either way: a stream ended, with the reason
  kProof = 18,   // once per session, before the first topic that names it
  kTopic = 19,   // a stream's number for a topic
  kBatch = 20,
  kStored = 21,    // router -> agent: a persisted message, in answer to a query or replay
  kAck = 22,       // router -> agent: everything up to this sequence was handled
  kResult = 23,    // router -> agent: outcome of one message that failed, or of one request
  kChildren = 24,  // router -> agent: names found by a list
  kDirect = 25,    // router -> agent: a batch for one named subscription (consumers limit)
  kLost = 26,      // router -> agent: so many deliveries were dropped because you are slow
  // ledger sessions
  kSubmit = 48,
  kSubmitted = 49,
  kFollow = 50,
  kEntries = 51,
  kHead = 52,
};

// "topic", "batch", ...; "unknown" for other numbers.
std::string_view frame_name(FrameType type);
// As its sender says. Precondition: not empty.
inline FrameType frame_type(ByteView frame) {
  return static_cast<FrameType>(frame[0]);
}

enum class Role : std::uint8_t { kAgent = 1, kFollower = 2, kRouter = 3, kLedger = 4 };

// A client says who it is, whom it expects, and proves the first by a signature over the channel's
// exporter, both keys and both roles (tag bosswave/session). A follower may be anonymous (zero key,
// zero signature). `head`: the latest signed ledger head it knows, or empty.
struct Hello {
  std::uint16_t version = 1;
  Role role = Role::kAgent;
  EntityKey self;
  EntityKey peer;
  Bytes head;
  crypto::Signature signature{};
};

// Reasons travel as code u16 and at most kErrorTextBytes of text: longer ones are cut, and what
// comes in is made printable.
struct ErrorFrame {
  static constexpr FrameType kType = FrameType::kError;
  Error error;
};
struct Ping {
  static constexpr FrameType kType = FrameType::kPing;
  std::uint64_t nonce = 0;
};
struct Pong {
  static constexpr FrameType kType = FrameType::kPong;
  std::uint64_t nonce = 0;
};

// Signature over tagged_hash("bosswave/attach", exporter 32 | entity 32 | stream u64): whoever
// replays a batch on another session has no stream to replay it on.
struct Attach {
  static constexpr FrameType kType = FrameType::kAttach;
  EntityKey entity;
  std::uint64_t stream = 0;
  crypto::Signature signature{};
};
struct Detach {
  static constexpr FrameType kType = FrameType::kDetach;
  EntityKey origin;
  std::uint64_t stream = 0;
  Error reason;
};
struct ProofFrame {
  static constexpr FrameType kType = FrameType::kProof;
  ByteView proof;
};
struct TopicFrame {
  static constexpr FrameType kType = FrameType::kTopic;
  EntityKey origin;
  std::uint64_t stream = 0;
  std::uint32_t number = 0;
  Topic topic;
};
struct BatchFrame {
  static constexpr FrameType kType = FrameType::kBatch;
  ByteView batch;
};
// Answers a request of this session, named by (stream, sequence, index).
struct RequestId {
  std::uint64_t stream = 0;
  std::uint64_t sequence = 0;
  std::uint16_t index = 0;

  friend auto operator<=>(const RequestId&, const RequestId&) = default;
};
// 18 bytes: stream u64 | sequence u64 | index u16. Alone it is the payload of an unsubscribe.
Bytes encode_request_id(const RequestId& id);
Result<RequestId> parse_request_id(ByteView bytes);

// Self-standing: topic, and the proof by name (a PROOF frame precedes it on first use).
struct Stored {
  static constexpr FrameType kType = FrameType::kStored;
  RequestId request;
  Topic topic;
  ByteView batch;
};
struct Ack {
  static constexpr FrameType kType = FrameType::kAck;
  std::uint64_t stream = 0;
  std::uint64_t sequence = 0;
};
struct ResultFrame {
  static constexpr FrameType kType = FrameType::kResult;
  RequestId request;
  // Nothing: the request is complete (query, list, unsubscribe) or stands (subscribe). An error: it
  // was refused, or, later, a subscription that stood has ended.
  std::optional<Error> error;
};
// Names are plain cells, strictly ascending; at most kQueryResults. Who sends more than fits into a
// frame splits them over several.
struct Children {
  static constexpr FrameType kType = FrameType::kChildren;
  RequestId request;
  std::vector<std::string> names;
};
struct Direct {
  static constexpr FrameType kType = FrameType::kDirect;
  RequestId subscription;
  ByteView batch;
};
// `count` >= 1.
struct Lost {
  static constexpr FrameType kType = FrameType::kLost;
  std::uint64_t count = 0;
};
// Whole signed objects, 1..kLedgerBatchEntries. Who sends more than fits into a frame splits them;
// the same goes for Entries.
struct Submit {
  static constexpr FrameType kType = FrameType::kSubmit;
  std::uint32_t request = 0;
  std::vector<ByteView> objects;
};
struct SubmittedFrame {
  static constexpr FrameType kType = FrameType::kSubmitted;
  struct Outcome {
    std::optional<std::uint64_t> index;
    Error refusal;
  };
  std::uint32_t request = 0;
  std::vector<Outcome> outcomes;
};
// "I hold `size` entries": the server answers with a head and a consistency proof, then entries,
// then heads as they come.
struct Follow {
  static constexpr FrameType kType = FrameType::kFollow;
  std::uint64_t size = 0;
};
struct Entries {
  static constexpr FrameType kType = FrameType::kEntries;
  std::uint64_t first = 0;
  std::vector<ByteView> entries;
};
struct HeadFrame {
  static constexpr FrameType kType = FrameType::kHead;
  ByteView head;                  // ledger::SignedHead
  std::vector<Hash> consistency;  // from the size the follower said it holds to this head's size
};

using Frame = std::variant<Hello, ErrorFrame, Ping, Pong, Attach, Detach, ProofFrame, TopicFrame,
                           BatchFrame, Stored, Ack, ResultFrame, Children, Direct, Lost, Submit,
                           SubmittedFrame, Follow, Entries, HeadFrame>;

// Appends length, type and body to `out`. Views are copied in. Preconditions: the fields keep to
// the rules that parse_frame holds them to, and the whole to kFrameBytes. For every frame but
// Hello.
template <class T>
void encode_frame(const T& frame, Bytes& out);
// `type`: kClientHello or kServerHello.
void encode_hello(FrameType type, const Hello& hello, Bytes& out);
// Starts a frame whose body the caller appends; finish_frame() fills in the length.
std::size_t begin_frame(FrameType type, Bytes& out);
void finish_frame(std::size_t begin, Bytes& out);

// `frame`: type and body, without the length. Strict: kMalformed, kTooLarge, or kUnsupported for
// unknown types, versions and roles. Views point into it; batches, proofs, objects and heads are
// not looked into.
struct ParsedFrame {
  FrameType type;
  Frame frame;
};
Result<ParsedFrame> parse_frame(ByteView frame);

}  // namespace bw::syndication
