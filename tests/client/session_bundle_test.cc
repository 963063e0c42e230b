// Evidence bundles: what they prove offline, what can be left out of them, and what nobody can make of one.
#include "audit/evidence/policies.h"
#include "audit/evidence/story.h"
#include "core/crypto/hash.h"
#include "core/text/language.h"
#include "proto/bundle.h"
#include "tests/client/two_witnesses.h"

namespace valija::client {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class BundleTest : public TwoWitnessesTest {
 protected:
  OpenRequest Case(const std::string& id, const std::string& reference, const std::string& purpose = "investigation") {
    auto request = Asking(id);
    request.case_reference = reference;
    request.purpose = purpose;
    return request;
  }
  // A record that was opened, refused, acknowledged and revoked.
  std::string Lived() {
    const auto id = Sent(DraftOf("x"));
    EXPECT_TRUE(OpenAs("mx.fgr/luis", Case(id, "CASE-4711")));
    EXPECT_FALSE(OpenAs("mx.fgr/luis", Case(id, "CASE-4711", "analysis")));
    SessionOf("mx.fgr/luis")->Acknowledge(id, "useful").value();
    SessionOf("us.dea/ana")->Revoke(id, "no longer needed").value();
    return id;
  }
  Result<SavedBundle> Save(const std::string& id, const std::vector<std::string>& withhold = {},
                           bool show_erased = false, const std::string& by = "us.dea/ana") {
    file_ = "bundle-" + std::to_string(++made_);
    BundleRequest request{.record = id,
                          .output = folder / file_,
                          .page = folder / (file_ + ".html"),
                          .withhold = withhold,
                          .show_erased = show_erased};
    return SessionOf(by)->SaveBundle(request);
  }
  Bytes Saved(const std::string& id, const std::vector<std::string>& withhold = {}, bool show_erased = false,
              const std::string& by = "us.dea/ana") {
    auto saved = Save(id, withhold, show_erased, by);
    EXPECT_TRUE(saved) << saved.error().Message();
    return ToBytes(AsBytes(test::ReadAll(folder / file_)));
  }
  std::string PageOf() { return test::ReadAll(folder / (file_ + ".html")); }
  log::PolicyHistory Policies() {
    return log::PolicyHistory::Parse(SessionOf("us.fbi/kim")->WitnessPolicies().value()).value();
  }
  Result<evidence::CheckedBundle> Check(ByteView file) { return evidence::CheckBundle(file, {Policies(), {}}); }
  // As it would be if `by` had made it so: the signature over it is good.
  Bytes Changed(ByteView file, const std::function<void(proto::Bundle&)>& change,
                const std::string& by = "us.dea/ana") {
    auto bundle = proto::DecodeBundle(proto::DecodeSignedBundle(file).value().bundle).value();
    change(bundle);
    const auto key = begun.Keys(by).signature;
    proto::SignedBundle out{proto::EncodeBundle(bundle), key.id(), {}};
    out.signature = key.Sign(crypto::Pae(proto::kBundleType, out.bundle));
    return proto::EncodeSignedBundle(out);
  }
  Reason Refused(ByteView file, const std::function<void(proto::Bundle&)>& change) {
    const auto checked = Check(Changed(file, change));
    return checked ? Reason::kInternal : checked.error().reason;
  }
  static std::vector<std::string> KindsIn(const evidence::CheckedBundle& bundle, bool directory) {
    std::vector<std::string> out;
    for (const auto& line : bundle.lines)
      if (line.directory == directory)
        out.push_back(line.statement ? std::string(ledger::NameOf(line.statement->kind)) : "-");
    return out;
  }
  static proto::ProvedEntry* Find(proto::Bundle& bundle, ledger::Kind kind) {
    for (auto& proved : bundle.entries)
      if (proved.entry.envelope && proved.entry.envelope->payload_type == ledger::PayloadType(kind)) return &proved;
    return nullptr;
  }
  static void Drop(proto::Bundle& bundle, ledger::Kind kind) {
    bundle.entries.erase(bundle.entries.begin() + (Find(bundle, kind) - bundle.entries.data()));
  }
  // With these entries of the log too, as they are, under what is cosigned now.
  Bytes With(ByteView file, const std::vector<std::uint64_t>& indices,
             const std::function<void(proto::LoggedEntry&)>& change = {}) {
    return Changed(file, [&](proto::Bundle& b) {
      for (const auto index : indices) {
        auto one = honest.Proved(index);
        if (change) change(one.entry);
        b.entries.push_back(std::move(one));
      }
      std::sort(b.entries.begin(), b.entries.end(),
                [](const auto& x, const auto& y) { return x.entry.head->index < y.entry.head->index; });
      b.checkpoint = honest.cosigned->first;
      for (auto& proved : b.entries) proved.path = honest.Path(proved.entry.head->index, honest.cosigned->second);
    });
  }
  // A broker's own entry, which no rule was asked about.
  std::uint64_t LogOpening(const Digest& order, const std::string& member, const Digest& record) {
    const auto opening = FakeBroker::Opening({order, test::Member(member), record, {0}});
    ledger::Verdict verdict;
    verdict.record = record;
    return honest.Log(opening, {opening->digest, begun.broker.authority, random_.Make<Nonce>(), {verdict}});
  }
  static std::uint64_t IndexOf(const proto::Bundle& bundle, ledger::Kind kind) {
    for (const auto& proved : bundle.entries)
      if (proved.entry.envelope && proved.entry.envelope->payload_type == ledger::PayloadType(kind))
        return proved.entry.head->index;
    return 0;
  }
  static const evidence::Line& LineOf(const evidence::CheckedBundle& bundle, std::uint64_t index) {
    return *std::find_if(bundle.lines.begin(), bundle.lines.end(),
                         [&](const auto& line) { return line.head.index == index; });
  }
  static std::string FieldsOf(const evidence::CheckedBundle& bundle, std::uint64_t index) {
    std::string out;
    for (const auto& told : evidence::Events(bundle))
      if (told.entry == index)
        for (const auto& [name, value] : told.fields) out += name + ": " + value + "\n";
    return out;
  }
  void EnrolAnew(const std::string& admin, const std::string& member, const std::string& person) {
    Keyring keys{crypto::SignKey::Generate(random_), crypto::SignKey::Generate(random_),
                 crypto::KemPrivateKey::Generate(random_)};
    test::WriteText(folder / "card", MemberCard::Make(test::Member(member), keys));
    SessionOf(admin)->Enrol(folder / "card", {"secret", {}, {}, false, false, person}).value();
  }
  static bool Holds(ByteView file, std::string_view text) { return AsText(file).find(text) != std::string_view::npos; }

