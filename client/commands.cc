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
#include "core/text/policy_faults.h"
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

std::unique_ptr<Session> Start(const Common& common, int& status, bool any_age) {
  SessionOptions options{common.profile, common.passphrase_file, std::chrono::seconds(common.timeout_s), any_age};
  auto session = Session::Open(options);
  if (!session) {
    status = Fail(common, session.failure());
    return nullptr;
  }
  return std::move(*session);
}

void WarnIfBehind(const Session& session) {
  const auto witnessed = session.Witnessed();
  if (!witnessed.behind) return;
  std::cerr << Format(Id::kWitnessesBehind, witnessed.since ? TimeText(*witnessed.since) : Text(Id::kNone),
                      Visible(text::Explain(witnessed.behind->code, witnessed.behind->message)))
            << "\n";
}

bool Confirmed(const Common& common, const std::string& question) {
  if (common.yes) return true;
  auto no = [&](Id why) {  // as every failure: for people a line, for programs an object with a code
    std::cerr << Text(why) << "\n";
    if (common.json)
      std::cout << ToJson(Failure{"not-confirmed", text::TextIn(text::Language::kEnglish, why), 1}).dump() << "\n";
    return false;
  };
  if (::isatty(STDIN_FILENO) == 0) {
    std::cerr << question << "\n";
    return no(Id::kNobodyToAsk);
  }
  std::cerr << question << " " << Text(Id::kYesOrNo) << " " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  std::istringstream words(Text(Id::kYesWords));
  for (std::string word; words >> word;)
    if (answer == word) return true;
  return no(Id::kNotDone);
}

int Answer(const Common& common, const Outcome<NewsItem>& done, const std::string& said) {
  if (!done) return Fail(common, done.failure());
  if (!done->epochs_left.empty()) {
    std::string epochs;
    for (const auto epoch : done->epochs_left) epochs += (epochs.empty() ? "" : ", ") + std::to_string(epoch);
    std::cerr << Format(Id::kEpochsLeft, epochs) << "\n";
  }
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

// "active, administrator, joint auditor"
std::string StandingText(const MemberInfo& member, Id auditor) {
  auto out = Text(member.status == "active"      ? Id::kStatusActive
                  : member.status == "suspended" ? Id::kStatusSuspended
                                                 : Id::kStatusRemoved);
  if (member.administrator) out += ", " + Text(Id::kAdministrator);
  if (member.joint_auditor || member.auditor) out += ", " + Text(member.joint_auditor ? Id::kJointAuditor : auditor);
  return out;
}

}  // namespace

int Fail(const Common& common, const Failure& failure) {
  if (common.json)
    std::cout << ToJson(failure).dump() << "\n";
  else
    std::cerr << "valija: " << (failure.exit_status == 5 ? Text(Id::kAlarm) : "")
              << Visible(text::Explain(failure.code, failure.message), failure.code == "fork") << " [" << failure.code
              << "]\n";
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
  WarnIfBehind(*session);
  if (common.json) {
    std::cout << ToJson(*me).dump() << "\n";
    return 0;
  }
  const auto& info = me->info;
  std::cout << Format(Id::kWhoAmI, info.id, StandingText(info, Id::kAuditorOfAgency),
                      info.clearance.empty() ? Text(Id::kNone) : info.clearance, Joined(info.roles),
                      Joined(info.programmes), Visible(me->broker), Visible(me->origin), me->charter_digest,
                      me->pinned_size, me->pinned_root)
            << "\n"
            << Format(Id::kWhoAmIPerson, info.person.empty() ? Text(Id::kNoPerson) : info.person, me->charter_in_force,
                      me->charter_entry, Visible(me->charter_title))
            << "\n";
  if (me->witnessing.since)
    std::cout << Format(Id::kWhoAmIWitnessed, me->witnessing.entries, TimeText(*me->witnessing.since)) << "\n";
  return 0;
}

int ShowDirectory(const Common& common) {
  int status = 0;
  auto session = Start(common, status, true);
  if (!session) return status;
  auto agencies = session->Directory();
  if (!agencies) return Fail(common, agencies.failure());
  WarnIfBehind(*session);
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& agency : *agencies) out.push_back(ToJson(agency));
    std::cout << out.dump() << "\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& agency : *agencies) {
    rows.push_back({agency.id, agency.name,
                    agency.left         ? Text(Id::kAgencyLeft)
                    : agency.epoch == 0 ? Text(Id::kNoEpoch)
                                        : Format(Id::kEpoch, agency.epoch),
                    "", "", ""});
    for (const auto& member : agency.members)
      rows.push_back({"  " + member.id, StandingText(member, Id::kAuditor), member.clearance, member.person,
                      Joined(member.roles), Joined(member.programmes)});
  }
  std::cout << FormatTable({Text(Id::kHeadAgencyOrMember), "", Text(Id::kHeadClearance), Text(Id::kHeadPerson),
                            Text(Id::kHeadRoles), Text(Id::kHeadProgrammes)},
                           rows);
  return 0;
}

int Custody(const Common& common, const std::string& record) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto items = session->Custody(record);
  if (!items) return Fail(common, items.failure());
  WarnIfBehind(*session);
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
      std::cerr << Visible(file) << ":" << error.line << ": " << Visible(text::PolicyFault(error.message)) << "\n";
    if (parsed.policy && parsed.errors.empty())
      std::cout << "# " << Format(Id::kPolicyGood, Visible(file)) << "\n" << policy::ToText(*parsed.policy);
  }
  if (common.json) std::cout << out.dump() << "\n";
  return good ? 0 : 2;
}

int Export(const Common& common, const std::string& folder, const std::string& why) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto size = session->ExportLog(folder, why, ProgressBar(Text(Id::kExporting)));
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
