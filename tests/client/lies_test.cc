// A broker that lies: each lie is refused by the session with its reason, nothing is opened, and no file is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/world.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;
using test::FakeBroker;
using ::testing::HasSubstr;

class LyingBrokerTest : public ::testing::Test, public test::ClientWorld {
 protected:
  std::string Sent(const Draft& draft) { return SessionOf("us.dea/ana")->Send({draft}, {}).value().front().value().id; }
  static Reason ReasonOf(const Result<std::vector<Result<OpenedPortion>>>& answer) {
    if (!answer) return answer.error().reason;
    for (const auto& one : *answer) {
      EXPECT_FALSE(one) << "it was opened";
      if (!one) return one.error().reason;
    }
    return Reason::kInternal;
  }
  // mx.fgr/luis asks for it, into a file; the reason of the refusal. There must be no file, nor a part of one.
  Reason OpenRefused(const std::string& record, bool downloaded = false) {
    auto luis = SessionOf("mx.fgr/luis");
    const Reason reason = ReasonOf(luis->Open({Asking(record, 0, folder / "out")}, {}));
    EXPECT_FALSE(fs::exists(folder / "out"));
    EXPECT_FALSE(fs::exists(folder / "out.part"));
    EXPECT_EQ(honest.downloads > 0, downloaded);
    return reason;
  }
  std::string id = Sent(DraftOf("the report"));
  test::Lies& lies = honest.lies;
};

// With the truth, the same steps open it: else these tests would show nothing.
TEST_F(LyingBrokerTest, OpensWhatAnHonestBrokerGives) {
  auto opened = SessionOf("mx.fgr/luis")->Open({Asking(id, 0, folder / "out")}, {}).value();
  EXPECT_TRUE(opened[0]);
  EXPECT_EQ(test::ReadAll(folder / "out"), "the report");
}

// ---- the log ----

TEST_F(LyingBrokerTest, StopsAtAForkAndKeepsBothCheckpoints) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  forked.bodies = honest.bodies;
  const auto posts = honest.posts;
  broker = &forked;
  EXPECT_EQ(luis->Directory().error().reason, Reason::kFork);
  const auto evidence = test::ReadAll(ProfileOf("mx.fgr/luis") / "FORK");
  EXPECT_THAT(evidence, HasSubstr(honest.Checkpoint()));
  EXPECT_THAT(evidence, HasSubstr(forked.Checkpoint()));

  broker = &honest;  // back to the other history: this session has stopped all the same
  EXPECT_EQ(ReasonOf(luis->Open({Asking(id)}, {})), Reason::kFork);
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kFork);
  EXPECT_EQ(honest.posts, posts);
  luis.reset();
  auto again = Profile::Open(ProfileOf("mx.fgr/luis"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::kFork);
}

TEST_F(LyingBrokerTest, FindsAForkInALongerLogToo) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  forked.Append(forked.entries[1]);
  broker = &forked;
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kFork);
}

TEST_F(LyingBrokerTest, FindsAForkInTheAnswerToItsRequest) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  lies.post = [&](PostAnswer& answer) { answer.view = forked.MakeView(0); };
  forked.Append(forked.entries[1]);  // as long as the honest one, so that it is no rollback
  EXPECT_EQ(ReasonOf(luis->Open({Asking(id, 0, folder / "out")}, {})), Reason::kFork);
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_TRUE(fs::exists(ProfileOf("mx.fgr/luis") / "FORK"));
}

TEST_F(LyingBrokerTest, FindsAForkInASessionThatComesLater) {
  SessionOf("mx.fgr/luis")->Inbox().value();
  FakeBroker forked(begun.broker, honest.entries, honest.entries.size(), true);
  broker = &forked;
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kFork);
}

TEST_F(LyingBrokerTest, RefusesALogThatIsShorterThanBefore) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  FakeBroker older(begun.broker, honest.entries, honest.entries.size() - 1);
  broker = &older;
  EXPECT_EQ(luis->Directory().error().reason, Reason::kRolledBack);
  broker = &honest;
  EXPECT_TRUE(luis->Directory());
}

