// Short statements: acknowledgement, revocation, and what an administrator does.
#include <algorithm>

#include "client/session.h"
#include "core/io/file.h"
#include "core/record/epoch.h"

namespace valija::client {
namespace {

constexpr std::chrono::days kEpochLifetime{730};

ledger::EpochWrap WrapFor(const crypto::KemPrivateKey& epoch_key, const AgencyId& agency, std::uint64_t epoch,
                          const Digest& previous, const MemberId& member, const crypto::KemPublicKey& member_key,
                          crypto::Random& random) {
  auto sealed = record::SealEpochKey(epoch_key, agency, epoch, previous, member, member_key, random);
  return {epoch, member, member_key.id(), sealed.enc, std::move(sealed.ciphertext)};
}

std::vector<std::string> Sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace

Result<NewsItem> SessionCore::Acknowledge(const std::string& record, const std::string& outcome) {
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(record));
  if (std::find(std::begin(ledger::kOutcomes), std::end(ledger::kOutcomes), outcome) == std::end(ledger::kOutcomes))
    return Refuse(Reason::kUsage, "an outcome is one of: received, useful, acted-on, not-useful");
  TRY(auto entry, PostDirect(ledger::Kind::kAcknowledgement, proto::EncodeAcknowledgement({By(), digest, outcome})));
  return News(entry);
}

Result<NewsItem> SessionCore::Revoke(const std::string& record, const std::string& why) {
  TRY_OK(Refresh());
  TRY(auto digest, Resolve(record));
  TRY(auto entry, PostDirect(ledger::Kind::kRevocation, proto::EncodeRevocation({By(), digest, why})));
  return News(entry);
}

Result<std::vector<Session::EnrolmentChange>> SessionCore::EnrolmentChanges(const std::filesystem::path& card_path,
                                                                            const Session::EnrolOptions& options) {
  TRY(auto text, io::ReadText(card_path, 1 << 16));
  TRY(auto card, MemberCard::Parse(text));
  TRY_OK(Refresh());
  std::vector<Session::EnrolmentChange> changes;
  const auto* known = verifier_.directory().member(card.member);
  if (known == nullptr) return changes;
  auto compare = [&](const char* what, std::string before, std::string after) {
    if (before != after) changes.push_back({what, std::move(before), std::move(after)});
  };
  auto list = [](const std::vector<std::string>& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : ", ") + word;
    return all.empty() ? "none" : all;
  };
  auto yes = [](bool value) { return value ? "yes" : "no"; };
  const auto& before = known->record;
  compare("status", before.status == ledger::MemberStatus::kActive ? "active" : "removed", "active");
  if (before.keys.auth_key_id != card.keys.auth_key_id || before.keys.signing_key != card.keys.signing_key ||
      before.keys.kem_key != card.keys.kem_key)
    changes.push_back({"keys", "those enrolled", "those of the card"});
  compare("clearance", list({before.attributes.clearance}), list({options.clearance}));
  compare("roles", list(before.attributes.roles), list(Sorted(options.roles)));
  compare("programmes", list(before.attributes.programmes), list(Sorted(options.programmes)));
  compare("administrator", yes(before.administrator), yes(options.administrator));
  compare("auditor", yes(before.auditor), yes(options.auditor));
  return changes;
}

