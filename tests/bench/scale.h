// What a log's size costs: a log of any size, made quickly with everything in it that an auditor checks, and on it a
// broker's start, its memory, its proofs and the auditor's rate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace valija::bench {

struct ScaleOptions {
  std::vector<std::uint64_t> sizes;       // entries, ascending
  std::filesystem::path folder;           // for the log, some 2.5 KB an entry; made, and left behind
  std::uint64_t audit_up_to = 1'000'000;  // entries: the auditor keeps the state of what it proves in memory
  bool refold = false;                    // also a start without the kept state, at every size
};

// Measures at each size, and prints a table.
void MeasureScale(const ScaleOptions& options);

// Of a process of its own, which MeasureScale starts: prints JSON. "start FOLDER", "audit FOLDER CHARTER", "hash FOLDER".
int ScalePart(const std::vector<std::string>& words);

}  // namespace valija::bench
