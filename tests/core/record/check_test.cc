#include "core/record/check.h"

#include <map>

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

class Check : public ::testing::Test {
 protected:
  Header& header() { return small_.payload.header; }
  PortionHead& portion() { return header().portions[0]; }
  Attachments& beside() { return small_.attachments; }
  SmallRecord small_;
};

TEST_F(Check, AcceptsAWholeRecord) {
  EXPECT_TRUE(CheckHeader(header()));
  EXPECT_TRUE(CheckSeals(header(), small_.payload.portions));
  EXPECT_TRUE(CheckAttachments(header(), beside()));
}

TEST_F(Check, RefusesAnotherSuite) {
  header().suite = 2;
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kUnknownSuite));
}

TEST_F(Check, RefusesAnOriginThatIsNotWellSpelled) {
  for (std::string origin : {"", "with space", "with+plus", "line\n"}) {
    header().origin = origin;
    EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader)) << origin;
  }
}

TEST_F(Check, RefusesNoAuthorityTooManyOrOneTwice) {
  const auto two = header().authorities;
  header().authorities.clear();
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  header().authorities = {two[0], two[0]};
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  header().authorities = {two[0], {two[1].id, two[0].key_id, two[1].enc_hash}};  // one key under two names
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  header().authorities.clear();
  for (std::uint8_t j = 0; j < kMaxAuthorities; ++j) {
    KeyId key_id;
    key_id.bytes[0] = j;
    header().authorities.push_back({Authority("b" + std::to_string(j)), key_id, {}});
  }
  EXPECT_TRUE(CheckHeader(header()));
  header().authorities.push_back(two[0]);
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
}

TEST_F(Check, RefusesPortionsThatAreNotNumberedInOrder) {
  std::swap(header().portions[0], header().portions[1]);
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  header().portions.clear();
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
}

TEST_F(Check, RefusesTooManyPortions) {
  const PortionHead one = portion();
  header().portions.clear();
  for (std::uint32_t p = 0; p < kMaxPortions; ++p)
    header().portions.push_back(one), header().portions.back().number = p;
  EXPECT_TRUE(CheckHeader(header()));
  header().portions.push_back(one);
  header().portions.back().number = kMaxPortions;
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
}

TEST_F(Check, RefusesTextThatIsNotShortAndPrintable) {
  for (std::string text : {std::string(), std::string("a\nb"), std::string("\x1b[2J"), std::string("caf\xc3\xa9"),
                           std::string(128, 'x')}) {
    portion().media_type = text;
    EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader)) << text;
    portion().media_type = "text/plain";
    portion().marking = text;
    EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader)) << text;
    portion().marking = "TLP:AMBER";
  }
  portion().media_type = std::string(127, 'x');
  EXPECT_TRUE(CheckHeader(header()));
}

TEST_F(Check, RefusesRecipientsThatAreNoneTooManyOrNotAscending) {
  std::vector<Commitment> many(kMaxRecipients + 1);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i].bytes[0] = static_cast<std::uint8_t>(i >> 8), many[i].bytes[1] = static_cast<std::uint8_t>(i);
  portion().recipients = many;
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  portion().recipients.pop_back();
  EXPECT_TRUE(CheckHeader(header()));
  std::swap(portion().recipients[3], portion().recipients[4]);
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  portion().recipients = {many[7], many[7]};
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  portion().recipients.clear();
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
}

TEST_F(Check, RefusesSealsThatDoNotFitTheHeader) {
  auto& seals = small_.payload.portions;
  const auto good = seals;
  seals.pop_back();
  EXPECT_TRUE(RefusedFor(CheckSeals(header(), seals), Reason::kBadHeader));
  seals = good;
  seals[0].wraps.pop_back();
  EXPECT_TRUE(RefusedFor(CheckSeals(header(), seals), Reason::kBadHeader));
  seals = good;
  seals[1].wraps[1].push_back(0);
  EXPECT_TRUE(RefusedFor(CheckSeals(header(), seals), Reason::kBadHeader));
  for (std::uint64_t length : {std::uint64_t{0}, std::uint64_t{327}, std::uint64_t{329}, ~std::uint64_t{0}}) {
    seals = good;
    seals[0].body_length = length;
    EXPECT_TRUE(RefusedFor(CheckSeals(header(), seals), Reason::kBadHeader)) << length;
  }
  EXPECT_EQ(kMinBodyLength, SealedBodySize(0));
}

TEST_F(Check, RefusesACommitmentWithoutASlipAndASlipWithoutACommitment) {
  const Slip last = beside().slips.back();
  beside().slips.pop_back();
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
  beside().slips.push_back(last);
  beside().slips.push_back(last);
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
  beside().slips.clear();
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
}

TEST_F(Check, RefusesSlipsOutOfOrderOrOneInAnothersPlace) {
  auto& slips = beside().slips;
  std::swap(slips[0], slips[1]);
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
  std::swap(slips[0].index, slips[1].index);  // numbered right, opening something else
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
}

