#include "audit/feed.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace valija::audit {
namespace {

constexpr std::size_t kLongestLine = std::size_t{4} << 20;

}  // namespace

Status Feed::Read() {
  std::ifstream file(path_, std::ios::binary);
  if (!file) return Refuse(Reason::kFile, path_.string() + " cannot be read");
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::uint64_t>(file.tellg());
  if (size < read_) {  // begun anew
    read_ = 0;
    shown_.clear();
  }
  file.seekg(static_cast<std::streamoff>(read_));
  // The last line may not have its end yet: it is read the next time.
  for (std::string line; std::getline(file, line) && !file.eof();) {
    if (line.size() > kLongestLine) return Refuse(Reason::kTooLarge, path_.string());
    read_ += line.size() + 1;
    Take(line);
  }
  return Ok();
}

void Feed::Take(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return;
  const auto entry = json.find("entry");
  if (entry == json.end() || !entry->is_number_unsigned()) return;
  std::string statement;
  for (const char* name : {"statement", "id"})
    if (const auto at = json.find(name); at != json.end() && at->is_string()) statement = at->get<std::string>();
  shown_.emplace(entry->get<std::uint64_t>(), std::move(statement));
}

bool Feed::Has(std::uint64_t entry, const Digest& statement) const {
  const auto [from, to] = shown_.equal_range(entry);
  for (auto at = from; at != to; ++at)
    if (at->second.empty() || at->second == statement.Hex()) return true;
  return false;
}

}  // namespace valija::audit
