// Which decoder a kind has.
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {

Result<ledger::Payload> DecodePayload(ledger::Kind kind, ByteView bytes) {
  switch (kind) {
    case ledger::Kind::kCharter:
      return DecodeCharter(bytes);
    case ledger::Kind::kEnrolment:
      return DecodeEnrolment(bytes);
    case ledger::Kind::kEpoch:
      return DecodeEpoch(bytes);
    case ledger::Kind::kRecord:
      return DecodeRecord(bytes);
    case ledger::Kind::kOpen:
      return DecodeOpen(bytes);
    case ledger::Kind::kAcknowledgement:
      return DecodeAcknowledgement(bytes);
    case ledger::Kind::kRevocation:
      return DecodeRevocation(bytes);
    case ledger::Kind::kCharterAmendment:
      return DecodeCharterAmendment(bytes);
    case ledger::Kind::kGrant:
      return DecodeGrant(bytes);
    case ledger::Kind::kAmendment:
      return DecodeAmendment(bytes);
    case ledger::Kind::kApproval:
      return DecodeApproval(bytes);
    case ledger::Kind::kReview:
      return DecodeReview(bytes);
    case ledger::Kind::kAccessRequest:
      return DecodeAccessRequest(bytes);
    case ledger::Kind::kAnswer:
      return DecodeAnswer(bytes);
    case ledger::Kind::kStandingOrder:
      return DecodeStandingOrder(bytes);
    case ledger::Kind::kStandingOpening:
      return DecodeStandingOpening(bytes);
    case ledger::Kind::kPurge:
      return DecodePurge(bytes);
    case ledger::Kind::kLookup:
      return DecodeLookup(bytes);
  }
  return Refuse(Reason::kUnknownType);
}

}  // namespace valija::proto
