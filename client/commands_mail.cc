// Sending, the inbox, and what was sent.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <utility>

#include "client/commands_internal.h"
#include "client/print.h"
#include "client/session.h"
#include "core/io/file.h"
#include "core/text/catalogue.h"

namespace valija::cli {

using client::ToFailure;
using text::Counted;
using text::Format;
using text::Id;
using text::Text;

namespace {

std::string TypeByName(const std::string& file) {
  auto ends = [&](const char* suffix) {
    std::string s(suffix);
    return file.size() > s.size() && file.compare(file.size() - s.size(), s.size(), s) == 0;
  };
  if (ends(".json")) return "application/json";
  if (ends(".txt") || ends(".md")) return "text/plain";
  if (ends(".pdf")) return "application/pdf";
  return "application/octet-stream";
}

}  // namespace

int Send(const Common& common, const SendArguments& arguments) {
  Draft draft;
  draft.in_reply_to = arguments.in_reply_to;
  draft.urgency = arguments.urgency;
  draft.sources = arguments.sources;
  if (arguments.policies.size() != 1 && arguments.policies.size() != arguments.files.size())
    return Misused(common, Id::kUsageOnePolicy);
  if (arguments.types.size() > 1 && arguments.types.size() != arguments.files.size())
    return Misused(common, Id::kUsageOneType);
  for (std::size_t i = 0; i < arguments.files.size(); ++i) {
    const auto& policy = arguments.policies[arguments.policies.size() == 1 ? 0 : i];
    auto text = io::ReadText(policy, 1 << 16);
    if (!text) return Fail(common, ToFailure(text.error()));
    PortionDraft portion;
    portion.file = arguments.files[i];
    portion.policy_text = *text;
    portion.media_type =
        arguments.types.empty() ? TypeByName(arguments.files[i]) : arguments.types[arguments.types.size() == 1 ? 0 : i];
    draft.portions.push_back(std::move(portion));
  }
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto preview = LookAhead(*session, draft);
  if (!preview) return Fail(common, preview.failure());
  WarnIfBehind(*session);
  if (arguments.preview) {
    if (common.json) {
      nlohmann::ordered_json out = nlohmann::ordered_json::array();
      for (const auto& portion : *preview) out.push_back(ToJson(portion));
      std::cout << out.dump() << "\n";
    } else {
      PrintPreview(std::cout, *preview);
    }
    return 0;
  }
  const bool asks = ::isatty(STDIN_FILENO) != 0;
  if (!common.json || (asks && !common.yes)) PrintPreview(std::cerr, *preview);  // never asked about what was not shown
  if (asks && !Confirmed(common, Text(Id::kAskSend))) return 1;
  auto sent = session->Send(draft, ProgressBar(Text(Id::kSending)));
  if (!sent) return Fail(common, sent.failure());
  if (common.json)
    std::cout
        << nlohmann::ordered_json{{"record", sent->id}, {"entry", sent->entry}, {"time", FormatTime(sent->time)}}.dump()
        << "\n";
  else
    std::cout << Format(Id::kLogged, Format(Id::kSent, sent->id), sent->entry) << "\n";
  return 0;
}

// ---- the mailbox ----

namespace {

constexpr std::size_t kDeepest = 8;  // replies beneath replies are indented so far

std::string AgencyOf(const std::string& member) { return member.substr(0, member.find('/')); }

// It asks my agency and has no answer of it yet.
bool Asks(const InboxItem& item, const std::string& my_agency) {
  return item.due && !item.answered_by_us && !item.revoked && AgencyOf(item.from) != my_agency;
}
// I asked, and no answer has come.
bool Unanswered(const InboxItem& item) { return item.due && item.replies.empty() && !item.revoked; }

void ByDue(std::vector<InboxItem>& items) {
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return *a.due < *b.due; });
}

struct Line {
  const InboxItem* item;
  std::size_t depth;
};

// Each record, and beneath it those that answer it, sent or received; only threads that one of `wanted` is in.
std::vector<Line> Threads(const std::map<std::string, InboxItem>& all, const std::set<std::string>& wanted) {
  std::map<std::string, std::vector<const InboxItem*>> answers;
  std::vector<const InboxItem*> roots;
  for (const auto& [id, item] : all) {
    if (all.contains(item.in_reply_to))
      answers[item.in_reply_to].push_back(&item);
    else
      roots.push_back(&item);
  }
  auto later = [](const InboxItem* a, const InboxItem* b) { return a->entry > b->entry; };
  for (auto& [id, of_one] : answers) std::sort(of_one.begin(), of_one.end(), later);
  std::sort(roots.begin(), roots.end(), later);
  std::vector<Line> lines;
  while (!roots.empty()) {
    const auto begin = lines.size();
    bool shown = false;
    std::vector<Line> left = {{roots.back(), 0}};
    roots.pop_back();
    while (!left.empty()) {
      const Line line = left.back();
      left.pop_back();
      lines.push_back(line);
      shown = shown || wanted.contains(line.item->id);
      for (const auto* answer : answers[line.item->id]) left.push_back({answer, line.depth + 1});
    }
    if (!shown) lines.resize(begin);
  }
  return lines;
}

