// What a profile has verified of its mailbox, and what that says of records: the entries in the log's order, and the facts
// that other entries add to a record. A client folds the directory alone; this is all it knows of records.
//
// A fact counts only where it is by an agency that may bring it about: the broker's word is not enough. An erased entry is
// an entry of its kind like the others, and the facts that it brought about are facts.
// Not thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "client/verifier.h"

namespace valija::client {

// A record or a grant of one.
bool IsRecord(const VerifiedEntry& entry);
const record::Header& HeaderOf(const VerifiedEntry& record);
// The original of a grant, else itself.
Digest OriginalOf(const VerifiedEntry& record);
template <class T>
const T* PayloadOf(const VerifiedEntry& entry) {
  return std::get_if<T>(&entry.statement->payload);
}

class Mail {
 public:
  const std::deque<VerifiedEntry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  // Refused and false: it is not later than what is there.
  bool Add(VerifiedEntry entry, const MemberId& me);
  void Clear();
  const VerifiedEntry* Find(const Digest& statement) const;
  const VerifiedEntry* At(std::uint64_t index) const;  // nullptr: no entry of the mailbox
  // What a purge left of an entry that is there, in its place. What it brought about stays.
  void Replace(VerifiedEntry erased);
  // The first purge of this statement, if the mailbox has one.
  const VerifiedEntry* PurgeOf(const Digest& statement) const;

  // `originator`: the agency of who made it. Of a grant ask for its original too.
  bool revoked(const Digest& record, const AgencyId& originator) const {
    return revoked_.contains({record, originator});
  }
  // A standing order of this agency: ended by an entry before this one.
  bool ended_before(const Digest& order, const AgencyId& agency, std::uint64_t index) const {
    const auto at = revoked_.find({order, agency});
    return at != revoked_.end() && at->second < index;
  }
  bool recalled(const Digest& record, const AgencyId& originator) const {
    return recalled_.contains({record, originator});
  }
  bool purged(const Digest& record, const AgencyId& originator) const { return purged_.contains({record, originator}); }
  bool opened_by_me(const Digest& record, std::uint32_t portion) const { return opened_.contains({record, portion}); }
  // What answers a record that asks, in the log's order: by another agency than who asked, and reaching that (as far as is
  // shown: of a reply of its own an agency is shown to whom it went). An original is answered by what answers a grant of it
  // too. That is what the rules stop the clock for.
  std::vector<const VerifiedEntry*> AnswersTo(const VerifiedEntry& asking) const;

  // The policy of a portion as it was when the entry of this index was decided: the header's, or that of the last
  // amendment in an unbroken chain. The header has the portion.
  struct InForce {
    Hash digest;
    std::uint64_t sequence = 0;
    const VerifiedEntry* amendment = nullptr;
  };
  // `might` says whether this member might amend what this key may, at the entry of this index.
  using MightAmend = std::function<bool(const MemberId&, const KeyId& amend_key, std::uint64_t index)>;
  InForce PolicyOf(const VerifiedEntry& record, std::uint32_t portion, std::uint64_t index,
                   const MightAmend& might) const;

 private:
  std::deque<VerifiedEntry> entries_;  // references stay good
  std::unordered_map<Digest, std::size_t> places_;
  // Record, and the agency of who did it; of the first revocation its entry index.
  std::map<std::pair<Digest, AgencyId>, std::uint64_t> revoked_;
  std::set<std::pair<Digest, AgencyId>> recalled_, purged_;
  std::map<Digest, std::size_t> purges_;
  std::set<std::pair<Digest, std::uint32_t>> opened_;  // portions
  std::map<Digest, std::vector<std::size_t>> replies_;
  std::map<Digest, std::vector<Digest>> grants_;  // by their original
  std::map<std::pair<Digest, std::uint32_t>, std::vector<std::size_t>> amendments_;
};

}  // namespace valija::client