Result<NewsItem> SessionCore::Enrol(const std::filesystem::path& card_path, const Session::EnrolOptions& options) {
  TRY(auto text, io::ReadText(card_path, 1 << 16));
  TRY(auto card, MemberCard::Parse(text));
  TRY_OK(Refresh());
  if (card.member.agency() != profile_.member().agency())
    return Refuse(Reason::kNotAuthorised, card.member.str() + " is not of your agency");
  if (MyAgency().current() == nullptr) {  // the agency's first act: epoch 1
    TRY(auto first, RotateEpoch());
    (void)first;
  }
  ledger::Enrolment enrolment{
      .by = By(),
      .member = {.id = card.member,
                 .status = ledger::MemberStatus::kActive,
                 .keys = card.keys,
                 .attributes = {options.clearance, Sorted(options.roles), Sorted(options.programmes)},
                 .administrator = options.administrator,
                 .auditor = options.auditor},
      .previous = {},
      .wraps = {}};
  if (const auto* before = verifier_.directory().member(card.member)) enrolment.previous = before->enrolment;
  const auto& epoch = *MyAgency().current();
  TRY(const auto* epoch_key, EpochKey(epoch.key_id));
  TRY(auto member_key, crypto::KemPublicKey::FromPoint(card.keys.kem_key));
  enrolment.wraps.push_back(
      WrapFor(*epoch_key, profile_.member().agency(), epoch.epoch, epoch.previous, card.member, member_key, random_));
  const auto* known = verifier_.directory().member(card.member);
  const bool replaced = known != nullptr && known->record.keys.kem_key != card.keys.kem_key;
  TRY(auto entry, PostDirect(ledger::Kind::kEnrolment, proto::EncodeEnrolment(enrolment)));
  if (replaced)  // the device with the old keys may be in other hands
    if (auto rotated = RotateEpoch(); !rotated)
      return Refuse(rotated.error().reason,
                    card.member.str() + " is enrolled with its new keys, but your agency's keys are not changed yet (" +
                        rotated.error().detail + "); do it now: valija epoch rotate");
  return News(entry);
}

Result<NewsItem> SessionCore::Remove(const std::string& id) {
  auto member = MemberId::Parse(id);
  if (!member) return Refuse(Reason::kUsage, "a member is named like us.dea/jrivera");
  TRY_OK(Refresh());
  if (*member == profile_.member())
    return Refuse(Reason::kUsage,
                  "another administrator has to remove you: whoever removes also changes the agency's keys");
  const auto* before = verifier_.directory().member(*member);
  if (before == nullptr || member->agency() != profile_.member().agency())
    return Refuse(Reason::kNotFound, "no member of your agency is " + id);
  const auto* epoch = MyAgency().current();
  if (before->record.status != ledger::MemberStatus::kActive) {
    // Removed before. If the agency's keys were not changed then, that is still to be done.
    if (epoch == nullptr || !epoch->wraps.contains(*member))
      return Refuse(Reason::kNotFound, id + " was removed before");
    return RotateEpoch();
  }
  ledger::Enrolment removal{.by = By(), .member = before->record, .previous = before->enrolment, .wraps = {}};
  removal.member.status = ledger::MemberStatus::kRemoved;
  TRY(auto entry, PostDirect(ledger::Kind::kEnrolment, proto::EncodeEnrolment(removal)));
  // What is sent from now on must not open to whoever has left.
  auto rotated = RotateEpoch();
  if (!rotated)
    return Refuse(rotated.error().reason, id + " is removed, but your agency's keys are not changed yet (" +
                                              rotated.error().detail + "); do it now: valija epoch rotate");
  return News(entry);
}

Result<NewsItem> SessionCore::RotateEpoch() {
  TRY_OK(Refresh());
  const auto& directory = verifier_.directory();
  const auto* agency = directory.agency(profile_.member().agency());
  if (agency == nullptr) return Refuse(Reason::kNotAuthorised, "your agency is not in the charter");
  const auto* current = agency->current();
  auto key = crypto::KemPrivateKey::Generate(random_);
  ledger::Epoch epoch{.by = By(),
                      .agency = profile_.member().agency(),
                      .epoch = current != nullptr ? current->epoch + 1 : 1,
                      .public_key = key.public_key().point(),
                      .not_after = Now() + kEpochLifetime,
                      .previous = current != nullptr ? current->statement : Digest{},
                      .wraps = {}};
  for (const auto& [id, member] : directory.members()) {
    if (id.agency() != epoch.agency || member.record.status != ledger::MemberStatus::kActive) continue;
    TRY(auto member_key, crypto::KemPublicKey::FromPoint(member.record.keys.kem_key));
    epoch.wraps.push_back(WrapFor(key, epoch.agency, epoch.epoch, epoch.previous, id, member_key, random_));
  }
  TRY(auto entry, PostDirect(ledger::Kind::kEpoch, proto::EncodeEpoch(epoch)));
  TRY_OK(Refresh());
  return News(entry);
}

}  // namespace valija::client
