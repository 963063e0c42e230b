#include "audit/listing.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/export_reader.h"
#include "core/base/text.h"
#include "core/policy/policy.h"
#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

// Makes rows of statements in the log's order; what later ones say of earlier ones by their digest is looked up here.
class Teller {
 public:
  // One per portion of an opening; else one for each record that it is about, or one if it is about none.
  std::vector<Row> RowsOf(const ledger::EntryHead& head, const ledger::Statement& statement,
                          const ledger::Decision& decision) {
    Row row;
    row.entry = head.index;
    row.time = head.time;
    row.kind = ledger::NameOf(statement.kind);
    if (auto by = ledger::AuthorshipOf(statement)) row.author = by->author.str();
    row.result = "accepted";
    if (const auto* grant = std::get_if<ledger::Grant>(&statement.payload))
      originals_.emplace(statement.digest, grant->record);
    std::visit([&](const auto& payload) { Tell(row, statement.digest, payload); }, statement.payload);
    const auto* open = std::get_if<ledger::Open>(&statement.payload);
    const bool opening = open != nullptr || std::holds_alternative<ledger::StandingOpening>(statement.payload);
    if (open != nullptr)
      for (const auto& item : open->items) about_.push_back(OriginalOf(item.record));
    std::sort(about_.begin(), about_.end());
    about_.erase(std::unique(about_.begin(), about_.end()), about_.end());
    if (!about_.empty()) records_.emplace(statement.digest, about_);
    const auto about = std::exchange(about_, {});
    std::vector<Row> rows;
    if (!opening) {
      for (const Digest& record : about) {
        row.record = record.Hex();
        rows.push_back(row);
      }
      if (rows.empty()) rows.push_back(row);
      return rows;
    }
    if (about.size() == 1) row.record = about.front().Hex();
    const std::string said = row.note;
    for (const auto& verdict : decision.verdicts) {
      if (!verdict.record.IsZero()) row.record = OriginalOf(verdict.record).Hex();
      row.portion = std::to_string(verdict.portion);
      row.result = verdict.allowed() ? "granted" : "refused";
      row.unwitnessed = decision.unwitnessed && verdict.allowed();
      row.note = said;
      if (row.unwitnessed) Say(row, "without the quorum of witnesses");
      Say(row, verdict.obligation);
      row.reasons.clear();
      for (auto reason : verdict.reasons) row.reasons.emplace_back(CodeOf(reason));
      rows.push_back(row);
    }
    return rows;
  }

 private:
  // A record's digest; of a grant its original's, so that all that happened to a record is under one name.
  Digest OriginalOf(const Digest& record) const {
    const auto at = originals_.find(record);
    return at == originals_.end() ? record : at->second;
  }
  void About(const Digest& record) { about_.push_back(OriginalOf(record)); }
  // What a request, or another statement, is about, if that is shown.
  void AboutWhat(const Digest& statement) {
    const auto at = records_.find(statement);
    if (at != records_.end()) about_.insert(about_.end(), at->second.begin(), at->second.end());
  }
  static void Say(Row& row, const std::string& more) {
    row.note += (row.note.empty() || more.empty() ? "" : ", ") + more;
  }
  static std::string Markings(const record::Header& header) {
    std::string out;
    for (const auto& portion : header.portions) out += (out.empty() ? "" : ", ") + portion.marking;
    return out;
  }
  static std::string With(std::string word, const std::string& why) { return why.empty() ? word : word + ": " + why; }

