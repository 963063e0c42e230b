#include "broker/receipt.h"

#include <gtest/gtest.h>

#include "core/log/tree.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;

void ExpectProved(const proto::Receipt& receipt, const log::SignedCheckpoint& checkpoint) {
  Hash leaf = ledger::EntryLeaf(ledger::CommitEntry(receipt.salt, receipt.head));
  EXPECT_TRUE(log::VerifyInclusion(receipt.head.index, checkpoint.size(), leaf, receipt.path, checkpoint.root()));
  EXPECT_EQ(crypto::DigestOf(ledger::kDecisionType, receipt.decision_bytes), receipt.head.decision);
}

TEST(ReceiptTest, LeadsToTheViewsCheckpointAlsoWhenTheLogHasGrown) {
  BrokerRig rig;
  rig.Found();
  auto accepted = rig.Post(rig.world.EnrolNew("us.dea/ana"));
  ASSERT_TRUE(accepted);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  for (const auto& checkpoint : {accepted->checkpoint, rig.sequencer->checkpoint()}) {
    auto receipt = MakeReceipt(*rig.sequencer, *accepted, checkpoint);
    ASSERT_TRUE(receipt);
    ExpectProved(*receipt, *checkpoint);
    auto again = ReceiptAt(*rig.sequencer, accepted->head.index, checkpoint->size());
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *receipt);
  }
}

TEST(ReceiptTest, TheCharterHasOneAndWhatIsNotThereHasNone) {
  BrokerRig rig;
  rig.Found();
  auto receipt = ReceiptAt(*rig.sequencer, 0, rig.sequencer->checkpoint()->size());
  ASSERT_TRUE(receipt);
  ExpectProved(*receipt, *rig.sequencer->checkpoint());
  EXPECT_EQ(ReceiptAt(*rig.sequencer, 1, rig.sequencer->checkpoint()->size()).error().reason, Reason::kNotFound);
}

TEST(ViewTest, LeadsFromWhatTheCallerVerified) {
  BrokerRig rig;
  rig.Found();
  auto old = rig.sequencer->checkpoint();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(rig.Post(rig.world.EnrolNew("us.dea/m" + std::to_string(i))));
  auto now = rig.sequencer->checkpoint();
  auto nothing = MakeView(*rig.sequencer, now, 0);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->checkpoint, now->note());
  EXPECT_TRUE(nothing->consistency.empty());
  auto view = MakeView(*rig.sequencer, now, old->size());
  ASSERT_TRUE(view);
  EXPECT_TRUE(log::VerifyConsistency(old->size(), old->root(), now->size(), now->root(), view->consistency));
  auto same = MakeView(*rig.sequencer, now, now->size());
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->consistency.empty());
  EXPECT_EQ(MakeView(*rig.sequencer, now, now->size() + 1).error().reason, Reason::kFork);
}

}  // namespace
}  // namespace valija::broker
