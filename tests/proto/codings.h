// Every coding of proto/ as a row: bytes of a sample, how they are read, and what the value read is written as again. The
// tests of strictness run over the table.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>

#include <functional>
#include <memory>

#include "proto/wire.h"
#include "tests/proto/sample_life.h"

namespace valija::test {

using Message = google::protobuf::Message;

struct Coding {
  std::string name;
  Bytes (*sample)(Sample&);
  Result<Bytes> (*again)(ByteView);  // read, and write what was read
  const Message& message;            // the message that the bytes are, after `prefix`
  bool canonical = true;             // one form only
  std::size_t prefix = 0;            // bytes before the message
};

inline Result<Bytes> Written(const ledger::Payload& payload) {
  struct {
    Bytes operator()(const ledger::Charter& v) const { return proto::EncodeCharter(v); }
    Bytes operator()(const ledger::Enrolment& v) const { return proto::EncodeEnrolment(v); }
    Bytes operator()(const ledger::Epoch& v) const { return proto::EncodeEpoch(v); }
    Bytes operator()(const ledger::Record& v) const {
      return proto::EncodeRecord(proto::EncodeHeader(v.payload.header), v.payload.portions);
    }
    Bytes operator()(const ledger::Open& v) const { return proto::EncodeOpen(v); }
    Bytes operator()(const ledger::Acknowledgement& v) const { return proto::EncodeAcknowledgement(v); }
    Bytes operator()(const ledger::Revocation& v) const { return proto::EncodeRevocation(v); }
    Bytes operator()(const ledger::CharterAmendment& v) const { return proto::EncodeCharterAmendment(v); }
    Bytes operator()(const ledger::Grant& v) const {
      auto grant = v;
      grant.header_bytes = proto::EncodeHeader(v.header);
      return proto::EncodeGrant(grant);
    }
    Bytes operator()(const ledger::Amendment& v) const { return proto::EncodeAmendment(v); }
    Bytes operator()(const ledger::Approval& v) const { return proto::EncodeApproval(v); }
    Bytes operator()(const ledger::Review& v) const { return proto::EncodeReview(v); }
    Bytes operator()(const ledger::AccessRequest& v) const { return proto::EncodeAccessRequest(v); }
    Bytes operator()(const ledger::Answer& v) const { return proto::EncodeAnswer(v); }
    Bytes operator()(const ledger::StandingOrder& v) const { return proto::EncodeStandingOrder(v); }
    Bytes operator()(const ledger::StandingOpening& v) const { return proto::EncodeStandingOpening(v); }
    Bytes operator()(const ledger::Purge& v) const { return proto::EncodePurge(v); }
    Bytes operator()(const ledger::Lookup& v) const { return proto::EncodeLookup(v); }
  } write;
  return std::visit(write, payload);
}

template <ledger::Kind kind>
Result<Bytes> AgainPayload(ByteView bytes) {
  TRY(auto payload, proto::DecodePayload(kind, bytes));
  return Written(payload);
}

template <ledger::Kind kind>
Result<Bytes> AgainRedacted(ByteView bytes) {
  TRY(auto payload, proto::DecodeRedacted(kind, bytes));
  return Written(payload);
}

inline const std::vector<Coding>& Codings() {
  using ledger::Kind;
  static const std::vector<Coding> all = {
      {"Charter", [](Sample& s) { return proto::EncodeCharter(s.Charter()); }, AgainPayload<Kind::kCharter>,
       v1::Charter::default_instance()},
      {"Enrolment", [](Sample& s) { return proto::EncodeEnrolment(s.Enrolment()); }, AgainPayload<Kind::kEnrolment>,
       v1::Enrolment::default_instance()},
      {"Epoch", [](Sample& s) { return proto::EncodeEpoch(s.Epoch()); }, AgainPayload<Kind::kEpoch>,
       v1::Epoch::default_instance()},
      {"Record", [](Sample& s) { return s.RecordBytes(); }, AgainPayload<Kind::kRecord>,
       v1::Record::default_instance()},
      {"Open", [](Sample& s) { return proto::EncodeOpen(s.Open()); }, AgainPayload<Kind::kOpen>,
       v1::Open::default_instance()},
      {"Acknowledgement", [](Sample& s) { return proto::EncodeAcknowledgement(s.Acknowledgement()); },
       AgainPayload<Kind::kAcknowledgement>, v1::Acknowledgement::default_instance()},
      {"Revocation", [](Sample& s) { return proto::EncodeRevocation(s.Revocation()); }, AgainPayload<Kind::kRevocation>,
       v1::Revocation::default_instance()},
      {"CharterAmendment", [](Sample& s) { return proto::EncodeCharterAmendment(SomeCharterAmendment(s)); },
       AgainPayload<Kind::kCharterAmendment>, v1::CharterAmendment::default_instance()},
      {"Grant", [](Sample& s) { return proto::EncodeGrant(SomeGrant(s).grant); }, AgainPayload<Kind::kGrant>,
       v1::Grant::default_instance()},
      {"Amendment", [](Sample& s) { return proto::EncodeAmendment(SomeAmendment(s).amendment); },
       AgainPayload<Kind::kAmendment>, v1::Amendment::default_instance()},
      {"Approval", [](Sample& s) { return proto::EncodeApproval(SomeApproval(s)); }, AgainPayload<Kind::kApproval>,
       v1::Approval::default_instance()},
      {"Review", [](Sample& s) { return proto::EncodeReview(SomeReview(s)); }, AgainPayload<Kind::kReview>,
       v1::Review::default_instance()},
      {"AccessRequest", [](Sample& s) { return proto::EncodeAccessRequest(SomeAccessRequest(s)); },
       AgainPayload<Kind::kAccessRequest>, v1::AccessRequest::default_instance()},
      {"Answer", [](Sample& s) { return proto::EncodeAnswer(SomeAnswer(s)); }, AgainPayload<Kind::kAnswer>,
       v1::Answer::default_instance()},
      {"StandingOrder", [](Sample& s) { return proto::EncodeStandingOrder(SomeStandingOrder(s)); },
       AgainPayload<Kind::kStandingOrder>, v1::StandingOrder::default_instance()},
      {"StandingOpening", [](Sample& s) { return proto::EncodeStandingOpening(SomeStandingOpening(s)); },
       AgainPayload<Kind::kStandingOpening>, v1::StandingOpening::default_instance()},
      {"Purge", [](Sample& s) { return proto::EncodePurge(SomePurge(s)); }, AgainPayload<Kind::kPurge>,
       v1::Purge::default_instance()},
      {"Lookup", [](Sample& s) { return proto::EncodeLookup(SomeLookup(s)); }, AgainPayload<Kind::kLookup>,
       v1::Lookup::default_instance()},
      {"RedactedRecord", [](Sample& s) { return proto::RedactPayload(Kind::kRecord, s.RecordBytes()).value(); },
       AgainRedacted<Kind::kRecord>, v1::Record::default_instance()},
      {"RedactedGrant",
       [](Sample& s) { return proto::RedactPayload(Kind::kGrant, proto::EncodeGrant(SomeGrant(s).grant)).value(); },
       AgainRedacted<Kind::kGrant>, v1::Grant::default_instance()},
      {"RedactedOpen", [](Sample& s) { return proto::RedactPayload(Kind::kOpen, proto::EncodeOpen(s.Open())).value(); },
       AgainRedacted<Kind::kOpen>, v1::Open::default_instance()},
      {"Header", [](Sample& s) { return proto::EncodeHeader(s.Sealed().header); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto header, proto::DecodeHeader(bytes));
         return proto::EncodeHeader(header);
       },
       v1::Header::default_instance()},
      {"Policy", [](Sample& s) { return proto::EncodePolicy(s.Some<Salt>(), s.Policy()); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto policy, proto::DecodePolicy(bytes));
         return proto::EncodePolicy(*Salt::From(bytes.first(32)), policy);
       },
       v1::Policy::default_instance(), true, 32},
      {"Decision", [](Sample& s) { return proto::EncodeDecision(s.Decision(s.Some<Digest>())); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto decision, proto::DecodeDecision(bytes));
         return proto::EncodeDecision(decision);
       },
       v1::Decision::default_instance()},
      {"Envelope",
       [](Sample& s) { return proto::EncodeEnvelope(s.Direct(Kind::kEpoch, proto::EncodeEpoch(s.Epoch()))); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto envelope, proto::DecodeEnvelope(bytes));
         return proto::EncodeEnvelope(envelope);
       },
       v1::Envelope::default_instance(), false},
      {"Attachments", [](Sample& s) { return proto::EncodeAttachments(s.Sealed().attachments); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto attachments, proto::DecodeAttachments(bytes));
         return proto::EncodeAttachments(attachments);
       },
       v1::Attachments::default_instance(), false},
      {"LoggedEntry", [](Sample& s) { return proto::EncodeLoggedEntry(s.Entry()); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto entry, proto::DecodeLoggedEntry(bytes));
         return proto::EncodeLoggedEntry(entry);
       },
       v1::LoggedEntry::default_instance(), false},
      {"ErasedEntry", [](Sample& s) { return proto::EncodeLoggedEntry(Erase(s, s.Entry()).entry); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto entry, proto::DecodeLoggedEntry(bytes));
         return proto::EncodeLoggedEntry(entry);
       },
       v1::LoggedEntry::default_instance(), false},
      {"ReceiptAnswer", [](Sample& s) { return proto::EncodeReceipt(s.Receipt(), s.View()); },
       [](ByteView bytes) -> Result<Bytes> {
         TRY(auto receipt, proto::DecodeReceipt(bytes));
         return proto::EncodeReceipt(receipt.first, receipt.second);
       },
       v1::ReceiptAnswer::default_instance(), false},
  };
  return all;
}

