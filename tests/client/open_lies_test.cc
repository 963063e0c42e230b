// A broker that lies in its answer to an opening: receipt, decision, shares, body. Each lie is refused by its reason,
// nothing is opened, and no file is written.
#include "tests/client/lies.h"

namespace valija::client {
namespace {

// With the truth, the same steps open it: else these tests would show nothing.
TEST_F(LyingBrokerTest, OpensWhatAnHonestBrokerGives) {
  auto opened = SessionOf("mx.fgr/luis")->Open({Asking(id, 0, folder / "out")}, {}).value();
  EXPECT_TRUE(opened[0]);
  EXPECT_EQ(test::ReadAll(folder / "out"), "the report");
}

// ---- the receipt of a request ----

struct ReceiptLie {
  const char* name;
  std::function<void(PostAnswer&, FakeBroker&)> lie;
  Reason reason;
  friend void PrintTo(const ReceiptLie& one, std::ostream* out) { *out << one.name; }
};
class ReceiptLies : public LyingBrokerTest, public ::testing::WithParamInterface<ReceiptLie> {};

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
    shares.push_back(honest.Share(open.items.at(0).record, open.items.at(0).portion, open.agency));
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
    shares.push_back(honest.Share(open.items.at(1).record, open.items.at(1).portion, open.agency));
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
    shares.at(0) = honest.Share(*Digest::FromHexText(other), 0, open.agency);
  };
  EXPECT_EQ(OpenRefused(id), Reason::kBadSeal);
  lies.release = [&](auto&, auto&, std::vector<crypto::Secret>& shares) {
    shares.at(0) = honest.Share(*Digest::FromHexText(other), 0, *AgencyId::Parse("us.fbi"));
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

// "Too many" is asked again, once; what came before it must not stay in front of what comes then.
TEST_F(LyingBrokerTest, WritesABodyOnceThoughItWasBrokenOffAfterGoodSlices) {
  const std::string content(3 << 20, 'x');
  const auto big = Sent(DraftOf(content));
  lies.slice = [&](std::uint64_t index) -> Status {
    if (honest.downloads == 1 && index == 2) return Refuse(Reason::kTooMany);
    return Ok();
  };
  auto luis = SessionOf("mx.fgr/luis");
  auto opened = luis->Open({Asking(big, 0, folder / "out")}, {}).value();
  ASSERT_TRUE(opened[0]) << opened[0].error().Message();
  EXPECT_EQ(honest.downloads, 2u);
  EXPECT_EQ(opened[0].value().bytes, content.size());
  EXPECT_TRUE(test::ReadAll(folder / "out") == content) << "of " << fs::file_size(folder / "out") << " bytes";
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

}  // namespace
}  // namespace valija::client