  std::string file_;
  int made_ = 0;
};

TEST_F(BundleTest, HoldsOfflineAndTellsWhatHappened) {
  const auto id = Lived();
  const auto file = Saved(id);
  const auto checked = Check(file);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_EQ(checked->record, Id(id));
  EXPECT_EQ(checked->member, test::Member("us.dea/ana"));
  EXPECT_EQ(checked->charter, begun.charter_digest);
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("record", "open", "open", "acknowledgement", "revocation"));
  // The charter, its amendment, and who signed here: nobody else of the directory, and no key epochs.
  EXPECT_THAT(KindsIn(*checked, true), ElementsAre("charter", "enrolment", "enrolment", "charter-amendment"));
  EXPECT_EQ(checked->under.cosigned.size(), 2u);
  EXPECT_TRUE(checked->witnesses_asked);
  EXPECT_THAT(checked->gaps, IsEmpty());
  for (const auto& line : checked->lines) EXPECT_TRUE(line.directory || line.about);
  const auto events = evidence::Events(*checked);
  EXPECT_EQ(events[1].who, "mx.fgr/luis");
  EXPECT_THAT(events[1].fields, Contains(std::pair<std::string, std::string>("case", "CASE-4711")));
  EXPECT_THAT(PageOf(), HasSubstr("CASE-4711"));
  EXPECT_THAT(PageOf(), HasSubstr(crypto::Sha256(file).Hex()));
  EXPECT_THAT(PageOf(), Not(HasSubstr("<script")));
}

TEST_F(BundleTest, IsHeldAgainstAPolicyThatIsTrustedAndTheChartersDigestBesides) {
  const auto file = Saved(Lived());
  const auto policies = Policies();
  EXPECT_TRUE(evidence::CheckBundle(file, {policies, begun.charter_digest}));
  const auto nobodys = Id(std::string(64, 'a'));
  EXPECT_EQ(evidence::CheckBundle(file, {policies, nobodys}).error().reason, Reason::kFork);
  // What is cheap to see is seen first.
  const auto unsigned_file = Changed(
      file, [](proto::Bundle&) {}, "mx.fgr/luis");
  EXPECT_EQ(evidence::CheckBundle(unsigned_file, {policies, nobodys}).error().reason, Reason::kFork);
  auto other = policies.now().Text();
  const auto key = log::NoteVerifier::Make("another.example", crypto::Ed25519SignKey::Generate(random_).verify_key());
  other.replace(0, other.find('\n'), "log " + key->Text());
  EXPECT_EQ(evidence::CheckBundle(file, {log::PolicyHistory::Parse(other).value(), {}}).error().reason,
            Reason::kBadCheckpoint);
}

TEST_F(BundleTest, AFormerKeyMakesNoneByLeavingTheAmendmentsOut) {
  Lived();
  Rotate();
  // The founding log's key, and real statements; its tree has no amendment, and so no witnesses and no other key.
  test::ClientWorld forged;
  auto ana = forged.SessionOf("us.dea/ana");
  const auto id = ana->Send({DraftOf("x")}, {}).value().front().value().id;
  const auto saved = [&](const std::string& name) {
    ana->SaveBundle({.record = id, .output = folder / name}).value();
    return ToBytes(AsBytes(test::ReadAll(folder / name)));
  };
  while (forged.honest.entries.size() <= begun.entries.size() + 1) ana->Acknowledge(id, "received").value();
  const auto unwitnessed = saved("unwitnessed");
  while (forged.honest.entries.size() < honest.entries.size()) ana->Acknowledge(id, "received").value();
  const auto later = saved("later");
  const auto reason = [&](const Bytes& file) {
    const auto checked = evidence::CheckBundle(file, {Policies(), begun.charter_digest});
    return checked ? Reason::kInternal : checked.error().reason;
  };
  EXPECT_EQ(reason(unwitnessed), Reason::kBadProof) << "two witnesses by then";
  EXPECT_EQ(reason(later), Reason::kBadCheckpoint) << "another key by then";
}

