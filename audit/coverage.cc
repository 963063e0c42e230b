#include "audit/coverage.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "audit/export_reader.h"
#include "core/io/file.h"
#include "core/log/tile.h"

namespace valija::audit {
namespace {

constexpr std::size_t kMostGaps = 1000, kMostListBytes = std::size_t{1} << 31;

Error NotProved(const char* whose, const Report& report) {
  const auto& first = report.findings.front();
  return Refuse(Reason::kFinding, std::string(whose) + " is not proved: " +
                                      (first.entry ? "entry " + std::to_string(*first.entry) + ", " : std::string()) +
                                      first.code);
}

// What the agency was shown of one entry after the other, in ascending order.
class Seen {
 public:
  virtual ~Seen() = default;
  virtual std::uint64_t size() const = 0;
  // Empty: it was shown. kFork, kCorrupt.
  virtual Result<std::string> GapAt(const ledger::Entry& entry) = 0;
};

class SeenExport : public Seen {
 public:
  explicit SeenExport(ExportReader reader) : reader_(std::move(reader)) {}
  std::uint64_t size() const override { return reader_.size(); }
  Result<std::string> GapAt(const ledger::Entry& entry) override {
    const auto index = entry.head.index, n = index / log::kTileWidth;
    if (!held_ || *held_ != n) {
      TRY(file_, reader_.EntriesFile(n));
      held_ = n;
    }
    TRY(const auto shown, proto::DecodeLoggedEntry(file_[index % log::kTileWidth]));
    if (shown.commitment != ledger::CommitEntry(entry.salt, entry.head))
      return Refuse(Reason::kFork, "entry " + std::to_string(index) + " is another one in the agency's copy");
    if (!shown.head || !shown.envelope || shown.decision_bytes.empty()) return std::string("withheld");
    return std::string();
  }

 private:
  ExportReader reader_;
  std::optional<std::uint64_t> held_;
  std::vector<Bytes> file_;
};

class SeenList : public Seen {
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
    return std::unique_ptr<Seen>(std::move(out));
  }
  std::uint64_t size() const override { return size_; }
  Result<std::string> GapAt(const ledger::Entry& entry) override {
    const auto at = entries_.find(entry.head.index);
    if (at == entries_.end()) return std::string("missing");
    return std::string(at->second && *at->second != entry.head.statement ? "other" : "");
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
    entries_.insert_or_assign(index->get<std::uint64_t>(), statement);
    return true;
  }

  std::uint64_t size_ = UINT64_MAX;
  std::unordered_map<std::uint64_t, std::optional<Digest>> entries_;
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
    seen = std::make_unique<SeenExport>(std::move(reader));
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
    const auto gap = seen->GapAt(entry);
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
