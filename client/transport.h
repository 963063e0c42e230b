// The broker as a client reaches it: each call of proto/valija/v1/exchange.proto as a blocking function over core
// types. Nothing in here is verified but the form: Verifier (client/verifier.h) does that.
//
// An interface because tests put a broker that lies behind it, and because a Session must not see gRPC.
//
// Errors carry the broker's reason code (trailer "valija-reason") where it gave one, kUnavailable when it cannot be
// reached, kDeadline when it did not answer in time.
// Thread-safety: calls may be made from several threads.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/secret.h"
#include "proto/convert.h"
#include "proto/exchange.h"

namespace valija::client {

using proto::Accepted;
using proto::EntriesAnswer;
using proto::FollowItem;
using proto::PostAnswer;
using proto::ProvedEntry;
using proto::Release;
using proto::Submission;
using proto::View;
using proto::WaitingAnswer;

struct BodyStream {
  std::uint64_t length = 0;
  std::vector<Hash> slice_hashes;
};

// What holds of every page that was asked for from `from` on: it shows only entries from there to where it says that the
// next one begins, which is further on if there is one, and not beyond the page's own checkpoint. kBadProof.
Status CheckPage(const EntriesAnswer& page, std::uint64_t from, std::uint64_t size);

struct Endpoint {
  std::string address;          // host:port
  std::string server_ca_pem;    // the carrier's CA, from the charter; nothing else is trusted
  std::string certificate_pem;  // the member's, with its chain
  crypto::Secret key_pem;
  std::chrono::milliseconds timeout{30000};
};

class Transport {
 public:
  static Result<std::unique_ptr<Transport>> Connect(Endpoint endpoint);  // lazily; the first call says if it works
  virtual ~Transport() = default;

  // `at_most`: how long to wait for the answer; 0: as long as for every call. `meanwhile`: is done once the request is on its
  // way, before its answer is waited for.
  virtual Result<PostAnswer> Post(const std::vector<Submission>& submissions, std::uint64_t verified_size,
                                  std::chrono::milliseconds at_most = {},
                                  const std::function<void()>& meanwhile = {}) = 0;
  virtual Result<EntriesAnswer> Directory(std::uint64_t from, std::uint64_t verified_size) = 0;
  virtual Result<EntriesAnswer> Mailbox(std::uint64_t cursor, std::uint64_t verified_size) = 0;
  // Until the callback returns false (then Ok) or the stream ends (then why). `at_most`: then it ends with kDeadline; 0: it
  // lasts as long as it will.
  virtual Status Follow(std::uint64_t cursor, std::uint64_t verified_size, const std::function<bool(FollowItem)>& item,
                        std::chrono::milliseconds at_most) = 0;
  virtual Result<EntriesAnswer> GetRecord(const Digest& record, std::uint64_t verified_size) = 0;
  virtual Result<EntriesAnswer> Custody(const Digest& record, std::uint64_t from, std::uint64_t verified_size) = 0;
  virtual Result<WaitingAnswer> Waiting(std::uint64_t verified_size) = 0;
  virtual Result<View> Checkpoint(std::uint64_t verified_size) = 0;
  // `witnessed`: under the latest checkpoint that a quorum cosigned, which may be older than the verified one.
  virtual Result<std::pair<proto::Receipt, View>> Receipt(const Digest& statement, std::uint64_t verified_size,
                                                          bool witnessed = false) = 0;
  virtual Result<Bytes> Tile(const std::string& path) = 0;
  // Every entry from an index on, up to end (exclusive), for a look-up of mine that covers them.
  virtual Status Entries(std::uint64_t from, std::uint64_t end, const Digest& lookup,
                         const std::function<bool(proto::LoggedEntry)>& entry) = 0;
  // `slice(i)` gives slice i. Resumes after a broken connection as often as progress is made.
  virtual Status Upload(const Hash& root, std::uint64_t length, const std::vector<Hash>& slice_hashes,
                        const std::function<Result<Bytes>(std::uint64_t)>& slice) = 0;
  // `begin` gets length and hashes (return a refusal to stop), then `slice` each slice in order. More hashes than `slices`,
  // the number that the signed length gives, are not taken: kBadBody.
  virtual Status Download(const Digest& record, std::uint32_t portion, std::uint64_t slices,
                          const std::function<Status(const BodyStream&)>& begin,
                          const std::function<Status(std::uint64_t, ByteView)>& slice) = 0;
};

}  // namespace valija::client
