// Grants: the content keys of a record in the log, wrapped for recipients that come later, under a header of their own.
#include <algorithm>

#include "client/opening.h"
#include "client/sealing.h"

namespace valija::client {

Result<NewsItem> SessionCore::Grant(const GrantDraft& draft) {
  const AnyAge fresh(*this, false);
  TRY_OK(Sync());
  TRY(auto policy, PolicyOf(draft.policy_text));
  TRY(auto named, Resolve(draft.record));
  TRY(const auto* named_record, FindContent(named));
  TRY(const auto* original, FindContent(OriginalOf(*named_record)));
  const Digest digest = original->statement->digest;
  const auto header = HeaderOf(*original);
  std::optional<Digest> request;
  if (!draft.request.empty()) {
    TRY(const auto* asked, ResolveStatement(draft.request, ledger::Kind::kAccessRequest));
    request = asked->statement->digest;
  }
  std::vector<std::uint32_t> numbers = draft.portions;
  if (numbers.empty())
    for (const auto& head : header.portions) numbers.push_back(head.number);
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.back() >= header.portions.size())
    return Refuse(Reason::kNotFound, "the record has no portion " + std::to_string(numbers.back()));

  // ---- the content keys: what I sent I have kept; what I received I open once more ----
  std::vector<crypto::Secret> keys;
  auto kept = OpenKept(record::Kept::kSentKeys, digest);
  if (kept) {
    if (kept->size() != record::kCekSize * header.portions.size())
      return Refuse(Reason::kCorrupt, "sent.log has other keys than the record's");
    for (auto number : numbers)
      keys.push_back(crypto::Secret::CopyOf(kept->view().subspan(number * record::kCekSize, record::kCekSize)));
  } else if (kept.error().reason != Reason::kNotFound) {
    return kept.error();
  } else {
    if (draft.purpose.empty())
      return Refuse(Reason::kUsage, "this profile did not send it: say for what purpose it is opened to be passed on");
    std::vector<std::unique_ptr<Wanted>> wanted;
    std::vector<Wanted*> all;
    std::vector<Result<OpenedPortion>> out(numbers.size(), Result<OpenedPortion>(Refuse(Reason::kUnavailable)));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      TRY(auto one, Want(named, numbers[i], i));
      wanted.push_back(std::move(one));
      all.push_back(wanted.back().get());
    }
    TRY(auto entry, RequestKeys(all, {draft.purpose, draft.case_reference, {}, {}, {}, {}}, out));
    (void)entry;
    for (auto& one : wanted) {
      if (one->cek.empty()) return out[one->place].error();
      keys.push_back(std::move(one->cek));
    }
  }

  // ---- the grant ----
  TRY(auto authority, Authority());
  TRY(auto recipients, RecipientsOf(policy));
  RecordPlan plan{.originator = profile_.member(),
                  .signing_key = keys_.signature.id(),
                  .origin = Terms().origin,
                  .time = Now(),
                  .in_reply_to = {},
                  .authorities = {std::move(authority)},
                  .portions = {},
                  .numbers = numbers};
  for (auto number : numbers) {
    std::vector<record::Recipient> same;
    for (const auto& one : recipients) same.push_back({one.agency, one.epoch_key});
    plan.portions.push_back({policy, header.portions[number].media_type, std::move(same)});
  }
  record::Window window(profile_.member(), keys_.signature.id(), plan.time, random_);
  TRY_OK(window.Begin(plan.time));
  auto head = SealHead(window, plan, random_);
  std::vector<std::vector<Bytes>> wraps;
  for (std::size_t place = 0; place < numbers.size(); ++place)
    wraps.push_back(WrapPortion(window, head, place, keys[place], random_));
  TRY(auto entry, PostDirect(ledger::Kind::kGrant, GrantPayload(head, digest, std::move(wraps), request),
                             std::move(head.attachments)));
  return News(entry);
}

}  // namespace valija::client
