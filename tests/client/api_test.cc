// The library's own interface, where it needs no broker: profiles, charters, policies.
#include "client/valija.h"

#include <gmock/gmock.h>

#include "tests/client/world.h"

namespace valija {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ApiTest : public ::testing::Test, public test::ClientWorld {
 protected:
  SessionOptions Options(const std::filesystem::path& profile) {
    test::WriteText(folder / "passphrase", test::kPassphrase);
    std::filesystem::permissions(folder / "passphrase", std::filesystem::perms::owner_read);
    return {.profile = profile, .passphrase_file = folder / "passphrase"};
  }
  std::filesystem::path Charter() {
    test::WriteText(folder / "charter", AsText(proto::EncodeEnvelope(begun.charter_envelope)));
    return folder / "charter";
  }
};

TEST_F(ApiTest, MakesAProfileAndJoins) {
  const auto options = Options(folder / "profile");
  EXPECT_EQ(Session::Init(options, "ana").failure().code, "usage");
  const auto made = Session::Init(options, "us.dea/rosa");
  ASSERT_TRUE(made) << made.failure().message;
  EXPECT_TRUE(std::filesystem::exists(made->request));
  EXPECT_TRUE(std::filesystem::exists(made->card));
  EXPECT_EQ(Session::Init(options, "us.dea/rosa").failure().code, "exists");
  EXPECT_EQ(Session::Open(options).failure().code, "not-ready");
  const auto keys = client::Profile::Open(options.profile).value().Unlock(test::Words(test::kPassphrase)).value();
  test::WriteText(folder / "certificate", begun.cas.at("us.dea").Issue("us.dea", "us.dea/rosa", keys.authentication));
  const auto digest = begun.charter_digest.Hex();
  auto join = [&](const std::string& with) {
    return Session::Join(options, Charter(), with, test::kAddress, folder / "certificate");
  };
  EXPECT_EQ(join("abc").failure().code, "usage");
  EXPECT_EQ(join(std::string(64, 'a')).failure().code, "bad-signature");
  EXPECT_TRUE(join(digest));
  EXPECT_TRUE(client::Profile::Open(options.profile).value().joined());
}

TEST_F(ApiTest, ShowsAndSignsACharter) {
  const auto shown = Session::ShowCharter(Charter());
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->digest, begun.charter_digest.Hex());
  EXPECT_TRUE(shown->complete);
  EXPECT_EQ(shown->signatures, 3u);
  EXPECT_THAT(shown->terms, HasSubstr("Agency us.dea"));
  test::WriteText(folder / "unsigned", AsText(begun.charter_envelope.payload));
  const auto once = Session::SignCharter(Options(ProfileOf("us.dea/admin")), folder / "unsigned");
  ASSERT_TRUE(once) << once.failure().message;
  EXPECT_EQ(once->signatures, 1u);
  EXPECT_FALSE(once->complete);
  EXPECT_EQ(once->digest, begun.charter_digest.Hex());
  EXPECT_EQ(Session::ShowCharter(folder / "unsigned")->signatures, 1u);
  EXPECT_FALSE(Session::SignCharter(Options(ProfileOf("us.dea/ana")), folder / "unsigned"));
  EXPECT_FALSE(Session::ShowCharter(folder / "nothing"));
  EXPECT_FALSE(Session::DraftCharter(folder / "nothing", folder / "out"));
}

TEST_F(ApiTest, ChecksAPolicy) {
  const auto good = Session::CheckPolicy(PolicyFor("agency mx.fgr"));
  EXPECT_THAT(good.errors, IsEmpty());
  EXPECT_THAT(good.canonical, HasSubstr("TLP:AMBER"));
  const auto bad = Session::CheckPolicy("marking purple\nreleasable-to agency mx.fgr\n");
  EXPECT_THAT(bad.canonical, IsEmpty());
  ASSERT_FALSE(bad.errors.empty());
  EXPECT_EQ(bad.errors.front().first, 1);
}

}  // namespace
}  // namespace valija