TEST_F(LyingBrokerTest, RefusesACheckpointSignedByAnotherKey) {
  crypto::SystemRandom random;
  auto key = crypto::Ed25519SignKey::Generate(random);
  lies.view = [&](View& view) {
    auto body = log::Checkpoint::ParseBody(log::Note::Parse(view.checkpoint).value().text).value();
    view.checkpoint = log::SignedCheckpoint::Sign(body, key).note();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
  EXPECT_FALSE(fs::exists(ProfileOf("mx.fgr/luis") / "pin"));
}

TEST_F(LyingBrokerTest, RefusesTheCheckpointOfAnotherLog) {
  lies.view = [&](View& view) {
    auto body = log::Checkpoint::ParseBody(log::Note::Parse(view.checkpoint).value().text).value();
    body.origin = "example.org/another";
    view.checkpoint = log::SignedCheckpoint::Sign(body, begun.broker.log_key).note();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
}

TEST_F(LyingBrokerTest, RefusesAnEmptyLogAndGarbage) {
  lies.view = [&](View& view) {
    view.checkpoint =
        log::SignedCheckpoint::Sign({begun.broker.origin, 0, log::EmptyRoot()}, begun.broker.log_key).note();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
  lies.view = [](View& view) { view.checkpoint = "good log, trust me\n"; };
  EXPECT_EQ(OpenRefused(id), Reason::kBadCheckpoint);
}

TEST_F(LyingBrokerTest, TakesAMissingConsistencyProofForAFork) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  Sent(DraftOf("another"));
  lies.view = [](View& view) { view.consistency.clear(); };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kFork);
}

// ---- the receipt of a request ----

struct ReceiptLie {
  const char* name;
  std::function<void(PostAnswer&, FakeBroker&)> lie;
  Reason reason;
  friend void PrintTo(const ReceiptLie& one, std::ostream* out) { *out << one.name; }
};
class ReceiptLies : public LyingBrokerTest, public ::testing::WithParamInterface<ReceiptLie> {};

proto::Receipt& ReceiptIn(PostAnswer& answer) { return answer.outcomes.at(0)->receipt; }
proto::Release& ReleaseIn(PostAnswer& answer) { return answer.outcomes.at(0)->releases.at(0); }
void SetDecision(PostAnswer& answer, const std::function<void(ledger::Decision&)>& change, bool fit_head) {
  auto& receipt = ReceiptIn(answer);
  auto decision = proto::DecodeDecision(receipt.decision_bytes).value();
  change(decision);
  receipt.decision_bytes = proto::EncodeDecision(decision);
  if (fit_head) receipt.head.decision = crypto::DigestOf(ledger::kDecisionType, receipt.decision_bytes);
}

TEST_P(ReceiptLies, AreRefusedBeforeAnyShareIsUsed) {
  bool told = false;
  lies.post = [&](PostAnswer& answer) {
    GetParam().lie(answer, honest);
    told = true;
  };
  EXPECT_EQ(OpenRefused(id), GetParam().reason);
  EXPECT_TRUE(told);
}

INSTANTIATE_TEST_SUITE_P(
    All, ReceiptLies,
    ::testing::Values(
        ReceiptLie{"APathThatIsTooShort", [](auto& a, auto&) { ReceiptIn(a).path.pop_back(); }, Reason::kBadProof},
        ReceiptLie{"APathThatIsTooLong", [](auto& a, auto&) { ReceiptIn(a).path.push_back({}); }, Reason::kBadProof},
        ReceiptLie{"AWrongPath", [](auto& a, auto&) { ReceiptIn(a).path[0].bytes[0] ^= 1; }, Reason::kBadProof},
        ReceiptLie{"AnotherIndex", [](auto& a, auto&) { --ReceiptIn(a).head.index; }, Reason::kBadProof},
        ReceiptLie{"AnIndexBeyondTheLog", [](auto& a, auto&) { ReceiptIn(a).head.index += 1000; }, Reason::kBadProof},
        ReceiptLie{"AnotherTime", [](auto& a, auto&) { ReceiptIn(a).head.time += Duration(1); }, Reason::kBadProof},
        ReceiptLie{"AnotherSalt", [](auto& a, auto&) { ReceiptIn(a).salt.bytes[5] ^= 4; }, Reason::kBadProof},
        ReceiptLie{"AnotherStatementsReceipt",
                   [](auto& a, FakeBroker& b) { ReceiptIn(a) = b.Receipt(b.entries.size() - 2); }, Reason::kBadProof},
        ReceiptLie{"ADecisionThatIsNotTheEntrys",
                   [](auto& a, auto&) {
                     SetDecision(
                         a, [](auto& d) { d.nonce.bytes[0] ^= 1; }, false);
                   },
                   Reason::kBadProof},
        ReceiptLie{"ADecisionWithItsDigestPutIntoTheHead",
                   [](auto& a, auto&) {
                     SetDecision(
                         a, [](auto& d) { d.nonce.bytes[0] ^= 1; }, true);
                   },
                   Reason::kBadProof},
        ReceiptLie{"ADecisionThatIsNone",
                   [](auto& a, auto&) {
                     ReceiptIn(a).decision_bytes = {1, 2, 3};
                   },
                   Reason::kMalformed},
        ReceiptLie{"AnEntryThatIsNotInTheTreeYet",
                   [](auto& a, FakeBroker& b) {  // the view is the log before the request
                     static std::unique_ptr<FakeBroker> before;
                     before =
                         std::make_unique<FakeBroker>(test::Beginning::Get().broker, b.entries, b.entries.size() - 1);
                     a.view = before->MakeView(before->entries.size());
                   },
                   Reason::kBadProof},
        ReceiptLie{"NoAnswerAtAll", [](auto& a, auto&) { a.outcomes.clear(); }, Reason::kBadProof},
        ReceiptLie{"TwoAnswers", [](auto& a, auto&) { a.outcomes.push_back(Refuse(Reason::kExists)); },
                   Reason::kBadProof},
        ReceiptLie{"NoRelease", [](auto& a, auto&) { a.outcomes[0]->releases.clear(); }, Reason::kWrongRelease},
        ReceiptLie{"TwoReleases", [](auto& a, auto&) { a.outcomes[0]->releases.push_back(ReleaseIn(a)); },
                   Reason::kWrongRelease},
        ReceiptLie{"AReleaseOfAnotherAuthority",
                   [](auto& a, auto&) { ReleaseIn(a).authority = *AuthorityId::Parse("broker-2"); },
                   Reason::kWrongRelease},
        ReceiptLie{"ADamagedRelease", [](auto& a, auto&) { ReleaseIn(a).ciphertext[3] ^= 1; }, Reason::kWrongRelease},
        ReceiptLie{"ATruncatedRelease", [](auto& a, auto&) { ReleaseIn(a).ciphertext.pop_back(); },
                   Reason::kWrongRelease},
        ReceiptLie{"AReleaseWithoutAPoint", [](auto& a, auto&) { ReleaseIn(a).enc = Point{}; }, Reason::kBadKey}),
    [](const auto& named) { return named.param.name; });

TEST_F(LyingBrokerTest, PassesOnARefusalThatIsNoEntry) {
  lies.post = [](PostAnswer& answer) { answer.outcomes[0] = Refuse(Reason::kPoolFull); };
  EXPECT_EQ(OpenRefused(id), Reason::kPoolFull);
}

// ---- what was decided, and by whom; logged, so that every proof holds ----

TEST_F(LyingBrokerTest, RefusesADecisionOfAnotherAuthority) {
  lies.decision = [](ledger::Decision& decision) { decision.authority = *AuthorityId::Parse("broker-2"); };
  EXPECT_EQ(OpenRefused(id), Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesADecisionAboutOtherPortions) {
  lies.decision = [](ledger::Decision& decision) { decision.verdicts.at(0).portion = 1; };
  EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
}

TEST_F(LyingBrokerTest, RefusesADecisionAboutAnotherRecord) {
  lies.decision = [](ledger::Decision& decision) { decision.verdicts.at(0).record.bytes[0] ^= 1; };
  EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
}

TEST_F(LyingBrokerTest, RefusesADecisionOfAnotherNumberOfPortions) {
  lies.decision = [](ledger::Decision& decision) { decision.verdicts.push_back(decision.verdicts.at(0)); };
  EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
}

TEST_F(LyingBrokerTest, RefusesADecisionUnderAnotherPolicyThanTheRecords) {
  lies.decision = [](ledger::Decision& decision) { decision.verdicts.at(0).policy_digest.bytes[0] ^= 1; };
  EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
}

TEST_F(LyingBrokerTest, DoesNotUseAShareForWhatTheDecisionRefuses) {
  lies.release = [&](auto&, auto&, std::vector<crypto::Secret>& shares) {
    const auto& open = std::get<ledger::Open>(honest.entries.back().statement->payload);
    shares.clear();
    shares.push_back(honest.Share(open.items.at(0), open.agency));
  };
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(ReasonOf(luis->Open({Asking(id, 0, {}, "analysis")}, {})), Reason::kWrongPurpose);
  EXPECT_EQ(honest.downloads, 0u);
}

// ---- shares ----

TEST_F(LyingBrokerTest, RefusesMoreOrFewerSharesThanTheDecisionAllows) {
  auto draft = DraftOf("summary");
  draft.portions.push_back({{}, "source", "text/plain", PolicyFor("agency mx.fgr", "roles any chief\n")});
  const auto two = Sent(draft);
  lies.release = [&](auto&, auto&, std::vector<crypto::Secret>& shares) {  // also for the refused portion
    const auto& open = std::get<ledger::Open>(honest.entries.back().statement->payload);
    shares.push_back(honest.Share(open.items.at(1), open.agency));
  };
  auto luis = SessionOf("mx.fgr/luis");
  auto opened = luis->Open({Asking(two, 0), Asking(two, 1)}, {}).value();
  EXPECT_EQ(opened[0].error().reason, Reason::kWrongRelease);
  EXPECT_FALSE(opened[1]);
  lies.release = [](auto&, auto&, std::vector<crypto::Secret>& shares) { shares.clear(); };
  EXPECT_EQ(ReasonOf(luis->Open({Asking(two, 0)}, {})), Reason::kWrongRelease);
  EXPECT_EQ(honest.downloads, 0u);
}

TEST_F(LyingBrokerTest, OpensNothingWithAWrongShare) {
  lies.release = [](auto&, auto&, std::vector<crypto::Secret>& shares) { shares.at(0).mutable_view()[0] ^= 1; };
  EXPECT_EQ(OpenRefused(id), Reason::kBadSeal);
}

TEST_F(LyingBrokerTest, OpensNothingWithTheShareOfAnotherRecordOrAgency) {
  const auto other = Sent(DraftOf("another report", "agency mx.fgr, agency us.fbi"));
  lies.release = [&](auto&, auto&, std::vector<crypto::Secret>& shares) {
    const auto& open = std::get<ledger::Open>(honest.entries.back().statement->payload);
    shares.at(0) = honest.Share({*Digest::FromHexText(other), 0, {}}, open.agency);
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadSeal);
  lies.release = [&](auto&, auto&, std::vector<crypto::Secret>& shares) {
    shares.at(0) = honest.Share({*Digest::FromHexText(other), 0, {}}, *AgencyId::Parse("us.fbi"));
  };
  EXPECT_EQ(OpenRefused(other), Reason::kBadSeal);
}

TEST_F(LyingBrokerTest, RefusesAReleaseToAnotherReplyKey) {
  crypto::SystemRandom random;
  lies.release = [&](auto&, crypto::KemPublicKey& reply_key, auto&) {
    reply_key = crypto::KemPrivateKey::Generate(random).public_key();
  };
  EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
}

TEST_F(LyingBrokerTest, RefusesAReleaseThatIsBoundToSomethingElse) {
  const std::function<void(record::ReleaseBinding&)> changes[] = {
      [](record::ReleaseBinding& binding) { binding.request.bytes[0] ^= 1; },
      [](record::ReleaseBinding& binding) { binding.decision.bytes[0] ^= 1; },
      [](record::ReleaseBinding& binding) { binding.authority = *AuthorityId::Parse("broker-2"); },
      [](record::ReleaseBinding& binding) { binding.agency = *AgencyId::Parse("us.dea"); },
      [](record::ReleaseBinding& binding) { binding.member_signing_key_id.bytes[0] ^= 1; }};
  for (const auto& change : changes) {
    lies.release = [&](record::ReleaseBinding& binding, auto&, auto&) { change(binding); };
    EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
  }
}

TEST_F(LyingBrokerTest, RefusesTheReleaseOfAnOlderRequest) {
  std::optional<Release> old;
  lies.post = [&](PostAnswer& answer) {
    if (old)
      ReleaseIn(answer) = *old;
    else
      old = ReleaseIn(answer);
  };
  {
    auto luis = SessionOf("mx.fgr/luis");
    EXPECT_TRUE(luis->Open({Asking(id)}, {}).value().front());
  }
  honest.downloads = 0;
  EXPECT_EQ(OpenRefused(id), Reason::kWrongRelease);
}

TEST_F(LyingBrokerTest, RefusesAnOldAnswerAsAWhole) {
  std::optional<client::Accepted> old;
  lies.post = [&](PostAnswer& answer) {
    if (old)
      answer.outcomes[0] = *old;
    else
      old = *answer.outcomes[0];
  };
  {
    auto luis = SessionOf("mx.fgr/luis");
    EXPECT_TRUE(luis->Open({Asking(id)}, {}).value().front());
  }
  honest.downloads = 0;
  EXPECT_EQ(OpenRefused(id), Reason::kBadProof);
}

// ---- bodies ----

struct BodyLie {
  const char* name;
  std::function<void(BodyStream&, std::vector<Bytes>&)> lie;
  friend void PrintTo(const BodyLie& one, std::ostream* out) { *out << one.name; }
};
class BodyLies : public LyingBrokerTest, public ::testing::WithParamInterface<BodyLie> {
 protected:
  std::string big = Sent(DraftOf(std::string(3 << 20, 'x')));  // several slices
};

TEST_P(BodyLies, LeaveNoFile) {
  lies.body = GetParam().lie;
  EXPECT_EQ(OpenRefused(big, true), Reason::kBadBody);
}

void HashesOf(BodyStream& stream, const std::vector<Bytes>& slices) {
  Bytes whole;
  for (const auto& slice : slices) Append(whole, slice);
  stream = {whole.size(), record::SummariseBody(whole).slice_hashes};
}

INSTANTIATE_TEST_SUITE_P(
    All, BodyLies,
    ::testing::Values(BodyLie{"AFlippedBit", [](auto&, auto& slices) { slices[1][77] ^= 1; }},
                      BodyLie{"AFlippedBitWithItsHash",
                              [](auto& stream, auto& slices) {
                                slices[1][77] ^= 1;
                                HashesOf(stream, slices);
                              }},
                      BodyLie{"SlicesInAnotherOrder", [](auto&, auto& slices) { std::swap(slices[0], slices[1]); }},
                      BodyLie{"SlicesAndHashesInAnotherOrder",
                              [](auto& stream, auto& slices) {
                                std::swap(slices[0], slices[1]);
                                std::swap(stream.slice_hashes[0], stream.slice_hashes[1]);
                              }},
                      BodyLie{"TheLastSliceMissing", [](auto&, auto& slices) { slices.pop_back(); }},
                      BodyLie{"TheLastSliceMissingAndItsHash",
                              [](auto& stream, auto& slices) {
                                slices.pop_back();
                                HashesOf(stream, slices);
                              }},
                      BodyLie{"ASliceTwice", [](auto&, auto& slices) { slices.push_back(slices.back()); }},
                      BodyLie{"AShorterLength", [](auto& stream, auto&) { --stream.length; }},
                      BodyLie{"AnotherLength", [](auto& stream, auto&) { stream.length *= 2; }},
                      BodyLie{"TooFewHashes", [](auto& stream, auto&) { stream.slice_hashes.pop_back(); }},
                      BodyLie{"NothingAtAll", [](auto&, auto& slices) { slices.clear(); }},
                      BodyLie{"AnotherBody",
                              [](auto& stream, auto& slices) {
                                slices = {Bytes(328, 7)};
                                HashesOf(stream, slices);
                              }}),
    [](const auto& named) { return named.param.name; });

// ---- entries ----

TEST_F(LyingBrokerTest, RefusesAnotherRecordThanAskedFor) {
  const auto other = Sent(DraftOf("another report"));
  lies.record = [&](EntriesAnswer& answer) {
    answer.entries = {
        honest.Seen(honest.state.record(*Digest::FromHexText(other))->index, test::Member("mx.fgr/luis")).value()};
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadProof);
}

struct EntryLie {
  const char* name;
  std::function<void(ProvedEntry&)> lie;
  Reason reason = Reason::kBadProof;
  friend void PrintTo(const EntryLie& one, std::ostream* out) { *out << one.name; }
};
class EntryLies : public LyingBrokerTest, public ::testing::WithParamInterface<EntryLie> {};

// The same lie wherever entries come from.
TEST_P(EntryLies, AreRefusedInRecordMailboxStreamAndCustody) {
  lies.record = lies.mailbox = lies.custody = [&](EntriesAnswer& answer) {
    if (!answer.entries.empty()) GetParam().lie(answer.entries[0]);
  };
  EXPECT_EQ(OpenRefused(id), GetParam().reason);
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Inbox().error().reason, GetParam().reason);
  EXPECT_EQ(luis->Custody(id).error().reason, GetParam().reason);
  lies.mailbox = [](EntriesAnswer& answer) { answer.entries.clear(), answer.next_cursor = 0; };
  lies.follow = [&](FollowItem& item) { GetParam().lie(*item.entry); };
  EXPECT_EQ(luis->Follow([](const NewsItem&) { return true; }).error().reason, GetParam().reason);
  lies = {};
  EXPECT_EQ(luis->Inbox().value().size(), 1u);  // nothing of it was kept
}

INSTANTIATE_TEST_SUITE_P(
    All, EntryLies,
    ::testing::Values(EntryLie{"WithoutSalt", [](ProvedEntry& one) { one.entry.salt.reset(); }},
                      EntryLie{"WithoutHead", [](ProvedEntry& one) { one.entry.head.reset(); }},
                      EntryLie{"WithoutStatement", [](ProvedEntry& one) { one.entry.envelope.reset(); }},
                      EntryLie{"WithoutDecision", [](ProvedEntry& one) { one.entry.decision_bytes.clear(); }},
                      EntryLie{"WithAWrongPath", [](ProvedEntry& one) { one.path.back().bytes[0] ^= 1; }},
                      EntryLie{"WithAWrongPathLength", [](ProvedEntry& one) { one.path.pop_back(); }},
                      EntryLie{"WithAnotherCommitment", [](ProvedEntry& one) { one.entry.commitment.bytes[0] ^= 1; }},
                      EntryLie{"WithAnotherHead",
                               [](ProvedEntry& one) {
                                 one.entry.head->time += Duration(1);
                                 one.entry.commitment = ledger::CommitEntry(*one.entry.salt, *one.entry.head);
                               }},
                      EntryLie{"WithAnotherStatement", [](ProvedEntry& one) { one.entry.envelope->payload[9] ^= 1; }},
                      EntryLie{"WithAnotherDecision", [](ProvedEntry& one) { one.entry.decision_bytes.back() ^= 1; }},
                      EntryLie{"WithADamagedSignature",
                               [](ProvedEntry& one) { one.entry.envelope->batch->signature.bytes[40] ^= 1; },
                               Reason::kBadBatch},
                      EntryLie{"WithASlipOfAnotherKey",
                               [](ProvedEntry& one) { one.entry.attachments.slips.at(0).salt.bytes[0] ^= 1; }}),
    [](const auto& named) { return named.param.name; });

// ---- statements that nobody made: logged, so that every proof holds ----

// A statement signed by whoever has `key`, logged as if it had been accepted.
class InventedTest : public LyingBrokerTest {
 protected:
  ledger::Authorship By(const std::string& member, const KeyId& key) {
    return {test::Member(member), key, begun.broker.origin, FakeBroker::Now(), random.Make<Nonce>()};
  }
  void Log(ledger::Kind kind, Bytes payload, const crypto::SignKey& key) {
    ledger::Envelope envelope{ledger::PayloadType(kind), std::move(payload), {}, std::nullopt};
    envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
    auto statement = ledger::TrustLogged(proto::MakeStatement(envelope).value());
    honest.Log(statement, {statement->digest, begun.broker.authority, random.Make<Nonce>(), {ledger::Verdict{}}});
  }
  Reason DirectoryRefused() {
    auto luis = SessionOf("mx.fgr/luis");
    auto known = luis->Directory();
    EXPECT_FALSE(known);
    return known ? Reason::kInternal : known.error().reason;
  }
  ledger::Enrolment Invented(const std::string& administrator, const KeyId& key) {
    Keyring keys{crypto::SignKey::Generate(random), crypto::SignKey::Generate(random),
                 crypto::KemPrivateKey::Generate(random)};
    return {
        By(administrator, key),
        {test::Member("mx.fgr/ghost"), ledger::MemberStatus::kActive, keys.Public(), {"secret", {}, {}}, false, false},
        {},
        {}};
  }
  crypto::SystemRandom random;
};

TEST_F(InventedTest, RefusesAMemberWhomNoAdministratorSignedFor) {
  auto key = crypto::SignKey::Generate(random);
  Log(ledger::Kind::kEnrolment, proto::EncodeEnrolment(Invented("mx.fgr/admin", key.id())), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kBadSignature);
}

TEST_F(InventedTest, RefusesAMemberWhomAMemberWithoutThatRoleEnrolled) {
  auto key = begun.Keys("mx.fgr/luis").signature;
  Log(ledger::Kind::kEnrolment, proto::EncodeEnrolment(Invented("mx.fgr/luis", key.id())), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kNotAuthorised);
}

TEST_F(InventedTest, RefusesAMemberWhomAnotherAgencysAdministratorEnrolled) {
  auto key = begun.Keys("us.dea/admin").signature;
  Log(ledger::Kind::kEnrolment, proto::EncodeEnrolment(Invented("us.dea/admin", key.id())), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kNotAuthorised);
}

TEST_F(InventedTest, RefusesAnEnrolmentThatWasDecidedInAnotherWay) {
  auto key = begun.Keys("mx.fgr/admin").signature;
  honest.lies.directory = [](EntriesAnswer&) {};
  auto enrolment = Invented("mx.fgr/admin", key.id());
  ledger::Envelope envelope{
      ledger::PayloadType(ledger::Kind::kEnrolment), proto::EncodeEnrolment(enrolment), {}, std::nullopt};
  envelope.signatures.push_back({key.id(), key.Sign(crypto::Pae(envelope.payload_type, envelope.payload))});
  auto statement = ledger::TrustLogged(proto::MakeStatement(envelope).value());
  honest.Log(statement, {statement->digest,
                         begun.broker.authority,
                         random.Make<Nonce>(),
                         {ledger::Verdict{{}, 0, {}, {}, 0, "another obligation"}}});
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
}

TEST_F(InventedTest, RefusesASubstitutedEpochKey) {
  auto key = crypto::SignKey::Generate(random);  // the broker's own
  auto epoch_key = crypto::KemPrivateKey::Generate(random);
  const auto& agency = *honest.state.agency(*AgencyId::Parse("mx.fgr"));
  ledger::Epoch epoch{By("mx.fgr/admin", key.id()),
                      agency.charter.id,
                      2,
                      epoch_key.public_key().point(),
                      FakeBroker::Now() + std::chrono::days(365),
                      agency.current()->statement,
                      {}};
  for (const char* member : {"mx.fgr/admin", "mx.fgr/luis"})
    epoch.wraps.push_back({2, test::Member(member), begun.Keys(member).key_management.id(), Point{{4}}, Bytes(48, 1)});
  Log(ledger::Kind::kEpoch, proto::EncodeEpoch(epoch), key);
  EXPECT_EQ(DirectoryRefused(), Reason::kBadSignature);
  auto sent = SessionOf("us.dea/ana")->Send({DraftOf("for whom?")}, {});  // a sender does not seal to it
  EXPECT_EQ(sent.error().reason, Reason::kBadSignature);
}

TEST_F(InventedTest, RefusesADirectoryEntryThatIsChangedInTransit) {
  lies.directory = [](EntriesAnswer& answer) {
    if (answer.entries.size() > 1) answer.entries[1].entry.envelope->payload.back() ^= 1;
  };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
}

TEST_F(InventedTest, RefusesADirectoryThatPromisesMoreAndSendsNothing) {
  lies.directory = [](EntriesAnswer& answer) { answer.entries.clear(), answer.more = true; };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
  lies.directory = [](EntriesAnswer& answer) { answer.entries.clear(); };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);  // no charter
}

