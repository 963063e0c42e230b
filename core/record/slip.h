// Commitments and what opens them (sealing.md 1, 2): the header names its recipients only by salted commitments; a slip
// opens one of them. Thread-safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/record/header.h"

namespace valija::record {

// H("recipient", salt, agency, epoch key id, SHA-256(enc)).
Commitment CommitRecipient(const Salt& salt, const AgencyId& agency, const KeyId& epoch_key_id, const Point& enc);
// H("entry", salt, bytes): what the log has as an entry's leaf data.
Commitment CommitEntryBytes(const Salt& salt, ByteView entry);

// Does this slip open the commitment that it names, among these of its portion? The portion number is the caller's to
// find. kBadHeader: the commitments are not strictly ascending. kBadSlip: index past the end, or another commitment.
Status CheckSlip(std::span<const Commitment> commitments, const Slip& slip);
// The same, with the portion looked up in the header; kBadSlip if it has no such portion.
Status CheckSlip(const Header& header, const Slip& slip);

// The portion of this number, or nullptr. By number, not by place: a grant keeps the numbers of the original.
const PortionHead* FindPortion(const Header& header, std::uint32_t number);

}  // namespace valija::record
