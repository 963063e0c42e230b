#include "broker/release.h"

#include <gtest/gtest.h>

#include "core/record/release.h"
#include "tests/broker/support/broker_rig.h"

namespace valija::broker {
namespace {

using test::BrokerRig;

class ReleaseTest : public testing::Test {
 protected:
  BrokerRig rig_;
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(rig_.world.random);
  std::optional<Releaser> releaser_;

  void SetUp() override {
    rig_.Found();
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("mx.fgr")));
    ASSERT_TRUE(rig_.Post(rig_.world.Epoch("us.dea")));
    releaser_.emplace(rig_.world.authority, CopyOfKey());
  }
  crypto::KemPrivateKey CopyOfKey() {
    return crypto::KemPrivateKey::FromScalar(rig_.world.release_key.Scalar().view()).value();
  }
  test::SentRecord Send(const std::vector<policy::Policy>& policies) {
    auto sent = rig_.world.Record("us.dea/admin", policies);
    EXPECT_TRUE(rig_.Post(sent.statement));
    return sent;
  }
  Accepted Open(const std::vector<std::pair<Digest, std::uint32_t>>& items,
                const std::string& purpose = "investigation") {
    auto accepted = rig_.Post(rig_.world.Open("mx.fgr/admin", items, rig_.sequencer->checkpoint()->checkpoint(),
                                              reply_.public_key(), purpose));
    if (!accepted) throw std::runtime_error(accepted.error().Message());
    return *std::move(accepted);
  }
  Releaser::FindRecord Find() {
    return [this](const Digest& digest) { return rig_.sequencer->RecordEntry(digest); };
  }
  Result<std::optional<proto::Release>> Release(const Accepted& accepted) {
    return releaser_->Release(accepted, rig_.sequencer->Covers(accepted.head.index, accepted.decision).value(), Find(),
                              rig_.world.random);
  }
  Result<std::vector<crypto::Secret>> Unseal(const Accepted& accepted, const proto::Release& release,
                                             std::size_t count) {
    record::ReleaseBinding binding{accepted.head.statement, accepted.head.decision, rig_.world.authority,
                                   *AgencyId::Parse("mx.fgr"), rig_.world.people.at("mx.fgr/admin").sign.id()};
    return record::OpenRelease(binding, reply_, release.enc, release.ciphertext, count);
  }
  // The content key of a portion, as the recipient gets at it.
  Bytes Cek(const test::SentRecord& sent, std::uint32_t portion, const crypto::Secret& share) {
    const auto& record = std::get<ledger::Record>(sent.statement->payload);
    for (const auto& slip : sent.statement->attachments.slips) {
      if (slip.portion != portion || slip.agency.str() != "mx.fgr") continue;
      record::ContextCache cache;
      std::vector<crypto::Secret> shares;
      shares.push_back(share.Clone());
      auto cek = record::OpenCek(record.payload, slip, rig_.world.epoch_keys.at("mx.fgr"), shares, cache);
      return cek ? ToBytes(cek->view()) : Bytes();
    }
    return {};
  }
};

TEST_F(ReleaseTest, WhatIsReleasedOpensThePortionsThatWereAllowed) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr"), rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 1}, {sent.statement->digest, 0}});
  auto release = Release(accepted);
  ASSERT_TRUE(release) << release.error().Message();
  ASSERT_TRUE(*release);
  EXPECT_EQ((*release)->authority, rig_.world.authority);
  EXPECT_EQ((*release)->ciphertext.size(), 2 * 32u + 16);
  auto shares = Unseal(accepted, **release, 2);
  ASSERT_TRUE(shares);
  EXPECT_EQ(Cek(sent, 1, (*shares)[0]), ToBytes(sent.ceks[1].view()));
  EXPECT_EQ(Cek(sent, 0, (*shares)[1]), ToBytes(sent.ceks[0].view()));
  EXPECT_EQ(Cek(sent, 0, (*shares)[0]), Bytes());  // one portion's share does not open another
}

TEST_F(ReleaseTest, ARefusedPortionHasNoShareInTheRelease) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr", {"analysis"}), rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 0}, {sent.statement->digest, 1}});
  ASSERT_FALSE(accepted.decision.verdicts[0].allowed());
  ASSERT_TRUE(accepted.decision.verdicts[1].allowed());
  auto release = Release(accepted);
  ASSERT_TRUE(release && *release);
  auto shares = Unseal(accepted, **release, 1);
  ASSERT_TRUE(shares);
  EXPECT_EQ(Cek(sent, 1, (*shares)[0]), ToBytes(sent.ceks[1].view()));
}

TEST_F(ReleaseTest, NothingIsReleasedWhereNothingIsAllowed) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 0}}, "analysis");
  auto release = Release(accepted);
  ASSERT_TRUE(release);
  EXPECT_FALSE(*release);
}

TEST_F(ReleaseTest, PortionsOfSeveralRecordsComeInOneReleaseInOrderOfTheRequest) {
  auto one = Send({rig_.world.PolicyFor("mx.fgr")}), two = Send({rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{two.statement->digest, 0}, {one.statement->digest, 0}});
  auto release = Release(accepted);
  ASSERT_TRUE(release && *release);
  auto shares = Unseal(accepted, **release, 2);
  ASSERT_TRUE(shares);
  EXPECT_EQ(Cek(two, 0, (*shares)[0]), ToBytes(two.ceks[0].view()));
  EXPECT_EQ(Cek(one, 0, (*shares)[1]), ToBytes(one.ceks[0].view()));
}

