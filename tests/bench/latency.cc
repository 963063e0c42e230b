#include "tests/bench/latency.h"

#include <fcntl.h>
#include <httplib.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <stdexcept>
#include <thread>

namespace valija::bench {
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

std::vector<double> SyncsInPlace(const std::filesystem::path& folder, std::size_t bytes, int files, double seconds) {
  const std::string block(bytes, 'x');
  std::barrier<> turn(files + 1);
  bool over = false;
  std::atomic<bool> failed = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < files; ++i)
    threads.emplace_back([&, i] {
      const auto path = folder / ("in-place-" + std::to_string(i));
      const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
      const auto write = [&] {
        return ::pwrite(fd, block.data(), block.size(), 0) == static_cast<ssize_t>(block.size()) &&
               ::fdatasync(fd) == 0;
      };
      if (!write()) failed = true;
      for (turn.arrive_and_wait(); !over; turn.arrive_and_wait()) {
        if (!write()) failed = true;
        turn.arrive_and_wait();
      }
      ::close(fd);
      std::filesystem::remove(path);
    });
  auto out = Times(seconds, [&] {
    turn.arrive_and_wait();
    turn.arrive_and_wait();
  });
  over = true;
  turn.arrive_and_wait();
  for (auto& thread : threads) thread.join();
  if (failed) throw std::runtime_error("cannot write or sync in " + folder.string());
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
