#include "client/commands.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <sstream>

#include "client/commands_internal.h"
#include "client/connect.h"
#include "client/print.h"
#include "core/io/file.h"
#include "core/policy/policy.h"
#include "core/text/catalogue.h"
#include "core/text/sentences.h"

namespace valija::cli {
namespace {

using client::ToFailure;
using text::Counted;
using text::Format;
using text::Id;
using text::Text;

}  // namespace

int Misused(const Common& common, Id what) {
  const auto detail = common.json ? text::TextIn(text::Language::kEnglish, what) : Text(what);
  return Fail(common, ToFailure(Refuse(Reason::kUsage, detail)));
}

std::unique_ptr<Session> Start(const Common& common, int& status) {
  SessionOptions options{common.profile, common.passphrase_file, std::chrono::seconds(common.timeout_s)};
  auto session = Session::Open(options);
  if (!session) {
    status = Fail(common, session.failure());
    return nullptr;
  }
  return std::move(*session);
}

bool Confirmed(const Common& common, const std::string& question) {
  if (common.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) {
    std::cerr << question << "\n" << Text(Id::kNobodyToAsk) << "\n";
    return false;
  }
  std::cerr << question << " " << Text(Id::kYesOrNo) << " " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  std::istringstream words(Text(Id::kYesWords));
  for (std::string word; words >> word;)
    if (answer == word) return true;
  std::cerr << Text(Id::kNotDone) << "\n";
  return false;
}

int Answer(const Common& common, const Outcome<NewsItem>& done, const std::string& said) {
  if (!done) return Fail(common, done.failure());
  if (common.json)
    std::cout << ToJson(*done).dump() << "\n";
  else
    std::cout << Format(Id::kLogged, said, done->entry) << "\n";
  return 0;
}

std::string Joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ", ") + one;
  return out;
}

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

// "active, administrator, joint auditor"
std::string StandingText(const MemberInfo& member, Id auditor) {
  auto out = Text(member.status == "active"      ? Id::kStatusActive
                  : member.status == "suspended" ? Id::kStatusSuspended
                                                 : Id::kStatusRemoved);
  if (member.administrator) out += ", " + Text(Id::kAdministrator);
  if (member.joint_auditor || member.auditor) out += ", " + Text(member.joint_auditor ? Id::kJointAuditor : auditor);
  return out;
}

void PrintPreview(std::ostream& out, const std::vector<PortionPreview>& previews) {
  for (const auto& portion : previews) {
    out << Format(Id::kPreviewPortion, portion.portion, portion.marking) << "\n";
    bool anybody = false;
    for (const auto& reader : portion.readers) {
      anybody = anybody || !reader.members.empty();
      out << "  " << reader.agency << ": "
          << (reader.members.empty() ? Text(Id::kPreviewNobodyYet) : Visible(Joined(reader.members))) << "\n";
    }
    if (!anybody) out << "  " << Text(Id::kPreviewNobody) << "\n";
    if (!portion.left_out.empty()) out << "  " << Format(Id::kPreviewLeftOut, Joined(portion.left_out)) << "\n";
  }
}

}  // namespace

int Fail(const Common& common, const Failure& failure) {
  if (common.json)
    std::cout << ToJson(failure).dump() << "\n";
  else
    std::cerr << "valija: " << (failure.exit_status == 5 ? Text(Id::kAlarm) : "")
              << Visible(text::Explain(failure.code, failure.message)) << " [" << failure.code << "]\n";
  return failure.exit_status;
}

int Init(const Common& common, const std::string& member_text) {
  auto member = MemberId::Parse(member_text);
  if (!member) return Misused(common, Id::kUsageMember);
  auto passphrase = client::Passphrase(common.passphrase_file, true);
  if (!passphrase) return Fail(common, ToFailure(passphrase.error()));
  crypto::SystemRandom random;
  if (auto made = client::Profile::Create(common.profile, *member, *passphrase, random); !made)
    return Fail(common, ToFailure(made.error()));
  if (common.json) {
    std::cout << nlohmann::ordered_json{{"member", member->str()},
                                        {"request", (common.profile / "request.csr").string()},
                                        {"card", (common.profile / "member.card").string()}}
                     .dump()
              << "\n";
  } else {
    std::cout << Format(Id::kInitDone, member->str(), common.profile.string(),
                        (common.profile / "request.csr").string(), (common.profile / "member.card").string())
              << "\n";
  }
  return 0;
}

