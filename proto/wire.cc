#include "proto/wire.h"

#include <google/protobuf/descriptor.h>

#include "proto/messages.h"

namespace valija::proto {
namespace {

constexpr std::size_t kMaxDetail = 500;
constexpr int kMaxReleases = 8;  // one per authority (record::kMaxAuthorities)
constexpr std::size_t kShare = 32, kTag = 16, kMaxShares = 256;

Result<BodyStart> StartOf(Hash root, std::uint64_t length, const Strings& hashes, bool more) {
  if (length == 0) return Malformed("Start.body_length", "absent");
  TRY(auto list, FixedListOf<Hash>(hashes, "Start.slice_hashes", static_cast<std::size_t>(hashes.size())));
  if (list.empty()) return Malformed("Start.slice_hashes", "absent");
  return BodyStart{root, length, std::move(list), more};
}

Result<ProvedEntry> Proved(const v1::LoggedEntry& entry, const v1::Proof& proof) {
  TRY(auto value, FromMessage(entry));
  TRY(auto path, FromMessage(proof));
  return ProvedEntry{std::move(value), std::move(path)};
}

template <class List>
Result<std::vector<Release>> ReleasesOf(const List& messages, std::string_view field) {
  if (messages.size() > kMaxReleases) return Malformed(field, "too many");
  std::vector<Release> out;
  out.reserve(static_cast<std::size_t>(messages.size()));
  for (const auto& message : messages) {
    TRY(auto value, FromMessage(message));
    out.push_back(std::move(value));
  }
  return out;
}

// The entry of a mailbox's item with its releases; nullopt in a mere cursor move.
Result<std::optional<ProvedEntry>> EntryOf(const v1::MailItem& message) {
  if (message.has_entry() != message.has_proof()) return Malformed("MailItem.proof", "not beside an entry");
  std::optional<ProvedEntry> out;
  if (!message.has_entry()) {
    if (message.releases_size() > 0) return Malformed("MailItem.releases", "not beside an entry");
    return out;
  }
  TRY(out, Proved(message.entry(), message.proof()));
  TRY(out->releases, ReleasesOf(message.releases(), "MailItem.releases"));
  if (!out->releases.empty() && (!out->entry.envelope || out->entry.envelope->payload_type !=
                                                             ledger::PayloadType(ledger::Kind::kStandingOpening))) {
    return Malformed("MailItem.releases", "not beside a standing opening");
  }
  return out;
}

void SetEntry(const ProvedEntry& entry, v1::MailItem* out) {
  ToMessage(entry.entry, out->mutable_entry());
  ToMessage(entry.path, out->mutable_proof());
  for (const auto& release : entry.releases) ToMessage(release, out->add_releases());
}

Result<Outcome> OutcomeOf(const v1::Outcome& message) {
  TRY_OK(Known(message));
  if (message.has_refusal()) {
    TRY_OK(Known(message.refusal()));
    if (message.releases_size() > 0) return Malformed("Outcome.releases", "with a refusal");
    return Result<Outcome>(Outcome(FromMessage(message.refusal())));
  }
  if (!message.has_receipt()) return Malformed("Outcome", "neither receipt nor refusal");
  TRY(auto receipt, FromMessage(message.receipt()));
  Accepted accepted{std::move(receipt), {}};
  TRY(accepted.releases, ReleasesOf(message.releases(), "Outcome.releases"));
  return Result<Outcome>(Outcome(std::move(accepted)));
}

}  // namespace

Status RefuseUnknown(const google::protobuf::Message& message) {
  TRY_OK(Known(message));
  const auto* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      TRY_OK(RefuseUnknown(reflection->GetMessage(message, field)));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      TRY_OK(RefuseUnknown(reflection->GetRepeatedMessage(message, field, i)));
    }
  }
  return Ok();
}

// ---- Post ----

void ToMessage(const Submission& submission, v1::Submission* out) {
  ToMessage(submission.envelope, out->mutable_statement());
  const auto& attachments = submission.attachments;
  if (!attachments.slips.empty() || !attachments.policies.empty() || !attachments.authority_encs.empty()) {
    ToMessage(attachments, out->mutable_attachments());
  }
  for (const auto& body : submission.bodies) out->add_bodies()->set_data(ToString(body));
}

Result<Submission> FromMessage(const v1::Submission& message) {
  TRY_OK(Known(message));
  if (!message.has_statement()) return Malformed("Submission.statement", "absent");
  Submission out;
  TRY(out.envelope, FromMessage(message.statement()));
  if (message.has_attachments()) {
    TRY(out.attachments, FromMessage(message.attachments()));
  }
  if (static_cast<std::size_t>(message.bodies_size()) > record::kMaxPortions) {
    return Malformed("Submission.bodies", "too many");
  }
  out.bodies.reserve(static_cast<std::size_t>(message.bodies_size()));
  for (const auto& body : message.bodies()) {
    TRY_OK(Known(body));
    if (body.data().empty()) return Malformed("InlineBody.data", "absent");
    out.bodies.push_back(ToBytes(AsBytes(body.data())));
  }
  return out;
}

