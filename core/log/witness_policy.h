// C2SP tlog-policy: which logs and witnesses are known, and which sets of witnesses are enough (the quorum).
//
//   log <vkey> [url]                     witness <name> <vkey> [url]
//   group <name> <k|any|all> <names..>   quorum <name|none>
//
// Names are defined before they are used, and each is in one group at most, so that a witness counts once. Read
// strictly: what we would evaluate otherwise than another reader is refused.
//
// Thread-safety: a plain value.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/log/cosignature.h"

namespace valija::log {

class WitnessPolicy {
 public:
  static constexpr std::size_t kMaxText = 64 * 1024, kMaxLogs = 64, kMaxWitnesses = 128, kMaxGroups = 128;

  struct Log {
    NoteVerifier key;  // its name is the log's origin
    std::string url;   // may be empty
  };
  struct Witness {
    std::string name;  // in this policy; the key has a name of its own
    Cosigner key;
    std::string url;
  };
  struct Group {
    std::string name;
    std::size_t threshold = 1;  // 1 .. members
    std::vector<std::string> members;
  };
  using Names = std::set<std::string, std::less<>>;

  static Result<WitnessPolicy> Parse(std::string_view text);  // kBadPolicy, with the line
  std::string Text() const;                                   // its own form: logs, witnesses, groups, quorum

  const std::vector<Log>& logs() const { return logs_; }
  const std::vector<Witness>& witnesses() const { return witnesses_; }
  const std::vector<Group>& groups() const { return groups_; }
  const std::string& quorum() const { return quorum_; }  // a witness, a group, or "none"

  // Whether these witnesses (by their names in the policy; others are ignored) are a quorum.
  bool Satisfied(const Names& cosigned) const;

  // Why they are none: `needed` more of `of`, for every group on the way that lacks some. `group` is empty where the
  // quorum is one witness. Groups that need all of their lacking groups are not told: those are.
  struct Missing {
    std::string group;
    std::size_t needed = 0;
    std::vector<std::string> of;
    bool operator==(const Missing&) const = default;
  };
  std::vector<Missing> MissingFrom(const Names& cosigned) const;
  static std::string Say(const std::vector<Missing>& missing);  // "mx: 1 of mx1, mx2; us: 1 of us1"

  // A checkpoint that a known log signed and a quorum cosigned.
  struct Witnessed {
    Checkpoint checkpoint;
    std::map<std::string, std::uint64_t> cosigned;  // every witness of the policy that did, and when
  };
  // Who of the policy cosigned, enough or not. kBadCheckpoint.
  Result<std::map<std::string, std::uint64_t>> WhoCosigned(const Note& note) const;
  // kBadCheckpoint for form and signatures (or no such log), kBadProof, which says who is missing, for the quorum.
  // `known`: logs known otherwise, instead of the policy's.
  Result<Witnessed> Verify(std::string_view note, std::span<const NoteVerifier> known) const;
  Result<Witnessed> Verify(std::string_view note) const;

 private:
  WitnessPolicy() = default;
  friend class PolicyReader;
  const Group* FindGroup(std::string_view name) const;
  bool Has(std::string_view name, const Names& cosigned) const;
  void Explain(std::string_view name, const Names& cosigned, std::vector<Missing>& out) const;

  std::vector<Log> logs_;
  std::vector<Witness> witnesses_;
  std::vector<Group> groups_;
  std::string quorum_;
};

}  // namespace valija::log
