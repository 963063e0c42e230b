// What the convert_*.cc files share of one another. For proto/ alone.
#pragma once

#include "core/ledger/statement.h"
#include "proto/codec.h"
#include "proto/fields.h"
#include "valija/v1/statement.pb.h"

namespace valija::proto {

void ToMessage(const ledger::Authorship& by, v1::Authorship* out);
// `there`: whether the message has the field at all.
Result<ledger::Authorship> AuthorshipOf(bool there, const v1::Authorship& message);

// Per kind, in convert_directory.cc, convert_record.cc and convert_act.cc.
Result<ledger::Payload> DecodeCharter(ByteView bytes);
Result<ledger::Payload> DecodeEnrolment(ByteView bytes);
Result<ledger::Payload> DecodeEpoch(ByteView bytes);
Result<ledger::Payload> DecodeRecord(ByteView bytes);
Result<ledger::Payload> DecodeOpen(ByteView bytes);
Result<ledger::Payload> DecodeAcknowledgement(ByteView bytes);
Result<ledger::Payload> DecodeRevocation(ByteView bytes);

}  // namespace valija::proto
