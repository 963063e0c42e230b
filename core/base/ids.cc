#include "core/base/ids.h"

#include <algorithm>

namespace valija {
namespace {

bool Lower(char c) { return c >= 'a' && c <= 'z'; }
bool Digit(char c) { return c >= '0' && c <= '9'; }

template <class Allowed>
bool Spelled(std::string_view text, std::size_t longest, Allowed allowed) {
  return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

bool IsCountry(std::string_view text) { return text.size() == 2 && Lower(text[0]) && Lower(text[1]); }

bool IsLabel(std::string_view text) {
  return Spelled(text, 64, [](char c) { return Lower(c) || Digit(c) || c == '.' || c == '_' || c == '-'; });
}

bool IsOrigin(std::string_view text) {
  return Spelled(text, 255, [](char c) { return c > ' ' && c < 0x7f && c != '+'; });
}

std::optional<AgencyId> AgencyId::Parse(std::string_view text) {
  if (text.size() < 4 || !IsCountry(text.substr(0, 2)) || text[2] != '.') return std::nullopt;
  if (!Spelled(text.substr(3), 32, [](char c) { return Lower(c) || Digit(c) || c == '-'; })) return std::nullopt;
  return AgencyId(std::string(text));
}

std::optional<MemberId> MemberId::Parse(std::string_view text) {
  auto slash = text.find('/');
  if (slash == std::string_view::npos || !AgencyId::Parse(text.substr(0, slash))) return std::nullopt;
  if (!IsLabel(text.substr(slash + 1))) return std::nullopt;
  return MemberId(std::string(text));
}

AgencyId MemberId::agency() const { return *AgencyId::Parse(std::string_view(text_).substr(0, text_.find('/'))); }

std::string_view MemberId::name() const { return std::string_view(text_).substr(text_.find('/') + 1); }

std::optional<AuthorityId> AuthorityId::Parse(std::string_view text) {
  if (!Spelled(text, 64, [](char c) { return Lower(c) || Digit(c) || c == '.' || c == '-'; })) return std::nullopt;
  return AuthorityId(std::string(text));
}

}  // namespace valija
