// A stranger's copy of a log's public side, over HTTP, from whoever serves it (C2SP tlog-tiles): each file is verified before
// it is kept (core/log/mirror.h), under the log's own key and nothing else. What a watchdog runs.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/time.h"
#include "core/log/witness_policy.h"

namespace valija::audit {

// A verifier key, or the name of a file with one a line (of one log: its present key and former ones). kBadKey, kFile.
Result<std::vector<log::NoteVerifier>> LogKeysOf(const std::string& vkey_or_file);

struct MirrorRun {
  std::string origin;
  std::uint64_t size = 0;
  Hash root;
  std::map<std::string, std::uint64_t> cosigned;      // by whom of the policy, and when, in seconds since 1970
  std::uint64_t before = 0;                           // size of the copy before
  std::uint64_t tiles = 0, bundles = 0, fetched = 0;  // verified, and files that came over the wire
};
struct MirrorOptions {
  std::string url;  // http://host[:port][/prefix], or https
  std::filesystem::path folder;
  std::vector<log::NoteVerifier> keys;
  std::optional<log::WitnessPolicy> policy;  // whose quorum must have cosigned what is shown
  Duration max_age{};                        // and not longer ago than this, by now; zero: however long
  Time now{};
  bool all = false;                                            // verify again what the copy has
  std::chrono::milliseconds file_time{120'000};                // of one file, from the asking to its last byte
  std::chrono::milliseconds run_time{std::chrono::hours(12)};  // of all; what is kept by then is kept
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};
// kBadProof, kBadCheckpoint, kStale: what is shown was not cosigned as the policy asks, and nothing of it is kept.
// kUsage: no such URL; kUnavailable: it does not answer as a log does, or not in time; else as io::LogFolder. kFork: both checkpoints are in
// the folder's file FORK.
Result<MirrorRun> MirrorLog(const MirrorOptions& options);

}  // namespace valija::audit
