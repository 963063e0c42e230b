// The script that checks a log with nothing of ours, where the openssl it finds cannot check the signature.
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "tests/broker/support/temp_folder.h"
#include "tests/core/log/static_log.h"

namespace valija::test {
namespace {

using log::test::StaticLog;

class VerifyLogTest : public ::testing::Test {
 protected:
  VerifyLogTest() {
    log_.Grow(300);
    server_.Get("/(.*)", [this](const httplib::Request& request, httplib::Response& response) {
      const std::string path = request.matches[1];
      if (path == "checkpoint") return response.set_content(log_.Note(), "text/plain");
      const auto file = log_.Fetch(path, ~std::size_t{0});
      if (file)
        response.set_content(std::string(AsText(*file)), "application/octet-stream");
      else
        response.status = 404;
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~VerifyLogTest() override {
    server_.stop();
    thread_.join();
  }
  // With this folder's programs before all others; exit status.
  int Run(const std::string& programs, const log::NoteVerifier& key) {
    const auto command = "PATH=" + programs + ":$PATH python3 " + std::string(VALIJA_SOURCE_DIR) +
                         "/docs/verify_log.py http://127.0.0.1:" + std::to_string(port_) + " '" + key.Text() + "' 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return -1;
    output_.clear();
    char part[4096];
    while (const auto length = std::fread(part, 1, sizeof part, pipe)) output_.append(part, length);
    const int status = ::pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  StaticLog log_;
  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
  std::string output_;
};

TEST_F(VerifyLogTest, AnOpensslThatIsTooOldIsNoProofOfAForgery) {
  TempFolder programs;
  const auto other = log::NoteVerifier::Make("log.example", log::test::KeyNamed("another").verify_key()).value();
  if (Run(programs.path().string(), StaticLog::Key()) == 0)  // where there is an openssl of today
    EXPECT_EQ(Run(programs.path().string(), other), 1) << output_;
  std::ofstream(programs / "openssl") << "#!/bin/sh\necho 'pkeyutl: Unrecognized flag rawin' >&2\nexit 1\n";
  std::filesystem::permissions(programs / "openssl", std::filesystem::perms::owner_all);
  EXPECT_EQ(Run(programs.path().string(), StaticLog::Key()), 3) << output_;
  EXPECT_NE(output_.find("too old"), std::string::npos) << output_;
  EXPECT_NE(output_.find("300 entries under root"), std::string::npos) << output_;
}

}  // namespace
}  // namespace valija::test