void ToMessage(const Release& release, v1::Release* out) {
  out->set_authority(release.authority.str());
  out->set_enc(ToString(release.enc));
  out->set_ciphertext(ToString(release.ciphertext));
}

Result<Release> FromMessage(const v1::Release& message) {
  TRY_OK(Known(message));
  TRY(auto authority, AuthorityOf(message.authority(), "Release.authority"));
  TRY(auto enc, PointOf(message.enc(), "Release.enc"));
  TRY(auto ciphertext, BytesOf(message.ciphertext(), "Release.ciphertext", kShare + kTag, kMaxShares * kShare + kTag));
  if ((ciphertext.size() - kTag) % kShare != 0) return Malformed("Release.ciphertext", "not whole shares");
  return Release{std::move(authority), enc, std::move(ciphertext)};
}

void ToMessage(const Error& error, v1::Refusal* out) {
  out->set_code(std::string(CodeOf(error.reason)));
  out->set_sentence(std::string(SentenceOf(error.reason)));
  if (IsPrintable(error.detail, kMaxDetail)) out->set_detail(error.detail);
}

Error FromMessage(const v1::Refusal& message) {
  auto reason = ReasonFromCode(message.code());
  if (!reason) return Refuse(Reason::kInternal, IsLabel(message.code()) ? "the broker says: " + message.code() : "");
  return Refuse(*reason, IsPrintable(message.detail(), kMaxDetail) ? message.detail() : "");
}

void ToMessage(const Outcome& outcome, v1::Outcome* out) {
  if (!outcome) return ToMessage(outcome.error(), out->mutable_refusal());
  ToMessage(outcome->receipt, out->mutable_receipt());
  for (const auto& release : outcome->releases) ToMessage(release, out->add_releases());
}

Result<PostAnswer> FromMessage(const v1::PostResponse& message, std::size_t submissions) {
  TRY_OK(Known(message));
  if (static_cast<std::size_t>(message.outcomes_size()) != submissions) {
    return Malformed("PostResponse.outcomes", "not one per submission");
  }
  PostAnswer out;
  out.outcomes.reserve(submissions);
  for (const auto& outcome : message.outcomes()) {
    TRY(auto value, OutcomeOf(outcome));
    out.outcomes.push_back(std::move(value));
  }
  if (!message.has_view()) return Malformed("PostResponse.view", "absent");
  TRY(out.view, FromMessage(message.view()));
  return out;
}

// ---- pages and streams ----

void ToMessage(const EntriesAnswer& answer, v1::EntryPage* out) {
  for (const auto& entry : answer.entries) {
    ToMessage(entry.entry, out->add_entries());
    ToMessage(entry.path, out->add_proofs());
  }
  ToMessage(answer.view, out->mutable_view());
  out->set_more(answer.more);
  out->set_next_index(answer.next_cursor);
}

Result<EntriesAnswer> FromMessage(const v1::EntryPage& message) {
  TRY_OK(Known(message));
  if (message.entries_size() != message.proofs_size()) return Malformed("EntryPage.proofs", "not one per entry");
  EntriesAnswer out;
  out.entries.reserve(static_cast<std::size_t>(message.entries_size()));
  for (int i = 0; i < message.entries_size(); ++i) {
    TRY(auto entry, Proved(message.entries(i), message.proofs(i)));
    out.entries.push_back(std::move(entry));
  }
  if (!message.has_view()) return Malformed("EntryPage.view", "absent");
  TRY(out.view, FromMessage(message.view()));
  out.more = message.more();
  out.next_cursor = message.next_index();
  return out;
}

void ToMessage(const EntriesAnswer& answer, v1::MailPage* out) {
  for (const auto& entry : answer.entries) {
    auto* item = out->add_items();
    if (entry.entry.head) item->set_cursor(entry.entry.head->index + 1);
    SetEntry(entry, item);
  }
  out->set_next_cursor(answer.next_cursor);
  out->set_more(answer.more);
  ToMessage(answer.view, out->mutable_view());
}

Result<EntriesAnswer> FromMessage(const v1::MailPage& message) {
  TRY_OK(Known(message));
  EntriesAnswer out;
  out.entries.reserve(static_cast<std::size_t>(message.items_size()));
  for (const auto& item : message.items()) {
    TRY_OK(Known(item));
    if (item.has_view()) return Malformed("MailItem.view", "the page has its own");
    TRY(auto entry, EntryOf(item));
    if (entry) out.entries.push_back(*std::move(entry));
  }
  if (!message.has_view()) return Malformed("MailPage.view", "absent");
  TRY(out.view, FromMessage(message.view()));
  out.more = message.more();
  out.next_cursor = message.next_cursor();
  return out;
}