int Join(const Common& common, const std::string& charter, const std::string& digest_text, const std::string& broker,
         const std::string& certificate) {
  auto digest = Digest::FromHexText(digest_text);
  if (!digest) return Misused(common, Id::kUsageDigest);
  auto join = [&]() -> Status {
    TRY(auto envelope, io::ReadFile(charter, 4 << 20));
    TRY(auto pem, io::ReadText(certificate, 1 << 20));
    TRY(auto profile, client::Profile::Open(common.profile));
    return profile.Join(envelope, *digest, broker, pem,
                        std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  };
  if (auto joined = join(); !joined) return Fail(common, ToFailure(joined.error()));
  if (common.json)
    std::cout << nlohmann::ordered_json{{"joined", digest_text}, {"broker", broker}}.dump() << "\n";
  else
    std::cout << Format(Id::kJoined, broker, ShortId(digest_text)) << "\n";
  return 0;
}

int WhoAmIAm(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto me = session->Me();
  if (!me) return Fail(common, me.failure());
  if (common.json) {
    std::cout << ToJson(*me).dump() << "\n";
    return 0;
  }
  const auto& info = me->info;
  std::cout << Format(Id::kWhoAmI, info.id, StandingText(info, Id::kAuditorOfAgency),
                      info.clearance.empty() ? Text(Id::kNone) : info.clearance, Joined(info.roles),
                      Joined(info.programmes), Visible(me->broker), Visible(me->origin), me->charter_digest,
                      me->pinned_size, me->pinned_root)
            << "\n";
  return 0;
}

int ShowDirectory(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto agencies = session->Directory();
  if (!agencies) return Fail(common, agencies.failure());
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& agency : *agencies) out.push_back(ToJson(agency));
    std::cout << out.dump() << "\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& agency : *agencies) {
    rows.push_back(
        {agency.id, agency.name, agency.epoch == 0 ? Text(Id::kNoEpoch) : Format(Id::kEpoch, agency.epoch), "", ""});
    for (const auto& member : agency.members)
      rows.push_back({"  " + member.id, StandingText(member, Id::kAuditor), member.clearance, Joined(member.roles),
                      Joined(member.programmes)});
  }
  std::cout << FormatTable(
      {Text(Id::kHeadAgencyOrMember), "", Text(Id::kHeadClearance), Text(Id::kHeadRoles), Text(Id::kHeadProgrammes)},
      rows);
  return 0;
}

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
  auto preview = session->Preview(draft);
  if (!preview) return Fail(common, preview.failure());
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

namespace {

// Only what asks my agency and has no answer of it yet, by when it is due.
void KeepDue(std::vector<InboxItem>& items) {
  std::erase_if(items, [](const InboxItem& item) { return !item.due || item.answered_by_us || item.revoked; });
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return *a.due < *b.due; });
}

}  // namespace

