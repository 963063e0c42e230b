#include "audit/judge.h"

#include "audit/evidence/story.h"
#include "audit/say.h"
#include "core/crypto/hash.h"
#include "core/io/file.h"

namespace valija::audit {
namespace {

Result<log::PolicyHistory> ReadPolicies(const std::filesystem::path& file) {
  TRY(const auto text, io::ReadText(file, log::PolicyHistory::kMaxText));
  return log::PolicyHistory::Parse(text);
}

// What is larger than any of its kind is none.
Result<Judged> Unread(const Error& error, bool json) {
  if (error.reason != Reason::kTooLarge) return error;
  return Judged{SayNotProved(error, json), false};
}

}  // namespace

Result<Judged> JudgeReceipt(const std::filesystem::path& file, const std::filesystem::path& policy,
                            const std::filesystem::path& statement, bool json) {
  TRY(const auto policies, ReadPolicies(policy));
  const auto text = io::ReadText(file, 1 << 20);
  if (!text) return Unread(text.error(), json);
  Bytes bytes;
  if (!statement.empty()) {
    TRY(bytes, io::ReadFile(statement));
  }
  const auto prove = [&]() -> Result<evidence::Proved> {
    TRY(const auto receipt, evidence::ParseReceipt(*text));
    TRY(auto proved, evidence::VerifyReceipt(receipt, policies));
    if (!statement.empty()) TRY_OK(evidence::CheckStatement(proved.head, bytes));
    return proved;
  };
  const auto proved = prove();
  if (!proved) return Judged{SayNotProved(proved.error(), json), false};
  return Judged{SayReceipt(*proved, statement.string(), json), true};
}

Result<Judged> JudgeBundle(const std::filesystem::path& file, const std::filesystem::path& policy,
                           const std::optional<Digest>& charter, const std::filesystem::path& page, bool json) {
  TRY(auto policies, ReadPolicies(policy));
  const auto bytes = io::ReadFile(file, proto::kMaxBundle + 4096);
  if (!bytes) return Unread(bytes.error(), json);
  const auto checked = evidence::CheckBundle(*bytes, {std::move(policies), charter});
  if (!checked) return Judged{SayNotProved(checked.error(), json), false};
  if (!page.empty()) TRY_OK(io::WriteNewFile(page, AsBytes(evidence::Page(*checked, crypto::Sha256(*bytes)))));
  return Judged{SayBundle(*checked, json), true};
}

}  // namespace valija::audit
