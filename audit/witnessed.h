// What an export shows of the charter's witnesses, held against the charter that was in force: a note that a quorum cosigned
// (the file `witnessed` of proto/export.h), and what came after it.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/ledger/state.h"
#include "core/log/note.h"

namespace valija::audit {

struct Witnessed {
  std::uint64_t size = 0;  // of the tree that they cosigned; 0: the charter asks for witnesses, and none is shown
  std::map<std::string, Time> by;    // who did, by the name in the charter, and when
  std::optional<Time> since;         // a quorum vouches for it since then; nullopt: no quorum
  std::vector<std::string> missing;  // witnesses of the charter in force that are not among them
};

class WitnessTerms {
 public:
  void Note(const ledger::State& state, std::uint64_t size);  // after the entry with which the tree has this size

  // Of the export, as far as it is verified.
  struct Export {
    std::string note;         // empty: none is there
    std::uint64_t size = 0;   // of the whole
    Time last_time{}, now{};  // of its last entry; of the machine
    std::function<Result<log::SignedCheckpoint>(const std::string& note, std::uint64_t size)>
        verify;  // the log's signature
    std::function<Result<Hash>(std::uint64_t size)> root_at;
    std::function<std::optional<Time>(std::uint64_t index)> time_of;  // nullopt: it is not shown
  };
  using Find = std::function<void(std::string code, std::string what)>;
  // nullopt: the charter in force asks for no witnesses. Findings: bad-witnessed (it is no checkpoint of this log), fork (of
  // another tree), bad-cosignature, too-few-cosigned, back-dated, unwitnessed (the log went on for longer than the charter's age of
  // checkpoints without them, and the charter does not let it).
  std::optional<Witnessed> Judge(const Export& shown, const Find& find) const;

 private:
  struct Term {
    std::uint64_t from = 0;  // of a tree of this size on
    std::optional<log::WitnessPolicy> policy;
    Duration max_age{}, skew{};
    bool may_go_without = false;
  };
  const Term* At(std::uint64_t size) const;
  std::uint64_t AskedSince() const;
  void JudgeNote(const Export& shown, const Find& find, Witnessed& out) const;
  void JudgeTimes(const Export& shown, const Term& then, const Find& find, const Witnessed& out) const;

  std::vector<Term> terms_;
  Digest charter_;
};

}  // namespace valija::audit