TEST_F(BundleTest, WhoMadeItIsKnownByTheLastEnrolmentThatIsShown) {
  const auto id = Lived();
  const auto before = honest.entries.size();
  EnrolAnew("mx.fgr/admin", "mx.fgr/luis", "luis");
  const auto file = Saved(id);
  const auto as_luis = [&](bool shown) {
    return Check(Changed(
        file,
        [&](proto::Bundle& b) {
          b.member = test::Member("mx.fgr/luis");
          if (!shown) std::erase_if(b.entries, [&](const auto& one) { return one.entry.head->index == before; });
        },
        "mx.fgr/luis"));  // by its former key
  };
  EXPECT_EQ(as_luis(true).error().reason, Reason::kBadSignature);
  EXPECT_TRUE(as_luis(false)) << "and therefore it says so:";
  EXPECT_THAT(PageOf(), HasSubstr("the key of its last enrolment shown here"));
}

TEST_F(BundleTest, HoldsAfterEveryKeyWasChanged) {
  const auto id = Lived();
  const auto before = Saved(id);
  Rotate();
  // And of a member: what it signed before is still its own.
  EnrolAnew("mx.fgr/admin", "mx.fgr/luis", "luis");
  const auto after = Saved(id);
  EXPECT_TRUE(Check(before));
  const auto checked = Check(after);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, true), Contains("charter-amendment").Times(2));
  EXPECT_THAT(KindsIn(*checked, true), Contains("enrolment").Times(3));
}

TEST_F(BundleTest, ChangedByWhoeverHasNotItsMakersKeyItIsRefused) {
  const auto file = Saved(Lived());
  const auto policies = Policies();
  ASSERT_TRUE(evidence::CheckBundle(file, {policies, {}}));
  for (std::size_t at = 0; at < file.size(); at += 97) {
    auto other = file;
    other[at] ^= 1;
    EXPECT_FALSE(evidence::CheckBundle(other, {policies, {}})) << at;
  }
  auto longer = file;
  longer.push_back(0);
  EXPECT_FALSE(evidence::CheckBundle(longer, {policies, {}}));
  EXPECT_FALSE(evidence::CheckBundle(ByteView(file).first(file.size() - 1), {policies, {}}));
  // Signed by somebody else than it says.
  EXPECT_EQ(Check(Changed(
                      file, [](proto::Bundle&) {}, "mx.fgr/luis"))
                .error()
                .reason,
            Reason::kBadSignature);
}

TEST_F(BundleTest, ItsMakerCannotMakeSomethingElseOfIt) {
  const auto another = Sent(DraftOf("another"));
  const auto id = Lived();
  const auto file = Saved(id);
  const auto foreign = honest.Proved(*honest.state.statement_index(Id(another)));
  const std::uint64_t size = honest.cosigned->second;
  using Bundle = proto::Bundle;
  EXPECT_EQ(Refused(file, [](Bundle&) {}), Reason::kInternal) << "unchanged it holds";
  EXPECT_EQ(Refused(file, [](Bundle& b) { std::swap(b.entries[5], b.entries[6]); }), Reason::kMalformed);
  EXPECT_EQ(Refused(file, [](Bundle& b) { b.entries.push_back(b.entries.back()); }), Reason::kMalformed);
  EXPECT_EQ(Refused(file, [](Bundle& b) { std::swap(b.entries[5].entry.envelope, b.entries[6].entry.envelope); }),
            Reason::kBadProof);
  EXPECT_EQ(Refused(file, [](Bundle& b) { std::swap(b.entries[5].path, b.entries[6].path); }), Reason::kBadProof);
  EXPECT_EQ(Refused(file, [](Bundle& b) { b.entries.erase(b.entries.begin()); }), Reason::kBadProof) << "no charter";
  EXPECT_EQ(Refused(file, [](Bundle& b) { b.entries.erase(b.entries.begin() + 1); }), Reason::kBadSignature)
      << "no enrolment of an author";
  EXPECT_EQ(Refused(file, [](Bundle& b) { Drop(b, ledger::Kind::kRecord); }), Reason::kBadProof);
  EXPECT_EQ(Refused(file,
                    [&](Bundle& b) {
                      auto one = foreign;
                      one.path = honest.Path(one.entry.head->index, size);
                      auto at = std::find_if(b.entries.begin(), b.entries.end(), [&](const auto& entry) {
                        return entry.entry.head->index > one.entry.head->index;
                      });
                      b.entries.insert(at, std::move(one));
                    }),
            Reason::kBadProof)
      << "another record's";
  EXPECT_EQ(Refused(file, [](Bundle& b) { b.entries.back().entry.head->time += std::chrono::hours(1); }),
            Reason::kBadProof);
  EXPECT_EQ(Refused(file,
                    [](Bundle& b) {
                      auto* open = Find(b, ledger::Kind::kOpen);
                      auto decision = proto::DecodeDecision(open->entry.decision_bytes).value();
                      decision.verdicts[0].reasons = {Reason::kRevoked};
                      open->entry.decision_bytes = proto::EncodeDecision(decision);
                    }),
            Reason::kBadProof);
  EXPECT_EQ(Refused(file, [](Bundle& b) { Find(b, ledger::Kind::kRecord)->entry.attachments.slips[0].salt = {}; }),
            Reason::kBadProof);
  EXPECT_EQ(
      Refused(file,
              [](Bundle& b) { Find(b, ledger::Kind::kRevocation)->entry.envelope->signatures[0].signature = {}; }),
      Reason::kBadSignature);
  EXPECT_EQ(Refused(file, [&](Bundle& b) { b.record = Id(another); }), Reason::kBadProof);
  EXPECT_EQ(Refused(file, [](Bundle& b) { b.checkpoint = Without(b.checkpoint, "witness.mx.fgr"); }), Reason::kBadProof)
      << "one country alone";
  EXPECT_EQ(Refused(file, [](Bundle& b) { b.entries.back().entry.salt.reset(); }), Reason::kMalformed);
  // The log's own key, and no witnesses: another history.
  EXPECT_EQ(Refused(file,
                    [&](Bundle& b) {
                      const log::Checkpoint other{begun.broker.origin, size, log::LeafHash(AsBytes("other"))};
                      b.checkpoint = log::SignedCheckpoint::Sign(other, begun.broker.log_key).note();
                    }),
            Reason::kBadProof);
}

