// Single fields: the checks that turn what a message holds into a strong type. For proto/ alone.
//
// Each takes the value and the field's name, "Member.kem_key", which goes into the refusal; nothing of the value does,
// for it may be anybody's bytes. Refusals are kMalformed unless said otherwise. Thread-safety: pure functions.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"

namespace valija::proto {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

inline constexpr std::size_t kMaxText = 200;  // code points of a text for people

Error Malformed(std::string_view field, std::string_view what);
Error WrongLength(std::string_view field, std::size_t is, std::size_t required);

// ---- bytes ----
template <class F>
Result<F> FixedOf(const std::string& value, std::string_view field) {
  auto fixed = F::From(AsBytes(value));
  if (!fixed) return WrongLength(field, value.size(), F::kSize);
  return *fixed;
}
// Absent is empty, and is the zero value then; 32 zeros written out would be a second form of the same.
template <class F>
Result<F> FixedOrAbsent(const std::string& value, std::string_view field) {
  if (value.empty()) return F{};
  TRY(F fixed, FixedOf<F>(value, field));
  if (fixed.IsZero()) return Malformed(field, "zeros stand for absence, which is the empty field");
  return fixed;
}
template <class F>
Result<std::vector<F>> FixedListOf(const Strings& values, std::string_view field, std::size_t most) {
  if (static_cast<std::size_t>(values.size()) > most) return Malformed(field, "too many");
  std::vector<F> out;
  out.reserve(static_cast<std::size_t>(values.size()));
  for (const auto& value : values) {
    TRY(F fixed, FixedOf<F>(value, field));
    out.push_back(fixed);
  }
  return out;
}
// 65 bytes starting 0x04. Whether they are a point of the curve is judged where the key is made (core/crypto/keys.h).
Result<Point> PointOf(const std::string& value, std::string_view field);
Result<Bytes> BytesOf(const std::string& value, std::string_view field, std::size_t least, std::size_t most);

// ---- names ----
Result<AgencyId> AgencyOf(const std::string& value, std::string_view field);
Result<MemberId> MemberOf(const std::string& value, std::string_view field);
Result<AuthorityId> AuthorityOf(const std::string& value, std::string_view field);
Result<std::string> OriginOf(const std::string& value, std::string_view field);
Result<std::string> LabelOf(const std::string& value, std::string_view field);
Result<std::vector<std::string>> LabelsOf(const Strings& values, std::string_view field);           // none twice
Result<std::vector<std::string>> AscendingLabelsOf(const Strings& values, std::string_view field);  // and ascending

// ---- texts ----
// UTF-8 that shows as it is: no control character, no line or paragraph separator, nothing that turns the direction
// of writing. At most `most` code points.
bool IsPrintable(std::string_view text, std::size_t most);
Result<std::string> TextOf(const std::string& value, std::string_view field, std::size_t least,
                           std::size_t most = kMaxText);
Result<std::string> AsciiOf(const std::string& value, std::string_view field, std::size_t least, std::size_t most);

// ---- numbers ----
// After the epoch's first moment and before the year 10000: zero is an absent field.
Result<Time> TimeOf(std::int64_t ms, std::string_view field);
Result<std::optional<Time>> TimeOrAbsent(std::int64_t ms, std::string_view field);

// ---- lists ----
template <class List, class Key>
bool StrictlyAscending(const List& list, Key key) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (!(key(list[i - 1]) < key(list[i]))) return false;
  }
  return true;
}

inline void SetAll(const std::vector<std::string>& values, Strings* out) {
  out->Reserve(static_cast<int>(values.size()));
  for (const auto& value : values) out->Add()->assign(value);
}
template <class F>
void SetAllFixed(const std::vector<F>& values, Strings* out) {
  out->Reserve(static_cast<int>(values.size()));
  for (const auto& value : values) out->Add()->assign(AsText(value));
}

}  // namespace valija::proto
