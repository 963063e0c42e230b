// Unary look-ups: directory, mailbox, one record, custody, receipts, checkpoint, tiles.
#include <algorithm>

#include "broker/service.h"
#include "broker/visibility.h"
#include "broker/waiting.h"
#include "proto/wire.h"

namespace valija::broker {
namespace {

constexpr std::size_t kPageBytes = 3 << 20;
// One page is of so much of the log at most, whatever is in it: a cursor between two pages says what was shown last, or
// where such a span ends, and nothing of what was passed over.
constexpr std::uint64_t kSpan = std::uint64_t{1} << 18;

std::size_t SizeOf(const proto::LoggedEntry& entry) {
  std::size_t size = 4096 + entry.envelope->payload.size() + entry.decision_bytes.size();
  for (const auto& policy : entry.attachments.policies) size += policy.size();
  return size + entry.attachments.slips.size() * 256;
}

// Adds an entry, proved, to the page if the caller may see anything of it. False: it does not fit beside what is there.
Result<bool> Show(Exchange& exchange, std::uint64_t index, std::uint64_t size, const MemberId& caller, bool mail,
                  proto::EntriesAnswer& page, std::size_t& bytes) {
  const Sequencer& sequencer = exchange.sequencer;
  TRY(auto entry, sequencer.Entry(index));
  // What proves that it was erased must be under the view beside it.
  if (entry.erased_by && *entry.erased_by >= size) return Refuse(Reason::kUnavailable, "an entry was just erased");
  auto seen = sequencer.Read([&](const ledger::State& state, const Glances& glances) {
    return VisibleTo({state, glances}, std::move(entry), caller);
  });
  if (!seen) return true;
  if (!page.entries.empty() && bytes + SizeOf(*seen) > kPageBytes) return false;
  bytes += SizeOf(*seen);
  TRY(auto path, sequencer.Inclusion(index, size));
  page.entries.push_back({std::move(*seen), std::move(path), {}});
  if (mail) page.entries.back().releases = ReleasesWith(exchange, index, caller);
  return true;
}

// Indexes of entries, ascending, to be shown from one on; and how.
struct Wanted {
  std::uint64_t from = 0;
  std::size_t limit = 0;  // 0: as many as a page holds
  bool mail = false;      // without the directory
};

// A page of what the caller may see of the entries that `all` picks from the state; what it may not see is passed over
// unread. With `more`, next_cursor is one more than the last index shown, or the end of a span, also when the page is empty;
// else there is nothing up to the view's size.
template <class All>
Result<proto::EntriesAnswer> PageOf(Exchange& exchange, ViewNow now, const MemberId& caller, Wanted wanted, All all) {
  const std::uint64_t size = now.checkpoint->size();
  proto::EntriesAnswer page;
  page.view = std::move(now.view);
  page.next_cursor = std::max(wanted.from, size);
  if (wanted.from >= size) return page;
  const std::size_t limit = wanted.limit == 0 ? proto::kMaxPage : std::min(wanted.limit, proto::kMaxPage);
  const std::uint64_t end = std::min(size, (wanted.from / kSpan + 1) * kSpan);
  std::size_t bytes = 0;
  for (std::uint64_t at = wanted.from, after = wanted.from; at < end;) {
    auto shown = exchange.sequencer.Read([&](const ledger::State& state, const Glances& glances) {
      return ShownOf({state, glances}, all(state), at, end, caller, wanted.mail, limit + 1 - page.entries.size());
    });
    for (const std::uint64_t index : shown.indexes) {
      bool fits = page.entries.size() < limit;
      if (fits) {
        TRY(fits, Show(exchange, index, size, caller, wanted.mail, page, bytes));
      }
      if (!fits) {
        page.more = true;
        page.next_cursor = after;
        return page;
      }
      after = index + 1;
    }
    at = shown.next;
  }
  page.more = end < size;
  page.next_cursor = end;
  return page;
}

}  // namespace

grpc::ServerUnaryReactor* ExchangeService::Directory(grpc::CallbackServerContext* context,
                                                     const v1::DirectoryRequest* request, v1::EntryPage* response) {
  return Unary(context, "Directory", *request, *response, [this, request, response](const MemberId& caller) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    TRY(auto page, PageOf(exchange_, std::move(view), caller, {request->from_index(), request->limit()},
                          [](const ledger::State& state) { return ledger::Entries(state.directory_entries()); }));
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::Mailbox(grpc::CallbackServerContext* context,
                                                   const v1::FollowRequest* request, v1::MailPage* response) {
  return Unary(context, "Mailbox", *request, *response, [this, request, response](const MemberId& caller) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    TRY(auto page, PageOf(exchange_, std::move(view), caller, {request->cursor(), request->limit(), true},
                          [&](const ledger::State& state) { return state.entries_for(caller.agency()); }));
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetRecord(grpc::CallbackServerContext* context,
                                                     const v1::RecordRequest* request, v1::EntryPage* response) {
  return Unary(context, "GetRecord", *request, *response, [this, request, response](const MemberId& caller) -> Status {
    TRY(auto query, proto::FromMessage(*request));
    if (query.from != 0) return Refuse(Reason::kMalformed, "from_index is for Custody");
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    const auto size = view.checkpoint->size();
    // Also who is to approve an opening of it, and may know of it from nothing else.
    auto index = exchange_.sequencer.Read(
        [&](const ledger::State& state, const Glances& glances) -> std::optional<std::uint64_t> {
          const auto* record = state.record(query.record);
          const auto* order = state.order(query.record);
          if (record == nullptr && order == nullptr) return std::nullopt;
          const std::uint64_t at = record != nullptr ? record->index : order->index;
          if (at >= size || !MaySee({state, glances}, at, caller)) return std::nullopt;
          return at;
        });
    if (!index) return Refuse(Reason::kNotFound);
    proto::EntriesAnswer page;
    page.view = std::move(view.view);
    std::size_t bytes = 0;
    TRY(auto shown, Show(exchange_, *index, size, caller, false, page, bytes));
    if (!shown || page.entries.empty()) return Refuse(Reason::kNotFound);
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::Custody(grpc::CallbackServerContext* context,
                                                   const v1::RecordRequest* request, v1::EntryPage* response) {
  return Unary(context, "Custody", *request, *response, [this, request, response](const MemberId& caller) -> Status {
    TRY(auto query, proto::FromMessage(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    const bool visible = exchange_.sequencer.Read([&](const ledger::State& state) {
      const auto* record = state.record(query.record);
      return record != nullptr && state.visible_to(*record, caller) && record->index < view.checkpoint->size();
    });
    if (!visible) return Refuse(Reason::kNotFound);
    TRY(auto page, PageOf(exchange_, std::move(view), caller, {query.from},
                          [&](const ledger::State& state) { return state.entries_of(*state.record(query.record)); }));
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetReceipt(grpc::CallbackServerContext* context,
                                                      const v1::ReceiptRequest* request, v1::ReceiptAnswer* response) {
  return Unary(context, "GetReceipt", *request, *response, [this, request, response](const MemberId& caller) -> Status {
    TRY(auto query, proto::FromMessage(*request));
    // Before anything is read: another's statement takes as long as none.
    auto index = exchange_.sequencer.Read([&](const ledger::State& state) -> std::optional<std::uint64_t> {
      const auto* known = state.statement(query.statement);
      const bool may = known != nullptr && (known->author == nullptr || *known->author == caller);
      return may ? std::optional(known->index) : std::nullopt;
    });
    if (!index) return Refuse(Reason::kNotFound);
    if (query.witnessed) {
      TRY(auto cosigned, WitnessedView(exchange_.sequencer, *index, request->verified_size()));
      TRY(auto receipt, ReceiptAt(exchange_.sequencer, *index, cosigned.size));
      proto::ToMessage(receipt, cosigned.view, response);
      return Ok();
    }
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    TRY(auto receipt, ReceiptAt(exchange_.sequencer, *index, view.checkpoint->size()));
    proto::ToMessage(receipt, view.view, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::Waiting(grpc::CallbackServerContext* context,
                                                   const v1::WaitingRequest* request, v1::WaitingAnswer* response) {
  return Unary(context, "Waiting", *request, *response, [this, request, response](const MemberId& caller) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    proto::WaitingAnswer answer;
    answer.items = exchange_.sequencer.Read(
        [&](const ledger::State& state) { return WaitingFor(state, caller, exchange_.now(), proto::kMaxWaiting); });
    // The state may be ahead of what is published.
    std::erase_if(answer.items, [&](const auto& item) { return item.entry >= view.checkpoint->size(); });
    answer.view = std::move(view.view);
    proto::ToMessage(answer, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetCheckpoint(grpc::CallbackServerContext* context,
                                                         const v1::CheckpointRequest* request, v1::View* response) {
  return Unary(context, "GetCheckpoint", *request, *response, [this, request, response](const MemberId&) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    proto::ToMessage(view.view, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetTile(grpc::CallbackServerContext* context, const v1::TileRequest* request,
                                                   v1::TileAnswer* response) {
  return Unary(context, "GetTile", *request, *response, [this, request, response](const MemberId&) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    auto path = log::ParseTilePath(request->path());
    if (!path || path->bundle) return Refuse(Reason::kMalformed, "not a tile's path");
    // Only what the present checkpoint calls for.
    const auto size = exchange_.sequencer.checkpoint()->size();
    std::uint64_t hashes = size;
    for (unsigned level = 0; level < path->id.level; ++level) hashes /= log::kTileWidth;
    if (path->id.index > hashes / log::kTileWidth || path->id.index * log::kTileWidth + path->width > hashes)
      return Refuse(Reason::kNotFound);
    auto tile = exchange_.sequencer.tiles()(path->id, path->width);
    if (!tile || tile->size() < path->width * 32) return Refuse(Reason::kNotFound);
    response->set_data(tile->data(), path->width * 32);
    return Ok();
  });
}

}  // namespace valija::broker