TEST_F(BundleTest, WhatIsWithheldIsNotInItAndTheRestVerifies) {
  const auto id = Lived();
  const auto whole = Saved(id);
  ASSERT_TRUE(Holds(whole, "CASE-4711"));
  struct Withheld {
    std::vector<std::string> words;
    std::vector<std::string> kinds;  // what is told then
    std::string text;                // that is gone
  };
  for (const auto& [words, kinds, text] :
       std::vector<Withheld>{{{"case"}, {"record", "-", "-", "acknowledgement", "revocation"}, "CASE-4711"},
                             {{"purpose"}, {"record", "-", "-", "acknowledgement", "revocation"}, "CASE-4711"},
                             {{"why"}, {"record", "open", "open", "acknowledgement", "-"}, "no longer needed"},
                             {{"open", "why"}, {"record", "-", "-", "acknowledgement", "-"}, "CASE-4711"},
                             {{"record"}, {"-", "open", "open", "acknowledgement", "revocation"}, "text/plain"},
                             {{"policies", "recipients", "decisions"},
                              {"record", "open", "open", "acknowledgement", "revocation"},
                              "wrong-purpose"}}) {
    const auto file = Saved(id, words);
    const auto checked = Check(file);
    ASSERT_TRUE(checked) << words[0] << ": " << checked.error().Message();
    EXPECT_EQ(KindsIn(*checked, false), kinds) << words[0];
    EXPECT_FALSE(Holds(file, text)) << words[0];
    EXPECT_LT(file.size(), whole.size()) << words[0];
  }
  // Byte by byte: the policy, and what opens the recipients' commitments.
  const auto& parts = honest.entries[*honest.state.statement_index(Id(id))].statement->attachments;
  ASSERT_FALSE(parts.policies.empty());
  ASSERT_FALSE(parts.slips.empty());
  const auto bare = Saved(id, {"policies", "recipients"});
  for (const auto& policy : parts.policies) {
    EXPECT_TRUE(Holds(whole, AsText(policy)));
    EXPECT_FALSE(Holds(bare, AsText(policy)));
  }
  for (const auto& slip : parts.slips) {
    EXPECT_TRUE(Holds(whole, AsText(slip.salt.view())));
    EXPECT_FALSE(Holds(bare, AsText(slip.salt.view())));
  }
  const auto index = honest.entries.size() - 1;  // the revocation
  const auto saved = Save(id, {std::to_string(index)});
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->withheld, ElementsAre(index));
  EXPECT_THAT(PageOf(), HasSubstr("not shown"));
}

TEST_F(BundleTest, WhatIsWithheldCannotBeReplacedAndCanBeShownLater) {
  const auto id = Lived();
  const auto whole = proto::DecodeBundle(proto::DecodeSignedBundle(Saved(id)).value().bundle).value();
  const auto file = Saved(id, {"open", "policies", "recipients"});
  const auto index_of = [&](const proto::Bundle& b, std::uint64_t index) {
    for (std::size_t i = 0; i < b.entries.size(); ++i)
      if (b.entries[i].entry.head->index == index) return i;
    return b.entries.size();
  };
  std::vector<const proto::LoggedEntry*> opens;
  const proto::LoggedEntry* record = nullptr;
  for (const auto& proved : whole.entries) {
    if (proved.entry.envelope->payload_type == ledger::PayloadType(ledger::Kind::kOpen)) opens.push_back(&proved.entry);
    if (proved.entry.envelope->payload_type == ledger::PayloadType(ledger::Kind::kRecord)) record = &proved.entry;
  }
  ASSERT_THAT(opens, SizeIs(2));
  ASSERT_NE(record, nullptr);
  const auto put = [&](const proto::LoggedEntry& at, const ledger::Envelope& envelope) {
    return Refused(file, [&](proto::Bundle& b) { b.entries[index_of(b, at.head->index)].entry.envelope = envelope; });
  };
  EXPECT_EQ(put(*opens[0], *opens[0]->envelope), Reason::kInternal) << "the true one may come back";
  EXPECT_EQ(put(*opens[0], *opens[1]->envelope), Reason::kBadProof);
  auto other = *opens[0]->envelope;
  auto open = std::get<ledger::Open>(proto::DecodePayload(ledger::Kind::kOpen, other.payload).value());
  open.case_reference = "CASE-0000";
  other.payload = proto::EncodeOpen(open);
  EXPECT_EQ(put(*opens[0], other), Reason::kBadProof);
  // Another policy than the record has; the true one may come back.
  const auto policy = [&](const Bytes& bytes) {
    return Refused(file, [&](proto::Bundle& b) {
      b.entries[index_of(b, record->head->index)].entry.attachments.policies = {bytes};
    });
  };
  EXPECT_EQ(policy(record->attachments.policies[0]), Reason::kInternal);
  auto laxer = proto::DecodePolicy(record->attachments.policies[0]).value();
  laxer.purposes = {"analysis"};
  EXPECT_EQ(policy(proto::EncodePolicy(random_.Make<Salt>(), laxer)), Reason::kBadProof);
  auto slips = record->attachments.slips;
  slips[0].agency = *AgencyId::Parse("us.fbi");
  EXPECT_EQ(
      Refused(file,
              [&](proto::Bundle& b) { b.entries[index_of(b, record->head->index)].entry.attachments.slips = slips; }),
      Reason::kBadProof);
}

