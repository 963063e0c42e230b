// One witness over HTTP, as the log sees it (C2SP tlog-witness): a kept connection, one call at a time, each with one
// deadline for all of it.
//
// Thread-safety: one thread calls; Abort may be called from any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/log/witness_policy.h"

namespace valija::broker {

class WitnessClient {
 public:
  // `url`: "http://host:port" or with a path below which the witness answers. kBadConfiguration. Nothing is called yet.
  static Result<std::unique_ptr<WitnessClient>> Make(log::Cosigner key, const std::string& url,
                                                     std::chrono::milliseconds timeout);
  ~WitnessClient();

  struct Answer {
    int status = 0;                           // of HTTP; 0: there was no answer
    std::string line;                         // its cosignature, verified, with the line end; empty: none
    std::uint64_t time = 0;                   // of the cosignature, seconds since 1970
    std::optional<std::uint64_t> at;          // 409: the size that it has recorded, by its word
    std::optional<std::string> refused = {};  // another answer that it gave, in a few words
    std::optional<std::string> unheard = {};  // there was no answer, and why
  };
  // Posts the checkpoint with the proof that it continues the tree of `old` entries.
  Answer AddCheckpoint(std::uint64_t old, const std::vector<Hash>& proof, const std::string& note);

  // The checkpoint that it shows as cosigned last. Whether the log signed it is for the caller to see.
  struct Latest {
    std::string note;
    bool cosigned = false;  // under its own valid cosignature: its word
  };
  std::optional<Latest> Cosigned(const std::string& origin);

  void Close();  // the kept connection; by the thread that calls
  void Abort();  // what runs ends at once, and so does every later call; does not wait

 private:
  struct Impl;
  explicit WitnessClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace valija::broker