TEST_F(InventedTest, RefusesADirectoryThatRepeatsItself) {
  lies.directory = [](EntriesAnswer& answer) {
    if (!answer.entries.empty()) answer.entries.push_back(answer.entries[0]);
  };
  EXPECT_EQ(DirectoryRefused(), Reason::kBadProof);
}

TEST_F(InventedTest, RefusesARevocationInTheNameOfAnother) {
  auto key = begun.Keys("us.fbi/kim").signature;  // in league with the broker
  Log(ledger::Kind::kRevocation,
      proto::EncodeRevocation({By("us.dea/ana", key.id()), *Digest::FromHexText(id), "forged"}), key);
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadSignature);
}

TEST_F(InventedTest, DoesNotTakeARevocationOfAnotherAgencysRecord) {
  auto key = begun.Keys("us.fbi/kim").signature;
  Log(ledger::Kind::kRevocation,
      proto::EncodeRevocation({By("us.fbi/kim", key.id()), *Digest::FromHexText(id), "not mine"}), key);
  auto inbox = SessionOf("mx.fgr/luis")->Inbox().value();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_FALSE(inbox[0].revoked);
}

TEST_F(InventedTest, RefusesAStatementMadeAfterItsAuthorWasRemoved) {
  SessionOf("us.dea/admin")->Remove("us.dea/ana").value();
  auto key = begun.Keys("us.dea/ana").signature;
  Log(ledger::Kind::kRevocation,
      proto::EncodeRevocation({By("us.dea/ana", key.id()), *Digest::FromHexText(id), "late"}), key);
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadSignature);
}

