// Founding a log and amending its charter.
#include <algorithm>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>

#include "client/charter_draft.h"
#include "client/commands_internal.h"
#include "client/connect.h"
#include "client/print.h"

namespace valija::cli {
namespace {

using client::ToFailure;
using text::Id;
using text::Text;

int Report(const Common& common, const ledger::Envelope& envelope) {
  if (common.json) {
    auto statement = proto::MakeStatement(envelope);
    if (!statement) return Fail(common, ToFailure(statement.error()));
    const auto digest = statement->digest.Hex();
    nlohmann::ordered_json out = {{"digest", digest}, {"signatures", envelope.signatures.size()}};
    // Whether enough have signed an amendment is for the broker to judge: it has the directory.
    if (statement->kind == ledger::Kind::kCharter)
      out["complete"] = ledger::VerifyCharter(*std::move(statement)).has_value();
    std::cout << out.dump() << "\n";
    return 0;
  }
  auto text = client::DescribeCharter(envelope);
  if (!text) return Fail(common, ToFailure(text.error()));
  std::cout << Visible(*text, true);
  return 0;
}

}  // namespace

int CharterDraft(const Common& common, const std::string& draft, const std::string& output) {
  crypto::SystemRandom random;
  auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  auto envelope = client::DraftCharter(draft, now, random);
  if (!envelope) return Fail(common, ToFailure(envelope.error()));
  if (auto wrote = io::WriteNewFile(output, envelope->payload); !wrote) return Fail(common, ToFailure(wrote.error()));
  return Report(common, *envelope);
}

namespace {

// The charter, or the amendment, that this one amends: from what the profile verified. None: it was never seen here.
std::optional<ledger::Envelope> AmendedBy(const ledger::Envelope& envelope, const client::Profile& profile) {
  auto statement = proto::MakeStatement(envelope);
  const auto* amendment = statement ? std::get_if<ledger::CharterAmendment>(&statement->payload) : nullptr;
  if (amendment == nullptr || !profile.joined()) return std::nullopt;
  if (profile.charter()->digest == amendment->previous) return profile.charter()->envelope;
  for (const auto& entry : profile.Load("directory.log"))
    if (entry.head && entry.head->statement == amendment->previous) return entry.envelope;
  return std::nullopt;
}

std::vector<std::string> LinesOf(ledger::Envelope envelope, std::set<std::string> leave_out) {
  envelope.signatures.clear();  // who has signed is no term
  if (auto statement = proto::MakeStatement(envelope)) leave_out.insert(statement->digest.Hex());
  std::vector<std::string> out;
  auto text = client::DescribeCharter(envelope);
  if (!text) return out;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const bool about_itself = std::any_of(leave_out.begin(), leave_out.end(),
                                          [&](const auto& words) { return line.find(words) != std::string::npos; });
    if (!about_itself) out.push_back(std::move(line));
  }
  return out;
}

// The terms, and for an amendment what it changes of those in force: lines that go and lines that come.
Status ShowTerms(const ledger::Envelope& envelope, const client::Profile& profile) {
  TRY(auto text, client::DescribeCharter(envelope));
  std::cerr << Visible(text, true);
  TRY(auto statement, proto::MakeStatement(envelope));
  if (statement.kind != ledger::Kind::kCharterAmendment) return Ok();
  const auto before = AmendedBy(envelope, profile);
  if (!before) {
    std::cerr << Text(Id::kCharterAmendsUnknown) << "\n";
    return Ok();
  }
  const auto& previous = std::get<ledger::CharterAmendment>(statement.payload).previous;
  const std::set<std::string> itself = {previous.Hex(), Text(Id::kCharterIncomplete), Text(Id::kCharterComplete)};
  const auto old_terms = LinesOf(*before, itself), new_terms = LinesOf(envelope, itself);
  auto only_in = [](const std::vector<std::string>& one, const std::vector<std::string>& other, char sign) {
    for (const auto& line : one)
      if (std::find(other.begin(), other.end(), line) == other.end()) std::cerr << sign << ' ' << Visible(line) << "\n";
  };
  std::cerr << Text(Id::kCharterChanges) << "\n";
  only_in(old_terms, new_terms, '-');
  only_in(new_terms, old_terms, '+');
  return Ok();
}

// Shows it and asks. False: that was answered, and `status` is the exit status.
bool AskAboutCharter(const Common& common, const ledger::Envelope& envelope, const client::Profile& profile,
                     Id question, int& status) {
  if (common.yes) return true;
  if (auto shown = ShowTerms(envelope, profile); !shown) {
    status = Fail(common, ToFailure(shown.error()));
    return false;
  }
  status = 1;
  return Confirmed(common, Text(question));
}

}  // namespace

int SubmitCharterAmendment(const Common& common, const std::string& file) {
  auto envelope = client::ReadCharterFile(file);
  if (!envelope) return Fail(common, ToFailure(envelope.error()));
  int status = 0;
  {  // the session has the profile to itself
    auto profile = client::Profile::Open(common.profile);
    if (!profile) return Fail(common, ToFailure(profile.error()));
    if (!AskAboutCharter(common, *envelope, *profile, Id::kAskAmendCharter, status)) return status;
  }
  auto session = Start(common, status);
  if (!session) return status;
  const auto bytes = proto::EncodeEnvelope(*envelope);
  return Answer(common, session->SubmitCharterAmendment(std::string(bytes.begin(), bytes.end())),
                Text(Id::kCharterAmended));
}

int CharterSign(const Common& common, const std::string& file) {
  auto envelope = client::ReadCharterFile(file);
  if (!envelope) return Fail(common, ToFailure(envelope.error()));
  auto profile = client::Profile::Open(common.profile);
  if (!profile) return Fail(common, ToFailure(profile.error()));
  int status = 0;
  if (!AskAboutCharter(common, *envelope, *profile, Id::kAskSignCharter, status)) return status;
  auto sign = [&]() -> Status {  // what was shown
    TRY(auto passphrase, client::Passphrase(common.passphrase_file, false));
    TRY(auto keys, profile->Unlock(passphrase));
    TRY_OK(client::SignCharter(*envelope, profile->member(), keys.signature));
    return io::WriteFileAtomic(file, proto::EncodeEnvelope(*envelope));
  };
  if (auto done = sign(); !done) return Fail(common, ToFailure(done.error()));
  return Report(common, *envelope);
}

int CharterShow(const Common& common, const std::string& file) {
  auto envelope = client::ReadCharterFile(file);
  if (!envelope) return Fail(common, ToFailure(envelope.error()));
  return Report(common, *envelope);
}

}  // namespace valija::cli
