// The offline verification of an exported log, with nothing of the broker's program: from the charter's digest alone it proves
// the log's signature, every tile and the root, that the log only grew since the last run, every commitment, every
// statement's signature, and, running the same rules again, every decision.
//
// Bounded memory: one file of 256 entries at a time beside the folded state, of which a large log's is on the disk.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/difference.h"
#include "audit/witnessed.h"
#include "core/base/result.h"
#include "core/ledger/state.h"
#include "core/log/note.h"

namespace valija::audit {

struct Finding {
  std::optional<std::uint64_t> entry;  // absent: about the log as a whole
  std::string code;                    // "bad-signature", "wrong-decision", ..; stable
  std::string what;
};

struct Options {
  std::filesystem::path folder;
  std::optional<Digest> charter;  // checked out of band; else the last run's
  std::filesystem::path state;    // JSON of the last run: read if there, written when all was proved
  bool keep_state = true;         // false: it is read, and WriteLastRun is the caller's, when what was seen is told
  bool allow_withheld = false;    // entries whose content is not shown to this auditor are no obstacle
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
  // Every entry whose decision was derived again, in order, and the state with it applied. What is told here is proved
  // only when the pass has ended without a finding: the root is compared last.
  std::function<void(const ledger::Entry& entry, const ledger::State& after)> observe;
  // Of a replay: decisions outside [from, until) are taken as they are logged, and nobody's signature there is verified
  // unless `all_signatures`. The tree is checked whole. `state` is then read, and not written.
  struct Span {
    std::uint64_t from = 0, until = UINT64_MAX;
    bool all_signatures = false;
  };
  std::optional<Span> span;
  // Of an export of more entries, what is not live is kept on the disk (scratch_rows.h), below the export's folder, so that memory
  // does not grow with the log; `every` so many entries, and at most `cached` bytes of it are in memory too.
  struct OnDisk {
    std::uint64_t above = std::uint64_t{1} << 17, every = 8192;
    std::size_t cached = std::size_t{64} << 20;
  };
  OnDisk on_disk;
  std::vector<std::filesystem::path> shown;  // notes that others were shown: each is held against the log (else kFile)
  std::optional<Time> now;                   // against which cosignatures are to come; else the machine's
};

// What the log says of itself, by the time of its last entry.
struct Figures {
  std::uint64_t asked = 0, answered = 0, overdue = 0;    // requests for information, one for each agency that was asked
  std::uint64_t emergencies = 0, emergencies_open = 0;   // the latter wait for their review
  std::uint64_t recalled_copies = 0, erased_copies = 0;  // by holder: who had opened, and who has said that it erased
  std::uint64_t access_requests = 0, access_answered = 0;
};

struct Report {
  std::vector<Finding> findings;
  std::uint64_t entries = 0, statements = 0, signatures = 0, decisions = 0, tiles = 0, withheld = 0;
  std::uint64_t unwitnessed = 0;  // openings of which something was released without the quorum, as the charter allows
  std::uint64_t seen =
      0;  // checkpoints that members signed as verified, in their openings, and notes of Options::shown
  std::uint64_t ahead = 0;   // notes of Options::shown that are of a larger log than this export
  std::uint64_t erased = 0;  // by a purge: their signatures are gone, and what was decided is derived from what stays
  Figures figures;           // of a log that is shown whole
  std::string origin, root, charter;
  std::optional<std::uint64_t> grew_from;  // size at the last run
  std::optional<Difference> difference;    // of the first decision that is not what the rules say
  Time last_time{};                        // of the last entry
  std::string checkpoint;                  // the note that was held against the entries
  std::optional<Witnessed> witnessed;      // nullopt: the charter in force asks for no witnesses
  bool proved() const { return findings.empty(); }
};

// An Error: it could not run (no export, no charter to hold it against, a file of `shown` that cannot be read). Else what was found; at most 100 findings, and
// nothing is re-derived after the first entry whose decision or content is not right, as the state is then unknown.
// kUnavailable: somebody exports into the folder, or did so meanwhile. Without `observe` it is tried again a few times.
Result<Report> Verify(const Options& options);

// The same for an export that grows: each pass goes on where the last one ended, and nothing is read again but the last
// partial file. The report is of all passes together; after a finding there is nothing more to be derived. A pass during which
// files were written anew after a purge, and which found something, says nothing (kUnavailable): the next one begins from the
// start, and `observe` is told of all entries again. Not thread-safe.
class Verifier {
 public:
  explicit Verifier(Options options);
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Result<Report> Pass();  // Errors as Verify
  const ledger::State& state() const;

 private:
  class Run;
  const Options options_;
  std::unique_ptr<Run> run_;
};

}  // namespace valija::audit
