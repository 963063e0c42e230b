#include "client/commands.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "client/connect.h"
#include "client/print.h"
#include "core/io/file.h"
#include "core/policy/policy.h"

namespace valija::cli {
namespace {

using client::ToFailure;

std::unique_ptr<Session> Start(const Common& common, int& status) {
  SessionOptions options{common.profile, common.passphrase_file, std::chrono::seconds(common.timeout_s)};
  auto session = Session::Open(options);
  if (!session) {
    status = Fail(common, session.failure());
    return nullptr;
  }
  return std::move(*session);
}

// "yes" on the terminal. Without a terminal the answer is no: programs say --yes.
bool Confirmed(const Common& common, const std::string& question) {
  if (common.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) {
    std::cerr << question << "\nnot done: there is nobody to ask; programs say --yes\n";
    return false;
  }
  std::cerr << question << " [yes/no] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes" || answer == "y") return true;
  std::cerr << "not done\n";
  return false;
}

int Answer(const Common& common, const Outcome<NewsItem>& done, const std::string& said) {
  if (!done) return Fail(common, done.failure());
  if (common.json)
    std::cout << ToJson(*done).dump() << "\n";
  else
    std::cout << said << " (entry " << done->entry << " of the log, proved)\n";
  return 0;
}

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

std::string Joined(const std::vector<std::string>& list) {
  std::string out;
  for (const auto& one : list) out += (out.empty() ? "" : ", ") + one;
  return out;
}

void PrintPreview(std::ostream& out, const std::vector<PortionPreview>& previews) {
  for (const auto& portion : previews) {
    out << "portion " << portion.portion << ", " << portion.marking
        << ": by the directory as it is, it can be opened by\n";
    bool anybody = false;
    for (const auto& reader : portion.readers) {
      anybody = anybody || !reader.members.empty();
      out << "  " << reader.agency << ": "
          << (reader.members.empty() ? "nobody yet (no member meets the need to know)"
                                     : Visible(Joined(reader.members)))
          << "\n";
    }
    if (!anybody) out << "  NOBODY at present\n";
    if (!portion.left_out.empty())
      out << "  left out, as they have no key epoch yet: " << Joined(portion.left_out) << "\n";
  }
}

}  // namespace

int Fail(const Common& common, const Failure& failure) {
  if (common.json)
    std::cout << ToJson(failure).dump() << "\n";
  else
    std::cerr << (failure.exit_status == 5 ? "valija: ALARM: " : "valija: ") << Visible(failure.message) << " ["
              << failure.code << "]\n";
  return failure.exit_status;
}

int Init(const Common& common, const std::string& member_text) {
  auto member = MemberId::Parse(member_text);
  if (!member)
    return Fail(common,
                ToFailure(Refuse(Reason::kUsage, "a member is named country.agency/name, like us.dea/jrivera")));
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
    std::cout << "made three key pairs for " << member->str() << " in " << common.profile.string() << "\n"
              << "next: 1. your agency's CA signs      " << (common.profile / "request.csr").string() << "\n"
              << "      2. your administrator enrols   " << (common.profile / "member.card").string() << "\n"
              << "      3. valija join --charter FILE --digest HEX --broker HOST:PORT --certificate FILE\n";
  }
  return 0;
}

int Join(const Common& common, const std::string& charter, const std::string& digest_text, const std::string& broker,
         const std::string& certificate) {
  auto join = [&]() -> Status {
    auto digest = Digest::FromHexText(digest_text);
    if (!digest)
      return Refuse(Reason::kUsage, "the charter's digest is 64 hex digits, told to you by a person you trust");
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
    std::cout << "joined " << broker << " under charter " << ShortId(digest_text) << "\n";
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
  std::cout << "member      " << info.id << " (" << info.status << (info.administrator ? ", administrator" : "")
            << (info.joint_auditor ? ", joint auditor"
                : info.auditor     ? ", auditor of its agency"
                                   : "")
            << ")\n"
            << "clearance   " << (info.clearance.empty() ? "none" : info.clearance) << "\n"
            << "roles       " << Joined(info.roles) << "\nprogrammes  " << Joined(info.programmes) << "\n"
            << "broker      " << Visible(me->broker) << "\nlog         " << Visible(me->origin) << "\ncharter     "
            << me->charter_digest << "\nverified    " << me->pinned_size << " entries, root " << me->pinned_root
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
    rows.push_back({agency.id, agency.name,
                    agency.epoch == 0 ? "no key epoch yet" : "epoch " + std::to_string(agency.epoch), "", ""});
    for (const auto& member : agency.members) {
      std::string what = member.status;
      if (member.administrator) what += ", administrator";
      if (member.joint_auditor)
        what += ", joint auditor";
      else if (member.auditor)
        what += ", auditor";
      rows.push_back({"  " + member.id, what, member.clearance, Joined(member.roles), Joined(member.programmes)});
    }
  }
  std::cout << FormatTable({"AGENCY / MEMBER", "", "CLEARANCE", "ROLES", "PROGRAMMES"}, rows);
  return 0;
}

