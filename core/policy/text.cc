#include <algorithm>
#include <charconv>
#include <map>

#include "core/policy/policy.h"
#include "core/policy/words.h"

namespace valija::policy {
namespace {

constexpr std::size_t kMaxText = 65536;

constexpr std::string_view kKeys[] = {"marking", "releasable-to", "clearance",  "roles",   "programmes",
                                      "purpose", "case",          "not-before", "expires", "openings"};
// What people write instead of ours.
constexpr std::pair<std::string_view, std::string_view> kOtherWords[] = {
    {"tlp", "marking"},       {"audience", "releasable-to"}, {"rel-to", "releasable-to"}, {"release", "releasable-to"},
    {"from", "not-before"},   {"until", "expires"},          {"expiry", "expires"},       {"limit", "openings"},
    {"limits", "openings"},   {"programs", "programmes"},    {"program", "programmes"},   {"purposes", "purpose"},
    {"case-required", "case"}};

std::string SuggestKey(std::string_view written) {
  for (const auto& [other, ours] : kOtherWords)
    if (written == other) return "; did you mean '" + std::string(ours) + "'?";
  return Suggest(written, kKeys);
}

class Parser {
 public:
  TextResult Run(std::string_view text) {
    if (text.size() > kMaxText) {
      Say(0, "the file is larger than 64 KiB: no policy is");
      return Finish();
    }
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);  // some editors' byte order mark
    for (line_ = 1; !text.empty(); ++line_) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      line = Trim(line.substr(0, line.find('#')));
      if (!line.empty()) Line(line);
    }
    Missing("marking", "write, for example, 'marking TLP:AMBER'");
    Missing("releasable-to", "write, for example, 'releasable-to agency mx.fgr' (or 'releasable-to nobody')");
    Missing("purpose", "write, for example, 'purpose investigation'");
    return Finish();
  }

 private:
  void Say(int line, std::string message) { errors_.push_back({line, std::move(message)}); }
  void Say(std::string message) { Say(line_, std::move(message)); }

  void Missing(std::string_view key, std::string_view hint) {
    if (!seen_.count(key)) Say(0, "there is no line '" + std::string(key) + "': " + std::string(hint));
  }

  // False, and said, if the key stood before. `part` tells the two lines of roles and programmes apart.
  bool Once(std::string_view key, std::string_view part = {}) {
    seen_.emplace(key, line_);
    const auto [at, fresh] = parts_.emplace(std::make_pair(key, part), line_);
    if (fresh) return true;
    Say(Quote(std::string(key) + (part.empty() ? "" : " ") + std::string(part)) + " stands already on line " +
        std::to_string(at->second) + "; it may stand once");
    return false;
  }

