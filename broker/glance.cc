#include "broker/glance.h"

#include <algorithm>
#include <stdexcept>

#include "core/ledger/row_codec.h"
#include "core/ledger/table.h"

namespace valija::ledger {

template <>
struct FieldsOf<broker::Glance> {
  static auto Of(auto& of) {
    auto& [statement, kind, emergency, consent, names] = of;
    return std::tie(statement, kind, emergency, consent, names);
  }
};

}  // namespace valija::ledger

namespace valija::broker {
namespace {

constexpr std::uint64_t kInOneRow = 32;

struct Namer {
  Glance& out;

  void operator()(const ledger::Open& open) const {
    out.emergency = !open.emergency.empty();
    for (const auto& item : open.items)
      if (std::find(out.names.begin(), out.names.end(), item.record) == out.names.end())
        out.names.push_back(item.record);
  }
  void operator()(const ledger::Answer& answer) const {
    out.consent = answer.marking.has_value();
    out.names = {answer.request};
  }
  void operator()(const ledger::Grant& one) const {
    if (one.request) out.names = {*one.request};
  }
  void operator()(const ledger::Acknowledgement& one) const { out.names = {one.record}; }
  void operator()(const ledger::Revocation& one) const { out.names = {one.record}; }
  void operator()(const ledger::Amendment& one) const { out.names = {one.record}; }
  void operator()(const ledger::AccessRequest& one) const { out.names = {one.record}; }
  void operator()(const ledger::StandingOpening& one) const { out.names = {one.record}; }
  void operator()(const ledger::Approval& one) const { out.names = {one.request}; }
  void operator()(const ledger::Review& one) const { out.names = {one.request}; }
  void operator()(const ledger::Purge& purge) const {
    for (const auto& erasure : purge.erasures) out.names.push_back(erasure.statement);
  }
  // Who may see these follows from the kind, or from the state's own of them.
  void operator()(const ledger::Charter&) const {}
  void operator()(const ledger::CharterAmendment&) const {}
  void operator()(const ledger::Enrolment&) const {}
  void operator()(const ledger::Epoch&) const {}
  void operator()(const ledger::Record&) const {}
  void operator()(const ledger::StandingOrder&) const {}
  void operator()(const ledger::Lookup&) const {}
};

}  // namespace

struct Glances::Data {
  std::uint64_t size = 0;
  ledger::TableSource source{};
  ledger::Table<std::uint64_t, std::vector<Glance>> rows{'g', source};
};

Glances::Glances() : data_(std::make_unique<Data>()) {}
Glances::~Glances() = default;
Glances::Glances(Glances&&) noexcept = default;
Glances& Glances::operator=(Glances&&) noexcept = default;

const Glance& Glances::at(std::uint64_t index) const {
  if (index >= data_->size) throw std::out_of_range("an entry that is not there");
  const auto* row = data_->rows.Find(index / kInOneRow);
  if (row == nullptr || row->size() <= index % kInOneRow) throw ledger::RowsDamaged("a glance is missing");
  return (*row)[index % kInOneRow];
}

void Glances::push_back(Glance glance) {
  const std::uint64_t at = data_->size / kInOneRow;
  auto* row = data_->rows.Change(at);
  if (row == nullptr) {
    data_->rows.Add(at, {});
    row = data_->rows.Change(at);
  }
  row->push_back(std::move(glance));
  ++data_->size;
}

void Glances::KeepIn(const ledger::RowSource& rows, std::uint64_t size) {
  data_->source.rows = &rows;
  data_->size = size;
}
void Glances::TakeRows(std::vector<ledger::Row>& out) { data_->rows.TakeRows(out); }
std::size_t Glances::cached() const { return data_->source.cached; }
void Glances::Trim(std::size_t most) {
  for (int pass = 0; pass < 2 && cached() > most; ++pass) data_->rows.Trim();
}

Glance GlanceOf(const ledger::Statement& statement) {
  Glance out{.statement = statement.digest, .kind = statement.kind};
  std::visit(Namer{out}, statement.payload);
  out.names.shrink_to_fit();
  return out;
}

}  // namespace valija::broker
