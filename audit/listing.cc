#include "audit/listing.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/export_reader.h"
#include "core/base/text.h"
#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

// Rows of one statement and its decision; one per portion for an open, else one.
std::vector<Row> RowsOf(const ledger::EntryHead& head, const ledger::Statement& statement,
                        const ledger::Decision& decision) {
  Row row;
  row.entry = head.index;
  row.time = head.time;
  row.kind = ledger::NameOf(statement.kind);
  if (auto by = ledger::AuthorshipOf(statement)) row.author = by->author.str();
  row.result = "accepted";
  if (const auto* open = std::get_if<ledger::Open>(&statement.payload)) {
    row.purpose = open->purpose;
    row.case_reference = open->case_reference;
    std::vector<Row> rows;
    for (const auto& verdict : decision.verdicts) {
      row.record = verdict.record.Hex();
      row.portion = std::to_string(verdict.portion);
      row.result = verdict.allowed() ? "granted" : "refused";
      row.note = verdict.obligation;
      row.reasons.clear();
      for (auto reason : verdict.reasons) row.reasons.emplace_back(CodeOf(reason));
      rows.push_back(row);
    }
    return rows;
  }
  if (const auto* record = std::get_if<ledger::Record>(&statement.payload)) {
    row.record = statement.digest.Hex();
    for (const auto& portion : record->payload.header.portions)
      row.note += (row.note.empty() ? "" : ", ") + portion.marking;
  } else if (const auto* ack = std::get_if<ledger::Acknowledgement>(&statement.payload)) {
    row.record = ack->record.Hex();
    row.note = ack->outcome;
  } else if (const auto* revocation = std::get_if<ledger::Revocation>(&statement.payload)) {
    row.record = revocation->record.Hex();
    row.note = revocation->why;
  } else if (const auto* enrolment = std::get_if<ledger::Enrolment>(&statement.payload)) {
    row.note = enrolment->member.id.str() +
               (enrolment->member.status == ledger::MemberStatus::kActive ? " active" : " removed");
  } else if (const auto* epoch = std::get_if<ledger::Epoch>(&statement.payload)) {
    row.note = epoch->agency.str() + " epoch " + std::to_string(epoch->epoch);
  } else if (const auto* charter = std::get_if<ledger::Charter>(&statement.payload)) {
    row.note = charter->title;
  }
  return {row};
}

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

Result<std::vector<Row>> List(const std::filesystem::path& folder, const Filter& filter) {
  TRY(auto reader, ExportReader::Open(folder));
  std::vector<Row> out;
  std::map<std::string, std::string> originators;  // of records, as far as they were passed
  Status failed = Ok();
  reader.ForEach([&](std::uint64_t index, const Result<proto::LoggedEntry>& entry) {
    auto one = [&]() -> Status {
      if (!entry) return entry.error();
      if (!entry->head || !entry->envelope || entry->decision_bytes.empty()) {
        Row row;
        row.entry = index;
        row.result = "withheld";
        if (Matches(row, filter, originators)) out.push_back(row);
        return Ok();
      }
      TRY_OK(proto::CheckLoggedEntry(*entry));
      TRY(auto statement, proto::MakeStatement(*entry->envelope, entry->attachments));
      TRY(auto decision, proto::DecodeDecision(entry->decision_bytes));
      for (auto& row : RowsOf(*entry->head, statement, decision)) {
        if (row.kind == "record") originators.emplace(row.record, row.author);
        if (Matches(row, filter, originators)) out.push_back(std::move(row));
      }
      return Ok();
    }();
    if (!one) failed = Refuse(one.error().reason, "entry " + std::to_string(index) + ": " + one.error().Message());
    return failed.has_value();
  });
  TRY_OK(failed);
  return out;
}

Result<std::vector<Row>> Custody(const std::filesystem::path& folder, const std::string& record) {
  Filter filter;
  filter.record = record;
  TRY(auto rows, List(folder, filter));
  std::set<std::string> records;
  for (const auto& row : rows)
    if (!row.record.empty()) records.insert(row.record);
  if (records.empty()) return Refuse(Reason::kNotFound, "no record in this export begins with \"" + record + "\"");
  if (records.size() > 1)
    return Refuse(Reason::kAmbiguous,
                  std::to_string(records.size()) + " records begin with \"" + record + "\"; give more digits");
  return rows;
}

std::string Show(const std::vector<Row>& rows, Format format) {
  if (format == Format::kJson) {
    auto json = nlohmann::ordered_json::array();
    for (const auto& row : rows) {
      nlohmann::ordered_json one = {
          {"entry", row.entry},     {"time", FormatTime(row.time)}, {"kind", row.kind},     {"author", row.author},
          {"record", row.record},   {"portion", row.portion},       {"result", row.result}, {"reasons", row.reasons},
          {"purpose", row.purpose}, {"case", row.case_reference},   {"note", row.note}};
      json.push_back(std::move(one));
    }
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  using text::Id;
  std::vector<std::string> head;  // CSV is for programs: in English always
  for (auto id : {Id::kHeadEntry, Id::kHeadTime, Id::kHeadKind, Id::kHeadAuthor, Id::kHeadRecord, Id::kHeadPortion,
                  Id::kHeadResult, Id::kHeadReasons, Id::kHeadPurpose, Id::kHeadCase, Id::kHeadNote})
    head.push_back(format == Format::kCsv ? text::TextIn(text::Language::kEnglish, id) : text::Text(id));
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows)
    cells.push_back({std::to_string(row.entry),
                     format == Format::kCsv ? FormatTime(row.time) : text::TimeText(row.time), row.kind, row.author,
                     format == Format::kTable ? row.record.substr(0, 12) : row.record, row.portion, row.result,
                     Joined(row.reasons), row.purpose, row.case_reference, row.note});
  if (format == Format::kTable) return FormatTable(head, cells);
  std::string csv;
  auto line = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) csv += (i == 0 ? "" : ",") + CsvCell(row[i]);
    csv += "\r\n";
  };
  line(head);
  for (const auto& row : cells) line(row);
  return csv;
}

}  // namespace valija::audit