  void Line(std::string_view line) {
    const auto [key, value] = FirstWord(line);
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) {
      Say("there is no key " + Quote(key) + SuggestKey(key));
      return;
    }
    const bool conditions = key == "roles" || key == "programmes";
    if (!conditions && !Once(key)) return;
    if (value.empty()) {
      seen_.emplace(key, line_);
      Say("nothing stands after '" + std::string(key) + "'");
    } else if (key == "marking") {
      Marking(value);
    } else if (key == "releasable-to") {
      ReleasableTo(value);
    } else if (key == "clearance") {
      Clearance(value);
    } else if (key == "roles") {
      Conditions(key, value, policy_.need_to_know.any_roles, policy_.need_to_know.all_roles);
    } else if (key == "programmes") {
      Conditions(key, value, policy_.need_to_know.any_programmes, policy_.need_to_know.all_programmes);
    } else if (key == "purpose") {
      Labels(value, policy_.purposes);
    } else if (key == "case") {
      Case(value);
    } else if (key == "not-before") {
      policy_.not_before = Moment(value);
    } else if (key == "expires") {
      policy_.expires = Moment(value);
    } else {
      Openings(value);
    }
  }

  void Marking(std::string_view value) {
    if (auto marking = TlpFromText(value)) {
      policy_.marking = *marking;
      marking_line_ = line_;
      return;
    }
    std::string upper(value);
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    std::string hint;
    for (const std::string& guess : {upper, "TLP:" + upper})
      if (TlpFromText(guess)) hint = "; did you mean '" + guess + "'?";
    if (upper == "TLP:WHITE" || upper == "WHITE") hint = "; TLP 2.0 calls it 'TLP:CLEAR'";
    Say("there is no marking " + Quote(value) + hint + " (TLP:RED, TLP:AMBER+STRICT, TLP:AMBER, TLP:GREEN, TLP:CLEAR)");
  }

  void ReleasableTo(std::string_view value) {
    if (value == "nobody") return;
    Audience& audience = policy_.releasable_to;
    for (std::string_view item : Split(value, ',')) {
      const auto [kind, name] = FirstWord(item);
      if (item.empty()) {
        Say("a name is missing between the commas");
      } else if (kind == "country") {
        if (!IsCountry(name))
          Say(Quote(name) + " is no country: two lower-case letters, as in 'country us'");
        else
          Add(audience.countries, std::string(name), name);
      } else if (kind == "agency") {
        if (auto id = AgencyId::Parse(name))
          Add(audience.agencies, *id, name);
        else
          Say(Quote(name) + " is no agency: country, dot, name, as in 'agency mx.fgr'");
      } else if (kind == "member") {
        if (auto id = MemberId::Parse(name))
          Add(audience.members, *id, name);
        else
          Say(Quote(name) + " is no member: agency, slash, name, as in 'member us.dea/jrivera'");
      } else if (kind == "nobody") {
        Say("'nobody' stands alone");
      } else {
        Say(Quote(item) + ": say what it is, " + WhatItIs(item, kind));
      }
    }
  }

  static std::string WhatItIs(std::string_view item, std::string_view kind) {
    const std::string text(item);
    if (IsCountry(item)) return "'country " + text + "'";
    if (AgencyId::Parse(item)) return "'agency " + text + "'";
    if (MemberId::Parse(item)) return "'member " + text + "'";
    static constexpr std::string_view kKinds[] = {"country", "agency", "member"};
    return "'country us', 'agency mx.fgr' or 'member us.dea/jrivera'" + Suggest(kind, kKinds);
  }

  template <class T>
  void Add(std::vector<T>& list, T item, std::string_view written) {
    auto at = std::lower_bound(list.begin(), list.end(), item);
    if (at != list.end() && *at == item)
      Say(Quote(written) + " stands there twice");
    else
      list.insert(at, std::move(item));
  }

  void Labels(std::string_view value, std::vector<std::string>& out) {
    for (std::string_view label : Split(value, ',')) {
      if (label.empty())
        Say("a name is missing between the commas");
      else if (!IsLabel(label))
        Say(Quote(label) + " is no name: up to 64 lower-case letters, digits, '.', '_' and '-'");
      else
        Add(out, std::string(label), label);
    }
  }

  void Clearance(std::string_view value) {
    if (IsLabel(value))
      policy_.need_to_know.clearance = value;
    else
      Say(Quote(value) + " is no clearance: one level of the charter, as in 'clearance secret'");
  }

  void Conditions(std::string_view key, std::string_view value, std::vector<std::string>& any,
                  std::vector<std::string>& all) {
    const auto [which, labels] = FirstWord(value);
    const std::string example =
        "as in '" + std::string(key) + " any " + (key == "roles" ? "analyst" : "fast-boat") + "'";
    if (which != "any" && which != "all") {
      seen_.emplace(key, line_);
      Say("after '" + std::string(key) + "' comes 'any' or 'all', " + example);
    } else if (Once(key, which)) {
      if (labels.empty())
        Say("nothing stands after '" + std::string(which) + "', " + example);
      else
        Labels(labels, which == "any" ? any : all);
    }
  }

  void Case(std::string_view value) {
    if (value == "required" || value == "optional")
      policy_.case_required = value == "required";
    else
      Say(Quote(value) + ": 'case' is 'required' or 'optional'");
  }

  std::optional<Time> Moment(std::string_view value) {
    auto time = ParseTime(value);
    if (time && *time > Time{}) return time;
    Say(Quote(value) + " is no time: write 2026-12-31 (its first moment, UTC) or 2026-12-31T18:00:00Z");
    return std::nullopt;
  }

  void Openings(std::string_view value) {
    for (std::string_view item : Split(value, ',')) {
      const auto [number, rest] = FirstWord(item);
      std::uint32_t count = 0;
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
      std::uint32_t* limit = rest == "per agency" ? &policy_.openings_per_agency
                             : rest == "in all"   ? &policy_.openings_in_all
                                                  : nullptr;
      if (limit == nullptr || error != std::errc() || end != number.data() + number.size() || number.empty()) {
        Say(Quote(item) + " is no limit: write '3 per agency', '10 in all' or both with a comma");
      } else if (count == 0) {
        Say(Quote(item) + ": a limit is at least 1; for no limit leave it out");
      } else if (*limit != 0) {
        Say("'" + std::string(rest) + "' stands there twice");
      } else {
        *limit = count;
      }
    }
  }

  // What no single line shows.
  void Together() {
    const Audience& audience = policy_.releasable_to;
    if (policy_.marking == Tlp::kRed && marking_line_ != 0 &&
        !(audience.countries.empty() && audience.agencies.empty()))
      Say(seen_["releasable-to"],
          "TLP:RED is for named members only: write 'member us.dea/jrivera', or another marking");
    if (policy_.not_before && policy_.expires && *policy_.not_before >= *policy_.expires)
      Say(std::max(seen_["not-before"], seen_["expires"]), "it expires before it may first be opened");
  }

  TextResult Finish() {
    Together();
    if (errors_.empty())
      if (auto valid = Validate(policy_); !valid) Say(0, valid.error().detail);
    std::stable_sort(errors_.begin(), errors_.end(), [](const TextError& a, const TextError& b) {
      return a.line != 0 && (b.line == 0 || a.line < b.line);  // those of no line come last
    });
    TextResult out;
    if (errors_.empty()) out.policy = std::move(policy_);
    out.errors = std::move(errors_);
    return out;
  }

  Policy policy_;
  int line_ = 0, marking_line_ = 0;
  std::map<std::string_view, int> seen_;                                // key -> its first line
  std::map<std::pair<std::string_view, std::string_view>, int> parts_;  // key, any/all -> line
  std::vector<TextError> errors_;
};

}  // namespace

TextResult ParseText(std::string_view text) { return Parser().Run(text); }

}  // namespace valija::policy
