// What people see before they are asked: the record that an act is about, and who could open what is about to be sent.
#include <algorithm>
#include <iostream>
#include <map>

#include "client/commands_internal.h"
#include "client/print.h"
#include "client/session.h"
#include "core/policy/policy.h"
#include "core/text/catalogue.h"

namespace valija::cli {

using text::Format;
using text::Id;
using text::Text;

void PrintRecord(std::ostream& out, const InboxItem& item) {
  out << Visible(Format(Id::kShownRecord, item.id, item.from, TimeText(item.time))) << "\n";
  for (const auto& portion : item.portions)
    out << "    "
        << Visible(Format(Id::kShownPortion, portion.number, portion.marking, portion.media_type,
                          SizeText(portion.sealed_bytes)))
        << "\n";
}

Outcome<std::optional<InboxItem>> FindItem(Session& session, const std::string& id) {
  auto received = session.Inbox();
  if (!received) return received.failure();
  auto sent = session.Sent();
  if (!sent) return sent.failure();
  for (const auto* list : {&*received, &*sent})
    for (const auto& item : *list)
      if (item.id == id) return std::optional(item);
  return std::optional<InboxItem>();
}

Outcome<std::string> ShowRecord(Session& session, const std::string& id) {
  auto whole = session.Resolve(id);
  if (!whole) return whole.failure();
  auto item = FindItem(session, *whole);
  if (!item) return item.failure();
  if (*item) {
    PrintRecord(std::cerr, **item);
    return *whole;
  }
  // A colleague's that is not for me: who sent it and when, from its custody.
  auto custody = session.Custody(*whole);
  if (!custody) return custody.failure();
  for (const auto& one : *custody)
    if (one.id == *whole) {
      std::cerr << Visible(Format(Id::kShownRecord, *whole, one.by, TimeText(one.time))) << "\n";
      return *whole;
    }
  return client::ToFailure(Refuse(Reason::kNotFound));
}

bool AskAbout(const Common& common, Session& session, std::string& id, text::Checked<false, std::string> question,
              int& status) {
  if (common.yes) return true;
  auto shown = ShowRecord(session, id);
  if (shown) WarnIfBehind(session);
  if (!shown) {
    status = Fail(common, shown.failure());
    return false;
  }
  id = *shown;
  status = 1;
  return Confirmed(common, Format(question, id));
}

Outcome<std::vector<Ahead>> LookAhead(Session& session, const Draft& draft) {
  auto previews = session.Preview(draft);
  if (!previews) return previews.failure();
  auto explained = session.Explain(draft);
  if (!explained) return explained.failure();
  std::vector<Ahead> out;
  for (std::size_t i = 0; i < previews->size(); ++i) {
    Ahead ahead{(*previews)[i], {}, {}};
    if (i < explained->size()) ahead.members = (*explained)[i].members;
    const auto policy = policy::ParseText(draft.portions[i].policy_text).policy;
    if (policy)
      for (const auto& group : policy->approvals) {
        std::string names;
        for (const auto& approver : group.approvers) names += (names.empty() ? "" : ", ") + approver.str();
        ahead.approvals.push_back(Format(Id::kPreviewGroup, group.needed, names));
      }
    out.push_back(std::move(ahead));
  }
  return out;
}

void PrintPreview(std::ostream& out, const std::vector<Ahead>& portions, const std::vector<std::uint32_t>& granted) {
  std::string numbers;
  for (auto number : granted) numbers += (numbers.empty() ? "" : ", ") + std::to_string(number);
  for (const auto& one : portions) {
    const auto& preview = one.preview;
    const auto number = numbers.empty() ? std::to_string(preview.portion) : numbers;
    out << Visible(Format(Id::kPreviewPortion, number, preview.marking)) << "\n";
    bool anybody = false;
    for (const auto& reader : preview.readers) {
      anybody = anybody || !reader.members.empty();
      out << "  " << reader.agency << ": "
          << (reader.members.empty() ? Text(Id::kPreviewNobodyYet) : Visible(Joined(reader.members))) << "\n";
    }
    if (!anybody) out << "  " << Text(Id::kPreviewNobody) << "\n";
    if (!preview.left_out.empty()) out << "  " << Format(Id::kPreviewLeftOut, Joined(preview.left_out)) << "\n";
    // Who could not, by what the rules say; readers among them could not yet, or not alone.
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const auto& member : one.members)
      if (!member.reasons.empty()) by_reason[Joined(member.reasons)].push_back(member.member);
    if (!one.approvals.empty()) {
      std::string groups;
      for (const auto& group : one.approvals) groups += (groups.empty() ? "" : "; ") + group;
      out << "  " << Visible(Format(Id::kPreviewApprovals, groups)) << "\n";
    }
    for (const auto& [reasons, members] : by_reason)
      out << "  " << Visible(Format(Id::kPreviewCannot, reasons, Joined(members))) << "\n";
  }
}

}  // namespace valija::cli
