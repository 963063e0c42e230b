// A disk that is full, fails, does half of it or is interrupted, under a real broker: nothing is acknowledged that is not
// there, after the first fault nothing is taken, and a restart finds all that was acknowledged. Abuse tests 39 to 41 and 47
// of docs/hardening.md.
#include <filesystem>
#include <iostream>

#include "core/crypto/dsse.h"
#include "tests/e2e/live_world.h"

namespace valija::test {
namespace {

constexpr char kPolicy[] =
    "marking TLP:GREEN\nreleasable-to agency us.dea\npurpose analysis\ncase optional\nexpires 2036-01-01\n";

LiveWorld& FaultyWorld() {
  static LiveWorld world;
  static const bool wrapped = [] {
    const auto root = world.root().string();
    world.Wrap({"/usr/bin/env", "LD_PRELOAD=" VALIJA_FAULTY, "VALIJA_FAULTY_FOLDER=" + root + "/broker/data",
                "VALIJA_FAULTY_ORDER=" + root + "/order", "VALIJA_FAULTY_COUNT=" + root + "/count"});
    return true;
  }();
  (void)wrapped;
  return world;
}

class DiskFault : public testing::Test {
 protected:
  LiveWorld& world_ = FaultyWorld();
  std::vector<Digest> acknowledged_;

  void SetUp() override {
    Order("");
    if (world_.broker() <= 0) world_.Start();
  }
  void TearDown() override {
    Order("");
    world_.Kill();
  }
  void Order(const std::string& what) const {
    const auto path = world_.root() / "order";
    std::filesystem::remove(world_.root() / "count");
    std::filesystem::remove(path);
    if (what.empty()) return;
    std::ofstream(world_.root() / "order.new") << what;
    std::filesystem::rename(world_.root() / "order.new", path);
  }
  // "" if it was acknowledged, else why not.
  std::string Post(const Peer& peer) {
    const auto submissions = peer.Sealer(kPolicy, {"us.dea"}).Seal(1, 20'000, true);
    const auto answer = peer.transport->Post(submissions, 0);
    if (!answer) return std::string(CodeOf(answer.error().reason));
    const auto& outcome = answer->outcomes.at(0);
    if (!outcome) return std::string(CodeOf(outcome.error().reason));
    const auto& envelope = submissions[0].envelope;
    acknowledged_.push_back(crypto::DigestOf(envelope.payload_type, envelope.payload));
    return "";
  }
  void ExpectAllThere() {
    const auto omar = world_.Connect("mx.fgr/omar");
    for (const auto& digest : acknowledged_) EXPECT_TRUE(omar.transport->Receipt(digest, 0)) << digest.Hex();
    EXPECT_EQ(Post(omar), "");
  }
  std::uintmax_t Happened() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(world_.root() / "count", error);
    return error ? 0 : size;
  }
};

TEST_F(DiskFault, AfterTheFirstWriteOrSyncThatFailsNothingIsTakenUntilARestart) {
  for (const char* fault : {"write ENOSPC", "write EIO", "sync EIO"}) {
    SCOPED_TRACE(fault);
    {
      const auto omar = world_.Connect("mx.fgr/omar");
      for (int i = 0; i < 3; ++i) ASSERT_EQ(Post(omar), "");
      Order(fault);
      const auto before = acknowledged_.size();
      EXPECT_NE(Post(omar), "");
      EXPECT_GT(Happened(), 0u) << "the fault was not felt";
      EXPECT_NE(Post(omar), "");
      Order("");
      EXPECT_NE(Post(omar), "") << "what the disk has is not known before a restart";
      EXPECT_EQ(acknowledged_.size(), before);
    }
    world_.Stop();
    world_.Start();
    ExpectAllThere();
  }
}

TEST_F(DiskFault, AReadThatFailsIsRefusedAndAnswersNothingWrong) {
  {
    const auto omar = world_.Connect("mx.fgr/omar");
    for (int i = 0; i < 3; ++i) ASSERT_EQ(Post(omar), "");
  }
  world_.Stop();
  Order("read EIO");
  EXPECT_THROW(world_.Start(), std::runtime_error) << "a store that cannot be read is not served";
  EXPECT_GT(Happened(), 0u);
  Order("");
  world_.Start();
  ExpectAllThere();
}

TEST_F(DiskFault, HalfWritesAndInterruptionsLoseNothing) {
  for (const char* fault : {"write short", "read short", "write EINTR", "read EINTR"}) {
    SCOPED_TRACE(fault);
    Order(fault);
    {
      const auto omar = world_.Connect("mx.fgr/omar");
      for (int i = 0; i < 10; ++i) ASSERT_EQ(Post(omar), "");
    }
    world_.Kill();
    world_.Start();  // it reads and writes so too
    EXPECT_GT(Happened(), 0u);
    ExpectAllThere();
    Order("");
  }
}

TEST_F(DiskFault, ARestartIsOverInSecondsAndClientsGoOn) {
  std::vector<Peer> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(world_.Connect("sender-" + std::to_string(i)));
  for (const auto& peer : peers) ASSERT_EQ(Post(peer), "");
  const auto begun = std::chrono::steady_clock::now();
  world_.Kill();
  world_.Start();
  for (const auto& peer : peers) {
    std::string refused;
    while (!(refused = Post(peer)).empty() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(refused, "");
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_LT(took, std::chrono::seconds(30));
  std::cout << "[ figures  ] all go on after " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
            << " ms\n";
  peers.clear();
  ExpectAllThere();
}

}  // namespace
}  // namespace valija::test
