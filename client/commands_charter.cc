#include <iostream>

#include "client/charter_draft.h"
#include "client/commands.h"
#include "client/connect.h"
#include "client/print.h"

namespace valija::cli {
namespace {

using client::ToFailure;

// A charter that nobody has signed yet is the bare payload; with the first signature it becomes an envelope.
Result<ledger::Envelope> ReadEnvelope(const std::string& file) {
  TRY(auto bytes, io::ReadFile(file, 4 << 20));
  auto signed_already = proto::DecodeEnvelope(bytes);
  if (signed_already) return signed_already;
  for (auto kind : {ledger::Kind::kCharter, ledger::Kind::kCharterAmendment})
    if (proto::DecodePayload(kind, bytes))
      return ledger::Envelope{ledger::PayloadType(kind), std::move(bytes), {}, std::nullopt};
  return signed_already;
}

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

int CharterSign(const Common& common, const std::string& file) {
  auto sign = [&]() -> Result<ledger::Envelope> {
    TRY(auto envelope, ReadEnvelope(file));
    TRY(auto profile, client::Profile::Open(common.profile));
    TRY(auto passphrase, client::Passphrase(common.passphrase_file, false));
    TRY(auto keys, profile.Unlock(passphrase));
    TRY_OK(client::SignCharter(envelope, profile.member(), keys.signature));
    TRY_OK(io::WriteFileAtomic(file, proto::EncodeEnvelope(envelope)));
    return envelope;
  };
  auto envelope = sign();
  if (!envelope) return Fail(common, ToFailure(envelope.error()));
  return Report(common, *envelope);
}

int CharterShow(const Common& common, const std::string& file) {
  auto envelope = ReadEnvelope(file);
  if (!envelope) return Fail(common, ToFailure(envelope.error()));
  return Report(common, *envelope);
}

}  // namespace valija::cli
