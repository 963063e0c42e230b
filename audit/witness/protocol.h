// C2SP tlog-witness: what a witness answers to a log, decided without any I/O.
//
// A witness cosigns a checkpoint if the log signed it and a proof shows that it only grew from the one that the witness
// cosigned last. Never two histories of one log: that is all it is trusted for.
//
// Thread-safety: pure functions and plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/log/cosignature.h"

namespace valija::witness {

inline constexpr std::size_t kMaxBody = 16 * 1024, kMaxProof = 63;

// A log that is witnessed.
struct Log {
  std::string origin;
  std::vector<log::NoteVerifier> keys;   // several while a log changes its key
  std::optional<std::uint64_t> per_day;  // how often a larger checkpoint is cosigned; absent: as often as it likes
  std::string contact;
};
using Logs = std::map<std::string, Log, std::less<>>;  // by origin

// The list of logs ("logs/v0"): blocks that begin with `vkey`, with `origin` (else the key's name), `qpd` and `contact`.
// Blocks of one origin are one log with several keys. kBadConfiguration, with the line.
Result<Logs> ParseLogs(std::string_view text);

// The body of add-checkpoint. Nothing is verified yet.
struct Request {
  std::uint64_t old_size = 0;
  std::vector<Hash> proof;
  log::Note note;
  log::Checkpoint checkpoint;
};
Result<Request> ParseRequest(std::string_view body);  // kMalformed, kTooLarge

// What the witness cosigned last of a log.
struct Record {
  log::Checkpoint checkpoint;
  std::string note;  // with the log's lines that were verified and the witness's own
};

// The witness's name and key.
struct Signer {
  std::string name;
  crypto::Ed25519SignKey key;
  log::Cosigner cosigner() const;
};

struct Answer {
  int status = 0;
  std::string type;
  std::string body;  // never empty
};
Answer Say(int status, std::string_view sentence);  // text/plain
int StatusOf(const Error& malformed);               // of a request that could not be parsed

struct Decision {
  Answer answer;
  // With a 200 alone: to be recorded, durably and only over the record that was judged here, before the answer goes out.
  std::optional<Record> next;
  // The log signed two trees of one size: its request and our record prove it.
  bool fork = false;
};
// `record`: none if this log was never cosigned. time: seconds since 1970, for the cosignature.
Decision Decide(const Request& request, const Log& log, const std::optional<Record>& record, const Signer& signer,
                std::uint64_t time);

// The name of a log in the monitoring path and in the state folder: SHA-256(origin) in hexadecimal.
std::string OriginHash(std::string_view origin);
bool IsOriginHash(std::string_view text);

}  // namespace valija::witness
