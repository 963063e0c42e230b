#include "audit/coverage.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "audit/export_reader.h"
#include "core/io/file.h"
#include "core/log/tile.h"

namespace valija::audit {
namespace {

constexpr std::size_t kMostGaps = 1000, kMostListBytes = std::size_t{256} << 20;

Error NotProved(const char* whose, const Report& report) {
  const auto& first = report.findings.front();
  return Refuse(Reason::kFinding, std::string(whose) + " is not proved: " +
                                      (first.entry ? "entry " + std::to_string(*first.entry) + ", " : std::string()) +
                                      first.code);
}

// Is the record or grant of this agency, or does it grant what is of it? An amendment: of such a one?
bool Originates(const AgencyId& agency, const ledger::Entry& entry, const ledger::State& after) {
  const auto* amendment = std::get_if<ledger::Amendment>(&entry.statement->payload);
  const auto* record = after.record(amendment != nullptr ? amendment->record : entry.head.statement);
  return record != nullptr &&
         (record->originator.agency() == agency || after.original(*record).originator.agency() == agency);
}

// What travels beside the statement and is for this agency: its slips, without which it opens nothing; where it originates
// also the policies, and who else holds a slip.
bool ShownBeside(const AgencyId& agency, bool originates, const record::Attachments& whole,
                 const record::Attachments& shown) {
  if (originates && shown.policies != whole.policies) return false;
  return std::all_of(whole.slips.begin(), whole.slips.end(), [&](const record::Slip& slip) {
    return (slip.agency != agency && !originates) ||
           std::any_of(shown.slips.begin(), shown.slips.end(), [&](const record::Slip& one) {
             return one.portion == slip.portion && one.index == slip.index && one.agency == slip.agency;
           });
  });
}

// What the agency was shown of one entry after the other, in ascending order.
class Seen {
 public:
  virtual ~Seen() = default;
  virtual std::uint64_t size() const = 0;
  // Empty: it was shown. kFork, kCorrupt.
  virtual Result<std::string> GapAt(const ledger::Entry& entry, const ledger::State& after) = 0;
};

class SeenExport : public Seen {
 public:
  SeenExport(ExportReader reader, AgencyId agency) : reader_(std::move(reader)), agency_(std::move(agency)) {}
  std::uint64_t size() const override { return reader_.size(); }
  Result<std::string> GapAt(const ledger::Entry& entry, const ledger::State& after) override {
    const auto index = entry.head.index, n = index / log::kTileWidth;
    if (!held_ || *held_ != n) {
      TRY(file_, reader_.EntriesFile(n));
      held_ = n;
    }
    TRY(const auto shown, proto::DecodeLoggedEntry(file_[index % log::kTileWidth]));
    if (shown.commitment != ledger::CommitEntry(entry.salt, entry.head))
      return Refuse(Reason::kFork, "entry " + std::to_string(index) + " is another one in the agency's copy");
    if (!shown.head || !shown.envelope || shown.decision_bytes.empty()) return std::string("withheld");
    // A copy that was made after a purge need not have what one from before it has.
    if (!shown.erased_by &&
        !ShownBeside(agency_, Originates(agency_, entry, after), entry.statement->attachments, shown.attachments))
      return std::string("slip-withheld");
    return std::string();
  }

 private:
  ExportReader reader_;
  const AgencyId agency_;
  std::optional<std::uint64_t> held_;
  std::vector<Bytes> file_;
};

class SeenList : public Seen {
  struct Shown {
    std::uint64_t entry = 0;
    bool named = false;
    Digest statement;
  };
  static bool Before(const Shown& one, const Shown& other) { return one.entry < other.entry; }