  void Tell(Row& row, const Digest&, const ledger::Charter& charter) { row.note = charter.title; }
  void Tell(Row& row, const Digest&, const ledger::CharterAmendment& amendment) { row.note = amendment.charter.title; }
  void Tell(Row& row, const Digest&, const ledger::Enrolment& enrolment) {
    const auto status = enrolment.member.status;
    row.note = enrolment.member.id.str() + (status == ledger::MemberStatus::kActive      ? " active"
                                            : status == ledger::MemberStatus::kSuspended ? " suspended"
                                                                                         : " removed");
  }
  void Tell(Row& row, const Digest&, const ledger::Epoch& epoch) {
    row.note = epoch.agency.str() + " epoch " + std::to_string(epoch.epoch);
  }
  void Tell(Row& row, const Digest& digest, const ledger::Record& record) {
    About(digest);
    row.note = Markings(record.payload.header);
  }
  void Tell(Row& row, const Digest&, const ledger::Grant& grant) {
    About(grant.record);
    row.note = Markings(grant.header);
  }
  void Tell(Row& row, const Digest&, const ledger::Amendment& amendment) {
    About(amendment.record);
    row.portion = std::to_string(amendment.portion);
    row.note = "amendment " + std::to_string(amendment.sequence);
  }
  void Tell(Row& row, const Digest&, const ledger::Open& open) {
    row.purpose = open.purpose;
    row.case_reference = open.case_reference;
    if (!open.emergency.empty()) row.note = "emergency: " + open.emergency;
  }
  void Tell(Row& row, const Digest&, const ledger::StandingOpening& opening) {
    About(opening.record);
    row.author = opening.member.str();
    const auto at = orders_.find(opening.order);
    if (at == orders_.end()) return;
    row.purpose = at->second.purpose;
    row.case_reference = at->second.case_reference;
  }
  void Tell(Row& row, const Digest& digest, const ledger::StandingOrder& order) {
    row.purpose = order.purpose;
    row.case_reference = order.case_reference;
    orders_.emplace(digest, row);
  }
  void Tell(Row& row, const Digest&, const ledger::Approval& approval) {
    AboutWhat(approval.request);
    row.note = With(approval.verdict == ledger::ApprovalVerdict::kApprove  ? "approve"
                    : approval.verdict == ledger::ApprovalVerdict::kReject ? "reject"
                                                                           : "withdraw",
                    approval.why);
  }
  void Tell(Row& row, const Digest&, const ledger::Review& review) {
    AboutWhat(review.request);
    row.note = With(review.finding == ledger::Finding::kJustified ? "justified" : "not-justified", review.why);
  }
  void Tell(Row& row, const Digest&, const ledger::AccessRequest& request) {
    About(request.record);
    row.purpose = request.purpose;
    row.case_reference = request.case_reference;
    row.note = With(request.agency.str(), request.why);
  }
  void Tell(Row& row, const Digest&, const ledger::Answer& answer) {
    AboutWhat(answer.request);
    row.note = With(answer.marking ? std::string(policy::TextOf(*answer.marking)) : "declined", answer.why);
  }
  void Tell(Row& row, const Digest&, const ledger::Acknowledgement& ack) {
    About(ack.record);
    row.note = ack.outcome;
  }
  void Tell(Row& row, const Digest&, const ledger::Revocation& revocation) {
    if (!orders_.contains(revocation.record)) About(revocation.record);
    row.note = (revocation.recall ? "recall: " : "") + revocation.why;
  }
  void Tell(Row& row, const Digest&, const ledger::Lookup& lookup) {
    const std::string end = lookup.end_index == 0 ? "" : std::to_string(lookup.end_index);
    row.note = With(std::to_string(lookup.from_index) + ".." + end, lookup.why);
  }
  void Tell(Row& row, const Digest&, const ledger::Purge& purge) {
    for (const auto& erasure : purge.erasures) AboutWhat(erasure.statement);
    row.note = purge.why;
  }

  std::map<Digest, Digest> originals_;             // of grants
  std::map<Digest, std::vector<Digest>> records_;  // by statement, each ascending
  std::vector<Digest> about_;                      // of the statement that is told
  std::map<Digest, Row> orders_;
};

bool Matches(const Row& row, const Filter& filter, const std::map<std::string, std::string>& originators) {
  auto agency_of = [](const std::string& member) { return member.substr(0, member.find('/')); };
  if (filter.agency) {
    auto at = originators.find(row.record);
    const bool own = agency_of(row.author) == filter.agency->str();
    if (!own && (at == originators.end() || agency_of(at->second) != filter.agency->str())) return false;
  }
  if (filter.member && row.author != filter.member->str() && row.note.rfind(filter.member->str() + " ", 0) != 0)
    return false;
  if (!filter.record.empty() && row.record.compare(0, filter.record.size(), filter.record) != 0) return false;
  if (filter.from && row.time < *filter.from) return false;
  if (filter.until && row.time >= *filter.until) return false;
  if (!filter.result.empty() && row.result != filter.result) return false;
  return filter.kind.empty() || row.kind == filter.kind;
}

std::string Joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : " ") + one;
  return out;
}

}  // namespace

namespace {

// Every row in the order of the log.
Status ForEachRow(const std::filesystem::path& folder, const Filter& filter, const EachRow& each) {
  TRY(auto reader, ExportReader::Open(folder));
  std::map<std::string, std::string> originators;  // of records, as far as they were passed
  Teller teller;
  Status failed = Ok();
  reader.ForEach([&](std::uint64_t index, const Result<proto::LoggedEntry>& entry) {
    auto one = [&]() -> Status {
      if (!entry) return entry.error();
      if (!entry->head || !entry->envelope || entry->decision_bytes.empty()) {
        Row row;
        row.entry = index;
        row.result = "withheld";
        if (Matches(row, filter, originators)) each(row);
        return Ok();
      }
      TRY_OK(proto::CheckLoggedEntry(*entry));
      TRY(auto statement, entry->erased_by
                              ? proto::MakeErasedStatement(*entry->envelope, entry->head->statement, entry->attachments)
                              : proto::MakeStatement(*entry->envelope, entry->attachments));
      TRY(auto decision, proto::DecodeDecision(entry->decision_bytes));
      for (auto& row : teller.RowsOf(*entry->head, statement, decision)) {
        if (row.kind == "record") originators.emplace(row.record, row.author);
        if (entry->erased_by)
          row.note += (row.note.empty() ? "" : ", ") + ("erased by entry " + std::to_string(*entry->erased_by));
        if (Matches(row, filter, originators)) each(row);
      }
      return Ok();
    }();
    if (!one) failed = Refuse(one.error().reason, "entry " + std::to_string(index) + ": " + one.error().Message());
    return failed.has_value();
  });
  return failed;
}

}  // namespace

