#include "core/record/slip.h"

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

TEST(Slip, OpensItsOwnCommitment) {
  SmallRecord small;
  for (const auto& slip : small.attachments.slips) EXPECT_TRUE(CheckSlip(small.payload.header, slip));
}

TEST(Slip, RefusesEveryOtherValue) {
  SmallRecord small;
  const Header& header = small.payload.header;
  const Slip good = small.attachments.slips[0];
  Slip slip = good;
  slip.index = 1;
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip.index = 2;  // past the end
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip = good;
  slip.portion = 1;
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip.portion = 2;  // the record lacks it
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip = good;
  slip.salt.bytes[31] ^= 1;
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip = good;
  slip.agency = Agency("us.dea-x");
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip = good;
  slip.epoch_key_id.bytes[0] ^= 1;
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
  slip = good;
  slip.enc.bytes[64] ^= 1;
  EXPECT_TRUE(RefusedFor(CheckSlip(header, slip), Reason::kBadSlip));
}

TEST(Slip, RefusesAHeaderWhoseCommitmentsAreNotStrictlyAscending) {
  SmallRecord small;
  auto& commitments = small.payload.header.portions[0].recipients;
  std::swap(commitments[0], commitments[1]);
  Slip slip = small.attachments.slips[0];
  slip.index = 1;
  EXPECT_TRUE(RefusedFor(CheckSlip(small.payload.header, slip), Reason::kBadHeader));
  commitments[0] = commitments[1];
  EXPECT_TRUE(RefusedFor(CheckSlip(small.payload.header, slip), Reason::kBadHeader));
}

TEST(Slip, FindsAPortionByItsNumberAndNotByItsPlace) {
  SmallRecord small;
  Header& header = small.payload.header;
  header.portions.erase(header.portions.begin());  // as in a grant
  ASSERT_NE(FindPortion(header, 1), nullptr);
  EXPECT_EQ(FindPortion(header, 1)->number, 1U);
  EXPECT_EQ(FindPortion(header, 0), nullptr);
}

}  // namespace
}  // namespace valija::record