TEST_F(Check, RefusesAnAgencyTwiceInOnePortion) {
  // Two commitments to one agency that open well: only the slips can tell.
  Slip a = small_.SlipOf(0, 0), b = a;
  b.salt.bytes[0] ^= 1;
  auto commit = [](const Slip& slip) { return CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc); };
  if (commit(b) < commit(a)) std::swap(a, b);
  a.index = 0, b.index = 1;
  portion().recipients = {commit(a), commit(b)};
  beside().slips[0] = a, beside().slips[1] = b;
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
}

TEST_F(Check, RefusesAnotherPolicy) {
  beside().policies[1].back() ^= 1;
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadPolicy));
  beside().policies.pop_back();
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadPolicy));
}

TEST_F(Check, RefusesAnotherEncOfAnAuthority) {
  std::swap(beside().authority_encs[0], beside().authority_encs[1]);
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadHeader));
  beside().authority_encs.pop_back();
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadHeader));
}

// ---- what asks, what derives, grants, decoys ----

TEST_F(Check, KnowsFourUrgencies) {
  for (std::uint8_t urgency = 0; urgency < 4; ++urgency) {
    header().urgency = static_cast<Urgency>(urgency);
    EXPECT_TRUE(CheckHeader(header())) << int{urgency};
  }
  header().urgency = static_cast<Urgency>(4);
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
}

TEST_F(Check, RefusesSourcesThatAreTooManyOrNotAscending) {
  for (std::uint8_t i = 0; i < kMaxSources; ++i) header().sources.push_back(Digest{{i}});
  EXPECT_TRUE(CheckHeader(header()));
  header().sources.push_back(Digest{{200}});
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  header().sources = {Digest{{2}}, Digest{{1}}};
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  header().sources = {Digest{{1}}, Digest{{1}}};
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
}

TEST_F(Check, LetsAGrantKeepTheOriginalsNumbersInOrder) {
  auto& portions = header().portions;
  portions[0].number = 3, portions[1].number = 63;
  EXPECT_TRUE(CheckHeader(header(), HeaderOf::kGrant));
  EXPECT_TRUE(RefusedFor(CheckHeader(header()), Reason::kBadHeader));
  portions[1].number = 64;
  EXPECT_TRUE(RefusedFor(CheckHeader(header(), HeaderOf::kGrant), Reason::kBadHeader));
  portions[1].number = 3;
  EXPECT_TRUE(RefusedFor(CheckHeader(header(), HeaderOf::kGrant), Reason::kBadHeader));
  portions[1].number = 2;
  EXPECT_TRUE(RefusedFor(CheckHeader(header(), HeaderOf::kGrant), Reason::kBadHeader));
}

TEST_F(Check, LetsAGrantAskAnswerAndDeriveNothing) {
  const Header plain = header();
  EXPECT_TRUE(CheckHeader(plain, HeaderOf::kGrant));
  header().in_reply_to = Digest{{1}};
  EXPECT_TRUE(RefusedFor(CheckHeader(header(), HeaderOf::kGrant), Reason::kBadHeader));
  header() = plain;
  header().urgency = Urgency::kNormal;
  EXPECT_TRUE(RefusedFor(CheckHeader(header(), HeaderOf::kGrant), Reason::kBadHeader));
  header() = plain;
  header().sources = {Digest{{1}}};
  EXPECT_TRUE(RefusedFor(CheckHeader(header(), HeaderOf::kGrant), Reason::kBadHeader));
}

TEST_F(Check, RefusesAGrantsWrapsThatDoNotFitTheHeader) {
  std::vector<std::vector<Bytes>> wraps;
  for (const auto& seal : small_.payload.portions) wraps.push_back(seal.wraps);
  EXPECT_TRUE(CheckWraps(header(), wraps));
  auto spoilt = wraps;
  spoilt.pop_back();
  EXPECT_TRUE(RefusedFor(CheckWraps(header(), spoilt), Reason::kBadHeader));
  spoilt = wraps;
  spoilt[1].pop_back();
  EXPECT_TRUE(RefusedFor(CheckWraps(header(), spoilt), Reason::kBadHeader));
  spoilt = wraps;
  spoilt[0][1].pop_back();
  EXPECT_TRUE(RefusedFor(CheckWraps(header(), spoilt), Reason::kBadHeader));
}

TEST_F(Check, TakesDecoysAsOftenAsTheyStandThereButEachAsASlip) {
  // Both recipients of the first portion are replaced by decoys.
  std::map<Commitment, Slip> decoys;
  for (std::uint8_t i = 0; i < 2; ++i) {
    Slip slip = small_.SlipOf(0, 0);
    slip.agency = Agency(kDecoyAgency);
    slip.salt.bytes[0] = i;
    decoys.emplace(CommitRecipient(slip.salt, slip.agency, slip.epoch_key_id, slip.enc), slip);
  }
  std::uint32_t index = 0;
  portion().recipients.clear();
  for (auto& [commitment, slip] : decoys) {
    slip.index = index;
    portion().recipients.push_back(commitment);
    beside().slips[index++] = slip;
  }
  EXPECT_TRUE(CheckAttachments(header(), beside()));
  beside().slips[1].salt.bytes[5] ^= 1;
  EXPECT_TRUE(RefusedFor(CheckAttachments(header(), beside()), Reason::kBadSlip));
}

}  // namespace
}  // namespace valija::record