int Inbox(const Common& common, bool follow, bool due) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  if (follow) {
    auto ended = session->Follow([&](const NewsItem& item) {
      std::cout << (common.json ? ToJson(item).dump() : NewsLine(item)) << std::endl;
      return true;
    });
    return ended ? 0 : Fail(common, ended.failure());
  }
  auto items = session->Inbox();
  if (!items) return Fail(common, items.failure());
  if (due) KeepDue(*items);
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& item : *items) out.push_back(ToJson(item));
    std::cout << out.dump() << "\n";
    return 0;
  }
  if (items->empty()) {
    std::cout << Text(Id::kInboxEmpty) << "\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : *items) {
    for (const auto& portion : item.portions) {
      const bool first = &portion == &item.portions.front();
      const auto state = Text(!portion.for_me        ? Id::kStateNotForMe
                              : item.revoked         ? Id::kStateRevoked
                              : portion.opened_by_me ? Id::kStateOpened
                                                     : Id::kStateNew);
      rows.push_back({first ? ShortId(item.id) : "", first ? TimeText(item.time) : "", first ? item.from : "",
                      std::to_string(portion.number), portion.marking, portion.media_type,
                      SizeText(portion.sealed_bytes), state, first && item.due ? TimeText(*item.due) : "",
                      first && !item.in_reply_to.empty() ? Format(Id::kAnswers, ShortId(item.in_reply_to)) : ""});
    }
  }
  std::cout << FormatTable(
      {Text(Id::kHeadRecord), Text(Id::kHeadSent), Text(Id::kHeadFrom), Text(Id::kHeadPortion), Text(Id::kHeadMarking),
       Text(Id::kHeadType), Text(Id::kHeadSealed), Text(Id::kHeadState), Text(Id::kHeadDue), ""},
      rows);
  return 0;
}

int Open(const Common& common, const OpenArguments& arguments) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto record = session->Resolve(arguments.record);
  if (!record) return Fail(common, record.failure());
  OpenRequest request{*record, 0, arguments.purpose, arguments.case_reference, arguments.output, {}, {}};
  request.approved_request = arguments.approved_request;
  request.emergency = arguments.emergency;
  if (arguments.portion >= 0) {
    request.portion = static_cast<std::uint32_t>(arguments.portion);
  } else {
    auto items = session->Inbox();
    if (!items) return Fail(common, items.failure());
    std::vector<std::uint32_t> mine;
    for (const auto& item : *items)
      if (item.id == *record)
        for (const auto& portion : item.portions)
          if (portion.for_me) mine.push_back(portion.number);
    if (mine.size() > 1) return Misused(common, Id::kUsageSeveralPortions);
    if (!mine.empty()) request.portion = mine[0];
  }
  auto opened = session->OpenRecord(request, ProgressBar(Text(Id::kOpening)));
  if (!opened) {
    const int failed = Fail(common, opened.failure());
    // What to do next; the message ends in the request's digits.
    const auto& message = opened.failure().message;
    const auto at = message.rfind("request ");
    if (!common.json && opened.failure().code == "approval-missing" && at != std::string::npos)
      std::cerr << Format(Id::kWaitsForApproval, ShortId(message.substr(at + 8))) << "\n";
    return failed;
  }
  if (!common.json) {
    const auto said = Format(Id::kOpened, opened->portion, Visible(opened->marking), SizeText(opened->bytes));
    std::cerr << Format(Id::kLogged, said, opened->entry) << "\n";
  }
  if (common.json) {
    nlohmann::ordered_json out = {{"record", opened->id},       {"portion", opened->portion},
                                  {"marking", opened->marking}, {"media_type", opened->media_type},
                                  {"bytes", opened->bytes},     {"entry", opened->entry}};
    if (arguments.output.empty())
      out["content_base64"] = ToBase64(AsBytes(opened->content));
    else
      out["output"] = arguments.output;
    std::cout << out.dump() << "\n";
  } else if (arguments.output.empty()) {
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    std::cout << (terminal ? Visible(opened->content, true) : opened->content) << std::flush;
    if (terminal) std::cout << "\n";
  }
  return 0;
}

int Acknowledge(const Common& common, const std::string& record, const std::string& outcome) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Acknowledge(record, outcome), Format(Id::kAcknowledged, outcome));
}

int Revoke(const Common& common, const std::string& record, const std::string& why) {
  if (!Confirmed(common, Format(Id::kAskRevoke, Visible(record)))) return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Revoke(record, why), Text(Id::kRevoked));
}