void ToMessage(const FollowItem& item, v1::MailItem* out) {
  out->set_cursor(item.cursor);
  if (item.entry) SetEntry(*item.entry, out);
  ToMessage(item.view, out->mutable_view());
}

Result<FollowItem> FromMessage(const v1::MailItem& message) {
  TRY_OK(Known(message));
  FollowItem out;
  out.cursor = message.cursor();
  TRY(out.entry, EntryOf(message));
  if (!message.has_view()) return Malformed("MailItem.view", "absent");
  TRY(out.view, FromMessage(message.view()));
  return out;
}

// ---- what waits ----

void ToMessage(const WaitingAnswer& answer, v1::WaitingAnswer* out) {
  for (const auto& item : answer.items) {
    auto* to = out->add_items();
    to->set_kind(item.kind);
    to->set_statement(ToString(item.statement));
    if (!item.record.IsZero()) to->set_record(ToString(item.record));
    to->set_entry(item.entry);
    to->set_until_ms(item.until ? ToMillis(*item.until) : 0);
  }
  ToMessage(answer.view, out->mutable_view());
}

Result<WaitingAnswer> FromMessage(const v1::WaitingAnswer& message) {
  TRY_OK(Known(message));
  if (static_cast<std::size_t>(message.items_size()) > kMaxWaiting) return Malformed("WaitingAnswer.items", "too many");
  WaitingAnswer out;
  out.items.reserve(static_cast<std::size_t>(message.items_size()));
  for (const auto& item : message.items()) {
    TRY_OK(Known(item));
    WaitingItem value;
    TRY(value.kind, LabelOf(item.kind(), "WaitingItem.kind"));
    TRY(value.statement, FixedOf<Digest>(item.statement(), "WaitingItem.statement"));
    TRY(value.record, FixedOrAbsent<Digest>(item.record(), "WaitingItem.record"));
    value.entry = item.entry();
    if (item.until_ms() != 0) {
      TRY(value.until, TimeOf(item.until_ms(), "WaitingItem.until_ms"));
    }
    if (!out.items.empty() && out.items.back().entry > value.entry)
      return Malformed("WaitingAnswer.items", "out of order");
    out.items.push_back(std::move(value));
  }
  if (!message.has_view()) return Malformed("WaitingAnswer.view", "absent");
  TRY(out.view, FromMessage(message.view()));
  return out;
}

// ---- bodies ----

void ToMessage(const BodyStart& start, v1::UploadChunk::Start* out) {
  out->set_body_root(ToString(start.root));
  out->set_body_length(start.length);
  SetAllFixed(start.slice_hashes, out->mutable_slice_hashes());
  out->set_more_hashes(start.more);
}

Result<BodyStart> FromMessage(const v1::UploadChunk::Start& message) {
  TRY_OK(Known(message));
  TRY(auto root, FixedOf<Hash>(message.body_root(), "Start.body_root"));
  return StartOf(root, message.body_length(), message.slice_hashes(), message.more_hashes());
}

void ToMessage(const BodyStart& start, v1::DownloadChunk::Start* out) {
  out->set_body_length(start.length);
  SetAllFixed(start.slice_hashes, out->mutable_slice_hashes());
  out->set_more_hashes(start.more);
}

Result<BodyStart> FromMessage(const v1::DownloadChunk::Start& message) {
  TRY_OK(Known(message));
  return StartOf({}, message.body_length(), message.slice_hashes(), message.more_hashes());
}

Result<BodyPiece> FromMessage(const v1::DownloadChunk& message) {
  TRY_OK(Known(message));
  if (message.has_start()) {
    TRY(auto start, FromMessage(message.start()));
    return BodyPiece{std::move(start), {}};
  }
  if (message.slice().empty()) return Malformed("DownloadChunk", "neither hashes nor a slice");
  return BodyPiece{std::nullopt, AsBytes(message.slice())};
}

Result<UploadProgress> FromMessage(const v1::UploadProgress& message) {
  TRY_OK(Known(message));
  return UploadProgress{message.next_slice(), message.complete()};
}

// ---- digests in requests ----

Result<RecordQuery> FromMessage(const v1::RecordRequest& message) {
  TRY_OK(Known(message));
  TRY(auto record, FixedOf<Digest>(message.record(), "RecordRequest.record"));
  return RecordQuery{record, message.from_index()};
}

Result<ReceiptQuery> FromMessage(const v1::ReceiptRequest& message) {
  TRY_OK(Known(message));
  TRY(auto statement, FixedOf<Digest>(message.statement(), "ReceiptRequest.statement"));
  return ReceiptQuery{statement, message.witnessed()};
}

}  // namespace valija::proto