TEST_F(BundleTest, RefusesWordsThatItDoesNotKnowAndEntriesThatAreNotThere) {
  const auto id = Lived();
  for (const std::string word : {"everything", "enrolment", "charter", "-1", "3x", "", "0", "999"}) {
    const auto saved = Save(id, {word});
    ASSERT_FALSE(saved) << word;
    EXPECT_EQ(saved.error().reason, Reason::kUsage) << word;
    EXPECT_FALSE(fs::exists(folder / file_));
  }
}

TEST_F(BundleTest, IsWrittenOnceAndOnlyUnderTheQuorum) {
  const auto id = Lived();
  test::WriteText(folder / "there", "x");
  auto ana = SessionOf("us.dea/ana");
  EXPECT_EQ(ana->SaveBundle({.record = id, .output = folder / "there"}).error().reason, Reason::kExists);
  EXPECT_EQ(ana->SaveBundle({.record = id, .output = folder / "new", .page = folder / "there"}).error().reason,
            Reason::kExists);
  EXPECT_FALSE(fs::exists(folder / "new"));
  auto mx = honest.witnesses.extract("mx.fgr");
  ana->Acknowledge(id, "received").value();
  const auto refused = ana->SaveBundle({.record = id, .output = folder / "new"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kNoQuorum);
  EXPECT_FALSE(fs::exists(folder / "new"));
  ana->set_pause(std::chrono::milliseconds(0));
  BundleRequest request{.record = id, .output = folder / "new", .wait = std::chrono::hours(1)};
  request.waiting = [&](const std::string&) {
    if (!mx.empty()) honest.witnesses.insert(std::move(mx));
    honest.Cosign();
  };
  EXPECT_TRUE(ana->SaveBundle(request));
}

// An opening that was refused: the reasons of one that was granted are kept for a year.
TEST_F(BundleTest, OfErasedTextsNothingIsShownUnlessItIsAskedFor) {
  const auto id = Sent(DraftOf("x"));
  ASSERT_FALSE(OpenAs("mx.fgr/luis", Case(id, "CASE-4711", "analysis")));
  const auto opening = honest.entries.back().head.statement;
  const auto before = Saved(id);
  SessionOf("mx.fgr/admin")->Purge({opening.Hex()}, "asked for by the person").value();
  const auto purge = honest.entries.size() - 1;
  const auto file = Saved(id);
  auto checked = Check(file);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("record", "-", "purge"));
  const auto shown = Saved(id, {}, true);
  checked = Check(shown);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("record", "open", "purge"));
  EXPECT_EQ(LineOf(*checked, purge - 1).erased_by, purge);
  EXPECT_FALSE(Holds(shown, "CASE-4711"));
  // What stays is what the purge says that stays, and the purge must be there.
  EXPECT_EQ(Refused(shown, [](proto::Bundle& b) { b.entries.pop_back(); }), Reason::kBadProof);
  EXPECT_EQ(Refused(shown,
                    [](proto::Bundle& b) {
                      auto* open = Find(b, ledger::Kind::kOpen);
                      auto value = std::get<ledger::Open>(
                          proto::DecodeRedacted(ledger::Kind::kOpen, open->entry.envelope->payload).value());
                      value.purpose = "investigation";
                      open->entry.envelope->payload = proto::EncodeOpen(value);
                    }),
            Reason::kBadProof);
  // And nobody shows it whole beside its purge.
  ASSERT_TRUE(Holds(before, "CASE-4711"));
  EXPECT_TRUE(Check(before));
  const auto both = Check(With(before, {purge}));
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().reason, Reason::kBadProof);
  EXPECT_THAT(both.error().detail, HasSubstr(opening.Hex()));
}

TEST_F(BundleTest, WhatAPurgeLeftGoesWithThePurgeAndThatIsSaid) {
  const auto id = Lived();
  const auto record = *honest.state.statement_index(Id(id));
  auto admin = SessionOf("us.dea/admin");
  admin->Purge({id}, "its time is over").value();
  const auto purge = honest.entries.back().head;
  auto saved = Save(id);
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->dependent, IsEmpty());
  saved = Save(id, {"purge"});
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->dependent, ElementsAre(record));
  saved = Save(id, {"why"});
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->dependent, ElementsAre(record));
  EXPECT_THAT(saved->withheld, ElementsAre(record, purge.index - 1, purge.index));
  // The purge's own reason is erased: with what it left the purge goes, and with the purge the record.
  admin->Purge({purge.statement.Hex()}, "a name was in it").value();
  saved = Save(id);
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->dependent, ElementsAre(record));
  EXPECT_THAT(saved->withheld, ElementsAre(record, purge.index));
  saved = Save(id, {}, true);
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->dependent, IsEmpty());
  EXPECT_THAT(saved->withheld, IsEmpty());
  // Or the purge is not of this custody, as of an order that opened other records too.
  lies.custody = [&](client::EntriesAnswer& page) {
    std::erase_if(page.entries, [&](const auto& one) { return one.entry.head->index >= purge.index; });
  };
  saved = Save(id, {}, true);
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->dependent, ElementsAre(record));
}