int Custody(const Common& common, const std::string& record) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto items = session->Custody(record);
  if (!items) return Fail(common, items.failure());
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& item : *items) out.push_back(ToJson(item));
    std::cout << out.dump() << "\n";
    return 0;
  }
  for (const auto& item : *items) std::cout << Format(Id::kCustodyLine, item.entry, NewsLine(item)) << "\n";
  std::cout << Counted(Id::kCustodyTotal, items->size()) << "\n";
  return 0;
}

int PolicyCheck(const Common& common, const std::vector<std::string>& files) {
  bool good = true;
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const auto& file : files) {
    auto text = io::ReadText(file, 1 << 16);
    if (!text) return Fail(common, ToFailure(text.error()));
    auto parsed = policy::ParseText(*text);
    good = good && parsed.policy && parsed.errors.empty();
    if (common.json) {
      nlohmann::ordered_json errors = nlohmann::ordered_json::array();
      for (const auto& error : parsed.errors) errors.push_back({{"line", error.line}, {"message", error.message}});
      out.push_back({{"file", file}, {"good", parsed.errors.empty()}, {"errors", errors}});
      continue;
    }
    for (const auto& error : parsed.errors)
      std::cerr << Visible(file) << ":" << error.line << ": " << Visible(error.message) << "\n";
    if (parsed.policy && parsed.errors.empty())
      std::cout << "# " << Format(Id::kPolicyGood, Visible(file)) << "\n" << policy::ToText(*parsed.policy);
  }
  if (common.json) std::cout << out.dump() << "\n";
  return good ? 0 : 2;
}

int Export(const Common& common, const std::string& folder) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto size = session->ExportLog(folder, ProgressBar(Text(Id::kExporting)));
  if (!size) return Fail(common, size.failure());
  if (common.json)
    std::cout << nlohmann::ordered_json{{"folder", folder}, {"entries", *size}}.dump() << "\n";
  else
    std::cout << Counted(Id::kExported, *size, folder) << "\n";
  return 0;
}

namespace {

// Of a Session::EnrolmentChange: its words for people.
std::string ChangeName(const std::string& what) {
  return Text(what == "status"          ? Id::kChangeStatus
              : what == "keys"          ? Id::kChangeKeys
              : what == "clearance"     ? Id::kChangeClearance
              : what == "roles"         ? Id::kChangeRoles
              : what == "programmes"    ? Id::kChangeProgrammes
              : what == "administrator" ? Id::kAdministrator
              : what == "auditor"       ? Id::kAuditor
                                        : Id::kChangePerson);
}

std::string ChangeValue(const std::string& value) {
  return value == "none"        ? Text(Id::kNone)
         : value == "yes"       ? Text(Id::kYes)
         : value == "no"        ? Text(Id::kNo)
         : value == "active"    ? Text(Id::kStatusActive)
         : value == "suspended" ? Text(Id::kStatusSuspended)
         : value == "removed"   ? Text(Id::kStatusRemoved)
                                : Visible(value);
}

}  // namespace

int Enrol(const Common& common, const std::string& card, const Session::EnrolOptions& options) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto changes = session->EnrolmentChanges(card, options);
  if (!changes) return Fail(common, changes.failure());
  for (const auto& change : *changes) {
    const bool keys = change.what == "keys";
    std::cerr << ChangeName(change.what) << ": " << (keys ? Text(Id::kChangeKeysEnrolled) : ChangeValue(change.before))
              << " -> " << (keys ? Text(Id::kChangeKeysOfCard) : ChangeValue(change.after)) << "\n";
  }
  if (!changes->empty() && !Confirmed(common, Text(Id::kAskChangeEnrolment))) return 1;
  return Answer(common, session->Enrol(card, options), Text(Id::kEnrolled));
}

int Remove(const Common& common, const std::string& member) {
  if (!Confirmed(common, Format(Id::kAskRemove, Visible(member)))) return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Remove(member), Format(Id::kRemoved, member));
}

int RotateEpoch(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->RotateEpoch(), Text(Id::kNewEpoch));
}

}  // namespace valija::cli
