// What an opening under witnesses cannot do without: a sync of the broker's disk, a round trip to the witnesses, and a sync
// of theirs. Each is measured bare, on the same disk and machine, beside the opening.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace valija::bench {

// Seconds of each call of `once`, one after the other for so long.
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

// Seconds of each append and fdatasync of this many bytes, one after the other: what a write-ahead log does.
std::vector<double> BareSyncs(const std::filesystem::path& folder, std::size_t bytes, double seconds);
// Seconds until each of `files` files was written over in place and synced, all at once: what witnesses on one disk do.
std::vector<double> SyncsInPlace(const std::filesystem::path& folder, std::size_t bytes, int files, double seconds);
// Seconds of each GET over one kept connection to 127.0.0.1. Throws if it is not answered.
std::vector<double> BareRoundTrips(int port, const std::string& path, double seconds);

}  // namespace valija::bench
