// Founding a log: from a JSON draft that people can read and discuss to the charter that every founding agency signs.
// docs/operations.md shows a draft; paths in it are relative to its own folder; unknown keys are refused.
#pragma once

#include <filesystem>
#include <string>

#include "client/profile.h"
#include "core/base/result.h"
#include "core/crypto/random.h"

namespace valija::client {

// What a broker gives for the charter: its authority id, log key and release key. JSON, made by `valija-broker init-keys`.
struct BrokerCard {
  AuthorityId authority;
  std::string log_key;  // vkey
  Point release_key;
  static Result<BrokerCard> Parse(std::string_view text);
};

// An unsigned envelope.
Result<ledger::Envelope> DraftCharter(const std::filesystem::path& draft, Time now, crypto::Random& random);
// A charter or an amendment of one as a file: the bare payload while nobody has signed it, then the envelope.
Result<ledger::Envelope> ReadCharterFile(const std::filesystem::path& file);
// Adds this member's signature; it must be one of its agency's administrators in the charter.
Status SignCharter(ledger::Envelope& envelope, const MemberId& member, const crypto::SignKey& key);
// Terms in plain lines of the language chosen, with the digest to compare over the telephone and who has signed.
Result<std::string> DescribeCharter(const ledger::Envelope& envelope);

}  // namespace valija::client
