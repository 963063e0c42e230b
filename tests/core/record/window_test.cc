#include "core/record/window.h"

#include <thread>

#include "tests/core/record/support.h"

namespace valija::record {
namespace {

using namespace valija::test;

const Time kStart = FromMillis(1'700'000'000'000);

class WindowTest : public ::testing::Test {
 protected:
  Window Make() { return Window(Member("co.fgn/avega"), KeyId{}, kStart, random_); }
  Header HeaderOf(const Window& window) {
    return BareHeader(window.originator(), window.signing_key_id(), window.id());
  }
  static std::string Exported(const crypto::HpkeContext& context) { return HexOf(context.Export(Hash{}, 32)); }
  FixedRandom random_{"window"};
  crypto::KemPrivateKey key_ = crypto::KemPrivateKey::Generate(random_);
  crypto::KemPrivateKey other_ = crypto::KemPrivateKey::Generate(random_);
};

TEST_F(WindowTest, HasOneContextPerRoleRecipientAndKey) {
  Window window = Make();
  const ShareContext& first = window.Agency(Agency("us.dea"), key_.public_key(), random_);
  EXPECT_EQ(&first, &window.Agency(Agency("us.dea"), key_.public_key(), random_));
  EXPECT_EQ(&first, window.Find(Role::kAgency, "us.dea", key_.id()));
  EXPECT_EQ(first.enc_hash, crypto::Sha256(first.enc));
  EXPECT_NE(first.enc, window.Agency(Agency("us.fbi"), key_.public_key(), random_).enc);
  EXPECT_NE(first.enc, window.Agency(Agency("us.dea"), other_.public_key(), random_).enc);
  EXPECT_NE(first.enc, window.Authority(Authority("us.dea"), key_.public_key(), random_).enc);
  EXPECT_EQ(window.Find(Role::kRelease, "mx.fgr", key_.id()), nullptr);
  EXPECT_NE(window.id(), Make().id());
}

TEST_F(WindowTest, EndsAfterFifteenMinutesAndIsWiped) {
  Window window = Make();
  window.Agency(Agency("us.dea"), key_.public_key(), random_);
  EXPECT_TRUE(window.Begin(kStart));
  EXPECT_TRUE(window.Begin(kStart + std::chrono::minutes(15) - Duration(1)));
  EXPECT_TRUE(RefusedFor(window.Begin(kStart + std::chrono::minutes(15)), Reason::kTooMany));
  EXPECT_EQ(window.Find(Role::kAgency, "us.dea", key_.id()), nullptr);
  EXPECT_TRUE(RefusedFor(window.Begin(kStart), Reason::kTooMany));  // and stays so
  EXPECT_THROW(window.Agency(Agency("us.dea"), key_.public_key(), random_), std::logic_error);
}

TEST_F(WindowTest, EndsAfter65536Records) {
  Window window = Make();
  for (std::uint32_t i = 0; i < 65536; ++i) ASSERT_TRUE(window.Begin(kStart)) << i;
  EXPECT_TRUE(RefusedFor(window.Begin(kStart), Reason::kTooMany));
}

TEST_F(WindowTest, EndsWhenTheClockGoesBackBeforeItsMaking) {
  Window window = Make();
  EXPECT_TRUE(RefusedFor(window.Begin(kStart - Duration(1)), Reason::kTooMany));
}

TEST_F(WindowTest, GivesBothSidesTheSameContext) {
  Window window = Make();
  const ShareContext& sent = window.Agency(Agency("us.dea"), key_.public_key(), random_);
  auto received = ReceiverContext(HeaderOf(window), Role::kAgency, "us.dea", key_, sent.enc);
  ASSERT_TRUE(received);
  EXPECT_EQ(Exported(sent.context), Exported(*received));
}

TEST_F(WindowTest, GivesAnotherContextForAnyOtherHeaderRoleNameOrKey) {
  Window window = Make();
  const ShareContext& sent = window.Agency(Agency("us.dea"), key_.public_key(), random_);
  const std::string right = Exported(sent.context);
  auto exported = [&](const Header& header, Role role, std::string_view name, const crypto::KemPrivateKey& key) {
    return Exported(ReceiverContext(header, role, name, key, sent.enc).value());
  };
  Header header = HeaderOf(window);
  EXPECT_NE(right, exported(header, Role::kRelease, "us.dea", key_));
  EXPECT_NE(right, exported(header, Role::kAgency, "us.fbi", key_));
  EXPECT_NE(right, exported(header, Role::kAgency, "us.dea", other_));
  header.originator = Member("co.fgn/other");
  EXPECT_NE(right, exported(header, Role::kAgency, "us.dea", key_));
  header = HeaderOf(window);
  header.signing_key_id.bytes[0] ^= 1;
  EXPECT_NE(right, exported(header, Role::kAgency, "us.dea", key_));
  header = HeaderOf(window);
  header.window_id.bytes[0] ^= 1;
  EXPECT_NE(right, exported(header, Role::kAgency, "us.dea", key_));
}

TEST_F(WindowTest, RefusesAnotherSuiteAndAnEncThatIsNoPoint) {
  Window window = Make();
  Point enc = window.Agency(Agency("us.dea"), key_.public_key(), random_).enc;
  ContextCache cache;
  Header header = HeaderOf(window);
  header.suite = 2;
  EXPECT_TRUE(RefusedFor(ReceiverContext(header, Role::kAgency, "us.dea", key_, enc), Reason::kUnknownSuite));
  EXPECT_TRUE(RefusedFor(cache.Get(header, Role::kAgency, "us.dea", key_, enc), Reason::kUnknownSuite));
  header.suite = kSuite;
  enc.bytes[64] ^= 1;
  EXPECT_TRUE(RefusedFor(ReceiverContext(header, Role::kAgency, "us.dea", key_, enc), Reason::kBadKey));
  EXPECT_TRUE(RefusedFor(cache.Get(header, Role::kAgency, "us.dea", key_, enc), Reason::kBadKey));
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(WindowTest, CacheKeepsContextsByInfoAndEnc) {
  Window window = Make();
  Window elsewhere(Member("mx.fgr/other"), KeyId{}, kStart, random_);
  const Point enc = window.Agency(Agency("us.dea"), key_.public_key(), random_).enc;
  ContextCache cache;
  auto first = cache.Get(HeaderOf(window), Role::kAgency, "us.dea", key_, enc).value();
  EXPECT_EQ(first, cache.Get(HeaderOf(window), Role::kAgency, "us.dea", key_, enc).value());
  // The same enc under the header of another originator, and another enc under the same header.
  auto spliced = cache.Get(HeaderOf(elsewhere), Role::kAgency, "us.dea", key_, enc).value();
  EXPECT_NE(Exported(*first), Exported(*spliced));
  const Point other_enc = elsewhere.Agency(Agency("us.dea"), key_.public_key(), random_).enc;
  auto swapped = cache.Get(HeaderOf(window), Role::kAgency, "us.dea", key_, other_enc).value();
  EXPECT_NE(Exported(*first), Exported(*swapped));
  EXPECT_EQ(cache.size(), 3U);
}

TEST_F(WindowTest, CacheIsBoundedAndDropsTheLeastRecentlyUsed) {
  Window window = Make();
  ContextCache cache(2);
  auto get = [&](std::string_view agency) {
    const Point enc = window.Agency(Agency(agency), key_.public_key(), random_).enc;
    return cache.Get(HeaderOf(window), Role::kAgency, agency, key_, enc).value();
  };
  auto a = get("us.a"), b = get("us.b");
  EXPECT_EQ(a, get("us.a"));  // now b is the oldest
  get("us.c");
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(a, get("us.a"));
  EXPECT_NE(b, get("us.b"));
  EXPECT_EQ(cache.size(), 2U);
}

TEST_F(WindowTest, CacheServesSeveralThreads) {
  Window window = Make();
  std::vector<std::string> agencies = {"us.a", "us.b", "us.c", "us.d"};
  std::vector<std::string> right;
  for (const auto& agency : agencies) {
    right.push_back(Exported(window.Agency(Agency(agency), key_.public_key(), random_).context));
  }
  ContextCache cache(3);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 200; ++i) {
        const std::string& agency = agencies[(i + t) % agencies.size()];
        const ShareContext* sent = window.Find(Role::kAgency, agency, key_.id());
        auto context = cache.Get(HeaderOf(window), Role::kAgency, agency, key_, sent->enc);
        if (!context || Exported(**context) != right[(i + t) % agencies.size()]) ++wrong[t];
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(wrong, ::testing::Each(0));
  EXPECT_LE(cache.size(), 3U);
}

}  // namespace
}  // namespace valija::record
