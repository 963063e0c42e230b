// Names of agencies, members and release authorities: short ASCII, checked when made, never empty.
//
//   country    us                  ISO 3166-1 alpha-2, lower case
//   agency     us.dea              country, '.', 1..32 of [a-z0-9-]
//   member     us.dea/jrivera      agency, '/', 1..64 of [a-z0-9._-]
//   authority  broker-1            1..64 of [a-z0-9.-]; a release authority (a broker)
#pragma once

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace valija {

class AgencyId {
 public:
  static std::optional<AgencyId> Parse(std::string_view text);
  const std::string& str() const { return text_; }
  std::string_view country() const { return std::string_view(text_).substr(0, 2); }
  auto operator<=>(const AgencyId&) const = default;

 private:
  explicit AgencyId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

class MemberId {
 public:
  static std::optional<MemberId> Parse(std::string_view text);
  const std::string& str() const { return text_; }
  AgencyId agency() const;
  std::string_view country() const { return std::string_view(text_).substr(0, 2); }
  std::string_view name() const;  // what follows the slash
  auto operator<=>(const MemberId&) const = default;

 private:
  explicit MemberId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

class AuthorityId {
 public:
  static std::optional<AuthorityId> Parse(std::string_view text);
  const std::string& str() const { return text_; }
  auto operator<=>(const AuthorityId&) const = default;

 private:
  explicit AuthorityId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A role, a programme, a purpose or a clearance level: 1..64 of [a-z0-9._-].
bool IsLabel(std::string_view text);
// Two lower-case letters.
bool IsCountry(std::string_view text);
// A log origin (tlog-checkpoint): 1..255 printable ASCII, no space, no '+'.
bool IsOrigin(std::string_view text);

}  // namespace valija

template <>
struct std::hash<valija::AgencyId> {
  std::size_t operator()(const valija::AgencyId& id) const { return std::hash<std::string>()(id.str()); }
};
template <>
struct std::hash<valija::MemberId> {
  std::size_t operator()(const valija::MemberId& id) const { return std::hash<std::string>()(id.str()); }
};
template <>
struct std::hash<valija::AuthorityId> {
  std::size_t operator()(const valija::AuthorityId& id) const { return std::hash<std::string>()(id.str()); }
};