std::string StateText(const InboxItem& item, const PortionInfo& portion, bool mine) {
  return Text(item.purged            ? Id::kStatePurged
              : item.recalled        ? Id::kStateRecalled
              : item.revoked         ? Id::kStateRevoked
              : portion.opened_by_me ? Id::kStateOpened
              : mine                 ? Id::kStateSent
              : !portion.for_me      ? Id::kStateNotForMe
                                     : Id::kStateNew);
}

std::string DueText(const InboxItem& item, bool mine) {
  if (!item.due) return {};
  const auto time = TimeText(*item.due);
  if (mine ? !item.replies.empty() : item.answered_by_us) return Format(Id::kDueAnswered, time);
  return Overdue(item) ? Format(Id::kDueOver, time) : time;
}

void PrintLines(const std::vector<Line>& lines, const std::set<std::string>& mine) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [item, depth] : lines) {
    const bool sent = mine.contains(item->id);
    for (const auto& portion : item->portions) {
      const bool first = &portion == &item->portions.front();
      std::string note;
      if (first && !item->in_reply_to.empty()) note = Format(Id::kAnswers, ShortId(item->in_reply_to));
      if (first && sent && item->due) note += (note.empty() ? "" : "; ") + Counted(Id::kReplies, item->replies.size());
      rows.push_back({first ? std::string(2 * std::min(depth, kDeepest), ' ') + ShortId(item->id) : "",
                      first ? TimeText(item->time) : "", first ? item->from : "", std::to_string(portion.number),
                      portion.marking, portion.media_type, SizeText(portion.sealed_bytes),
                      StateText(*item, portion, sent), first ? DueText(*item, sent) : "", note});
    }
  }
  std::cout << FormatTable(
      {Text(Id::kHeadRecord), Text(Id::kHeadSent), Text(Id::kHeadFrom), Text(Id::kHeadPortion), Text(Id::kHeadMarking),
       Text(Id::kHeadType), Text(Id::kHeadSealed), Text(Id::kHeadState), Text(Id::kHeadDue), ""},
      rows);
}

// What was received or sent: for programs as a list, for people as threads, or by when it is due.
int List(const Common& common, Session& session, const std::vector<InboxItem>& items, bool due, Id nothing) {
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& item : items) out.push_back(ToJson(item));
    std::cout << out.dump() << "\n";
    return 0;
  }
  if (items.empty()) {
    std::cout << Text(nothing) << "\n";
    return 0;
  }
  auto received = session.Inbox(), sent = session.Sent();
  if (!received) return Fail(common, received.failure());
  if (!sent) return Fail(common, sent.failure());
  std::map<std::string, InboxItem> all;
  std::set<std::string> mine, wanted;
  for (const auto& item : *sent) mine.insert(item.id);
  for (const std::vector<InboxItem>* list : {&items, &std::as_const(*received), &std::as_const(*sent)})
    for (const auto& item : *list) all.emplace(item.id, item);
  std::vector<Line> lines;
  if (due) {
    for (const auto& item : items) lines.push_back({&item, 0});
  } else {
    for (const auto& item : items) wanted.insert(item.id);
    lines = Threads(all, wanted);
  }
  PrintLines(lines, mine);
  return 0;
}

}  // namespace

int Inbox(const Common& common, bool follow, bool due) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  std::string agency;
  if (due) {
    auto me = session->Me();
    if (!me) return Fail(common, me.failure());
    agency = AgencyOf(me->info.id);
  }
  if (follow) {
    bool behind = false;
    auto ended = session->Follow([&](const NewsItem& item) {
      if (!std::exchange(behind, session->Witnessed().behind.has_value())) WarnIfBehind(*session);  // once each time
      if (!due || (item.item && Asks(*item.item, agency)))
        std::cout << (common.json ? ToJson(item).dump() : NewsLine(item)) << std::endl;
      return true;
    });
    return ended ? 0 : Fail(common, ended.failure());
  }
  auto items = session->Inbox();
  if (!items) return Fail(common, items.failure());
  WarnIfBehind(*session);
  if (due) {
    std::erase_if(*items, [&](const InboxItem& item) { return !Asks(item, agency); });
    ByDue(*items);
  }
  return List(common, *session, *items, due, due ? Id::kNothingDue : Id::kInboxEmpty);
}

int ListSent(const Common& common, bool due) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto items = session->Sent();
  if (!items) return Fail(common, items.failure());
  WarnIfBehind(*session);
  if (due) {
    std::erase_if(*items, [](const InboxItem& item) { return !Unanswered(item); });
    ByDue(*items);
  }
  return List(common, *session, *items, due, due ? Id::kNothingAwaited : Id::kSentEmpty);
}

}  // namespace valija::cli