TEST_F(ReleaseTest, AReleaseIsBoundToItsRequestAndDecision) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr")});
  auto first = Open({{sent.statement->digest, 0}}), second = Open({{sent.statement->digest, 0}});
  auto release = Release(first);
  ASSERT_TRUE(release && *release);
  EXPECT_TRUE(Unseal(first, **release, 1));
  EXPECT_EQ(Unseal(second, **release, 1).error().reason, Reason::kWrongRelease);
}

TEST_F(ReleaseTest, NothingIsReleasedBeforeTheEntryIsDurable) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 0}});
  accepted.head.index = accepted.durable.size();
  EXPECT_THROW((void)Release(accepted), std::logic_error);
}

TEST_F(ReleaseTest, NothingIsReleasedUnderAnotherRequestsDecision) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr"), rig_.world.PolicyFor("mx.fgr", {"analysis"})});
  auto allowed = Open({{sent.statement->digest, 0}}), refused = Open({{sent.statement->digest, 1}});
  auto spliced = refused;
  spliced.decision = allowed.decision;
  EXPECT_THROW((void)Release(spliced), std::logic_error);
  spliced = allowed;
  spliced.decision.verdicts[0].portion = 1;
  EXPECT_THROW((void)Release(spliced), std::logic_error);
  spliced.decision.verdicts.clear();
  EXPECT_THROW((void)Release(spliced), std::logic_error);
}

TEST_F(ReleaseTest, AStatementOfAnotherKindIsNotReleasedFor) {
  auto accepted = rig_.Post(rig_.world.EnrolNew("mx.fgr/ana"));
  ASSERT_TRUE(accepted);
  EXPECT_THROW((void)Release(*accepted), std::logic_error);
}

TEST_F(ReleaseTest, AnAuthorityThatTheRecordDoesNotNameReleasesNothing) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 0}});
  Releaser other(*AuthorityId::Parse("broker-2"), CopyOfKey());
  auto release = other.Release(accepted, rig_.sequencer->Covers(accepted.head.index, accepted.decision).value(), Find(),
                               rig_.world.random);
  ASSERT_TRUE(release);
  EXPECT_FALSE(*release);
}

TEST_F(ReleaseTest, OfSeveralKeysTheOneThatTheRecordNamesIsTaken) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 0}});
  std::vector<crypto::KemPrivateKey> keys;
  keys.push_back(crypto::KemPrivateKey::Generate(rig_.world.random));
  keys.push_back(CopyOfKey());
  Releaser rotated(rig_.world.authority, std::move(keys));
  EXPECT_TRUE(rotated.Has(rig_.world.release_key.id()));
  auto release = rotated.Release(accepted, rig_.sequencer->Covers(accepted.head.index, accepted.decision).value(),
                                 Find(), rig_.world.random);
  ASSERT_TRUE(release && *release);
  auto shares = Unseal(accepted, **release, 1);
  ASSERT_TRUE(shares);
  EXPECT_EQ(Cek(sent, 0, (*shares)[0]), ToBytes(sent.ceks[0].view()));
}

TEST_F(ReleaseTest, AKeyThatTheBrokerHasNotGivesNoReleaseOfAnyPortion) {
  auto sent = Send({rig_.world.PolicyFor("mx.fgr"), rig_.world.PolicyFor("mx.fgr")});
  auto accepted = Open({{sent.statement->digest, 0}, {sent.statement->digest, 1}});
  Releaser other(rig_.world.authority, crypto::KemPrivateKey::Generate(rig_.world.random));
  auto release = other.Release(accepted, rig_.sequencer->Covers(accepted.head.index, accepted.decision).value(), Find(),
                               rig_.world.random);
  ASSERT_TRUE(release) << release.error().Message();
  EXPECT_FALSE(*release);
}

TEST_F(ReleaseTest, AGrantIsOpenedUnderItsOwnHeader) {
  auto sent = Send({rig_.world.PolicyFor("us.dea"), rig_.world.PolicyFor("us.dea")});
  auto grant = rig_.world.Grant("us.dea/admin", sent, rig_.world.PolicyFor("mx.fgr"), 1);
  ASSERT_TRUE(rig_.Post(grant));
  auto accepted = Open({{grant->digest, 1}});
  auto release = Release(accepted);
  ASSERT_TRUE(release && *release);
  auto shares = Unseal(accepted, **release, 1);
  ASSERT_TRUE(shares);
  const auto& made = std::get<ledger::Grant>(grant->payload);
  record::RecordPayload as_record{made.header_bytes, made.header, made.ctx, {}};
  as_record.portions.push_back({made.wraps[0], 1, {}});
  const auto slip = std::find_if(grant->attachments.slips.begin(), grant->attachments.slips.end(),
                                 [](const auto& one) { return one.agency.str() == "mx.fgr"; });
  ASSERT_NE(slip, grant->attachments.slips.end());
  record::ContextCache cache;
  auto cek = record::OpenCek(as_record, *slip, rig_.world.epoch_keys.at("mx.fgr"), *shares, cache);
  ASSERT_TRUE(cek) << cek.error().Message();
  EXPECT_EQ(ToBytes(cek->view()), ToBytes(sent.ceks[1].view()));
}

}  // namespace
}  // namespace valija::broker