TEST_F(BundleTest, APurgeThatComesWhileTheCustodyIsReadIsNotMissed) {
  const auto id = Sent(DraftOf("x"));
  ASSERT_FALSE(OpenAs("mx.fgr/luis", Case(id, "CASE-4711", "analysis")));
  const auto opening = honest.entries.back().head.statement.Hex();
  SessionOf("us.dea/ana")->Acknowledge(id, "received").value();
  honest.page = 2;
  bool first = true;
  lies.custody = [&](client::EntriesAnswer&) {
    if (std::exchange(first, false)) SessionOf("mx.fgr/admin")->Purge({opening}, "asked for by the person").value();
  };
  const auto file = Saved(id);
  EXPECT_FALSE(first);
  const auto checked = Check(file);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("record", "-", "acknowledgement", "purge"));
  EXPECT_FALSE(Holds(file, "CASE-4711"));
}

TEST_F(BundleTest, AnAmendmentThatComesWhileTheWitnessesAreWaitedForBelongsToIt) {
  const auto id = Lived();
  auto mx = honest.witnesses.extract("mx.fgr");
  auto ana = SessionOf("us.dea/ana");
  ana->set_pause(std::chrono::milliseconds(0));
  ana->Acknowledge(id, "received").value();
  BundleRequest request{.record = id, .output = folder / "new", .wait = std::chrono::hours(1)};
  std::uint64_t amendment = 0;
  request.waiting = [&](const std::string&) {
    if (mx.empty()) return;
    honest.witnesses.insert(std::move(mx));
    Rotate();
    amendment = honest.entries.size() - 1;
  };
  const auto saved = ana->SaveBundle(request);
  ASSERT_TRUE(saved) << saved.error().Message();
  const auto checked = Check(AsBytes(test::ReadAll(folder / "new")));
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_TRUE(checked->Has(honest.entries[amendment].head.statement));
}

TEST_F(BundleTest, HasTheOrderBehindAnOpening) {
  const auto until = std::chrono::time_point_cast<std::chrono::milliseconds>(Clock::now() + std::chrono::hours(24));
  SessionOf("mx.fgr/luis")->StandingOrder({"investigation", "CASE-4711", until}).value();
  const auto id = Sent(DraftOf("x"));
  const auto file = Saved(id);
  auto checked = Check(file);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("standing-order", "record", "standing-opening"));
  EXPECT_THAT(checked->gaps, IsEmpty());
  EXPECT_EQ(evidence::Events(*checked)[2].who, "mx.fgr/luis");
  const auto opening = checked->lines.back().head.index;
  EXPECT_FALSE(LineOf(*checked, opening).by_log_alone);
  EXPECT_THAT(FieldsOf(*checked, opening), Not(HasSubstr("by the log's word alone")));
  // Without it the opening is nobody's word, and the bundle says that the order is not here.
  const auto without = Check(Changed(file, [](proto::Bundle& b) { Drop(b, ledger::Kind::kStandingOrder); }));
  ASSERT_TRUE(without) << without.error().Message();
  EXPECT_THAT(without->gaps, SizeIs(1));
  EXPECT_TRUE(LineOf(*without, opening).by_log_alone);
  EXPECT_THAT(FieldsOf(*without, opening), HasSubstr("signed by: nobody: by the log's word alone"));
  const auto hidden = Check(Saved(id, {"case"}));
  ASSERT_TRUE(hidden) << hidden.error().Message();
  EXPECT_THAT(KindsIn(*hidden, false), ElementsAre("-", "record", "standing-opening"));
  EXPECT_TRUE(LineOf(*hidden, opening).by_log_alone);
  EXPECT_THAT(PageOf(), HasSubstr("by the log&#39;s word alone"));
}

TEST_F(BundleTest, AnOpeningThatNobodySignedIsUnderAnOrderOrSaysThatItIsNot) {
  const auto id = Lived();
  const auto file = Saved(id);
  const auto bundle = proto::DecodeBundle(proto::DecodeSignedBundle(file).value().bundle).value();
  const auto statement = [&](ledger::Kind kind) { return honest.entries[IndexOf(bundle, kind)].head.statement; };
  // A log that writes openings down as it likes: of an order that nobody knows it is its own word.
  const auto unknown = LogOpening(Id(std::string(64, 'a')), "mx.fgr/luis", Id(id));
  const auto alone = Check(With(file, {unknown}));
  ASSERT_TRUE(alone) << alone.error().Message();
  EXPECT_TRUE(LineOf(*alone, unknown).by_log_alone);
  EXPECT_THAT(alone->gaps, SizeIs(1));
  for (const auto kind : {ledger::Kind::kOpen, ledger::Kind::kRecord, ledger::Kind::kCharter, ledger::Kind::kEnrolment})
    EXPECT_EQ(Check(With(file, {LogOpening(statement(kind), "mx.fgr/luis", Id(id))})).error().reason, Reason::kBadProof)
        << ledger::NameOf(kind) << " is no order";
  EXPECT_FALSE(Check(With(file, {LogOpening(Id(std::string(64, 'b')), "mx.fgr/nobody", Id(id))})));
}

