// Follow and Entries: what there is, and for followers what comes.
#include <algorithm>

#include "broker/service_stream.h"
#include "broker/visibility.h"
#include "proto/wire.h"

namespace valija::broker {

class FollowCall final : public PulledStream<v1::MailItem> {
 public:
  FollowCall(ExchangeService& service, grpc::CallbackServerContext* context, const v1::FollowRequest& request)
      : PulledStream(service.exchange_.workers, context),
        service_(service),
        cursor_(request.cursor()),
        verified_(request.verified_size()) {
    if (auto begun = Begin(request); !begun) {
      RefuseNow(begun.error());
      return;
    }
    {
      std::lock_guard lock(service_.followers_mutex_);
      service_.followers_.insert(this);
    }
    Wake();
  }
  ~FollowCall() override {
    std::lock_guard lock(service_.followers_mutex_);
    service_.followers_.erase(this);
  }
  void OnDone() override {
    {  // no commit may wake it any more
      std::lock_guard lock(service_.followers_mutex_);
      service_.followers_.erase(this);
    }
    PulledStream::OnDone();
  }

 private:
  Status Begin(const v1::FollowRequest& request) {
    TRY(auto admitted, Admit(service_.exchange_, context(), CallKind::kStream, "Follow"));
    caller_ = std::move(admitted.first);
    Counts(std::move(admitted.second));
    return proto::RefuseUnknown(request);
  }

  // One look at the next entries of the agency. A long run of what this member may not see takes many, and between them
  // others have their turn.
  Result<Step> Next() override {
    auto& sequencer = service_.exchange_.sequencer;
    const auto checkpoint = sequencer.checkpoint();
    const auto size = checkpoint->size();
    bool active = false;
    const auto shown = sequencer.Read([&](const ledger::State& state, const Glances& glances) {
      active = state.active_member(*caller_) != nullptr;
      return ShownOf({state, glances}, state.entries_for(caller_->agency()), cursor_, size, *caller_, true, 1);
    });
    if (!active) return Refuse(Reason::kNotEnrolled);
    for (auto index : shown.indexes) {
      TRY(auto entry, sequencer.Entry(index));
      if (entry.erased_by && *entry.erased_by >= size) return Step::kAgain;  // a newer checkpoint proves it
      cursor_ = index + 1;
      auto seen = sequencer.Read([&](const ledger::State& state, const Glances& glances) {
        return VisibleTo({state, glances}, std::move(entry), *caller_);
      });
      if (!seen) return Step::kAgain;
      proto::FollowItem item{cursor_, std::nullopt, {}};
      TRY(auto path, sequencer.Inclusion(index, size));
      item.entry =
          proto::ProvedEntry{*std::move(seen), std::move(path), ReleasesWith(service_.exchange_, index, *caller_)};
      TRY(item.view, MakeView(sequencer, checkpoint, verified_));
      verified_ = size;
      message().Clear();
      proto::ToMessage(item, &message());
      return Step::kSend;
    }
    cursor_ = std::max(cursor_, shown.next);
    return cursor_ < size ? Step::kAgain : Step::kWait;
  }

  ExchangeService& service_;
  std::uint64_t cursor_, verified_;
  std::optional<MemberId> caller_;
};

grpc::ServerWriteReactor<v1::MailItem>* ExchangeService::Follow(grpc::CallbackServerContext* context,
                                                                const v1::FollowRequest* request) {
  return new FollowCall(*this, context, *request);
}

void ExchangeService::OnCommit(const CommitNews& news) {
  for (const auto& member : news.changed_members) {
    Log(Level::kInfo, "member-changed", {{"member", member.str()}});
    const bool active =
        exchange_.sequencer.Read([&](const ledger::State& state) { return state.active_member(member) != nullptr; });
    exchange_.calls.CancelAllOf(member, active);
  }
  std::lock_guard lock(followers_mutex_);
  for (auto* follower : followers_) follower->Wake();
}

namespace {

class EntriesCall final : public PulledStream<v1::LoggedEntry> {
 public:
  EntriesCall(Exchange& exchange, grpc::CallbackServerContext* context, const v1::EntriesRequest& request)
      : PulledStream(exchange.workers, context), exchange_(exchange), next_(request.from_index()) {
    if (auto begun = Begin(request); !begun)
      RefuseNow(begun.error());
    else
      Wake();
  }

 private:
  Status Begin(const v1::EntriesRequest& request) {
    TRY(auto admitted, Admit(exchange_, context(), CallKind::kStream, "Entries"));
    caller_ = std::move(admitted.first);
    Counts(std::move(admitted.second));
    TRY_OK(proto::RefuseUnknown(request));
    const auto size = exchange_.sequencer.checkpoint()->size();
    end_ = request.end_index() == 0 ? size : request.end_index();
    if (next_ > end_ || end_ > size) return Refuse(Reason::kMalformed, "no such span");
    lookup_ = Digest::From(AsBytes(request.lookup())).value_or(Digest{});
    if (auto may = MayRead(); !may) {
      Log(Level::kWarning, "refused-audit",
          {{"member", caller_->str()}, {"reason", std::string(CodeOf(may.error().reason))}});
      return may;
    }
    Log(Level::kInfo, "audit-read",
        {{"member", caller_->str()}, {"from", std::to_string(next_)}, {"end", std::to_string(end_)}});
    return Ok();
  }

  Status MayRead() const {
    return exchange_.sequencer.Read([&](const ledger::State& state) {
      return MayReadEntries(state, *caller_, lookup_, next_, end_, exchange_.now());
    });
  }

  Result<Step> Next() override {
    if (next_ == end_) return Step::kEnd;
    if (at_ == ahead_.size()) {
      TRY_OK(MayRead());
      const auto count = std::min<std::uint64_t>(256, end_ - next_);
      TRY(ahead_, exchange_.sequencer.Entries(next_, count, std::size_t{1} << 20));
      at_ = 0;
      if (ahead_.empty()) return Refuse(Reason::kCorrupt, "an entry is missing");
    }
    auto entry = std::move(ahead_[at_++]);
    auto seen = exchange_.sequencer.Read([&](const ledger::State& state, const Glances& glances) {
      return AuditView({state, glances}, std::move(entry), *caller_);
    });
    // What proves that it was erased must be under the checkpoint that the caller has.
    if (seen.erased_by && *seen.erased_by >= end_)
      return Refuse(Reason::kUnavailable, "a purge came in between; take a newer checkpoint and read up to that");
    ++next_;
    message().Clear();
    proto::ToMessage(seen, &message());
    return Step::kSend;
  }

  Exchange& exchange_;
  std::uint64_t next_, end_ = 0;
  Digest lookup_;
  std::optional<MemberId> caller_;
  std::vector<proto::LoggedEntry> ahead_;
  std::size_t at_ = 0;
};

}  // namespace

grpc::ServerWriteReactor<v1::LoggedEntry>* ExchangeService::Entries(grpc::CallbackServerContext* context,
                                                                    const v1::EntriesRequest* request) {
  return new EntriesCall(exchange_, context, *request);
}

}  // namespace valija::broker
