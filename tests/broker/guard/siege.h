// A broker under attack: a real process with a limit of descriptors, what it costs (/proc), and an honest client beside.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "tests/broker/guard/attacker.h"
#include "tests/broker/net_fixture.h"

namespace valija::test {

inline bool Long() { return std::getenv("VALIJA_LONG") != nullptr; }
inline constexpr std::uint64_t kMiB = 1 << 20;
inline constexpr std::uint64_t kMostRss = 256 * kMiB;

// Of /proc/PID/status, in bytes.
inline std::uint64_t MemoryOf(pid_t pid, const std::string& name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  std::string line;
  while (std::getline(in, line))
    if (line.starts_with(name + ":")) return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
  return 0;
}
// User and system time so far.
inline milliseconds CpuOf(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string all((std::istreambuf_iterator<char>(in)), {});
  std::istringstream rest(all.substr(all.rfind(')') + 2));
  std::string skip;
  for (int i = 0; i < 11; ++i) rest >> skip;
  long user = 0, system = 0;
  rest >> user >> system;
  return milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}
inline std::size_t DescriptorsOf(pid_t pid) {
  std::error_code error;
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& one :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error))
    ++count;
  return count;
}

// One honest member who goes on asking while it lives: nothing it asks may fail.
class Beside {
 public:
  explicit Beside(const std::shared_ptr<grpc::Channel>& channel) : stub_(v1::Exchange::NewStub(channel)) {
    Ask();  // connected before the attack begins
    thread_ = std::thread([this] {
      while (!stop_) {
        Ask();
        std::this_thread::sleep_for(milliseconds(20));
      }
    });
  }
  ~Beside() { End(); }
  void End() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  unsigned answered() const { return answered_; }
  std::string failure() const { return failure_; }  // after End; empty: none
  milliseconds slowest() const { return slowest_; }

 private:
  void Ask() {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    v1::View view;
    const auto begun = Clock::now();
    const auto status = stub_->GetCheckpoint(&context, v1::CheckpointRequest(), &view);
    slowest_ = std::max(slowest_, std::chrono::duration_cast<milliseconds>(Clock::now() - begun));
    if (status.ok())
      ++answered_;
    else if (failure_.empty())
      failure_ = status.error_message() + " [" + std::to_string(status.error_code()) + "]";
  }
  std::unique_ptr<v1::Exchange::Stub> stub_;
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> answered_{0};
  std::string failure_;
  milliseconds slowest_{0};
  std::thread thread_;
};

// One broker for all tests, with no more descriptors than the least that it takes.
inline LiveWorld& BesiegedWorld() {
  static LiveWorld world;
  static const bool started = [] {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const rlimit all{files.rlim_max, files.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &all);
    world.Wrap({"/usr/bin/prlimit", "--nofile=1024:1024"});
    world.Start();
    return true;
  }();
  (void)started;
  return world;
}

class Siege : public testing::Test {
 protected:
  LiveWorld& world_ = BesiegedWorld();

  void SetUp() override {
    pid_ = world_.broker();
    ASSERT_GT(pid_, 0);
    std::ofstream("/proc/" + std::to_string(pid_) + "/clear_refs") << "5";  // the peak begins anew
    rss_ = MemoryOf(pid_, "VmRSS");
    ASSERT_GT(rss_, 0u);
    log_from_ = Log().size();
    beside_ = std::make_unique<Beside>(Honest());
  }
  void TearDown() override {
    beside_->End();
    EXPECT_EQ(beside_->failure(), "") << "an honest client beside the attack";
    EXPECT_GT(beside_->answered(), 0u);
    EXPECT_EQ(::kill(pid_, 0), 0) << "the broker is gone";
    // Who comes now, from the attacker's own machine too, is served.
    EXPECT_TRUE(Serves());
    const auto peak = MemoryOf(pid_, "VmHWM");
    EXPECT_LT(peak, kMostRss);
    if (std::getenv("SIEGE_LOG") != nullptr) std::cout << Log().substr(log_from_);
    std::cout << "[ figures  ] peak RSS " << peak / kMiB << " MiB (before " << rss_ / kMiB
              << "), beside: " << beside_->answered() << " calls, slowest " << beside_->slowest().count() << " ms\n";
  }

  static Identity IdentityOf(const std::string& member) {
    const auto peer = BesiegedWorld().Connect(member);
    return {peer.profile->CertificatePem().value(), LiveWorld::KeyPem(*peer.keys)};
  }
  static const Identity& Omar() {
    static const Identity omar = IdentityOf("mx.fgr/omar");
    return omar;
  }
  std::shared_ptr<grpc::Channel> Honest() {
    static const Identity karen = IdentityOf("us.dea/karen");
    return world_.Channel(karen.certificate, karen.key);
  }
  // A new connection of an honest client is served.
  bool Serves() {
    auto stub = v1::Exchange::NewStub(Honest());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    context.set_wait_for_ready(true);
    v1::View view;
    return stub->GetCheckpoint(&context, v1::CheckpointRequest(), &view).ok();
  }
  // With omar's certificate, opened as an honest client opens.
  std::unique_ptr<Attacker> Opened() {
    auto out = std::make_unique<Attacker>(world_.port(), Omar());
    EXPECT_TRUE(out->Open());
    return out;
  }
  // These bytes end the connection, for this reason.
  void ExpectCut(const std::string& bytes, const std::string& why) {
    auto attacker = Opened();
    (void)attacker->Send(bytes);
    EXPECT_TRUE(attacker->Ends()) << why;
    EXPECT_TRUE(LoggedSince(why)) << Log().substr(log_from_);
  }
  // These are answered somehow, or end the connection; and whatever they do, the broker goes on.
  void ExpectSurvives(const std::string& bytes) {
    auto attacker = Opened();
    if (attacker->Send(bytes)) (void)attacker->Answers();
    EXPECT_TRUE(Serves());
  }
  std::string Log() const { return io::ReadText(world_.root() / "broker/operations.log", 1 << 28).value(); }
  // One line a second is written for each reason, and those of earlier tests count.
  bool LoggedSince(const std::string& why) const {
    for (int i = 0; i < 200; ++i) {
      if (Log().find("\"why\":\"" + why + "\"") != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  void BesideEnds() { beside_->End(); }  // where processor time is measured

  pid_t pid_ = -1;
  std::uint64_t rss_ = 0;
  std::size_t log_from_ = 0;
  std::unique_ptr<Beside> beside_;
};

}  // namespace valija::test
