#include "tests/bench/floor.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include "tests/bench/cpu.h"

namespace valija::bench {
namespace {

// What `openssl speed -mr` prints, line by line.
std::vector<std::string> Speed(const std::string& arguments) {
  std::vector<std::string> lines;
  FILE* pipe = ::popen(("openssl speed -mr " + arguments + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return lines;
  char line[512];
  while (std::fgets(line, sizeof line, pipe) != nullptr) lines.emplace_back(line);
  ::pclose(pipe);
  return lines;
}

std::vector<double> Numbers(const std::string& line) {  // the fields after "+Fn:", separated by ':'
  std::vector<double> out;
  for (std::size_t at = line.find(':'); at != std::string::npos; at = line.find(':', at + 1))
    out.push_back(std::strtod(line.c_str() + at + 1, nullptr));
  return out;
}

}  // namespace

std::map<std::string, double> PrimitiveMicros(int seconds) {
  std::map<std::string, double> out;
  // Some versions print operations a second here, some seconds per operation.
  auto micros = [](double value) { return value > 1 ? 1e6 / value : value * 1e6; };
  const std::string time = "-seconds " + std::to_string(seconds) + " ";
  for (const auto& line : Speed(time + "ecdsap256")) {  // +F4:index:bits:sign:verify
    if (line.rfind("+F4:", 0) != 0) continue;
    auto n = Numbers(line);
    if (n.size() >= 4) out["sign"] = micros(n[2]), out["verify"] = micros(n[3]);
  }
  for (const auto& line : Speed(time + "ecdhp256")) {  // +F5:index:bits:operations:..
    if (line.rfind("+F5:", 0) != 0) continue;
    auto n = Numbers(line);
    if (n.size() >= 3) out["ecdh"] = micros(n[2]);
  }
  auto bulk = [&](const char* name, const std::string& arguments) {  // +F:index:name:bytes per second
    for (const auto& line : Speed(time + "-bytes 1024 " + arguments)) {
      if (line.rfind("+F:", 0) != 0) continue;
      auto n = Numbers(line);
      if (!n.empty() && n.back() > 0) out[name] = 1024 / n.back() * 1e6;
    }
  };
  bulk("gcm-1k", "-evp aes-256-gcm");
  bulk("sha256-1k", "-evp sha256");
  return out;
}

StoreFloor BareStore(const std::filesystem::path& folder, std::size_t record_bytes, std::size_t batch, double seconds) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  if (auto status = rocksdb::DB::Open(options, folder.string(), &raw); !status.ok())
    throw std::runtime_error(status.ToString());
  std::unique_ptr<rocksdb::DB> db(raw);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const std::string value(record_bytes, 'v');
  std::uint64_t written = 0;
  const double cpu = OwnCpuSeconds();
  const auto began = std::chrono::steady_clock::now();
  double elapsed = 0;
  while (elapsed < seconds) {
    rocksdb::WriteBatch write;
    for (std::size_t i = 0; i < batch; ++i, ++written) {
      char key[17];
      std::snprintf(key, sizeof key, "%016llx", static_cast<unsigned long long>(written));
      write.Put(key, value);
    }
    if (auto status = db->Write(synced, &write); !status.ok()) throw std::runtime_error(status.ToString());
    elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  const auto count = static_cast<double>(written);
  return {count / elapsed, (OwnCpuSeconds() - cpu) / count * 1e6};
}

}  // namespace valija::bench
