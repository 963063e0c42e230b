// AskPassphrase on a pseudo-terminal: the test types at the one end what a person would.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <functional>

#include "core/io/file.h"

namespace valija::io {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// What AskPassphrase gave, as text for a pipe: "=the passphrase" or "!code".
std::string Asked(bool twice) {
  auto got = AskPassphrase("Passphrase: ", twice);
  return got ? "=" + ToString(got->view()) : "!" + std::string(CodeOf(got.error().reason));
}

class Terminal {
 public:
  // Runs `child` in a process with this terminal; what it returns is Answer().
  explicit Terminal(const std::function<std::string()>& child) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    child_ = ::forkpty(&master_, nullptr, nullptr, nullptr);
    if (child_ < 0) throw std::runtime_error("forkpty");
    if (child_ == 0) {
      ::close(ends[0]);
      const std::string answer = child() + "\n";
      const bool told = ::write(ends[1], answer.data(), answer.size()) == static_cast<ssize_t>(answer.size());
      for (;;) {  // until the test has looked at the terminal
        if (!told) ::_exit(1);
        ::pause();
      }
    }
    ::close(ends[1]);
    answer_ = ends[0];
  }
  Terminal(const Terminal&) = delete;
  ~Terminal() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(master_);
    ::close(answer_);
  }

  // Waits until the terminal has shown this text (after what an earlier call found); false when it takes too long.
  bool Shows(const std::string& text) {
    return Within([&] {
      Read(master_, shown_);
      const auto at = shown_.find(text, seen_);
      if (at == std::string::npos) return false;
      seen_ = at + text.size();
      return true;
    });
  }
  void Type(std::string_view keys) {
    ASSERT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  std::string Answer() {
    std::string text;
    Within([&] {
      Read(answer_, text);
      return text.find('\n') != std::string::npos;
    });
    return text.substr(0, text.find('\n'));
  }
  bool Echoes() const {
    termios now{};
    return ::tcgetattr(master_, &now) == 0 && (now.c_lflag & ECHO) != 0;
  }
  // How the child ended: the signal, or 0.
  int EndedBy() {
    int state = 0;
    if (!Within([&] { return ::waitpid(child_, &state, WNOHANG) == child_; })) return -1;
    child_ = -1;
    return WIFSIGNALED(state) ? WTERMSIG(state) : 0;
  }
  pid_t ForegroundGroup() const {
    const pid_t group = ::tcgetpgrp(master_);  // TIOCGPGRP of the master is that of the terminal
    if (group <= 1) throw std::runtime_error("no foreground group");
    return group;
  }
  pid_t child() const { return child_; }
  const std::string& shown() const { return shown_; }

 private:
  static bool Within(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }
  static void Read(int fd, std::string& into) {
    struct pollfd ready = {fd, POLLIN, 0};
    if (::poll(&ready, 1, 10) <= 0) return;
    char some[512];
    const ssize_t got = ::read(fd, some, sizeof some);
    if (got > 0) into.append(some, static_cast<std::size_t>(got));
  }
  int master_ = -1, answer_ = -1;
  pid_t child_ = -1;
  std::string shown_;
  std::size_t seen_ = 0;
};

TEST(AskPassphrase, TakesALineThatTheTerminalDoesNotShow) {
  Terminal terminal([] { return Asked(false); });
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  EXPECT_FALSE(terminal.Echoes());
  terminal.Type("correct horse\n");
  EXPECT_EQ(terminal.Answer(), "=correct horse");
  EXPECT_TRUE(terminal.Echoes());
  EXPECT_TRUE(terminal.Shows("\n"));
  EXPECT_EQ(terminal.shown().find("correct"), std::string::npos);
}

TEST(AskPassphrase, AsksTwiceForANewOne) {
  Terminal terminal([] { return Asked(true); });
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  terminal.Type("one\n");
  ASSERT_TRUE(terminal.Shows("Again, the same: "));
  EXPECT_FALSE(terminal.Echoes());
  terminal.Type("one\n");
  EXPECT_EQ(terminal.Answer(), "=one");
}

TEST(AskPassphrase, RefusesTwoThatDiffer) {
  Terminal terminal([] { return Asked(true); });
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  terminal.Type("one\n");
  ASSERT_TRUE(terminal.Shows("Again, the same: "));
  terminal.Type("two\n");
  EXPECT_EQ(terminal.Answer(), "!bad-passphrase");
}

