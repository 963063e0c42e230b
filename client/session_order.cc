// Standing orders: signed once, and what is released under them opened as it comes.
#include <algorithm>

#include "client/opening.h"
#include "core/crypto/dsse.h"
#include "core/record/release.h"

namespace valija::client {
namespace {

constexpr int kLateStream = 25;  // pauses

// What failed because the broker was away, or the witnesses were, and not for good.
bool IsForNow(const Outcome<OpenedPortion>& one) {
  static constexpr Reason kForNow[] = {Reason::kUnavailable, Reason::kDeadline, Reason::kShuttingDown,
                                       Reason::kPoolFull,    Reason::kNoQuorum, Reason::kStale};
  return !one && std::any_of(std::begin(kForNow), std::end(kForNow),
                             [&](Reason reason) { return one.failure().code == CodeOf(reason); });
}

}  // namespace

Result<NewsItem> SessionCore::StandingOrder(const OrderDraft& draft) {
  const AnyAge fresh(*this, false);
  TRY_OK(Refresh());
  auto reply_key = crypto::KemPrivateKey::Generate(random_);
  ledger::StandingOrder order{.by = By(),
                              .agency = profile_.member().agency(),
                              .purpose = draft.purpose,
                              .case_reference = draft.case_reference,
                              .reply_key = reply_key.public_key().point(),
                              .expires = Time(draft.until.time_since_epoch())};
  auto payload = proto::EncodeStandingOrder(order);
  // Before it is signed away: without the key everything opened under it would be opened for nobody.
  const Digest digest = DigestOf(ledger::Kind::kStandingOrder, payload);
  TRY_OK(profile_.Keep("orders.log", {SealForMyself(record::Kept::kOrderKey, digest, reply_key.Scalar())}));
  TRY(auto entry, PostDirect(ledger::Kind::kStandingOrder, std::move(payload)));
  return News(entry);
}

Result<NewsItem> SessionCore::EndOrder(const std::string& id) {
  const AnyAge any(*this);
  TRY(const auto* order, ResolveStatement(id, ledger::Kind::kStandingOrder));
  ledger::Revocation end{.by = By(), .record = order->statement->digest, .why = "ended"};
  TRY(auto entry, PostDirect(ledger::Kind::kRevocation, proto::EncodeRevocation(end)));
  return News(entry);
}

Result<std::vector<OrderInfo>> SessionCore::Orders() {
  TRY_OK(Sync());
  std::vector<OrderInfo> orders;
  std::map<Digest, std::size_t> opened;
  for (const auto& entry : mail_.entries())
    if (const auto* opening = PayloadOf<ledger::StandingOpening>(entry)) ++opened[opening->order];
  for (const auto& entry : mail_.entries()) {
    const auto* order = PayloadOf<ledger::StandingOrder>(entry);
    if (order == nullptr || order->agency != profile_.member().agency()) continue;
    const Digest& digest = entry.statement->digest;
    orders.push_back({digest.Hex(), order->by.author.str(), order->purpose, order->case_reference,
                      ToTimePoint(entry.head.time), ToTimePoint(order->expires), mail_.revoked(digest, order->agency),
                      opened[digest]});
  }
  return orders;
}

Result<Released> SessionCore::OpenReleased(const VerifiedEntry& entry, std::vector<Release> releases,
                                           const std::filesystem::path& folder) {
  const auto& opening = *PayloadOf<ledger::StandingOpening>(entry);
  const auto& known = *mail_.Find(opening.order);
  const auto& order = *PayloadOf<ledger::StandingOrder>(known);
  Released released{.entry = entry.head.index,
                    .time = ToTimePoint(entry.head.time),
                    .order = opening.order.Hex(),
                    .record = opening.record.Hex(),
                    .from = {},
                    .portions = {}};
  std::vector<Result<OpenedPortion>> out;
  auto open = [&]() -> Status {
    TRY_OK(Covered(entry.head.index, entry.decision));  // before it is asked for, or used
    std::vector<std::unique_ptr<Wanted>> wanted;
    std::vector<ledger::Verdict> verdicts;
    std::vector<bool> nowhere;
    for (const auto& verdict : entry.decision.verdicts) {
      if (!verdict.allowed()) continue;  // the log says why; nothing was released
      TRY(auto one, Want(opening.record, verdict.portion, out.size()));
      const std::string name = released.record + "-" + std::to_string(verdict.portion);
      // One that is there already is not fetched again; the others are.
      const auto file = one->WriteTo(folder.empty() ? folder : folder / name, true);
      out.emplace_back(file ? Error(Refuse(Reason::kUnavailable)) : file.error());
      nowhere.push_back(!file);
      verdicts.push_back(verdict);
      one->unwitnessed = entry.decision.unwitnessed;
      wanted.push_back(std::move(one));
    }
    released.from = HeaderOf(wanted.front()->record).originator.str();
    if (std::find(nowhere.begin(), nowhere.end(), false) == nowhere.end()) return Ok();
    if (releases.empty()) {  // it was kept before: asked for once more
      TRY(auto page, transport_->Mailbox(entry.head.index, verifier_.verified_size()));
      TRY(auto checkpoint, verifier_.Advance(page.view));
      TRY_OK(CheckPage(page, entry.head.index, checkpoint.size()));
      if (!page.entries.empty() && page.entries[0].entry.head == entry.head)
        releases = std::move(page.entries[0].releases);
    }
    // One that was just started may not have the cosignatures that we have seen.
    if (releases.empty() && !entry.decision.unwitnessed && !verifier_.ShownCovered(entry.head.index))
      return Refuse(Reason::kNoQuorum, "entry " + std::to_string(entry.head.index));
    if (releases.empty())
      return Refuse(Reason::kReplayed, "what entry " + std::to_string(entry.head.index) +
                                           " opened is not released again: something has changed since");
    if (releases.size() != 1 || releases[0].authority != entry.decision.authority)
      return Refuse(Reason::kWrongRelease, "not one release of who decided");
    TRY(auto scalar, OpenKept(record::Kept::kOrderKey, opening.order));
    TRY(auto reply_key, crypto::KemPrivateKey::FromScalar(scalar.view()));
    record::ReleaseBinding binding{entry.statement->digest, entry.head.decision, releases[0].authority, order.agency,
                                   order.by.key_id};
    TRY(auto shares, record::OpenRelease(binding, reply_key, releases[0].enc, releases[0].ciphertext, wanted.size()));
    std::vector<Wanted*> all;
    for (const auto& one : wanted) all.push_back(one.get());
    TRY_OK(UseShares(all, verdicts, shares, entry.head.index, out));
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (nowhere[i]) wanted[i]->cek = {};
    FetchBodies(all, entry.head.index, {}, out);
    return Ok();
  };
  if (auto opened = open(); !opened) {
    // An alarm, or a broker that is away, ends it all; what is the record's own is told of the record.
    const auto kind = ClassOf(opened.error().reason);
    if (kind == Class::kUnavailable || kind == Class::kDeadline || opened.error().reason == Reason::kFork)
      return opened.error();
    out.assign(1, opened.error());
  }
  for (auto& one : out) released.portions.push_back(ToOutcome(std::move(one)));
  return released;
}

Status SessionCore::FollowReleased(std::uint64_t from_entry, const std::filesystem::path& folder,
                                   const std::function<bool(const Released&)>& released,
                                   const std::function<void(const std::string&)>& waiting) {
  const AnyAge fresh(*this, false);
  struct Restore {
    SessionCore& session;
    ~Restore() {
      session.keep_releases_ = false;
      session.releases_.clear();
    }
  } restore{*this};
  keep_releases_ = true;
  TRY_OK(Sync());
  std::size_t looked_at = 0;
  std::uint64_t done = 0;        // one more than the entry of the last opening that was told of
  std::set<std::uint64_t> late;  // entries of those that the witnesses have not covered
  bool kept = from_entry <= profile_.followed();
  Status failed = Ok();
  // False: it ends here, by the callback's word or as it failed.
  auto open = [&](const VerifiedEntry& entry) {
    const std::uint64_t index = entry.head.index;
    auto wait = [&](const Error& why) {
      if (late.insert(index).second && waiting) waiting(why.detail);
      return true;
    };
    // The quorum covers from the beginning: where one waits, so do those after it, and nobody is asked for each.
    if (!late.empty())
      if (auto covered = verifier_.CheckCovered(index, entry.decision);
          !covered && covered.error().reason == Reason::kNoQuorum)
        return wait(covered.error());
    auto node = releases_.extract(index);
    auto one = OpenReleased(entry, node ? std::move(node.mapped()) : std::vector<Release>{}, folder);
    if (!one && one.error().reason == Reason::kNoQuorum) return wait(one.error());
    if (!one) failed = one.error();
    if (!one) return false;
    done = std::max(done, index + 1);
    const bool on = released(*one);
    late.erase(index);
    // What could not be had for now is tried again the next time, and so is what a later beginning left out, and what waits.
    kept = kept && std::none_of(one->portions.begin(), one->portions.end(), IsForNow);
    if (kept) profile_.SetFollowed(late.empty() ? done : *late.begin());
    return on;
  };
  // Openings under my orders; every other item only makes us look.
  auto take = [&] {
    while (failed && looked_at < mail_.entries().size()) {
      const auto& entry = mail_.entries()[looked_at++];
      const auto* opening = PayloadOf<ledger::StandingOpening>(entry);
      // CheckUnsigned knows the order.
      const bool mine = opening != nullptr && opening->member == profile_.member() && entry.head.index >= from_entry;
      if (!mine)
        releases_.erase(entry.head.index);
      else if (!open(entry))
        return false;
    }
    return true;
  };
  // While some wait, the streams are short, and between them it is seen whether the witnesses have come to those.
  auto again = [&]() -> std::optional<std::chrono::milliseconds> {
    for (const auto index : std::vector<std::uint64_t>(late.begin(), late.end()))
      if (!open(*mail_.At(index))) return std::nullopt;
    if (!take()) return std::nullopt;
    return late.empty() ? std::chrono::milliseconds(0) : pause_ * kLateStream;
  };
  if (!take()) return failed;
  auto ended = Follow([&](const NewsItem&) { return take(); }, again);
  TRY_OK(failed);
  return ended;
}

}  // namespace valija::client
