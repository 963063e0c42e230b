// What an administrator does: members, epochs, and the charter's amendments.
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

template <class Pick>
Result<SessionCore::Wraps> SessionCore::WrapsFor(const MemberId& member, const Point& kem_key, Pick which) {
  TRY(const auto* agency, MyAgency());
  TRY(auto member_key, crypto::KemPublicKey::FromPoint(kem_key));
  Wraps wraps;
  for (const auto& epoch : agency->epochs) {
    if (!which(epoch)) continue;
    auto key = EpochKey(epoch.key_id);
    if (!key && key.error().reason == Reason::kNotReady) {
      wraps.left.push_back(epoch.epoch);
      continue;
    }
    if (!key) return key.error();
    wraps.made.push_back(
        WrapFor(**key, profile_.member().agency(), epoch.epoch, epoch.previous, member, member_key, random_));
  }
  return wraps;
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
  compare("status",
          before.status == ledger::MemberStatus::kActive      ? "active"
          : before.status == ledger::MemberStatus::kSuspended ? "suspended"
                                                              : "removed",
          "active");
  if (before.keys.auth_key_id != card.keys.auth_key_id || before.keys.signing_key != card.keys.signing_key ||
      before.keys.kem_key != card.keys.kem_key)
    changes.push_back({"keys", "those enrolled", "those of the card"});
  compare("clearance", list({before.attributes.clearance}), list({options.clearance}));
  compare("roles", list(before.attributes.roles), list(Sorted(options.roles)));
  compare("programmes", list(before.attributes.programmes), list(Sorted(options.programmes)));
  compare("administrator", yes(before.administrator), yes(options.administrator));
  compare("auditor", yes(before.auditor), yes(options.auditor));
  compare("person", before.person.empty() ? "none" : before.person, options.person.empty() ? "none" : options.person);
  return changes;
}

Result<NewsItem> SessionCore::Enrol(const std::filesystem::path& card_path, const Session::EnrolOptions& options) {
  const AnyAge fresh(*this, false);
  TRY(auto text, io::ReadText(card_path, 1 << 16));
  TRY(auto card, MemberCard::Parse(text));
  TRY_OK(Refresh());
  if (card.member.agency() != profile_.member().agency())
    return Refuse(Reason::kNotAuthorised, card.member.str() + " is not of your agency");
  TRY(const auto* agency, MyAgency());
  if (agency->current() == nullptr) {  // the agency's first act: epoch 1
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
                 .auditor = options.auditor,
                 .person = options.person},
      .previous = {},
      .wraps = {}};
  const auto* known = verifier_.directory().member(card.member);
  if (known != nullptr) enrolment.previous = known->enrolment;
  // The present epoch, and with renewed keys all that were open to it before: nothing that was sent is lost.
  TRY(agency, MyAgency());
  const auto current = agency->current()->epoch;
  TRY(auto wraps, WrapsFor(card.member, card.keys.kem_key, [&](const ledger::EpochState& epoch) {
        return epoch.epoch == current || epoch.wraps.contains(card.member);
      }));
  enrolment.wraps = std::move(wraps.made);
  TRY(auto entry, PostDirect(ledger::Kind::kEnrolment, proto::EncodeEnrolment(enrolment)));
  // The device with the old keys may be in other hands: they open the present epoch, if it was made before the member got
  // others, be that now or in a run that ended before it came to this. Who renews its own is no administrator any more with
  // the keys of this session: it rotates with the new ones.
  TRY_OK(Refresh());
  TRY(agency, MyAgency());
  const auto rekeyed = verifier_.RekeyedAt(card.member);
  const bool outdated = rekeyed && agency->current() != nullptr && agency->current()->index < *rekeyed;
  const bool with_new_keys =
      card.member != profile_.member() || card.keys.signing_key == keys_.signature.verify_key().point();
  if (outdated && with_new_keys)
    if (auto rotated = RotateEpoch(); !rotated)
      return Refuse(rotated.error().reason,
                    card.member.str() + " is enrolled with its new keys, but your agency's keys are not changed yet (" +
                        rotated.error().detail + "); do it now: valija epoch rotate");
  auto news = News(entry);
  news.epochs_left = std::move(wraps.left);
  return news;
}

