// Views of the log, inclusion paths and receipts.
#include "proto/messages.h"
#include "proto/wire.h"

namespace valija::proto {
namespace {

constexpr std::size_t kMaxPath = 63;  // a tree has fewer than 2^63 leaves
constexpr std::size_t kMaxConsistency = 2 * kMaxPath + 1;
constexpr std::size_t kMaxNote = std::size_t{64} << 10;  // as log::Note takes

}  // namespace

void ToMessage(const View& view, v1::View* out) {
  out->set_checkpoint(view.checkpoint);
  SetAllFixed(view.consistency, out->mutable_consistency());
  out->set_witnessed(view.witnessed);
  SetAllFixed(view.growth, out->mutable_growth());
}

Result<View> FromMessage(const v1::View& message) {
  TRY_OK(Known(message));
  if (message.checkpoint().empty()) return Malformed("View.checkpoint", "absent");
  if (message.checkpoint().size() > kMaxNote) return Malformed("View.checkpoint", "too long");
  TRY(auto consistency, FixedListOf<Hash>(message.consistency(), "View.consistency", kMaxConsistency));
  if (message.witnessed().size() > kMaxNote) return Malformed("View.witnessed", "too long");
  TRY(auto growth, FixedListOf<Hash>(message.growth(), "View.growth", kMaxConsistency));
  if (message.witnessed().empty() && !growth.empty()) return Malformed("View.growth", "of nothing");
  return View{message.checkpoint(), std::move(consistency), message.witnessed(), std::move(growth)};
}

void ToMessage(const std::vector<Hash>& path, v1::Proof* out) { SetAllFixed(path, out->mutable_path()); }

Result<std::vector<Hash>> FromMessage(const v1::Proof& message) {
  TRY_OK(Known(message));
  return FixedListOf<Hash>(message.path(), "Proof.path", kMaxPath);
}

void ToMessage(const Receipt& receipt, v1::Receipt* out) {
  out->set_head(ToString(receipt.head.Encode()));
  out->set_salt(ToString(receipt.salt));
  out->set_decision(ToString(receipt.decision_bytes));
  SetAllFixed(receipt.path, out->mutable_path());
}

Result<Receipt> FromMessage(const v1::Receipt& message) {
  TRY_OK(Known(message));
  Receipt out;
  TRY(out.head, ledger::EntryHead::Decode(AsBytes(message.head())));
  TRY(out.salt, FixedOf<Salt>(message.salt(), "Receipt.salt"));
  TRY(out.decision_bytes, BytesOf(message.decision(), "Receipt.decision", 1, kMaxDecision));
  TRY(out.path, FixedListOf<Hash>(message.path(), "Receipt.path", kMaxPath));
  return out;
}

void ToMessage(const Receipt& receipt, const View& view, v1::ReceiptAnswer* out) {
  ToMessage(receipt, out->mutable_receipt());
  ToMessage(view, out->mutable_view());
}

Result<std::pair<Receipt, View>> FromMessage(const v1::ReceiptAnswer& message) {
  TRY_OK(Known(message));
  if (!message.has_receipt()) return Malformed("ReceiptAnswer.receipt", "absent");
  if (!message.has_view()) return Malformed("ReceiptAnswer.view", "absent");
  TRY(auto receipt, FromMessage(message.receipt()));
  TRY(auto view, FromMessage(message.view()));
  return std::pair(std::move(receipt), std::move(view));
}

Bytes EncodeReceipt(const Receipt& receipt, const View& view) {
  v1::ReceiptAnswer message;
  ToMessage(receipt, view, &message);
  return Serialise(message);
}

Result<std::pair<Receipt, View>> DecodeReceipt(ByteView bytes) {
  return DecodeWrapper<v1::ReceiptAnswer>(bytes, [](const auto& message) { return FromMessage(message); });
}

}  // namespace valija::proto
