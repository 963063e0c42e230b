#include "core/log/witness_policy.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace valija::log {
namespace {

constexpr std::string_view kNone = "none";

std::vector<std::string_view> WordsOf(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    auto start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) return words;
    line.remove_prefix(start);
    auto end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::optional<std::size_t> Threshold(std::string_view word, std::size_t members) {
  if (word == "any") return 1;
  if (word == "all") return members;
  std::size_t value = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  bool whole = error == std::errc() && end == word.data() + word.size() && word.front() != '0';
  if (!whole || value > members) return std::nullopt;
  return value;
}

}  // namespace

// One reading, line by line; every refusal is a sentence to which the line's number is added.
class PolicyReader {
 public:
  Status Line(std::string_view line) {
    auto words = WordsOf(line);
    if (words.empty() || words[0].front() == '#') return Ok();
    if (words[0] == "log") return Log(words);
    if (words[0] == "witness") return Witness(words);
    if (words[0] == "group") return Group(words);
    if (words[0] == "quorum") return Quorum(words);
    return Bad("a line begins with log, witness, group, quorum or #");
  }
  Result<WitnessPolicy> Done() {
    if (out_.quorum_.empty()) return Bad("it has no quorum line").error();
    return std::move(out_);
  }
  static Status Bad(std::string what) { return Refuse(Reason::kBadPolicy, std::move(what)); }

 private:
  Status Log(const std::vector<std::string_view>& words) {
    if (words.size() < 2 || words.size() > 3) return Bad("log <vkey> [url]");
    if (out_.logs_.size() == WitnessPolicy::kMaxLogs) return Bad("too many logs");
    auto key = NoteVerifier::Parse(words[1]);
    if (!key) return Bad(key.error().detail);
    TRY_OK(NewKey(key->key.bytes()));
    out_.logs_.push_back({*std::move(key), Url(words, 2)});
    return Ok();
  }
  Status Witness(const std::vector<std::string_view>& words) {
    if (words.size() < 3 || words.size() > 4) return Bad("witness <name> <vkey> [url]");
    if (out_.witnesses_.size() == WitnessPolicy::kMaxWitnesses) return Bad("too many witnesses");
    auto key = Cosigner::Parse(words[2]);
    if (!key) return Bad(key.error().detail);
    TRY_OK(NewKey(key->key.bytes()));
    TRY_OK(NewName(words[1]));
    out_.witnesses_.push_back({std::string(words[1]), *std::move(key), Url(words, 3)});
    return Ok();
  }
  Status Group(const std::vector<std::string_view>& words) {
    if (words.size() < 4) return Bad("group <name> <k|any|all> <names..>");
    if (out_.groups_.size() == WitnessPolicy::kMaxGroups) return Bad("too many groups");
    WitnessPolicy::Group group;
    auto threshold = Threshold(words[2], words.size() - 3);
    if (!threshold) return Bad("a group's number is any, all, or 1 .. the number of its members");
    group.threshold = *threshold;
    group.name = words[1];
    for (std::size_t i = 3; i < words.size(); ++i) {
      TRY_OK(Defined(words[i]));
      if (!grouped_.emplace(words[i]).second) return Bad(std::string(words[i]) + " is in a group already");
      group.members.emplace_back(words[i]);
    }
    TRY_OK(NewName(words[1]));  // after its members: a group is not in itself
    out_.groups_.push_back(std::move(group));
    return Ok();
  }
  Status Quorum(const std::vector<std::string_view>& words) {
    if (words.size() != 2) return Bad("quorum <name>");
    if (!out_.quorum_.empty()) return Bad("a second quorum line");
    if (words[1] != kNone) TRY_OK(Defined(words[1]));
    out_.quorum_ = words[1];
    return Ok();
  }

  Status NewName(std::string_view name) {
    if (name == kNone) return Bad("none is not a name to define");
    if (!names_.emplace(name).second) return Bad(std::string(name) + " is defined already");
    return Ok();
  }
  Status Defined(std::string_view name) const {
    if (!names_.contains(name)) return Bad(std::string(name) + " is not defined above");
    return Ok();
  }
  // Whatever it is called. A log's key is no witness's either: a log would vouch for itself.
  Status NewKey(const crypto::Ed25519Public& key) {
    if (!keys_.insert(key).second) return Bad("the same key a second time");
    return Ok();
  }
  static std::string Url(const std::vector<std::string_view>& words, std::size_t at) {
    return at < words.size() ? std::string(words[at]) : std::string();
  }

  WitnessPolicy out_;
  WitnessPolicy::Names names_, grouped_;
  std::set<crypto::Ed25519Public> keys_;
};

Result<WitnessPolicy> WitnessPolicy::Parse(std::string_view text) {
  // A first line that names the log does not count: it is put before what a charter says of the witnesses.
  const auto log_line = text.starts_with("log ") ? std::min(text.find('\n'), kMaxText - 1) + 1 : 0;
  if (text.size() > kMaxText + log_line) return Refuse(Reason::kBadPolicy, "a witness policy has at most 64 KiB");
  PolicyReader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto at = [&](const std::string& what) {
      return Refuse(Reason::kBadPolicy, "line " + std::to_string(number) + ": " + what);
    };
    auto end = text.find('\n');
    if (end == std::string_view::npos) return at("the line does not end");
    auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    for (char c : line) {
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return at("a control character");
    }
    if (auto read = reader.Line(line); !read) return at(read.error().detail);
  }
  return reader.Done();
}