TEST(AskPassphrase, RefusesTheEmptyOneAndTheEndOfInput) {
  for (const char* keys : {"\n", "\x04"}) {
    Terminal terminal([] { return Asked(false); });
    ASSERT_TRUE(terminal.Shows("Passphrase: "));
    terminal.Type(keys);
    EXPECT_EQ(terminal.Answer(), "!bad-passphrase");
    EXPECT_TRUE(terminal.Echoes());
  }
}

TEST(AskPassphrase, RefusesOneThatIsTooLong) {
  Terminal terminal([] { return Asked(false); });
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  terminal.Type(std::string(2000, 'x') + "\n");
  EXPECT_EQ(terminal.Answer(), "!too-large");
  EXPECT_TRUE(terminal.Echoes());
}

TEST(AskPassphrase, AnInterruptEndsTheProgramWithTheEchoBack) {
  for (auto [keys, signal] : {std::pair{"sec\x03", SIGINT}, std::pair{"sec\x1c", SIGQUIT}}) {
    Terminal terminal([] { return Asked(false); });
    ASSERT_TRUE(terminal.Shows("Passphrase: "));
    EXPECT_FALSE(terminal.Echoes());
    terminal.Type(keys);
    EXPECT_EQ(terminal.EndedBy(), signal);
    EXPECT_TRUE(terminal.Echoes());
  }
}

TEST(AskPassphrase, ASignalFromElsewhereEndsItToo) {
  for (int signal : {SIGTERM, SIGHUP}) {
    Terminal terminal([] { return Asked(false); });
    ASSERT_TRUE(terminal.Shows("Passphrase: "));
    ::kill(terminal.child(), signal);
    EXPECT_EQ(terminal.EndedBy(), signal);
    EXPECT_TRUE(terminal.Echoes());
  }
}

int handled = 0;

TEST(AskPassphrase, TheProgramsOwnHandlerIsCalledAndTheQuestionEnds) {
  Terminal terminal([] {
    ::signal(SIGINT, [](int) { ++handled; });
    const std::string answer = Asked(false);
    return answer + (handled == 1 ? " handled" : " not handled");
  });
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  terminal.Type("\x03");
  EXPECT_EQ(terminal.Answer(), "!bad-passphrase handled");
  EXPECT_TRUE(terminal.Echoes());
}

// A shell's job: stopped with Ctrl-Z the terminal echoes again, and continued the question is asked anew.
TEST(AskPassphrase, AsksAgainAfterItWasStoppedAndContinued) {
  int stopped[2];
  ASSERT_EQ(::pipe2(stopped, O_CLOEXEC), 0);
  Terminal terminal([&] {
    ::signal(SIGTTOU, SIG_IGN);  // this process plays the shell, in another process group
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) ::_exit(1);
    const pid_t job = ::fork();
    if (job == 0) {
      ::setpgid(0, 0);
      ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
      ::signal(SIGTTOU, SIG_DFL);
      const std::string answer = Asked(false);
      ::_exit(::write(ends[1], answer.data(), answer.size()) > 0 ? 0 : 1);
    }
    int state = 0;
    if (::waitpid(job, &state, WUNTRACED) != job || !WIFSTOPPED(state)) return std::string("not stopped");
    if (::write(stopped[1], "s", 1) != 1) ::_exit(1);
    while (::waitpid(job, &state, WCONTINUED) == job && WIFCONTINUED(state)) {
    }
    char text[100];
    const ssize_t got = ::read(ends[0], text, sizeof text);
    return std::string(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  });
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  terminal.Type("half\x1a");
  char told = 0;
  struct pollfd ready = {stopped[0], POLLIN, 0};
  ASSERT_EQ(::poll(&ready, 1, 20'000), 1);
  ASSERT_EQ(::read(stopped[0], &told, 1), 1);
  EXPECT_TRUE(terminal.Echoes());
  ::kill(-terminal.ForegroundGroup(), SIGCONT);
  ASSERT_TRUE(terminal.Shows("Passphrase: "));
  EXPECT_FALSE(terminal.Echoes());
  terminal.Type("whole\n");
  EXPECT_EQ(terminal.Answer(), "=whole");
  EXPECT_TRUE(terminal.Echoes());
  ::close(stopped[0]);
  ::close(stopped[1]);
}

TEST(AskPassphrase, RefusesWhereThereIsNoTerminal) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();  // no controlling terminal any more
    const std::string answer = Asked(false);
    ::_exit(::write(ends[1], answer.data(), answer.size()) > 0 ? 0 : 1);
  }
  ::close(ends[1]);
  char text[100] = {};
  EXPECT_GT(::read(ends[0], text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "!usage");
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace valija::io
