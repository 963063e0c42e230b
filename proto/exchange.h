// What clients and brokers hand one another, as plain values: the messages of exchange.proto without protobuf.
// proto/wire.h converts. Nothing in these values is verified but the form. Thread-safety: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/convert.h"
#include "proto/receipt.h"

namespace valija::proto {

inline constexpr std::size_t kMaxSubmissions = 256;  // in one Post
inline constexpr std::size_t kMaxPage = 256;         // entries or items in one page
inline constexpr std::size_t kMaxWaiting = 1024;     // items of one WaitingAnswer

struct Submission {
  ledger::Envelope envelope;
  record::Attachments attachments;  // of a record or a grant; of an amendment its policy
  std::vector<Bytes> bodies;        // small sealed bodies, inline
};

// Key halves, sealed to the reply key of the request, or of the standing order.
struct Release {
  AuthorityId authority;
  Point enc;
  Bytes ciphertext;  // 32 bytes per allowed portion, in order of the request or the opening, + 16
  bool operator==(const Release&) const = default;
};

struct Accepted {
  Receipt receipt;
  std::vector<Release> releases;  // with an open that has something allowed
};
// Of one submission. An Error keeps reason and detail on the wire; the sentence is the reason's own.
using Outcome = Result<Accepted>;

struct PostAnswer {
  std::vector<Outcome> outcomes;  // one per submission, in order
  View view;                      // the receipts' paths lead to it
};

struct ProvedEntry {  // an entry and its path to the checkpoint of the view beside it
  LoggedEntry entry;
  std::vector<Hash> path;
  std::vector<Release> releases = {};  // mailbox only: with a standing opening under the caller's own order
};

struct EntriesAnswer {  // EntryPage, MailPage
  std::vector<ProvedEntry> entries;
  View view;
  bool more = false;
  std::uint64_t next_cursor = 0;  // next_index of an EntryPage; 0 with GetRecord
};

struct WaitingItem {  // a hint: what it leads to is verified where it stands
  std::string kind;
  Digest statement, record;  // record: zeros for a review
  std::uint64_t entry = 0;
  std::optional<Time> until;
};
struct WaitingAnswer {
  std::vector<WaitingItem> items;
  View view;
};

struct FollowItem {
  std::uint64_t cursor = 0;          // ask from here next time
  std::optional<ProvedEntry> entry;  // absent in a mere cursor move
  View view;                         // consistency from the view before it in the stream
};

// What an upload or a download begins with; the hashes may come in several pieces.
struct BodyStart {
  Hash root;  // uploads only
  std::uint64_t length = 0;
  std::vector<Hash> slice_hashes;  // leaf hashes; a further piece continues them
  bool more = false;               // a further piece follows
};

// One message of a download: hashes, or the next slice.
struct BodyPiece {
  std::optional<BodyStart> start;
  ByteView slice;  // of the message that it was read from; empty beside a start
};

struct UploadProgress {
  std::uint64_t next_slice = 0;  // send from here
  bool complete = false;         // durably there
};

struct ReceiptQuery {
  Digest statement;
  bool witnessed = false;
};

struct RecordQuery {
  Digest record;
  std::uint64_t from = 0;  // Custody only
};

}  // namespace valija::proto
