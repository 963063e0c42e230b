// Receipts to be kept: with cosignatures, verified by a policy file and nothing else, also after keys were changed.
#include "audit/evidence/receipt.h"
#include "tests/client/two_witnesses.h"

namespace valija::client {
namespace {

class ReceiptTest : public TwoWitnessesTest {
 protected:
  Result<SavedReceipt> Save(const std::string& id, const std::string& name, const std::string& by = "us.dea/ana") {
    return SessionOf(by)->SaveReceipt({id, folder / name, std::chrono::seconds(0), {}});
  }
  std::string Saved(const std::string& id, const std::string& name, const std::string& by = "us.dea/ana") {
    auto saved = Save(id, name, by);
    EXPECT_TRUE(saved) << saved.error().Message();
    return test::ReadAll(folder / name);
  }
  static Result<evidence::Proved> Prove(const std::string& text, const log::PolicyHistory& policies) {
    TRY(const auto receipt, evidence::ParseReceipt(text));
    return evidence::VerifyReceipt(receipt, policies);
  }
  log::PolicyHistory Policies(const std::string& by = "us.dea/ana") {
    return log::PolicyHistory::Parse(SessionOf(by)->WitnessPolicies().value()).value();
  }
  static Reason ReasonOf(const auto& result) { return result ? Reason::kInternal : result.error().reason; }
};

TEST_F(ReceiptTest, HoldsWithThePolicyFileAloneAndOpensTheEntry) {
  const auto id = Sent(DraftOf("x"));
  const auto saved = Save(id, "receipt").value();
  EXPECT_EQ(saved.id, id);
  ASSERT_EQ(saved.cosigned.size(), 2u);
  EXPECT_EQ(saved.cosigned[0].first, "mx.fgr");
  const auto text = test::ReadAll(folder / "receipt");
  const auto proved = Prove(text, Policies("mx.fgr/luis"));
  ASSERT_TRUE(proved) << proved.error().Message();
  EXPECT_TRUE(proved->witnesses_asked);
  EXPECT_EQ(proved->head.statement, Id(id));
  EXPECT_EQ(proved->head.index, saved.entry);
  EXPECT_EQ(proved->under.checkpoint.origin, begun.broker.origin);
  // Any reader of tlog-proof takes it, who knows how a leaf is made.
  const auto proof = log::TlogProof::Parse(text).value();
  const auto leaf = ledger::EntryLeaf(ledger::CommitEntry(honest.entries[saved.entry].salt, proved->head));
  EXPECT_TRUE(log::VerifyTlogProof(proof, leaf, Policies().now()));
}

TEST_F(ReceiptTest, IsWrittenOnceAndNeverOver) {
  const auto id = Sent(DraftOf("x"));
  const auto before = Saved(id, "receipt");
  EXPECT_EQ(ReasonOf(Save(id, "receipt")), Reason::kExists);
  EXPECT_EQ(test::ReadAll(folder / "receipt"), before);
}

TEST_F(ReceiptTest, WithoutTheQuorumThereIsNoneAndItSaysWhoIsMissing) {
  auto mx = honest.witnesses.extract("mx.fgr");
  const auto id = Sent(DraftOf("x"));
  EXPECT_EQ(ReasonOf(Save(id, "receipt")), Reason::kNoQuorum);
  EXPECT_FALSE(fs::exists(folder / "receipt"));
  // The note that the broker shows lacks a line: what is missing is found out here.
  lies.receipt = [&](proto::Receipt&, View& view) { view.checkpoint = Without(view.checkpoint, "witness.mx.fgr"); };
  if (!mx.empty()) honest.witnesses.insert(std::move(mx));
  honest.Cosign();
  const auto refused = Save(id, "receipt");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kNoQuorum);
  EXPECT_NE(refused.error().detail.find("mx.fgr"), std::string::npos) << refused.error().detail;
  lies.receipt = {};
  EXPECT_TRUE(Save(id, "receipt"));
}

TEST_F(ReceiptTest, WaitsForAWitnessAndSaysSo) {
  auto mx = honest.witnesses.extract("mx.fgr");
  const auto id = Sent(DraftOf("x"));
  auto ana = SessionOf("us.dea/ana");
  ana->set_pause(std::chrono::milliseconds(0));
  std::size_t told = 0;
  ReceiptRequest request{id, folder / "receipt", std::chrono::hours(1), [&](const std::string&) {
                           if (++told < 3) return;
                           if (!mx.empty()) honest.witnesses.insert(std::move(mx));
                           honest.Cosign();
                         }};
  EXPECT_TRUE(ana->SaveReceipt(request));
  EXPECT_EQ(told, 3u);
}

TEST_F(ReceiptTest, ThoseOfLongAgoHoldAfterEveryKeyWasChanged) {
  const auto with_first = Saved(Sent(DraftOf("one")), "one");
  const auto before = Policies();
  Rotate();
  const auto with_second = Saved(Sent(DraftOf("two")), "two");
  const auto after = Policies();
  ASSERT_EQ(after.former().size(), 2u);  // without witnesses, and with the first ones
  EXPECT_TRUE(Prove(with_first, before));
  EXPECT_TRUE(Prove(with_first, after));
  EXPECT_TRUE(Prove(with_second, after));
  EXPECT_EQ(ReasonOf(Prove(with_second, before)), Reason::kBadCheckpoint);
  EXPECT_FALSE(Prove(with_first, log::PolicyHistory(after.now())));
  // The same policy for everybody, also for who comes later.
  EXPECT_EQ(Policies("us.fbi/kim").Text(), after.Text());
}

TEST_F(ReceiptTest, OfALogThatHasNoWitnessesItSaysThatNobodyCosigned) {
  test::ClientWorld plain;
  auto ana = plain.SessionOf("us.dea/ana");
  const auto id = ana->Send({DraftOf("x")}, {}).value().front().value().id;
  const auto saved = ana->SaveReceipt({id, folder / "receipt", {}, {}}).value();
  EXPECT_TRUE(saved.cosigned.empty());
  const auto policies = log::PolicyHistory::Parse(ana->WitnessPolicies().value()).value();
  const auto proved = Prove(test::ReadAll(folder / "receipt"), policies);
  ASSERT_TRUE(proved) << proved.error().Message();
  EXPECT_FALSE(proved->witnesses_asked);
}

TEST_F(ReceiptTest, CanBeHadOfWhatOthersDidWithMyRecord) {
  const auto id = Sent(DraftOf("x"));
  ASSERT_TRUE(OpenAs("mx.fgr/luis", Asking(id)));
  const auto opening = honest.entries.back().head.statement;
  const auto proved = Prove(Saved(opening.Hex().substr(0, 12), "opening"), Policies());
  ASSERT_TRUE(proved) << proved.error().Message();
  EXPECT_EQ(proved->head.statement, opening);
  // A third agency has nothing to do with it.
  EXPECT_EQ(ReasonOf(Save(opening.Hex(), "not-mine", "us.fbi/kim")), Reason::kNotFound);
  // Of a smaller tree that was cosigned, by the log's tiles.
  auto mx = honest.witnesses.extract("mx.fgr");
  Sent(DraftOf("y"));
  EXPECT_TRUE(Prove(Saved(opening.Hex(), "again"), Policies()));
  const auto last = honest.entries.back().head.statement;
  EXPECT_EQ(ReasonOf(Save(last.Hex(), "last", "mx.fgr/luis")), Reason::kNoQuorum);
}

TEST_F(ReceiptTest, EachByteOfItCounts) {
  const auto text = Saved(Sent(DraftOf("x")), "receipt");
  const auto policies = Policies();
  ASSERT_TRUE(Prove(text, policies));
  for (const unsigned flip : {0x01u, 0x20u, 0x80u})
    for (std::size_t at = 0; at < text.size(); ++at) {
      auto other = text;
      other[at] = static_cast<char>(static_cast<unsigned char>(other[at]) ^ flip);
      EXPECT_FALSE(Prove(other, policies)) << at << " " << flip;
    }
  for (std::size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(Prove(text.substr(0, size), policies)) << size;
}

TEST_F(ReceiptTest, IsNoReceiptOfAnotherLogNorByStrangersNorByOneCountry) {
  const auto text = Saved(Sent(DraftOf("x")), "receipt");
  const auto policies = Policies();
  for (const char* missing : {"witness.mx.fgr", "witness.us.dea"})
    EXPECT_EQ(ReasonOf(Prove(Without(text, missing), policies)), Reason::kBadProof) << missing;
  EXPECT_EQ(ReasonOf(Prove(Without(text, begun.broker.origin), policies)), Reason::kBadCheckpoint);
  // Somebody who is no witness of the policy, under the name of one that is missing.
  const auto body = log::Note::Parse(evidence::ParseReceipt(text)->checkpoint)->text;
  const auto stranger = crypto::Ed25519SignKey::Generate(random_);
  EXPECT_EQ(ReasonOf(Prove(Without(text, "witness.mx.fgr") + log::Cosign(body, "witness.mx.fgr", stranger, 1700000000),
                           policies)),
            Reason::kBadProof);
  // One country twice.
  EXPECT_EQ(ReasonOf(Prove(Without(text, "witness.mx.fgr") +
                               log::Cosign(body, "witness.us.dea", honest.witnesses.at("us.dea"), 1700000000),
                           policies)),
            Reason::kBadProof);
  // Another log's policy.
  auto other = policies.now().Text();
  const auto key = log::NoteVerifier::Make("another.example", stranger.verify_key())->Text();
  other.replace(0, other.find('\n'), "log " + key);
  EXPECT_EQ(ReasonOf(Prove(text, log::PolicyHistory::Parse(other).value())), Reason::kBadCheckpoint);
}

TEST_F(ReceiptTest, ABrokerThatLiesGivesNone) {
  const auto id = Sent(DraftOf("x"));
  Sent(DraftOf("y"));
  lies.receipt = [&](proto::Receipt& receipt, View&) { receipt = honest.Receipt(honest.entries.size() - 1); };
  EXPECT_EQ(ReasonOf(Save(id, "receipt")), Reason::kBadProof);
  lies.receipt = [&](proto::Receipt& receipt, View&) { receipt.salt = {}; };
  EXPECT_EQ(ReasonOf(Save(id, "receipt")), Reason::kBadProof);
  EXPECT_FALSE(fs::exists(folder / "receipt"));
  // Its tiles prove nothing by themselves.
  ASSERT_TRUE(OpenAs("mx.fgr/luis", Asking(id)));
  const auto opening = honest.entries.back().head.statement.Hex();
  auto mx = honest.witnesses.extract("mx.fgr");
  Sent(DraftOf("z"));
  honest.false_tiles = true;
  EXPECT_EQ(ReasonOf(Save(opening, "opening")), Reason::kBadProof);
  honest.false_tiles = false;
  EXPECT_TRUE(Save(opening, "opening"));
}

TEST_F(ReceiptTest, ACosignedTreeThatIsNotContainedInTheOneSeenIsAFork) {
  const auto id = Sent(DraftOf("x"));
  auto ana = SessionOf("us.dea/ana");
  ana->Inbox().value();
  auto mx = honest.witnesses.extract("mx.fgr");
  Sent(DraftOf("y"), "us.dea/admin");
  ana->Inbox().value();
  lies.receipt = [&](proto::Receipt&, View& view) {
    const log::Checkpoint other{begun.broker.origin, honest.cosigned->second, log::LeafHash(AsBytes("other"))};
    view.checkpoint = log::SignedCheckpoint::Sign(other, begun.broker.log_key).note();
  };
  EXPECT_EQ(ReasonOf(ana->SaveReceipt({id, folder / "receipt", {}, {}})), Reason::kFork);
  EXPECT_TRUE(fs::exists(ProfileOf("us.dea/ana") / "FORK"));
}

TEST_F(ReceiptTest, IsOfNoTimeThatItsWitnessesHadNotSeen) {
  honest.long_ago = -std::chrono::hours(24);
  const auto id = Sent(DraftOf("x"));
  const auto refused = Save(id, "receipt");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("later time"), std::string::npos) << refused.error().detail;
  honest.long_ago = -std::chrono::minutes(4);  // clocks differ
  EXPECT_TRUE(Save(Sent(DraftOf("y")), "other"));
}

TEST_F(ReceiptTest, TellsWhetherAFileIsItsStatement) {
  const auto id = Sent(DraftOf("x"));
  const auto proved = Prove(Saved(id, "receipt"), Policies());
  ASSERT_TRUE(proved);
  const auto& envelope = honest.entries[proved->head.index].statement->envelope;
  EXPECT_TRUE(evidence::CheckStatement(proved->head, proto::EncodeEnvelope(envelope)));
  EXPECT_TRUE(evidence::CheckStatement(proved->head, crypto::Pae(envelope.payload_type, envelope.payload)));
  EXPECT_EQ(ReasonOf(evidence::CheckStatement(proved->head, envelope.payload)), Reason::kBadProof);
  auto other = envelope;
  other.payload.back() ^= 1;
  EXPECT_EQ(ReasonOf(evidence::CheckStatement(proved->head, proto::EncodeEnvelope(other))), Reason::kBadProof);
}

}  // namespace
}  // namespace valija::client
