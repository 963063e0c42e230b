#include "proto/fields.h"

#include <algorithm>

namespace valija::proto {
namespace {

constexpr std::int64_t kYear10000 = 253402300800000;

// The next code point of valid UTF-8, or nullopt: overlong forms, surrogates and what lies above U+10FFFF are not.
std::optional<char32_t> Next(std::string_view& text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  std::size_t length = first < 0x80 ? 1 : first >> 5 == 0x6 ? 2 : first >> 4 == 0xe ? 3 : first >> 3 == 0x1e ? 4 : 0;
  if (length == 0 || text.size() < length) return std::nullopt;
  char32_t code = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 0x2) return std::nullopt;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  static constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return std::nullopt;
  text.remove_prefix(length);
  return code;
}

bool Shows(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;        // C0, DEL, C1: terminals obey them
  if (c == 0x200e || c == 0x200f || c == 0x061c) return false;  // direction marks
  if (c >= 0x2028 && c <= 0x202e) return false;                 // separators, embeddings and overrides
  return !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff && (c & 0xfffe) != 0xfffe;  // isolates, BOM, non-characters
}

}  // namespace

Error Malformed(std::string_view field, std::string_view what) {
  return Refuse(Reason::kMalformed, std::string(field) + ": " + std::string(what));
}

Error WrongLength(std::string_view field, std::size_t is, std::size_t required) {
  return Malformed(
      field, is == 0 ? "absent" : std::to_string(is) + " bytes where " + std::to_string(required) + " are required");
}

Result<Point> PointOf(const std::string& value, std::string_view field) {
  TRY(Point point, FixedOf<Point>(value, field));
  if (point.bytes[0] != 0x04) return Malformed(field, "not an uncompressed point");
  return point;
}

Result<Bytes> BytesOf(const std::string& value, std::string_view field, std::size_t least, std::size_t most) {
  if (value.size() < least) return Malformed(field, value.empty() ? "absent" : "too short");
  if (value.size() > most) return Malformed(field, "too long");
  return ToBytes(AsBytes(value));
}

Result<AgencyId> AgencyOf(const std::string& value, std::string_view field) {
  auto id = AgencyId::Parse(value);
  if (!id) return Malformed(field, value.empty() ? "absent" : "not an agency id");
  return *std::move(id);
}

Result<MemberId> MemberOf(const std::string& value, std::string_view field) {
  auto id = MemberId::Parse(value);
  if (!id) return Malformed(field, value.empty() ? "absent" : "not a member id");
  return *std::move(id);
}

Result<AuthorityId> AuthorityOf(const std::string& value, std::string_view field) {
  auto id = AuthorityId::Parse(value);
  if (!id) return Malformed(field, value.empty() ? "absent" : "not an authority id");
  return *std::move(id);
}

Result<std::string> OriginOf(const std::string& value, std::string_view field) {
  if (!IsOrigin(value)) return Malformed(field, value.empty() ? "absent" : "not a log origin");
  return value;
}

Result<std::string> LabelOf(const std::string& value, std::string_view field) {
  if (!IsLabel(value)) return Malformed(field, value.empty() ? "absent" : "not a label of a-z 0-9 . _ -");
  return value;
}

Result<std::vector<std::string>> LabelsOf(const Strings& values, std::string_view field) {
  std::vector<std::string> out(values.begin(), values.end());
  for (const auto& value : out) TRY_OK(LabelOf(value, field));
  auto sorted = out;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return Malformed(field, "the same twice");
  return out;
}

Result<std::vector<std::string>> AscendingLabelsOf(const Strings& values, std::string_view field) {
  std::vector<std::string> out(values.begin(), values.end());
  for (const auto& value : out) TRY_OK(LabelOf(value, field));
  if (!StrictlyAscending(
          out, [](const auto& value) -> const auto& { return value; })) {
    return Malformed(field, "not in ascending order");
  }
  return out;
}

bool IsPrintable(std::string_view text, std::size_t most) {
  for (std::size_t count = 0; !text.empty(); ++count) {
    auto code = Next(text);
    if (!code || !Shows(*code) || count == most) return false;
  }
  return true;
}

Result<std::string> TextOf(const std::string& value, std::string_view field, std::size_t least, std::size_t most) {
  if (value.size() < least) return Malformed(field, "absent");
  if (!IsPrintable(value, most)) return Malformed(field, "not a printable text, or too long");
  return value;
}

Result<std::string> AsciiOf(const std::string& value, std::string_view field, std::size_t least, std::size_t most) {
  if (value.size() < least) return Malformed(field, "absent");
  bool ascii = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!ascii || value.size() > most) return Malformed(field, "not printable ASCII, or too long");
  return value;
}

Result<Time> TimeOf(std::int64_t ms, std::string_view field) {
  if (ms == 0) return Malformed(field, "absent");
  if (ms < 0 || ms >= kYear10000) return Malformed(field, "not a time between 1970 and 9999");
  return FromMillis(ms);
}

Result<std::optional<Time>> TimeOrAbsent(std::int64_t ms, std::string_view field) {
  if (ms == 0) return std::optional<Time>();
  TRY(Time time, TimeOf(ms, field));
  return std::optional<Time>(time);
}

}  // namespace valija::proto
