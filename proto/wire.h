// Messages of the wire <-> plain values, for the broker's services and the client's transport, which alone may include
// this. FromMessage judges the form as convert.h does (kUnknownField, kMalformed) and verifies nothing; ToMessage fills
// an empty message. The canonical form is not asked of what only carries others.
// Thread-safety: pure functions.
#pragma once

#include <google/protobuf/message.h>

#include "proto/exchange.h"
#include "valija/v1/exchange.pb.h"
#include "valija/v1/statement.pb.h"

namespace valija::proto {

// For a message that has no FromMessage here, such as a request of two numbers: kUnknownField if it has unknown fields at
// any depth. It walks by reflection (microseconds): not for what carries a thousand others.
Status RefuseUnknown(const google::protobuf::Message& message);

// ---- statements and entries ----
void ToMessage(const ledger::Envelope& envelope, v1::Envelope* out);
Result<ledger::Envelope> FromMessage(const v1::Envelope& message);
void ToMessage(const record::Attachments& attachments, v1::Attachments* out);
Result<record::Attachments> FromMessage(const v1::Attachments& message);
void ToMessage(const LoggedEntry& entry, v1::LoggedEntry* out);
Result<LoggedEntry> FromMessage(const v1::LoggedEntry& message);

// ---- the log ----
void ToMessage(const View& view, v1::View* out);
Result<View> FromMessage(const v1::View& message);
void ToMessage(const std::vector<Hash>& path, v1::Proof* out);
Result<std::vector<Hash>> FromMessage(const v1::Proof& message);
void ToMessage(const Receipt& receipt, v1::Receipt* out);
Result<Receipt> FromMessage(const v1::Receipt& message);
void ToMessage(const Receipt& receipt, const View& view, v1::ReceiptAnswer* out);
Result<std::pair<Receipt, View>> FromMessage(const v1::ReceiptAnswer& message);

// ---- Post ----
void ToMessage(const Submission& submission, v1::Submission* out);
Result<Submission> FromMessage(const v1::Submission& message);
void ToMessage(const Release& release, v1::Release* out);
Result<Release> FromMessage(const v1::Release& message);
void ToMessage(const Error& error, v1::Refusal* out);
// Always an Error: a code that this version does not know is kInternal with the code as detail; a detail that is no
// printable text is left out.
Error FromMessage(const v1::Refusal& message);
void ToMessage(const Outcome& outcome, v1::Outcome* out);
// `submissions`: how many were posted; an answer with another number of outcomes is kMalformed. A malformed outcome
// refuses the whole answer.
Result<PostAnswer> FromMessage(const v1::PostResponse& message, std::size_t submissions);

// ---- pages and streams ----
void ToMessage(const EntriesAnswer& answer, v1::EntryPage* out);
Result<EntriesAnswer> FromMessage(const v1::EntryPage& message);
Result<EntriesAnswer> FromMessage(const v1::MailPage& message);  // mere cursor moves are left out
void ToMessage(const FollowItem& item, v1::MailItem* out);
Result<FollowItem> FromMessage(const v1::MailItem& message);     // of a stream: with a view
void ToMessage(const EntriesAnswer& answer, v1::MailPage* out);  // each item's cursor is its entry's index + 1

// ---- what waits ----
void ToMessage(const WaitingAnswer& answer, v1::WaitingAnswer* out);
Result<WaitingAnswer> FromMessage(const v1::WaitingAnswer& message);  // kinds that this version does not know are kept

// ---- bodies ----
void ToMessage(const BodyStart& start, v1::UploadChunk::Start* out);
Result<BodyStart> FromMessage(const v1::UploadChunk::Start& message);
void ToMessage(const BodyStart& start, v1::DownloadChunk::Start* out);
Result<BodyStart> FromMessage(const v1::DownloadChunk::Start& message);
Result<BodyPiece> FromMessage(const v1::DownloadChunk& message);  // a view of the message
Result<UploadProgress> FromMessage(const v1::UploadProgress& message);

// ---- digests in requests ----
Result<RecordQuery> FromMessage(const v1::RecordRequest& message);
Result<ReceiptQuery> FromMessage(const v1::ReceiptRequest& message);

}  // namespace valija::proto
