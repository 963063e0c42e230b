#include "core/policy/words.h"

#include <algorithm>

namespace valija::policy {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::pair<std::string_view, std::string_view> FirstWord(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && !IsBlank(text[end])) ++end;
  return {text.substr(0, end), Trim(text.substr(end))};
}

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t end = text.find(at);
    out.push_back(Trim(text.substr(0, end)));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::string Quote(std::string_view text) {
  std::string out = "'";
  for (char c : text.substr(0, 60)) out += c >= 0x20 && c <= 0x7e ? c : '?';
  return out + (text.size() > 60 ? "..'" : "'");
}

std::string Suggest(std::string_view written, std::span<const std::string_view> words) {
  if (written.size() > 40) return {};
  std::string lower(written);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' || c == ':' ? '-' : c;
  while (!lower.empty() && lower.back() == '-') lower.pop_back();
  std::string_view best;
  std::size_t distance = 3;  // two slips of the finger
  for (std::string_view word : words) {
    const std::size_t d = EditDistance(lower, word);
    if (d < distance && d < word.size()) distance = d, best = word;
  }
  return best.empty() ? std::string() : "; did you mean '" + std::string(best) + "'?";
}

}  // namespace valija::policy
