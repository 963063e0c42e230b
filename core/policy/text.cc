#include <algorithm>
#include <charconv>
#include <functional>
#include <initializer_list>
#include <map>

#include "core/policy/policy.h"
#include "core/policy/words.h"

namespace valija::policy {
namespace {

constexpr std::size_t kMaxText = 65536;
constexpr std::uint32_t kUsualApprovalHours = 72;

constexpr std::string_view kKeys[] = {"marking",  "releasable-to",  "clearance",  "roles",   "programmes",
                                      "purpose",  "case",           "not-before", "expires", "openings",
                                      "approval", "approval-hours", "emergency",  "onward",  "co-recipients"};
// What people write instead of ours.
constexpr std::pair<std::string_view, std::string_view> kOtherWords[] = {
    {"tlp", "marking"},           {"audience", "releasable-to"}, {"rel-to", "releasable-to"},
    {"release", "releasable-to"}, {"from", "not-before"},        {"until", "expires"},
    {"expiry", "expires"},        {"limit", "openings"},         {"limits", "openings"},
    {"programs", "programmes"},   {"program", "programmes"},     {"purposes", "purpose"},
    {"case-required", "case"},    {"approvals", "approval"},     {"approvers", "approval"},
    {"break-glass", "emergency"}, {"third-agency", "onward"},    {"audience-shown", "co-recipients"}};

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
    const bool several = key == "roles" || key == "programmes" || key == "approval";
    if (!several && !Once(key)) return;
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
    } else if (key == "openings") {
      Openings(value);
    } else if (key == "approval") {
      Approval(value);
    } else if (key == "approval-hours") {
      ApprovalHours(value);
    } else if (key == "emergency") {
      OneOf(key, value, {"never", "allowed"}, [&](std::size_t i) { policy_.emergency = i == 1; });
    } else if (key == "onward") {
      OneOf(key, value, {"ask", "never", "within-country"},
            [&](std::size_t i) { policy_.onward = static_cast<Onward>(i); });
    } else {
      OneOf(key, value, {"hidden", "shown"}, [&](std::size_t i) { policy_.audience_shown = i == 1; });
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

  // "2 of mx.fgr/ana, mx.fgr/luis, mx.fgr/eva"; one line for each group.
  void Approval(std::string_view value) {
    seen_.emplace("approval", line_);
    const auto [number, rest] = FirstWord(value);
    const auto [of, names] = FirstWord(rest);
    Approvals group;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), group.needed);
    if (error != std::errc() || end != number.data() + number.size() || of != "of" || names.empty()) {
      Say(Quote(value) + ": write how many of whom, as in 'approval 1 of mx.fgr/ana, mx.fgr/luis'");
      return;
    }
    const std::size_t errors = errors_.size();
    for (std::string_view name : Split(names, ',')) {
      if (auto id = MemberId::Parse(name))
        Add(group.approvers, *id, name);
      else
        Say(Quote(name) + " is no member: agency, slash, name, as in 'mx.fgr/ana'");
    }
    if (errors != errors_.size()) return;
    if (group.needed == 0 || group.needed > group.approvers.size())
      Say(std::string(number) + " of " + std::to_string(group.approvers.size()) +
          " approvers: at least one is needed, and no more than there are");
    policy_.approvals.push_back(std::move(group));
  }

  void ApprovalHours(std::string_view value) {
    std::uint32_t hours = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), hours);
    if (error != std::errc() || end != value.data() + value.size() || hours == 0 || hours > 720)
      Say(Quote(value) + ": how many hours a request waits for its approvals, 1 to 720");
    else
      policy_.approval_hours = hours;
  }

  void OneOf(std::string_view key, std::string_view value, std::initializer_list<std::string_view> words,
             const std::function<void(std::size_t)>& set) {
    std::string list;
    std::size_t i = 0;
    for (std::string_view word : words) {
      if (word == value) return set(i);
      list += (i == 0 ? "'" : i + 1 == words.size() ? " or '" : ", '") + std::string(word) + "'";
      ++i;
    }
    Say(Quote(value) + ": '" + std::string(key) + "' is " + list);
  }

  // What no single line shows.
  void Together() {
    if (!policy_.approvals.empty() && !seen_.count("approval-hours")) policy_.approval_hours = kUsualApprovalHours;
    if (policy_.approvals.empty() && seen_.count("approval-hours"))
      Say(seen_["approval-hours"], "there is no line 'approval' that the hours are for");
    if (policy_.approvals.empty() && policy_.emergency)
      Say(seen_["emergency"], "there is no line 'approval' that an emergency could do without");
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