// ---- the mailbox ----

TEST_F(LyingBrokerTest, RefusesAMailboxThatRepeatsAnEntry) {
  lies.mailbox = [](EntriesAnswer& answer) {
    if (!answer.entries.empty()) answer.entries.push_back(answer.entries[0]);
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesAMailboxThatGoesBack) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  const auto index = honest.entries.size() - 1;
  lies.mailbox = [&](EntriesAnswer& answer) {
    answer.entries = {honest.Seen(index, test::Member("mx.fgr/luis")).value()};
  };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
  lies.mailbox = [&](EntriesAnswer& answer) { answer.next_cursor = 0; };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
  lies.mailbox = [&](EntriesAnswer& answer) { answer.more = true; };
  EXPECT_EQ(luis->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesAStreamThatRepeatsAnEntry) {
  auto luis = SessionOf("mx.fgr/luis");
  luis->Inbox().value();
  const auto old = honest.entries.size() - 1;
  lies.follow = [&](FollowItem& item) { item.entry = honest.Seen(old, test::Member("mx.fgr/luis")); };
  std::size_t shown = 0;
  auto ended = luis->Follow([&](const NewsItem&) {
    if (++shown == 1) Sent(DraftOf("two"));
    return true;
  });
  EXPECT_EQ(ended.error().reason, Reason::kBadProof);
  EXPECT_EQ(shown, 1u);  // what was in the mailbox before
}

TEST_F(LyingBrokerTest, RefusesTheDirectoryAsMail) {
  lies.mailbox = [&](EntriesAnswer& answer) {
    if (!answer.entries.empty()) answer.entries.insert(answer.entries.begin(), honest.Proved(0));
  };
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().error().reason, Reason::kBadProof);
}

