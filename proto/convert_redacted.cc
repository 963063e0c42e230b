// What stays of a payload that a purge erased. The form is such that everything which decided and was decided is still
// there to be replayed: of a text that was asked for, that there was one; of a record, all but the wraps.
#include "proto/convert.h"
#include "proto/messages.h"

namespace valija::proto {
namespace {

Error Nothing(ledger::Kind kind) {
  return Malformed(std::string(NameOf(kind)), "there is nothing in it that could be erased");
}

// One text of a person's. Spaces alone say nothing of anybody, and to a policy they are no case reference: they stay.
bool Says(const std::string& text) { return text.find_first_not_of(' ') != std::string::npos; }

// Calls `visit` on each text of the payload, and encodes the payload.
struct Texts {
  template <class Visit>
  static void Each(ledger::Open& open, Visit visit) {
    visit(open.case_reference);
    visit(open.emergency);
  }
  template <class Visit>
  static void Each(ledger::AccessRequest& request, Visit visit) {
    visit(request.case_reference);
    visit(request.why);
  }
  template <class Visit>
  static void Each(ledger::StandingOrder& order, Visit visit) {
    visit(order.case_reference);
  }
  template <class Other, class Visit>
  static void Each(Other& other, Visit visit) {
    visit(other.why);
  }

  static Bytes Encode(const ledger::Open& open) { return EncodeOpen(open); }
  static Bytes Encode(const ledger::Revocation& revocation) { return EncodeRevocation(revocation); }
  static Bytes Encode(const ledger::Approval& approval) { return EncodeApproval(approval); }
  static Bytes Encode(const ledger::Review& review) { return EncodeReview(review); }
  static Bytes Encode(const ledger::AccessRequest& request) { return EncodeAccessRequest(request); }
  static Bytes Encode(const ledger::Answer& answer) { return EncodeAnswer(answer); }
  static Bytes Encode(const ledger::StandingOrder& order) { return EncodeStandingOrder(order); }
  static Bytes Encode(const ledger::Purge& purge) { return EncodePurge(purge); }
  static Bytes Encode(const ledger::Lookup& lookup) { return EncodeLookup(lookup); }
};

// Whether there are such texts in a payload of this type.
template <class T>
concept HasTexts = requires(const T& payload) {
  Texts::Encode(payload);
};

struct Redact {
  ledger::Kind kind;

  Result<Bytes> operator()(ledger::Record& record) const {
    for (auto& seal : record.payload.portions) seal.wraps.clear();
    return EncodeRecord(record.payload.header_bytes, record.payload.portions);
  }
  Result<Bytes> operator()(ledger::Grant& grant) const {
    for (auto& wraps : grant.wraps) wraps.clear();
    return EncodeGrant(grant);
  }
  template <HasTexts Text>
  Result<Bytes> operator()(Text& payload) const {
    bool erased = false;
    Texts::Each(payload, [&](std::string& text) {
      if (!Says(text)) return;
      text = kErasedText;
      erased = true;
    });
    if (!erased) return Nothing(kind);
    return Texts::Encode(payload);
  }
  template <class Other>
  Result<Bytes> operator()(Other&) const {
    return Nothing(kind);
  }
};

// Is every text of it erased, and one at least?
struct IsRedacted {
  template <HasTexts Text>
  bool operator()(Text& payload) const {
    bool any = false, all = true;
    Texts::Each(payload, [&](const std::string& text) {
      if (!Says(text)) return;
      any = true;
      all = all && text == kErasedText;
    });
    return any && all;
  }
  template <class Other>
  bool operator()(Other&) const {
    return false;
  }
};

}  // namespace

Result<Bytes> RedactPayload(ledger::Kind kind, ByteView payload) {
  TRY(auto value, DecodePayload(kind, payload));
  return std::visit(Redact{kind}, value);
}

Result<ledger::Payload> DecodeRedacted(ledger::Kind kind, ByteView redacted) {
  if (kind == ledger::Kind::kRecord) return DecodeRecord(redacted, Wraps::kErased);
  if (kind == ledger::Kind::kGrant) return DecodeGrant(redacted, Wraps::kErased);
  TRY(auto value, DecodePayload(kind, redacted));
  if (!std::visit(IsRedacted{}, value)) return Malformed(std::string(NameOf(kind)), "not what an erasure leaves");
  return value;
}

}  // namespace valija::proto
