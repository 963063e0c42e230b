#include "audit/last_run.h"

#include <nlohmann/json.hpp>

#include "core/io/file.h"

namespace valija::audit {
namespace {

constexpr std::size_t kMaxState = std::size_t{16} << 20;

}  // namespace

Result<std::optional<LastRun>> ReadLastRun(const std::filesystem::path& path) {
  if (path.empty() || !std::filesystem::exists(path)) return std::optional<LastRun>();
  TRY(auto text, io::ReadText(path, kMaxState));
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return Refuse(Reason::kMalformed, path.string() + " is no state of an earlier run");
  auto charter = Digest::FromHexText(json.value("charter", std::string()));
  auto note = json.value("checkpoint", std::string());
  if (!charter || note.empty()) return Refuse(Reason::kMalformed, path.string() + " is no state of an earlier run");
  return std::optional(LastRun{*charter, note, json.contains("watch") ? json["watch"].dump() : std::string()});
}

Status WriteLastRun(const std::filesystem::path& path, const LastRun& run) {
  if (path.empty()) return Ok();
  nlohmann::ordered_json json = {{"charter", run.charter.Hex()}, {"checkpoint", run.note}};
  if (!run.watch.empty()) json["watch"] = nlohmann::ordered_json::parse(run.watch, nullptr, false);
  return io::WriteFileAtomic(path, AsBytes(json.dump(2) + "\n"));
}

}  // namespace valija::audit