 public:
  static Result<std::unique_ptr<Seen>> Read(const std::filesystem::path& path) {
    TRY(const auto text, io::ReadText(path, kMostListBytes));
    auto out = std::make_unique<SeenList>();
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      const auto line = std::string_view(text).substr(at, end - at);
      at = end + 1;
      ++number;
      if (line.find_first_not_of(" \t\r") != line.npos && !out->Add(line))
        return Refuse(Reason::kMalformed,
                      "line " + std::to_string(number) + R"( is not {"entry": N, "statement": "hex"} nor {"size": N})");
    }
    std::stable_sort(out->entries_.begin(), out->entries_.end(), Before);
    return std::unique_ptr<Seen>(std::move(out));
  }
  std::uint64_t size() const override { return size_; }
  Result<std::string> GapAt(const ledger::Entry& entry, const ledger::State&) override {
    // Of an entry that is named twice the last word counts.
    auto at = std::upper_bound(entries_.begin(), entries_.end(), Shown{entry.head.index, false, {}}, Before);
    if (at == entries_.begin() || (--at)->entry != entry.head.index) return std::string("missing");
    return std::string(at->named && at->statement != entry.head.statement ? "other" : "");
  }

 private:
  bool Add(std::string_view line) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) return false;
    const auto size = json.find("size");
    if (size != json.end()) {
      if (!size->is_number_unsigned()) return false;
      size_ = size->get<std::uint64_t>();
      return true;
    }
    const auto index = json.find("entry");
    if (index == json.end() || !index->is_number_unsigned()) return false;
    std::optional<Digest> statement;
    if (const auto named = json.find("statement"); named != json.end()) {
      if (!named->is_string() || !(statement = Digest::FromHexText(named->get<std::string>()))) return false;
    }
    entries_.push_back({index->get<std::uint64_t>(), statement.has_value(), statement.value_or(Digest())});
    return true;
  }

  std::uint64_t size_ = UINT64_MAX;
  std::vector<Shown> entries_;  // ascending; of one entry in the order of the file
};

}  // namespace

Result<Coverage> Cover(Options whole, const AgencyId& agency, const std::filesystem::path& seen_at) {
  Coverage out;
  std::unique_ptr<Seen> seen;
  std::error_code ignored;
  out.by_proof = std::filesystem::is_directory(seen_at, ignored);
  if (out.by_proof) {
    Options own;
    own.folder = seen_at;
    own.charter = whole.charter;
    own.allow_withheld = true;
    TRY(const auto proof, Verify(own));
    if (!proof.proved()) return NotProved("the agency's copy", proof);
    TRY(auto reader, ExportReader::Open(seen_at));
    seen = std::make_unique<SeenExport>(std::move(reader), agency);
  } else {
    TRY(seen, SeenList::Read(seen_at));
  }

  Status failed = Ok();
  whole.allow_withheld = false;
  whole.observe = [&](const ledger::Entry& entry, const ledger::State& after) {
    if (!failed) return;
    const auto index = entry.head.index;
    const auto concerning = after.entries_for(agency);
    const bool concerns = !concerning.empty() && concerning.back() == index;
    if (index >= seen->size()) {
      out.later += concerns ? 1 : 0;
      return;
    }
    // Of an export every entry is compared, as both must be of one log.
    if (!concerns && !out.by_proof) return;
    auto gap = seen->GapAt(entry, after);
    if (!gap) {
      failed = gap.error();
      return;
    }
    if (!concerns) return;
    ++out.concerned;
    if (gap->empty()) return;
    ++out.gaps_in_all;
    if (out.gaps.size() >= kMostGaps) return;
    const auto by = ledger::AuthorshipOf(*entry.statement);
    out.gaps.push_back({index, *gap, std::string(ledger::NameOf(entry.statement->kind)), by ? by->author.str() : ""});
  };
  Verifier verifier(std::move(whole));
  TRY(const auto proof, verifier.Pass());
  if (!proof.proved()) return NotProved("the whole log", proof);
  TRY_OK(failed);
  if (verifier.state().agency(agency) == nullptr)
    return Refuse(Reason::kUsage, "the charter has never named " + agency.str());
  out.entries = proof.entries;
  out.seen_entries = std::min(seen->size(), proof.entries);
  return out;
}

}  // namespace valija::audit