// Removal or suspension.
Result<NewsItem> SessionCore::End(const std::string& id, ledger::MemberStatus status) {
  const AnyAge any(*this);
  auto member = MemberId::Parse(id);
  if (!member) return Refuse(Reason::kUsage, "a member is named like us.dea/jrivera");
  TRY_OK(Refresh());
  if (*member == profile_.member())
    return Refuse(Reason::kUsage,
                  "another administrator has to do this to you: whoever does it also changes the agency's keys");
  const auto* before = verifier_.directory().member(*member);
  TRY(const auto* agency, MyAgency());
  if (before == nullptr || member->agency() != profile_.member().agency())
    return Refuse(Reason::kNotFound, "no member of your agency is " + id);
  const auto* epoch = agency->current();
  const bool removal = status == ledger::MemberStatus::kRemoved;
  if (before->record.status == status || before->record.status == ledger::MemberStatus::kRemoved) {
    // So before. If the agency's keys were not changed then, that is still to be done.
    if (epoch == nullptr || !epoch->wraps.contains(*member))
      return Refuse(Reason::kNotFound, id + (removal ? " was removed before" : " was suspended before"));
    return RotateEpoch();
  }
  ledger::Enrolment ending{.by = By(), .member = before->record, .previous = before->enrolment, .wraps = {}};
  ending.member.status = status;
  TRY(auto entry, PostDirect(ledger::Kind::kEnrolment, proto::EncodeEnrolment(ending)));
  // What is sent from now on must not open to whoever has left.
  auto rotated = RotateEpoch();
  if (!rotated)
    return Refuse(rotated.error().reason, id + (removal ? " is removed" : " is suspended") +
                                              ", but your agency's keys are not changed yet (" +
                                              rotated.error().detail + "); do it now: valija epoch rotate");
  return News(entry);
}

// The same member as before, active, with epochs that it lacks: all of them, or those that came since it was enrolled.
Result<NewsItem> SessionCore::ChangeEnrolment(const std::string& id, bool all_epochs) {
  const AnyAge fresh(*this, false);
  auto member = MemberId::Parse(id);
  if (!member) return Refuse(Reason::kUsage, "a member is named like us.dea/jrivera");
  TRY_OK(Refresh());
  TRY(const auto* agency, MyAgency());
  const auto* before = verifier_.directory().member(*member);
  if (before == nullptr || member->agency() != profile_.member().agency())
    return Refuse(Reason::kNotFound, "no member of your agency is " + id);
  const bool active = before->record.status == ledger::MemberStatus::kActive;
  if (active != all_epochs)
    return Refuse(Reason::kNotReady, id + (active ? " is active; there is nothing to resume" : " is no active member"));
  ledger::Enrolment change{.by = By(), .member = before->record, .previous = before->enrolment, .wraps = {}};
  change.member.status = ledger::MemberStatus::kActive;
  const auto current = agency->current() != nullptr ? agency->current()->epoch : 0;
  auto first = current;  // that it has
  for (const auto& epoch : agency->epochs)
    if (epoch.wraps.contains(*member)) first = std::min(first, epoch.epoch);
  // What is sealed to a key that it had before, as of who renewed its keys, is not open to it for good.
  const auto key_id = crypto::KeyIdOf(before->record.keys.kem_key);
  TRY(auto wraps, WrapsFor(*member, before->record.keys.kem_key, [&](const ledger::EpochState& epoch) {
        const auto held = epoch.wraps.find(*member);
        return (held == epoch.wraps.end() || held->second.member_kem_key_id != key_id) &&
               (all_epochs || epoch.epoch >= first);
      }));
  change.wraps = std::move(wraps.made);
  if (all_epochs && change.wraps.empty() && !wraps.left.empty())
    return Refuse(Reason::kNotReady,
                  "what " + id + " lacks is not open to you either; another administrator has to do it");
  if (all_epochs && change.wraps.empty()) return Refuse(Reason::kExists, "every epoch is open to " + id);
  TRY(auto entry, PostDirect(ledger::Kind::kEnrolment, proto::EncodeEnrolment(change)));
  TRY_OK(Refresh());
  auto news = News(entry);
  news.epochs_left = std::move(wraps.left);
  return news;
}

Result<NewsItem> SessionCore::Resume(const std::string& member) { return ChangeEnrolment(member, false); }

Result<NewsItem> SessionCore::GrantEpochs(const std::string& member) { return ChangeEnrolment(member, true); }

// With the only witness of a country lost for good, this names another one.
Result<NewsItem> SessionCore::SubmitCharterAmendment(const std::string& bytes) {
  const AnyAge any(*this);
  TRY_OK(Refresh());
  TRY(auto envelope, proto::DecodeEnvelope(AsBytes(bytes)));
  if (envelope.payload_type != ledger::PayloadType(ledger::Kind::kCharterAmendment))
    return Refuse(Reason::kUnknownType, "the file is no charter amendment");
  TRY(auto entry, PostSigned(std::move(envelope), {}));
  TRY_OK(Refresh());
  return News(entry);
}

// Who is left out of it is what the broker's directory says, not ours: it refuses an epoch for others.
Result<NewsItem> SessionCore::RotateEpoch() {
  const AnyAge any(*this);
  TRY_OK(Refresh());
  const auto& directory = verifier_.directory();
  TRY(const auto* agency, MyAgency());
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