int Send(const Common& common, const SendArguments& arguments) {
  Draft draft;
  draft.in_reply_to = arguments.in_reply_to;
  if (arguments.policies.size() != 1 && arguments.policies.size() != arguments.files.size())
    return Fail(common,
                ToFailure(Refuse(Reason::kUsage, "give one --policy for all portions, or one for each file in order")));
  if (arguments.types.size() > 1 && arguments.types.size() != arguments.files.size())
    return Fail(common,
                ToFailure(Refuse(Reason::kUsage, "give one --type for all portions, or one for each file in order")));
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
  if (asks && !Confirmed(common, "send it?")) return 1;
  auto sent = session->Send(draft, ProgressBar("sending"));
  if (!sent) return Fail(common, sent.failure());
  if (common.json)
    std::cout
        << nlohmann::ordered_json{{"record", sent->id}, {"entry", sent->entry}, {"time", FormatTime(sent->time)}}.dump()
        << "\n";
  else
    std::cout << "sent " << sent->id << " (entry " << sent->entry << " of the log, proved)\n";
  return 0;
}

int Inbox(const Common& common, bool follow) {
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
  if (common.json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const auto& item : *items) out.push_back(ToJson(item));
    std::cout << out.dump() << "\n";
    return 0;
  }
  if (items->empty()) {
    std::cout << "nothing was sent to you yet\n";
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : *items) {
    for (const auto& portion : item.portions) {
      const bool first = &portion == &item.portions.front();
      std::string state = !portion.for_me        ? "no key half for you"
                          : item.revoked         ? "revoked"
                          : portion.opened_by_me ? "opened"
                                                 : "new";
      rows.push_back({first ? ShortId(item.id) : "", first ? TimeText(item.time) : "", first ? item.from : "",
                      std::to_string(portion.number), portion.marking, portion.media_type,
                      SizeText(portion.sealed_bytes), state,
                      first && !item.in_reply_to.empty() ? "answers " + ShortId(item.in_reply_to) : ""});
    }
  }
  std::cout << FormatTable({"RECORD", "SENT", "FROM", "PORTION", "MARKING", "TYPE", "SEALED", "STATE", ""}, rows);
  return 0;
}

int Open(const Common& common, const OpenArguments& arguments) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto record = session->Resolve(arguments.record);
  if (!record) return Fail(common, record.failure());
  OpenRequest request{*record, 0, arguments.purpose, arguments.case_reference, arguments.output};
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
    if (mine.size() > 1)
      return Fail(common,
                  ToFailure(Refuse(Reason::kUsage, "several portions are for you; say which with --portion N")));
    if (!mine.empty()) request.portion = mine[0];
  }
  auto opened = session->OpenRecord(request, ProgressBar("opening"));
  if (!opened) return Fail(common, opened.failure());
  std::cerr << (common.json ? ""
                            : "opened portion " + std::to_string(opened->portion) + ", " + Visible(opened->marking) +
                                  ", " + SizeText(opened->bytes) + " (entry " + std::to_string(opened->entry) +
                                  " of the log, proved)\n");
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
  return Answer(common, session->Acknowledge(record, outcome), "acknowledged as " + outcome);
}

int Revoke(const Common& common, const std::string& record, const std::string& why) {
  if (!Confirmed(common, "revoke " + Visible(record) +
                             "? From then on nobody can open it; it cannot be undone, and it does "
                             "not take back what was read."))
    return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Revoke(record, why), "revoked");
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
  for (const auto& item : *items) std::cout << "entry " << item.entry << "  " << NewsLine(item) << "\n";
  std::cout << items->size() << (items->size() == 1 ? " entry" : " entries") << ", each proved to be in the log\n";
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
      std::cout << "# " << Visible(file) << ": good; as it will be understood:\n" << policy::ToText(*parsed.policy);
  }
  if (common.json) std::cout << out.dump() << "\n";
  return good ? 0 : 2;
}

int Export(const Common& common, const std::string& folder) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto size = session->ExportLog(folder, ProgressBar("exporting"));
  if (!size) return Fail(common, size.failure());
  if (common.json)
    std::cout << nlohmann::ordered_json{{"folder", folder}, {"entries", *size}}.dump() << "\n";
  else
    std::cout << "exported " << *size << " entries to " << folder << "; next: valija-audit verify " << folder << "\n";
  return 0;
}

int Enrol(const Common& common, const std::string& card, const Session::EnrolOptions& options) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto changes = session->EnrolmentChanges(card, options);
  if (!changes) return Fail(common, changes.failure());
  for (const auto& change : *changes)
    std::cerr << change.what << ": " << Visible(change.before) << " -> " << Visible(change.after) << "\n";
  if (!changes->empty() && !Confirmed(common, "it is enrolled already; change it so?")) return 1;
  return Answer(common, session->Enrol(card, options), "enrolled");
}

int Remove(const Common& common, const std::string& member) {
  if (!Confirmed(common, "remove " + Visible(member) + " and change your agency's keys?")) return 1;
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->Remove(member), "removed " + member + "; your agency has a new key epoch");
}

int RotateEpoch(const Common& common) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  return Answer(common, session->RotateEpoch(), "your agency has a new key epoch");
}

}  // namespace valija::cli