TEST_F(LyingBrokerTest, RefusesACustodyAboutAnotherRecordOrOutOfOrder) {
  Sent(DraftOf("another"));
  auto ana = SessionOf("us.dea/ana");
  lies.custody = [&](EntriesAnswer& answer) { answer.entries.push_back(honest.Proved(honest.entries.size() - 1)); };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kBadProof);
  lies.custody = [&](EntriesAnswer& answer) { answer.entries.push_back(answer.entries[0]); };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kBadProof);
  lies.custody = [&](EntriesAnswer& answer) { answer.more = true; };
  EXPECT_EQ(ana->Custody(id).error().reason, Reason::kTooMany);
}

// ---- a sender ----

TEST_F(LyingBrokerTest, DoesNotTakeForSentWhatIsNotInTheLog) {
  auto ana = SessionOf("us.dea/ana");
  auto reason = [&] {
    auto sent = ana->Send({DraftOf("x"), DraftOf("y")}, {});
    if (!sent) return sent.error().reason;
    EXPECT_FALSE(sent->at(0));
    return sent->at(0) ? Reason::kInternal : sent->at(0).error().reason;
  };
  lies.post = [](PostAnswer& answer) { ReceiptIn(answer).path.pop_back(); };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies.post = [](PostAnswer& answer) { std::swap(answer.outcomes[0], answer.outcomes[1]); };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies.post = [](PostAnswer& answer) { answer.outcomes.pop_back(); };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies = {};
  lies.decision = [](ledger::Decision& decision) { decision.verdicts[0].reasons = {Reason::kExpired}; };
  EXPECT_EQ(reason(), Reason::kBadProof);
  lies = {};
  lies.post = [](PostAnswer& answer) { answer.outcomes[0] = Refuse(Reason::kBadPolicy); };
  EXPECT_EQ(reason(), Reason::kBadPolicy);
}

TEST_F(LyingBrokerTest, DoesNotTakeForDoneWhatIsNotInTheLog) {
  auto ana = SessionOf("us.dea/ana");
  lies.post = [](PostAnswer& answer) { ReceiptIn(answer).salt.bytes[0] ^= 1; };
  EXPECT_EQ(ana->Revoke(id, "why").error().reason, Reason::kBadProof);
  lies.post = [&](PostAnswer& answer) { ReceiptIn(answer) = honest.Receipt(1); };
  EXPECT_EQ(ana->Acknowledge(id, "received").error().reason, Reason::kBadProof);
}

}  // namespace
}  // namespace valija::client
