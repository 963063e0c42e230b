// The guard proves itself at each start, and a broker whose guard sees nothing does not serve.
#include "broker/guard/self_test.h"

#include "tests/broker/guard/siege.h"

namespace valija::test {
namespace {

TEST(GuardSelfTest, ProvesEachLimitInThisProcess) {
  ::signal(SIGPIPE, SIG_IGN);
  ASSERT_TRUE(crypto::RequireTls13());
  const auto proved = broker::guard::ProveGuard(broker::guard::Limits());
  EXPECT_TRUE(proved) << proved.error().detail;
}

TEST(GuardSelfTest, ABrokerWhoseGuardSeesNoFramesDoesNotServe) {
  auto& world = BesiegedWorld();
  EXPECT_EQ(world.Stop(), 0);
  // As if gRPC's library did not come by the guard: no connection is found to be one of its own.
  world.Wrap({"/usr/bin/env", "LD_PRELOAD=" VALIJA_BLIND});
  std::string why;
  try {
    world.Start();
  } catch (const std::runtime_error& error) {
    why = error.what();
  }
  EXPECT_NE(why.find("connection guard self-test: not closed: resets"), std::string::npos) << why;
  EXPECT_NE(why.find("[internal]"), std::string::npos) << why;
  world.Kill();
  world.Wrap({});
  world.Start();
}

}  // namespace
}  // namespace valija::test