inline std::unique_ptr<Message> ParseSample(const Coding& coding, ByteView bytes) {
  std::unique_ptr<Message> message(coding.message.New());
  auto tail = bytes.subspan(coding.prefix);
  if (!message->ParseFromArray(tail.data(), static_cast<int>(tail.size()))) throw std::runtime_error("sample");
  return message;
}

inline Bytes WithPrefix(const Coding& coding, ByteView original, const Message& message) {
  auto text = message.SerializeAsString();
  return Concat({original.first(coding.prefix), AsBytes(text)});
}

// The value of a payload that is good.
template <class T>
T Decoded(ledger::Kind kind, ByteView bytes) {
  auto payload = proto::DecodePayload(kind, bytes);
  if (!payload) throw std::runtime_error(payload.error().Message());
  return std::get<T>(*std::move(payload));
}
template <class M>
M ParsedAs(ByteView bytes) {
  M message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) throw std::runtime_error("no message");
  return message;
}

// Calls `visit` on this message and on every message in it.
inline void EachLevel(Message* message, const std::function<void(Message*)>& visit) {
  visit(message);
  const auto* reflection = message->GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(*message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      EachLevel(reflection->MutableMessage(message, field), visit);
    } else {
      for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
        EachLevel(reflection->MutableRepeatedMessage(message, field, i), visit);
      }
    }
  }
}

// Top-level fields of a message as they stand on the wire, tag and value together.
struct WireField {
  std::uint32_t number = 0;
  Bytes bytes;
};
inline std::vector<WireField> SplitFields(ByteView bytes) {
  std::vector<WireField> out;
  std::size_t at = 0;
  auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      value |= static_cast<std::uint64_t>(bytes[at] & 0x7f) << shift;
      if ((bytes[at++] & 0x80) == 0) return value;
    }
  };
  while (at < bytes.size()) {
    std::size_t start = at;
    auto tag = varint();
    if ((tag & 7) == 2) {
      auto length = varint();
      at += length;
    } else {
      varint();
    }
    out.push_back({static_cast<std::uint32_t>(tag >> 3), ToBytes(bytes.subspan(start, at - start))});
  }
  return out;
}
inline Bytes Joined(ByteView prefix, const std::vector<WireField>& fields) {
  Bytes out = ToBytes(prefix);
  for (const auto& field : fields) Append(out, field.bytes);
  return out;
}

}  // namespace valija::test