TEST_F(BundleTest, AnotherRecordsActsAreNeverSaidToBeAboutThisOne) {
  const auto other = Sent(DraftOf("another", "agency mx.fgr", kTwoEyes));
  const auto record = honest.entries.size() - 1;
  const auto request = Asks("mx.fgr/luis", other);
  const auto opening = honest.entries.size() - 1;
  SessionOf("us.dea/admin")->Say(request, ledger::ApprovalVerdict::kApprove, "seen").value();
  const auto approval = honest.entries.size() - 1;
  const auto file = Saved(Lived());
  EXPECT_FALSE(Check(With(file, {record})));
  EXPECT_FALSE(Check(With(file, {opening})));
  // Where that record is not shown they may be, and so may what is about them; but nothing shows it.
  const auto checked = Check(With(file, {record, opening, approval}, [&](proto::LoggedEntry& entry) {
    if (entry.head->index != record) return;
    entry.envelope.reset();
    entry.attachments = {};
  }));
  ASSERT_TRUE(checked) << checked.error().Message();
  for (const auto index : {record, opening, approval}) {
    EXPECT_FALSE(LineOf(*checked, index).about) << index;
    EXPECT_THAT(FieldsOf(*checked, index), HasSubstr("about this record: not shown"));
  }
  EXPECT_THAT(FieldsOf(*checked, opening), Not(HasSubstr(other))) << "and its decision is another's";
}

TEST_F(BundleTest, WhatNamesOtherRecordsIsSaidToAndNotTold) {
  const auto id = Sent(DraftOf("x")), other = Sent(DraftOf("another"));
  const auto opened = SessionOf("mx.fgr/luis")->Open({Asking(id), Asking(other)}, {});
  ASSERT_TRUE(opened);
  for (const auto& one : *opened) ASSERT_TRUE(one);
  const auto opening = honest.entries.size() - 1;
  auto saved = Save(id);
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->others, ElementsAre(opening));
  const auto page = PageOf();
  EXPECT_THAT(page, Not(HasSubstr(other)));
  EXPECT_THAT(page, HasSubstr("1 other record or statement"));
  // Without its decision the request says what it asks of this record.
  const auto undecided = Check(Saved(id, {"decisions"}));
  ASSERT_TRUE(undecided) << undecided.error().Message();
  EXPECT_THAT(FieldsOf(*undecided, opening), HasSubstr("asks for: portion 0 of record " + id));
  EXPECT_THAT(FieldsOf(*undecided, opening), Not(HasSubstr(other)));
  saved = Save(id, {"open", "decisions"});
  ASSERT_TRUE(saved) << saved.error().Message();
  EXPECT_THAT(saved->others, IsEmpty());
}

TEST_F(BundleTest, AGrantHasOneOfItsOwnAlsoWithoutTheGrant) {
  const auto id = Sent(DraftOf("x"));
  SessionOf("us.dea/ana")
      ->Grant({.record = id,
               .portions = {},
               .policy_text = PolicyFor("agency us.fbi"),
               .request = {},
               .purpose = {},
               .case_reference = {}})
      .value();
  const auto grant = honest.entries.back().head.statement.Hex();
  ASSERT_TRUE(OpenAs("us.fbi/kim", Asking(grant)));
  SessionOf("us.dea/ana")->Revoke(id, "no longer needed").value();  // the original
  auto checked = Check(Saved(grant));
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("grant", "open", "revocation"));
  for (const auto& line : checked->lines) EXPECT_TRUE(line.directory || line.about);
  checked = Check(Saved(grant, {"grant"}));
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false), ElementsAre("-", "open", "revocation"));
  EXPECT_FALSE(checked->lines.back().about);
}

TEST_F(BundleTest, SaysWhatWasReleasedWithoutTheWitnesses) {
  Amend([](ledger::Charter& charter) { charter.degraded_after_seconds = 60; });
  const auto id = Sent(DraftOf("x"));
  honest.degraded = true;
  ASSERT_TRUE(OpenAs("mx.fgr/luis", Asking(id)));
  honest.degraded = false;
  const auto opening = honest.entries.size() - 1;
  for (const auto& words : std::vector<std::vector<std::string>>{{}, {"open"}}) {
    const auto checked = Check(Saved(id, words));
    ASSERT_TRUE(checked) << checked.error().Message();
    EXPECT_TRUE(LineOf(*checked, opening).decision->unwitnessed);
    EXPECT_THAT(FieldsOf(*checked, opening), HasSubstr("WITHOUT the witnesses' quorum"));
  }
}

TEST_F(BundleTest, RefusesWhatWasReleasedWithoutTheWitnessesIfTheCharterDoesNotLet) {
  const auto id = Lived();
  const auto file = Saved(id);
  lies.decision = [](ledger::Decision& decision) { decision.unwitnessed = true; };
  EXPECT_FALSE(OpenAs("mx.fgr/luis", Asking(id)));
  lies.decision = {};
  const auto opening = honest.entries.size() - 1;
  ASSERT_TRUE(honest.entries.back().decision.unwitnessed);
  EXPECT_EQ(Check(With(file, {opening})).error().reason, Reason::kBadProof);
  EXPECT_EQ(Check(With(file, {opening}, [](proto::LoggedEntry& entry) { entry.envelope.reset(); })).error().reason,
            Reason::kBadProof);
}

TEST_F(BundleTest, NoEntryIsOlderThanTheOneBeforeNorOfATimeToCome) {
  const auto id = Lived();
  const auto file = Saved(id);
  honest.long_ago = std::chrono::hours(1);
  SessionOf("us.dea/ana")->Acknowledge(id, "received").value();
  const auto back = Check(With(file, {honest.entries.size() - 1}));
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().detail, HasSubstr("older than the one before it"));
  honest.long_ago = -std::chrono::hours(1);
  SessionOf("us.dea/ana")->Acknowledge(id, "received").value();
  const auto ahead = Check(With(file, {honest.entries.size() - 1}));
  ASSERT_FALSE(ahead);
  EXPECT_THAT(ahead.error().detail, HasSubstr("a later time than its witnesses had seen it"));
}

