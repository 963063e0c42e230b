#include "core/log/policy_history.h"

#include <charconv>
#include <optional>

namespace valija::log {
namespace {

constexpr std::string_view kMark = "#:", kUntil = "until ";

Error Bad(std::string what) { return Refuse(Reason::kBadPolicy, std::move(what)); }

std::optional<std::uint64_t> SizeOf(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || text.front() == '0' || size >= (std::uint64_t{1} << 63)) return std::nullopt;
  return size;
}

struct Part {
  std::uint64_t until = 0;
  std::string text;
};

Result<PolicyHistory::Former> FormerOf(const Part& part) {
  auto policy = WitnessPolicy::Parse(part.text);
  if (!policy) return Bad("until " + std::to_string(part.until) + ": " + policy.error().detail);
  return PolicyHistory::Former{part.until, *std::move(policy)};
}

}  // namespace

Result<PolicyHistory> PolicyHistory::Parse(std::string_view text) {
  if (text.size() > kMaxText) return Bad("a history of witness policies has at most 4 MiB");
  std::string now;
  std::vector<Part> parts;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto at = [&](const std::string& what) { return Bad("line " + std::to_string(number) + ": " + what); };
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return at("the line does not end");
    auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (!line.starts_with(kMark)) {
      // Behind a former policy there is none in force: a line that is put there must not be taken for one of it.
      if (!parts.empty() && !line.empty() && line.front() != '#')
        return at("the policy in force stands before the former ones");
      now += std::string(line) + '\n';
      continue;
    }
    line.remove_prefix(kMark.size());
    if (!line.starts_with(' ')) return at("a former policy's line begins with \"#: \"");
    line.remove_prefix(1);
    if (line.starts_with(kUntil)) {
      const auto size = SizeOf(line.substr(kUntil.size()));
      if (!size) return at("until <size>");
      if (!parts.empty() && *size >= parts.back().until) return at("former policies stand with the last one first");
      if (parts.size() == kMaxFormer) return at("too many former policies");
      parts.push_back({*size, {}});
      continue;
    }
    if (parts.empty()) return at("a former policy begins with \"#: until <size>\"");
    parts.back().text += std::string(line) + '\n';
  }
  TRY(auto in_force, WitnessPolicy::Parse(now));
  std::vector<Former> former;
  former.reserve(parts.size());
  for (const auto& part : parts) {
    TRY(auto one, FormerOf(part));
    former.push_back(std::move(one));
  }
  return PolicyHistory(std::move(in_force), std::move(former));
}

std::string PolicyHistory::Text() const {
  std::string out = now_.Text();
  for (const auto& [until, policy] : former_) {
    out += std::string(kMark) + ' ' + std::string(kUntil) + std::to_string(until) + '\n';
    const std::string lines = policy.Text();
    for (std::string_view rest = lines; !rest.empty();) {
      const auto end = rest.find('\n') + 1;
      out += std::string(kMark) + ' ' + std::string(rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
  return out;
}

const WitnessPolicy& PolicyHistory::At(std::uint64_t size) const {
  const WitnessPolicy* then = &now_;
  for (const auto& [until, policy] : former_)
    if (size <= until) then = &policy;
  return *then;
}

Result<WitnessPolicy::Witnessed> PolicyHistory::Verify(std::string_view text) const {
  const auto note = Note::Parse(text);
  if (!note) return Refuse(Reason::kBadCheckpoint, note.error().detail);
  const auto checkpoint = Checkpoint::ParseBody(note->text);
  if (!checkpoint) return Refuse(Reason::kBadCheckpoint, checkpoint.error().detail);
  return At(checkpoint->size).Verify(text);
}

}  // namespace valija::log
