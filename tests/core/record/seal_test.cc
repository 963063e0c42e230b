#include "core/record/seal.h"

#include <set>

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class Seal : public ::testing::Test {
 protected:
  Result<crypto::Secret> Open(const Slip& slip, std::size_t agency, std::span<const crypto::Secret> shares) {
    return OpenCek(small_.payload, slip, small_.epoch_keys[agency], shares, small_.cache);
  }
  Result<crypto::Secret> Share(std::uint32_t portion, std::size_t authority) {
    return MakeReleaseShare(small_.payload.header, small_.payload.ctx, portion, small_.agencies[0],
                            small_.authorities[authority], small_.release_keys[authority],
                            small_.attachments.authority_encs[authority], small_.cache);
  }
  SmallRecord small_;
};

TEST_F(Seal, EveryRecipientOpensEveryPortion) {
  for (std::uint32_t p = 0; p < 2; ++p) {
    for (std::size_t a = 0; a < small_.agencies.size(); ++a) {
      auto cek = Open(small_.SlipOf(p, a), a, small_.Shares(p, a));
      ASSERT_TRUE(cek) << cek.error().Message();
      EXPECT_TRUE(cek->EqualTo(small_.ceks[p]));
      const PortionSeal& seal = small_.payload.portions[p];
      auto plain = OpenBody(*cek, small_.payload.ctx, p, small_.bodies[p], seal.body_length, seal.body_root);
      ASSERT_TRUE(plain) << plain.error().Message();
      EXPECT_EQ(AsText(*plain), "content " + std::to_string(p));
    }
  }
}

TEST_F(Seal, CommitmentsAreAscendingWhateverTheOrderOfRecipients) {
  std::vector<Recipient> recipients;
  for (int i = 0; i < 20; ++i) {
    recipients.push_back({Agency("us.a" + std::to_string(i)), small_.epoch_keys[0].public_key()});
  }
  auto committed = CommitRecipients(small_.window, 5, recipients, small_.random);
  std::set<std::string> agencies;
  ASSERT_EQ(committed.slips.size(), recipients.size());
  for (std::size_t i = 0; i < committed.slips.size(); ++i) {
    EXPECT_EQ(committed.slips[i].index, i);
    EXPECT_EQ(committed.slips[i].portion, 5U);
    EXPECT_TRUE(CheckSlip(committed.commitments, committed.slips[i]));
    agencies.insert(committed.slips[i].agency.str());
  }
  EXPECT_EQ(agencies.size(), recipients.size());
  recipients.push_back(recipients[3]);
  EXPECT_THROW(CommitRecipients(small_.window, 5, recipients, small_.random), std::invalid_argument);
}

TEST_F(Seal, WrapsOnlyForTheWindowThatTheHeaderNames) {
  Header header = small_.payload.header;
  header.window_id.bytes[0] ^= 1;
  EXPECT_THROW(SealWraps(small_.window, header, {}, small_.SlipsOf(0), small_.ceks[0]), std::logic_error);
  header = small_.payload.header;
  header.authorities[1].enc_hash.bytes[0] ^= 1;
  EXPECT_THROW(SealWraps(small_.window, header, {}, small_.SlipsOf(0), small_.ceks[0]), std::logic_error);
  Slip slip = small_.SlipOf(0, 0);
  slip.enc = small_.SlipOf(0, 1).enc;
  EXPECT_THROW(SealWraps(small_.window, small_.payload.header, {}, {&slip, 1}, small_.ceks[0]), std::logic_error);
}

TEST_F(Seal, AuthorityRefusesAHeaderThatDoesNotNameItsKeyAndEnc) {
  Header& header = small_.payload.header;
  const Header good = header;
  header.authorities[0].id = Authority("another");
  EXPECT_TRUE(RefusedFor(Share(0, 0), Reason::kBadHeader));
  header = good;
  header.authorities[0].key_id.bytes[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Share(0, 0), Reason::kBadHeader));
  header = good;
  header.authorities[0].enc_hash.bytes[0] ^= 1;
  EXPECT_TRUE(RefusedFor(Share(0, 0), Reason::kBadHeader));
  header = good;
  EXPECT_TRUE(RefusedFor(Share(2, 0), Reason::kBadHeader));  // a portion that the record lacks
  header.suite = 2;
  EXPECT_TRUE(RefusedFor(Share(0, 0), Reason::kUnknownSuite));
  header = good;
  EXPECT_TRUE(Share(0, 0));
}

TEST_F(Seal, RecipientRefusesAnotherNumberOfReleaseShares) {
  auto shares = small_.Shares(0, 0);
  const Slip& slip = small_.SlipOf(0, 0);
  EXPECT_TRUE(RefusedFor(Open(slip, 0, {}), Reason::kWrongRelease));
  EXPECT_TRUE(RefusedFor(Open(slip, 0, std::span(shares).first(1)), Reason::kWrongRelease));
  shares.emplace_back(kShareSize);
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kWrongRelease));
  shares.pop_back();
  shares[1] = crypto::Secret(31);
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kWrongRelease));
}

TEST_F(Seal, RecipientRefusesSharesInAnotherOrderOrForAnother) {
  auto shares = small_.Shares(0, 0);
  std::swap(shares[0], shares[1]);
  EXPECT_TRUE(RefusedFor(Open(small_.SlipOf(0, 0), 0, shares), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(small_.SlipOf(0, 0), 0, small_.Shares(0, 1)), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(small_.SlipOf(0, 0), 0, small_.Shares(1, 0)), Reason::kBadSeal));
}

TEST_F(Seal, RecipientRefusesASlipThatIsNotItsOwn) {
  auto shares = small_.Shares(0, 0);
  EXPECT_TRUE(RefusedFor(Open(small_.SlipOf(0, 1), 0, shares), Reason::kBadSlip));  // another epoch key
  Slip slip = small_.SlipOf(0, 0);
  slip.portion = 2;
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kBadSlip));
  slip = small_.SlipOf(0, 0);
  slip.agency = small_.agencies[1];
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kBadSlip));
}

TEST_F(Seal, RecipientRefusesASplicedWrapOrHeader) {
  auto shares = small_.Shares(0, 0);
  const Slip& slip = small_.SlipOf(0, 0);
  std::swap(small_.payload.portions[0].wraps[0], small_.payload.portions[0].wraps[1]);
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kBadSeal));
  std::swap(small_.payload.portions[0].wraps[0], small_.payload.portions[0].wraps[1]);
  small_.payload.ctx = RecordContext(AsBytes("a header with a laxer policy"));
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kBadSeal));
  EXPECT_TRUE(RefusedFor(Open(slip, 0, small_.Shares(0, 0)), Reason::kBadSeal));  // shares of that header, too
  small_.payload.portions.clear();
  EXPECT_TRUE(RefusedFor(Open(slip, 0, shares), Reason::kBadHeader));
}

TEST_F(Seal, RecipientRefusesAnotherSuite) {
  auto shares = small_.Shares(0, 0);
  small_.payload.header.suite = 2;
  EXPECT_TRUE(RefusedFor(Open(small_.SlipOf(0, 0), 0, shares), Reason::kUnknownSuite));
}

}  // namespace
}  // namespace valija::record
