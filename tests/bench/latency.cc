#include "tests/bench/latency.h"

#include <fcntl.h>
#include <httplib.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace valija::bench {
namespace {

template <class F>
std::vector<double> Times(double seconds, F once) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point then) { return std::chrono::duration<double>(Clock::now() - then).count(); };
  std::vector<double> out;
  for (const auto began = Clock::now(); since(began) < seconds;) {
    const auto start = Clock::now();
    once();
    out.push_back(since(start));
  }
  return out;
}

}  // namespace

std::vector<double> BareSyncs(const std::filesystem::path& folder, std::size_t bytes, double seconds) {
  const auto path = folder / "bare-sync";
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot write in " + folder.string());
  const std::string block(bytes, 'x');
  auto out = Times(seconds, [&] {
    if (::write(fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()) || ::fdatasync(fd) != 0)
      throw std::runtime_error("cannot write or sync in " + folder.string());
  });
  ::close(fd);
  std::filesystem::remove(path);
  return out;
}

std::vector<double> BareRoundTrips(int port, const std::string& path, double seconds) {
  httplib::Client client("127.0.0.1", port);
  client.set_keep_alive(true);
  client.set_tcp_nodelay(true);
  return Times(seconds, [&] {
    const auto answer = client.Get(path);
    if (!answer || answer->status != 200) throw std::runtime_error("the witness does not answer " + path);
  });
}

}  // namespace valija::bench
