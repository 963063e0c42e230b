// The mirror over HTTP, from a server that may lie, and the program around it.
#include "audit/mirror.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "core/io/file.h"
#include "tests/broker/support/temp_folder.h"
#include "tests/core/io/raw_server.h"
#include "tests/core/log/static_log.h"

namespace valija::audit {
namespace {

namespace fs = std::filesystem;
using log::test::StaticLog;

// Serves what it is pointed at, below /prefix/.
class Served {
 public:
  explicit Served(StaticLog& log) : log_(&log) {
    server_.Get("/prefix/(.*)", [this](const httplib::Request& request, httplib::Response& response) {
      const std::string path = request.matches[1];
      if (status != 0) {
        response.status = status;
        response.set_header("Location", "http://127.0.0.1/elsewhere");
        return;
      }
      if (path == "checkpoint") return response.set_content(note.empty() ? log_->Note() : note, "text/plain");
      const auto file = log_->Fetch(path, ~std::size_t{0});
      if (!file) {
        response.status = 404;
        return;
      }
      response.set_content(std::string(AsText(*file)), "application/octet-stream");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Served() {
    server_.stop();
    thread_.join();
  }
  void Show(StaticLog& log) { log_ = &log; }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/prefix"; }

  int status = 0;    // instead of everything
  std::string note;  // instead of the checkpoint

 private:
  StaticLog* log_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

Result<MirrorRun> MirrorFrom(const std::string& url, const fs::path& folder) {
  MirrorOptions options;
  options.url = url;
  options.folder = folder;
  options.keys = {StaticLog::Key()};
  return MirrorLog(options);
}

TEST(MirrorHttp, CopiesAndContinuesOverHttp) {
  test::TempFolder folder;
  StaticLog log;
  log.Grow(700);
  Served served(log);
  auto run = MirrorFrom(served.Url(), folder / "copy");
  ASSERT_TRUE(run) << run.error().Message();
  EXPECT_EQ(run->size, 700u);
  EXPECT_EQ(run->before, 0u);
  EXPECT_EQ(run->root, log.Now().root);
  EXPECT_EQ(run->origin, "log.example");
  log.Grow(1500);
  run = MirrorFrom(served.Url() + "/", folder / "copy");
  ASSERT_TRUE(run) << run.error().Message();
  EXPECT_EQ(run->before, 700u);
  for (const auto& path : StaticLog::Wanted(1500)) {
    EXPECT_EQ(io::ReadFile(folder / "copy" / path).value(), log.files.at(path)) << path;
  }
  EXPECT_EQ(io::ReadText(folder / "copy" / "checkpoint").value(), log.Note());
}

TEST(MirrorHttp, WhatIsNotServedAsALogIsUnavailable) {
  test::TempFolder folder;
  StaticLog log;
  log.Grow(3);
  Served served(log);
  for (const int status : {301, 302, 400, 404, 429, 500, 503}) {
    served.status = status;
    auto run = MirrorFrom(served.Url(), folder / "copy");
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().reason, Reason::kUnavailable) << status << run.error().Message();
  }
  served.status = 0;
  EXPECT_TRUE(MirrorFrom(served.Url(), folder / "copy"));
  EXPECT_EQ(MirrorFrom("http://127.0.0.1:1/prefix", folder / "copy").error().reason, Reason::kUnavailable);
  EXPECT_EQ(MirrorFrom(served.Url().substr(0, served.Url().rfind('/')), folder / "copy").error().reason,
            Reason::kUnavailable);
  for (const std::string url : {"", "log.example", "ftp://log.example", "http://", "file:///etc", "http://x/?a"}) {
    EXPECT_EQ(MirrorFrom(url, folder / "copy").error().reason, Reason::kUsage) << url;
  }
}

TEST(MirrorHttp, WhatIsLargerThanItCanBeIsNotReadToItsEnd) {
  test::TempFolder folder;
  StaticLog log;
  log.Grow(300);
  Served served(log);
  log.files["tile/0/000"] = Bytes(std::size_t{64} << 20, 'x');
  EXPECT_EQ(MirrorFrom(served.Url(), folder / "copy").error().reason, Reason::kBadProof);
  served.note = std::string(std::size_t{8} << 20, 'x');
  EXPECT_EQ(MirrorFrom(served.Url(), folder / "copy").error().reason, Reason::kBadProof);
  EXPECT_FALSE(fs::exists(folder / "copy" / "checkpoint"));
}

// What becomes of a mirror's run against one that sends `first` and then `again` for ever.
Error AgainstEndless(const std::string& first, const std::string& again, std::chrono::milliseconds file_time,
                     std::chrono::milliseconds run_time = std::chrono::minutes(10)) {
  test::TempFolder folder;
  test::RawServer server([&](test::RawServer::Peer& peer) {
    peer.Request();
    if (!peer.Send(first)) return;
    while (!peer.over() && peer.Send(again)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  MirrorOptions options;
  options.url = server.url();
  options.folder = folder / "copy";
  options.keys = {StaticLog::Key()};
  options.file_time = file_time;
  options.run_time = run_time;
  auto run = MirrorLog(options);
  EXPECT_FALSE(run) << first;
  return run ? Error{} : run.error();
}

TEST(MirrorHttp, NoServerKeepsItOrBringsItDown) {
  constexpr auto kLong = std::chrono::minutes(5);
  const std::string much(20'000, 'a');
  EXPECT_EQ(AgainstEndless("HTTP/1.1 200 ", much, kLong).reason, Reason::kUnavailable);
  EXPECT_EQ(AgainstEndless("HTTP/1.1 200 OK\r\nX: ", much, kLong).reason, Reason::kUnavailable);
  EXPECT_EQ(AgainstEndless("HTTP/1.1 404 No\r\n\r\n", much, kLong).reason, Reason::kUnavailable);
  EXPECT_EQ(AgainstEndless("HTTP/1.1 500 No\r\n\r\n", much, kLong).reason, Reason::kUnavailable);
  EXPECT_EQ(AgainstEndless("HTTP/1.1 200 OK\r\n\r\n", much, kLong).reason, Reason::kBadProof);
  const auto drip = AgainstEndless("HTTP/1.1 200 OK\r\n\r\n", "a", std::chrono::milliseconds(200));
  EXPECT_EQ(drip.detail, "checkpoint: no whole answer in time");
  const auto late = AgainstEndless("HTTP/1.1 200 OK\r\n\r\n", "a", kLong, std::chrono::milliseconds(200));
  EXPECT_EQ(late.detail, "the run took longer than it may; go on with another");
}

TEST(MirrorHttp, TheKeyIsAVerifierKeyOrAFileOfThem) {
  test::TempFolder folder;
  const auto key = StaticLog::Key().Text();
  EXPECT_EQ(LogKeysOf(key)->size(), 1u);
  const auto write = [&](const std::string& text) {
    EXPECT_TRUE(io::WriteFileAtomic(folder / "keys", AsBytes(text)));
    return LogKeysOf((folder / "keys").string());
  };
  EXPECT_EQ(write(key + "\n")->size(), 1u);
  const auto former = log::NoteVerifier::Make("log.example", log::test::KeyNamed("former").verify_key())->Text();
  EXPECT_EQ(write(key + "\n" + former + "\n")->size(), 2u);
  EXPECT_EQ(write(key + "\n" + log::test::LogNamed("other.example").Text() + "\n").error().reason, Reason::kBadKey);
  EXPECT_EQ(write("").error().reason, Reason::kBadKey);
  EXPECT_EQ(write("garbage\n").error().reason, Reason::kBadKey);
  EXPECT_EQ(LogKeysOf("garbage").error().reason, Reason::kBadKey);
  EXPECT_EQ(LogKeysOf(log::test::CosignerNamed("w").Text()).error().reason, Reason::kBadKey) << "a witness's";
}

TEST(MirrorHttp, WithAPolicyOnlyWhatItsQuorumCosignedLatelyIsKept) {
  test::TempFolder folder;
  StaticLog log;
  log.Grow(300);
  Served served(log);
  constexpr std::uint64_t kThen = 1'800'000'000;
  MirrorOptions options;
  options.url = served.Url();
  options.folder = folder / "copy";
  options.keys = {StaticLog::Key()};
  options.now = Time(std::chrono::seconds(kThen + 60));
  const auto line = [](const char* name) {
    return std::string("witness ") + name + " " + log::test::CosignerNamed(name).Text() + "\n";
  };
  options.policy = log::WitnessPolicy::Parse(line("mx") + line("us") + "group both all mx us\nquorum both\n").value();
  const auto shown = [&](const std::string& note) {
    served.note = note;
    const auto run = MirrorLog(options);
    return run ? Reason::kFile : run.error().reason;
  };
  using log::test::CosignedNote;
  EXPECT_EQ(shown(CosignedNote(log.Now(), {})), Reason::kBadProof);
  EXPECT_EQ(shown(CosignedNote(log.Now(), {"mx", "mx"}, kThen)), Reason::kBadProof) << "one country twice";
  EXPECT_EQ(shown(CosignedNote(log.Now(), {"mx", "stranger"}, kThen)), Reason::kBadProof);
  auto forged = CosignedNote(log.Now(), {"mx", "us"}, kThen);
  forged[forged.size() - 12] = forged[forged.size() - 12] == 'A' ? 'B' : 'A';
  EXPECT_EQ(shown(forged), Reason::kBadCheckpoint);
  EXPECT_FALSE(fs::exists(folder / "copy" / "checkpoint")) << "nothing of it is kept";
  EXPECT_EQ(shown(CosignedNote(log.Now(), {"mx", "us"}, kThen)), Reason::kFile) << "it is good";
  EXPECT_EQ(log::Note::Parse(io::ReadText(folder / "copy" / "checkpoint").value())->signatures.size(), 3u);
  options.max_age = std::chrono::seconds(60);
  EXPECT_EQ(shown(CosignedNote(log.Now(), {"mx", "us"}, kThen)), Reason::kFile);
  options.now += std::chrono::seconds(1);
  EXPECT_EQ(MirrorLog(options).error().reason, Reason::kStale);
}

// The program's exit status and what it says.
std::pair<int, std::string> Program(const std::string& words) {
  std::pair<int, std::string> out;
  FILE* pipe =
      ::popen((std::string(VALIJA_BINARY_DIR) + "/audit/valija-audit " + words + " </dev/null 2>&1").c_str(), "r");
  char block[4096];
  for (std::size_t got = 0; pipe != nullptr && (got = std::fread(block, 1, sizeof block, pipe)) > 0;)
    out.second.append(block, got);
  if (pipe != nullptr) out.first = WEXITSTATUS(::pclose(pipe));
  return out;
}

TEST(MirrorHttp, AForkEndsWithAnAlarmAndTheEvidence) {
  test::TempFolder folder;
  StaticLog log, fork(100);
  log.Grow(300);
  fork.Grow(400);
  Served served(log);
  const auto words = "--lang en mirror " + served.Url() + " " + (folder / "copy").string() + " --vkey '" +
                     StaticLog::Key().Text() + "'";
  auto ran = Program(words);
  EXPECT_EQ(ran.first, 0) << ran.second;
  const auto old_note = log.Note();
  served.Show(fork);
  ran = Program(words);
  EXPECT_EQ(ran.first, ExitStatus(Reason::kFork)) << ran.second;
  EXPECT_EQ(ran.first, 5);
  EXPECT_NE(ran.second.find("[fork]"), std::string::npos) << ran.second;
  const auto evidence = io::ReadText(folder / "copy" / "FORK").value();
  EXPECT_NE(evidence.find(old_note), std::string::npos);
  EXPECT_NE(evidence.find(fork.Note()), std::string::npos);
  served.Show(log);
  log.Grow(301);
  EXPECT_EQ(Program(words).first, 5) << "until a person acts";
  fs::remove(folder / "copy" / "FORK");
  EXPECT_EQ(Program(words + " --json").first, 0);
  served.status = 503;
  EXPECT_EQ(Program(words).first, 4);
  EXPECT_EQ(Program("mirror http://x " + (folder / "copy").string() + " --vkey garbage").first, 2);
  EXPECT_EQ(Program("mirror http://x").first, 2);
}

}  // namespace
}  // namespace valija::audit
