// What the session_*.cc files that open portions share. For them alone.
#pragma once

#include "client/plain_file.h"
#include "client/session.h"

namespace valija::client {

struct SessionCore::Asked {
  std::string purpose, case_reference;
  std::optional<Digest> approved;
  std::string emergency;
  Duration wait{};
  std::function<void(const std::string&)> waiting;
  bool at_once = false;  // without a look at the log before
};

// A body as the broker has it.
struct SessionCore::SealedBody {
  BodyStream stream;
  std::vector<Bytes> slices;
};

// A portion that is to be opened. The content key, the body and its context are the original's, also where a grant gives
// the key.
struct SessionCore::Wanted {
  Wanted(VerifiedEntry the_record, VerifiedEntry the_original, AgencyId mine)
      : record(std::move(the_record)), original(std::move(the_original)), slip{0, 0, {}, std::move(mine), {}, {}} {}
  Wanted(const Wanted&) = delete;
  // A new file; empty: into memory. begin_anew: see PlainFile::Make.
  Status WriteTo(const std::filesystem::path& output, bool begin_anew = false);
  const record::RecordPayload& whole() const { return std::get<ledger::Record>(original.statement->payload).payload; }

  std::size_t place = 0;  // in the answer
  std::uint32_t portion = 0;
  VerifiedEntry record;    // or a grant
  VerifiedEntry original;  // of a grant; else the same
  record::Slip slip;
  const record::PortionHead* head = nullptr;  // of the record or the grant
  const record::PortionSeal* seal = nullptr;  // of the original
  std::unique_ptr<PlainFile> file;
  bool unwitnessed = false;
  std::optional<SealedBody> sealed;  // fetched beside the request
  crypto::Secret cek;                // once the release was opened
};

}  // namespace valija::client
