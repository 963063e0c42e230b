// What an opening under witnesses cannot do without: one sync of the broker's disk, and one round trip to a witness. Each is
// measured bare, on the same disk and machine, beside the opening.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace valija::bench {

// Seconds of each append and fdatasync of this many bytes, one after the other.
std::vector<double> BareSyncs(const std::filesystem::path& folder, std::size_t bytes, double seconds);
// Seconds of each GET over one kept connection to 127.0.0.1. Throws if it is not answered.
std::vector<double> BareRoundTrips(int port, const std::string& path, double seconds);

}  // namespace valija::bench