TEST_F(BundleTest, HasApprovalsGrantsAndAmendmentsOfIt) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto request = Asks("mx.fgr/luis", id);
  SessionOf("us.dea/admin")->Say(request, ledger::ApprovalVerdict::kApprove, "seen").value();
  auto again = Asking(id);
  again.approved_request = request;
  ASSERT_TRUE(OpenAs("mx.fgr/luis", again));
  SessionOf("us.dea/ana")->Amend(id, 0, PolicyFor("agency mx.fgr")).value();
  ASSERT_TRUE(OpenAs("mx.fgr/luis", Asking(id)));
  SessionOf("us.dea/ana")
      ->Grant({.record = id,
               .portions = {},
               .policy_text = PolicyFor("agency us.fbi"),
               .request = {},
               .purpose = {},
               .case_reference = {}})
      .value();
  const auto file = Saved(id);
  const auto checked = Check(file);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_THAT(KindsIn(*checked, false),
              ElementsAre("record", "open", "approval", "open", "amendment", "open", "grant"));
  EXPECT_THAT(checked->gaps, IsEmpty());
  // What was left out is said, as far as something names it.
  const auto without = Check(Changed(file, [](proto::Bundle& b) { Drop(b, ledger::Kind::kAmendment); }));
  ASSERT_TRUE(without) << without.error().Message();
  ASSERT_THAT(without->gaps, SizeIs(1));
  EXPECT_EQ(without->gaps[0].sequence, 1u);
}

TEST_F(BundleTest, ARecipientsHasWhatItMaySeeAndSaysThatThereMayBeMore) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr, agency us.fbi"));
  ASSERT_TRUE(OpenAs("mx.fgr/luis", Asking(id)));
  const auto index = *honest.state.statement_index(Id(id));
  const auto file = Saved(id, {}, false, "mx.fgr/luis");
  const auto checked = Check(file);
  ASSERT_TRUE(checked) << checked.error().Message();
  EXPECT_EQ(checked->member, test::Member("mx.fgr/luis"));
  EXPECT_THAT(PageOf(), HasSubstr("not shown"));  // the policy
  EXPECT_THAT(FieldsOf(*checked, index),
              HasSubstr("recipients, portion 0: mx.fgr; others, if there are any, are not shown"));
  for (const auto& slip : honest.entries[index].statement->attachments.slips)
    EXPECT_EQ(Holds(file, AsText(slip.salt.view())), slip.agency.str() == "mx.fgr") << slip.agency.str();
  const auto whole = Check(Saved(id));
  ASSERT_TRUE(whole) << whole.error().Message();
  EXPECT_THAT(FieldsOf(*whole, index), HasSubstr("recipients, portion 0: mx.fgr, us.fbi\n"));
}

TEST_F(BundleTest, ThePageIsSafeAgainstWhatPeopleWroteAndSpeaksSpanish) {
  const auto id = Sent(DraftOf("x"));
  const std::string evil = "<script>alert(1)</script><img src=x onerror='a'>\"&amp;";
  ASSERT_TRUE(OpenAs("mx.fgr/luis", Case(id, evil)));
  SessionOf("us.dea/ana")->Revoke(id, "</td></table><a href=\"http://x.example\">").value();
  text::SetLanguage(text::Language::kSpanish);
  Saved(id);
  text::SetLanguage(text::Language::kEnglish);
  const auto page = PageOf();
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  for (const char* never : {"<script", "<img", "<a ", "onerror='", "http-equiv=\"refresh"})
    EXPECT_THAT(page, Not(HasSubstr(never)));
  EXPECT_THAT(page, HasSubstr("<html lang=\"es\">"));
  EXPECT_THAT(page, HasSubstr("Custodia de un registro"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_EQ(page.find("</table><a"), std::string::npos);
}

TEST(PoliciesOf, AreHadOfACharterWhoseWitnessesFillTheirLimit) {
  crypto::SystemRandom random;
  ledger::Charter charter;
  charter.log_key =
      log::NoteVerifier::Make("log.example", crypto::Ed25519SignKey::Generate(random).verify_key())->Text();
  const auto witness = [&](const std::string& name, std::size_t url) {
    const auto key = crypto::Ed25519SignKey::Generate(random).verify_key();
    return "witness " + name + " " + log::Cosigner::Make(name, key)->Text() + " https://" + std::string(url, 'x') +
           "\n";
  };
  std::string text = witness("a", 40000), end = "quorum a\n";
  const auto left = log::WitnessPolicy::kMaxText - text.size() - end.size() - witness("b", 0).size();
  charter.witness_policy = text + witness("b", left) + end;
  ASSERT_EQ(charter.witness_policy.size(), log::WitnessPolicy::kMaxText);
  ASSERT_TRUE(log::WitnessPolicy::Parse(charter.witness_policy));
  auto next = charter;
  next.witness_policy.clear();
  for (const auto& charters :
       {std::vector<std::pair<std::uint64_t, ledger::Charter>>{{0, charter}}, {{0, charter}, {7, next}}}) {
    const auto policies = evidence::PoliciesOf(charters);
    ASSERT_TRUE(policies) << policies.error().Message();
    const auto again = log::PolicyHistory::Parse(policies->Text());
    ASSERT_TRUE(again) << again.error().Message();
    EXPECT_EQ(again->Text(), policies->Text());
  }
}

}  // namespace
}  // namespace valija::client
