#include "core/ledger/entry.h"

#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "core/log/tree.h"
#include "tests/core/crypto/fixed_random.h"

namespace valija::ledger {
namespace {

EntryHead Head() {
  test::FixedRandom random("a head");
  EntryHead head;
  head.index = 0x0102030405060708;
  head.time = FromMillis(0x1112131415161718);
  head.statement = random.Make<Digest>();
  head.decision = random.Make<Digest>();
  return head;
}

TEST(EntryHead, IsEightyBytesBigEndian) {
  const EntryHead head = Head();
  EXPECT_EQ(ToHex(head.Encode()), "01020304050607081112131415161718" + head.statement.Hex() + head.decision.Hex());
}

TEST(EntryHead, ReadsBackWhatItWrites) {
  EXPECT_EQ(EntryHead::Decode(Head().Encode()).value(), Head());
  EXPECT_EQ(EntryHead::Decode(EntryHead().Encode()).value(), EntryHead());
}

TEST(EntryHead, RefusesAnotherLength) {
  const Bytes whole = Head().Encode();
  Bytes longer = whole;
  longer.push_back(0);
  for (const ByteView bytes : {ByteView(), ByteView(whole).first(79), ByteView(longer)})
    EXPECT_EQ(EntryHead::Decode(bytes).error().reason, Reason::kMalformed);
}

TEST(EntryHead, RefusesAnIndexOrATimeOf2To63) {
  for (std::size_t at : {0, 8}) {
    Bytes bytes = Head().Encode();
    bytes[at] = 0x80;
    EXPECT_EQ(EntryHead::Decode(bytes).error().reason, Reason::kMalformed);
    bytes[at] = 0x7F;
    EXPECT_TRUE(EntryHead::Decode(bytes));
  }
}

TEST(EntryCommitment, IsTheTupleHashOfSaltAndHead) {
  const auto salt = test::FixedRandom("a salt").Make<Salt>();
  const Commitment commitment = CommitEntry(salt, Head());
  EXPECT_TRUE(Equal(commitment, crypto::TupleHash("entry", {salt, Head().Encode()})));
  EXPECT_EQ(EntryLeaf(commitment), log::LeafHash(commitment));
}

TEST(EntryCommitment, ChangesWithEveryPart) {
  const Salt salt;
  const Commitment commitment = CommitEntry(salt, Head());
  for (std::size_t at : {0, 8, 16, 48, 79}) {
    Bytes bytes = Head().Encode();
    bytes[at] ^= 1;
    EXPECT_NE(CommitEntry(salt, EntryHead::Decode(bytes).value()), commitment) << at;
  }
  Salt other;
  other.bytes[31] = 1;
  EXPECT_NE(CommitEntry(other, Head()), commitment);
}

}  // namespace
}  // namespace valija::ledger
