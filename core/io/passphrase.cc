#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/io/descriptor.h"
#include "core/io/file.h"

namespace valija::io {
namespace {

using crypto::Secret;

constexpr std::size_t kMaxPassphrase = 1024;
constexpr int kSignals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

volatile sig_atomic_t caught = 0;
extern "C" void Catch(int signal) { caught = signal; }

// While it lives the signals are noted and not acted upon, so that the terminal is put right first.
class SignalsNoted {
 public:
  SignalsNoted() {
    caught = 0;
    struct sigaction note {};
    note.sa_handler = Catch;  // no SA_RESTART: poll() and read() return
    for (std::size_t i = 0; i < before_.size(); ++i) {
      ::sigaction(kSignals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &note, nullptr);
    }
  }
  SignalsNoted(const SignalsNoted&) = delete;
  ~SignalsNoted() {
    for (std::size_t i = 0; i < before_.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }

 private:
  std::array<struct sigaction, std::size(kSignals)> before_{};
};

class EchoOff {
 public:
  explicit EchoOff(int tty) : tty_(tty) {
    if (::tcgetattr(tty_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    quiet.c_lflag |= ICANON | ISIG;
    off_ = ::tcsetattr(tty_, TCSAFLUSH, &quiet) == 0;
  }
  EchoOff(const EchoOff&) = delete;
  ~EchoOff() {
    while (off_ && ::tcsetattr(tty_, TCSAFLUSH, &before_) != 0 && errno == EINTR) {
    }
  }
  bool off() const { return off_; }

 private:
  int tty_;
  termios before_{};
  bool off_ = false;
};

void Say(int tty, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(tty, text.data(), text.size());
    if (put <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

Error NoTerminal() { return Refuse(Reason::kUsage, "no terminal to ask for the passphrase; give a passphrase file"); }

// One line of the terminal, in wiped memory. Ends early, with an error, once a signal was caught.
Result<Secret> ReadLine(int tty) {
  Secret line(kMaxPassphrase + 1);
  std::size_t size = 0;
  for (;;) {
    // A short wait, and then a look: a signal that came just before poll(), or to another thread, must not be missed.
    struct pollfd ready = {tty, POLLIN, 0};
    const int polled = ::poll(&ready, 1, 100);
    if (caught != 0) return Refuse(Reason::kBadPassphrase, "interrupted");
    if (polled == 0 || (polled < 0 && errno == EINTR)) continue;
    if (polled < 0) return NoTerminal();
    const ssize_t got = ::read(tty, line.mutable_view().data() + size, line.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Refuse(Reason::kBadPassphrase, "no passphrase was typed");  // end of file, terminal gone
    size += static_cast<std::size_t>(got);
    if (line.view()[size - 1] == '\n') return Secret::CopyOf(line.view().first(size - 1));
    if (size == line.size()) return Refuse(Reason::kTooLarge, "the passphrase is too long");
  }
}

Result<Secret> AskOnce(int tty, const std::string& prompt) {
  for (;;) {
    Result<Secret> line = NoTerminal();
    {
      SignalsNoted noted;
      EchoOff echo(tty);
      if (!echo.off() && caught == 0) return line;
      Say(tty, prompt);
      line = ReadLine(tty);
      Say(tty, "\n");
    }
    const int signal = caught;
    if (signal == 0) return line;
    ::raise(signal);  // now that the terminal is as it was; most end the program here
    if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return line;
  }
}

Error Empty() { return Refuse(Reason::kBadPassphrase, "an empty passphrase is not taken"); }

}  // namespace

Result<Secret> AskPassphrase(const std::string& prompt, bool twice, const std::string& again_prompt) {
  Descriptor tty(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (tty.get() < 0) return NoTerminal();
  TRY(auto passphrase, AskOnce(tty.get(), prompt));
  if (passphrase.empty()) return Empty();
  if (twice) {
    TRY(auto again, AskOnce(tty.get(), again_prompt));
    if (!passphrase.EqualTo(again)) return Refuse(Reason::kBadPassphrase, "the two are not the same");
  }
  return passphrase;
}

Result<Secret> ReadPassphraseFile(const fs::path& path) {
  TRY(auto content, ReadPrivateFile(path, 64 << 10));
  ByteView line = content.view();
  line = line.first(static_cast<std::size_t>(std::find(line.begin(), line.end(), '\n') - line.begin()));
  if (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
  if (line.empty()) return Empty();
  return Secret::CopyOf(line);
}

}  // namespace valija::io