std::string WitnessPolicy::Text() const {
  std::string out;
  auto url = [](const std::string& text) { return text.empty() ? "\n" : " " + text + "\n"; };
  for (const auto& log : logs_) out += "log " + log.key.Text() + url(log.url);
  for (const auto& witness : witnesses_) out += "witness " + witness.name + " " + witness.key.Text() + url(witness.url);
  for (const auto& group : groups_) {
    out += "group " + group.name + " ";
    out += group.threshold == group.members.size() ? "all"
           : group.threshold == 1                  ? "any"
                                                   : std::to_string(group.threshold);
    for (const auto& member : group.members) out += " " + member;
    out += "\n";
  }
  return out + "quorum " + quorum_ + "\n";
}

const WitnessPolicy::Group* WitnessPolicy::FindGroup(std::string_view name) const {
  auto at = std::find_if(groups_.begin(), groups_.end(), [&](const Group& group) { return group.name == name; });
  return at == groups_.end() ? nullptr : &*at;
}

// A name that is no group's is a witness's (the parse saw to it). Groups are no deeper than there are groups.
bool WitnessPolicy::Has(std::string_view name, const Names& cosigned) const {
  const auto* group = FindGroup(name);
  if (group == nullptr) return cosigned.contains(name);
  std::size_t count = 0;
  for (const auto& member : group->members) count += Has(member, cosigned) ? 1 : 0;
  return count >= group->threshold;
}

bool WitnessPolicy::Satisfied(const Names& cosigned) const { return quorum_ == kNone || Has(quorum_, cosigned); }

void WitnessPolicy::Explain(std::string_view name, const Names& cosigned, std::vector<Missing>& out) const {
  if (Has(name, cosigned)) return;
  const auto* group = FindGroup(name);
  if (group == nullptr) {
    out.push_back({"", 1, {std::string(name)}});
    return;
  }
  Missing missing{group->name, group->threshold, {}};
  bool only_groups = true;
  for (const auto& member : group->members) {
    if (Has(member, cosigned)) {
      --missing.needed;
    } else {
      missing.of.push_back(member);
      only_groups = only_groups && FindGroup(member) != nullptr;
    }
  }
  const auto lacking = missing.of;
  if (!only_groups || missing.needed < lacking.size()) out.push_back(std::move(missing));
  for (const auto& member : lacking) {
    if (FindGroup(member) != nullptr) Explain(member, cosigned, out);
  }
}

std::vector<WitnessPolicy::Missing> WitnessPolicy::MissingFrom(const Names& cosigned) const {
  std::vector<Missing> out;
  if (quorum_ != kNone) Explain(quorum_, cosigned, out);
  return out;
}

std::string WitnessPolicy::Say(const std::vector<Missing>& missing) {
  std::string out;
  for (const auto& one : missing) {
    if (!out.empty()) out += "; ";
    if (!one.group.empty()) out += one.group + ": " + std::to_string(one.needed) + " of ";
    for (std::size_t i = 0; i < one.of.size(); ++i) out += (i == 0 ? "" : ", ") + one.of[i];
  }
  return out;
}

Result<std::map<std::string, std::uint64_t>> WitnessPolicy::WhoCosigned(const Note& note) const {
  std::vector<Cosigner> known;
  for (const auto& witness : witnesses_) known.push_back(witness.key);
  TRY(auto by_key, VerifyCosignatures(note, known));
  std::map<std::string, std::uint64_t> out;
  for (const auto& witness : witnesses_) {
    if (auto at = by_key.find(witness.key.key.bytes()); at != by_key.end()) out[witness.name] = at->second;
  }
  return out;
}

Result<WitnessPolicy::Witnessed> WitnessPolicy::Verify(std::string_view text,
                                                       std::span<const NoteVerifier> known) const {
  auto note = Note::Parse(text);
  if (!note) return Refuse(Reason::kBadCheckpoint, note.error().detail);
  auto checkpoint = Checkpoint::ParseBody(note->text);
  if (!checkpoint) return Refuse(Reason::kBadCheckpoint, checkpoint.error().detail);
  std::vector<NoteVerifier> of_origin;  // a log signs for its own origin alone
  for (const auto& key : known) {
    if (key.name == checkpoint->origin) of_origin.push_back(key);
  }
  if (of_origin.empty()) return Refuse(Reason::kBadCheckpoint, "it is of a log that is not known");
  TRY_OK(VerifyNote(*note, of_origin));
  TRY(auto cosigned, WhoCosigned(*note));
  Names names;
  for (const auto& [name, time] : cosigned) names.insert(name);
  if (!Satisfied(names)) return Refuse(Reason::kBadProof, "too few cosigned; missing " + Say(MissingFrom(names)));
  return Witnessed{*std::move(checkpoint), std::move(cosigned)};
}

Result<WitnessPolicy::Witnessed> WitnessPolicy::Verify(std::string_view text) const {
  std::vector<NoteVerifier> known;
  for (const auto& log : logs_) known.push_back(log.key);
  return Verify(text, known);
}

}  // namespace valija::log