Result<std::vector<Row>> List(const std::filesystem::path& folder, const Filter& filter) {
  std::vector<Row> out;
  TRY_OK(ForEachRow(folder, filter, [&](const Row& row) { out.push_back(row); }));
  return out;
}

Result<std::vector<Row>> Custody(const std::filesystem::path& folder, const std::string& record) {
  Filter filter;
  filter.record = record;
  std::vector<Row> rows;
  std::set<std::string> records;
  TRY_OK(ForEachRow(folder, filter, [&](const Row& row) {
    if (!row.record.empty()) records.insert(row.record);
    if (records.size() > 1) rows.clear();  // it is told of one record, or of none
    rows.push_back(row);
  }));
  if (records.empty()) return Refuse(Reason::kNotFound, "no record in this export begins with \"" + record + "\"");
  if (records.size() > 1)
    return Refuse(Reason::kAmbiguous,
                  std::to_string(records.size()) + " records begin with \"" + record + "\"; give more digits");
  return rows;
}

// ---- printing ----

namespace {

std::vector<std::string> HeadOf(Format format) {
  using text::Id;
  std::vector<std::string> out;  // CSV is for programs: in English always
  for (auto id : {Id::kHeadEntry, Id::kHeadTime, Id::kHeadKind, Id::kHeadAuthor, Id::kHeadRecord, Id::kHeadPortion,
                  Id::kHeadResult, Id::kHeadReasons, Id::kHeadPurpose, Id::kHeadCase, Id::kHeadNote})
    out.push_back(format == Format::kCsv ? text::TextIn(text::Language::kEnglish, id) : text::Text(id));
  return out;
}

std::vector<std::string> CellsOf(const Row& row, Format format) {
  return {std::to_string(row.entry),
          format == Format::kCsv ? FormatTime(row.time) : text::TimeText(row.time),
          row.kind,
          row.author,
          format == Format::kTable ? row.record.substr(0, 12) : row.record,
          row.portion,
          row.result,
          Joined(row.reasons),
          row.purpose,
          row.case_reference,
          row.note};
}

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) out += (i == 0 ? "" : ",") + CsvCell(cells[i]);
  return out + "\r\n";
}

// As a member of an array that is written with an indent of 2.
std::string JsonMember(const Row& row) {
  const nlohmann::ordered_json one = {{"entry", row.entry},     {"time", FormatTime(row.time)},
                                      {"kind", row.kind},       {"author", row.author},
                                      {"record", row.record},   {"portion", row.portion},
                                      {"result", row.result},   {"reasons", row.reasons},
                                      {"purpose", row.purpose}, {"case", row.case_reference},
                                      {"note", row.note},       {"unwitnessed", row.unwitnessed}};
  const auto text = one.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out = "  ";
  for (const char c : text) out += c == '\n' ? std::string("\n  ") : std::string(1, c);
  return out;
}

}  // namespace

RowPrinter::RowPrinter(Format format, Write write)
    : format_(format), write_(std::move(write)), head_(HeadOf(format)), table_(head_) {}

void RowPrinter::Measure(const Row& row) {
  if (format_ == Format::kTable) table_.Measure(CellsOf(row, format_));
}

void RowPrinter::Begin() {
  if (format_ == Format::kTable) write_(table_.Line(head_));
  if (format_ == Format::kCsv) write_(CsvLine(head_));
  if (format_ == Format::kJson) write_("[");
}

void RowPrinter::Print(const Row& row) {
  if (format_ == Format::kTable) write_(table_.Line(CellsOf(row, format_)));
  if (format_ == Format::kCsv) write_(CsvLine(CellsOf(row, format_)));
  if (format_ == Format::kJson) write_((any_ ? ",\n" : "\n") + JsonMember(row));
  any_ = true;
}

void RowPrinter::End() {
  if (format_ == Format::kJson) write_(any_ ? "\n]\n" : "]\n");
}

Status PrintList(const std::filesystem::path& folder, const Filter& filter, Format format, const Write& write) {
  RowPrinter printer(format, write);
  TRY_OK(ForEachRow(folder, filter, [&](const Row& row) { printer.Measure(row); }));
  printer.Begin();
  TRY_OK(ForEachRow(folder, filter, [&](const Row& row) { printer.Print(row); }));
  printer.End();
  return Ok();
}

std::string Show(const std::vector<Row>& rows, Format format) {
  std::string out;
  RowPrinter printer(format, [&](const std::string& text) { out += text; });
  for (const auto& row : rows) printer.Measure(row);
  printer.Begin();
  for (const auto& row : rows) printer.Print(row);
  printer.End();
  return out;
}

}  // namespace valija::audit
