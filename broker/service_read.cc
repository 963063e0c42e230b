// Unary look-ups: directory, mailbox, one record, custody, receipts, checkpoint, tiles.
#include <algorithm>

#include "broker/fold.h"
#include "broker/service.h"
#include "broker/visibility.h"
#include "broker/waiting.h"
#include "proto/wire.h"

namespace valija::broker {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kPageBytes = 3 << 20;
constexpr std::size_t kCustody = 1024;  // entries of one record in one answer; `more` says that there are others

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
  TRY(auto statement, StatementOf(entry));
  if (mail && ledger::IsDirectoryKind(statement.kind)) return true;
  auto seen =
      sequencer.Read([&](const ledger::State& state) { return VisibleTo(state, statement, std::move(entry), caller); });
  if (!seen) return true;
  if (!page.entries.empty() && bytes + SizeOf(*seen) > kPageBytes) return false;
  bytes += SizeOf(*seen);
  TRY(auto path, sequencer.Inclusion(index, size));
  page.entries.push_back({std::move(*seen), std::move(path), {}});
  if (mail) page.entries.back().releases = ReleasesWith(exchange, statement, index, caller);
  return true;
}

// Fills a page with what the caller may see of `indexes` (ascending, all below the view's size); sets next_cursor and more.
Status Fill(Exchange& exchange, const std::vector<std::uint64_t>& indexes, std::size_t limit, const MemberId& caller,
            std::uint64_t size, proto::EntriesAnswer& page, bool mail = false) {
  std::size_t bytes = 0;
  for (auto index : indexes) {
    bool fits = page.entries.size() < limit;
    if (fits) {
      TRY(fits, Show(exchange, index, size, caller, mail, page, bytes));
    }
    if (!fits) {
      page.more = true;
      page.next_cursor = index;
      return Ok();
    }
  }
  return Ok();
}

// Up to `most` of the ascending `all` that are in [from, end).
std::vector<std::uint64_t> Between(const std::vector<std::uint64_t>& all, std::uint64_t from, std::uint64_t end,
                                   std::size_t most) {
  auto begin = std::lower_bound(all.begin(), all.end(), from);
  std::vector<std::uint64_t> out;
  for (auto at = begin; at != all.end() && *at < end && out.size() < most; ++at) out.push_back(*at);
  return out;
}

}  // namespace

grpc::ServerUnaryReactor* ExchangeService::Directory(grpc::CallbackServerContext* context,
                                                     const v1::DirectoryRequest* request, v1::EntryPage* response) {
  return Unary(context, "Directory", [this, request, response](const MemberId& caller) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    auto indexes = exchange_.sequencer.Read([&](const ledger::State& state) {
      return Between(state.directory_entries(), request->from_index(), view.checkpoint->size(), kPage + 1);
    });
    proto::EntriesAnswer page;
    TRY_OK(Fill(exchange_, indexes, kPage, caller, view.checkpoint->size(), page));
    page.view = std::move(view.view);
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::Mailbox(grpc::CallbackServerContext* context,
                                                   const v1::FollowRequest* request, v1::MailPage* response) {
  return Unary(context, "Mailbox", [this, request, response](const MemberId& caller) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    const std::size_t limit = request->limit() == 0 ? kPage : std::min<std::size_t>(request->limit(), kPage);
    // Entries of the agency that this member may not see are passed over, so one page looks at some more than it shows.
    constexpr std::size_t kLookedAt = 4 * kPage;
    auto indexes = exchange_.sequencer.Read([&](const ledger::State& state) {
      return Between(state.entries_for(caller.agency()), request->cursor(), view.checkpoint->size(), kLookedAt + 1);
    });
    proto::EntriesAnswer page;
    page.next_cursor = std::max(request->cursor(), view.checkpoint->size());
    if (indexes.size() > kLookedAt) {
      page.more = true;
      page.next_cursor = indexes.back();
      indexes.pop_back();
    }
    TRY_OK(Fill(exchange_, indexes, limit, caller, view.checkpoint->size(), page, true));
    page.view = std::move(view.view);
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetRecord(grpc::CallbackServerContext* context,
                                                     const v1::RecordRequest* request, v1::EntryPage* response) {
  return Unary(context, "GetRecord", [this, request, response](const MemberId& caller) -> Status {
    TRY(auto digest, proto::FromMessage(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    auto index = exchange_.sequencer.Read([&](const ledger::State& state) -> std::optional<std::uint64_t> {
      const auto* record = state.record(digest);
      if (record == nullptr || !state.visible_to(*record, caller) || record->index >= view.checkpoint->size())
        return std::nullopt;
      return record->index;
    });
    if (!index) return Refuse(Reason::kNotFound);
    proto::EntriesAnswer page;
    TRY_OK(Fill(exchange_, {*index}, 1, caller, view.checkpoint->size(), page));
    page.view = std::move(view.view);
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::Custody(grpc::CallbackServerContext* context,
                                                   const v1::RecordRequest* request, v1::EntryPage* response) {
  return Unary(context, "Custody", [this, request, response](const MemberId& caller) -> Status {
    TRY(auto digest, proto::FromMessage(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    auto indexes =
        exchange_.sequencer.Read([&](const ledger::State& state) -> std::optional<std::vector<std::uint64_t>> {
          const auto* record = state.record(digest);
          if (record == nullptr || !state.visible_to(*record, caller)) return std::nullopt;
          return Between(record->entries, 0, view.checkpoint->size(), kCustody + 1);
        });
    if (!indexes) return Refuse(Reason::kNotFound);
    proto::EntriesAnswer page;
    TRY_OK(Fill(exchange_, *indexes, kCustody, caller, view.checkpoint->size(), page));
    page.view = std::move(view.view);
    proto::ToMessage(page, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetReceipt(grpc::CallbackServerContext* context,
                                                      const v1::ReceiptRequest* request, v1::ReceiptAnswer* response) {
  return Unary(context, "GetReceipt", [this, request, response](const MemberId& caller) -> Status {
    TRY(auto digest, proto::FromMessage(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    auto index = exchange_.sequencer.Read([&](const ledger::State& state) { return state.statement_index(digest); });
    if (!index) return Refuse(Reason::kNotFound);
    TRY(auto stored, ReceiptAt(exchange_.sequencer, *index, view.checkpoint));
    if (stored.author && *stored.author != caller) return Refuse(Reason::kNotFound);
    proto::ToMessage(stored.receipt, view.view, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::Waiting(grpc::CallbackServerContext* context,
                                                   const v1::WaitingRequest* request, v1::WaitingAnswer* response) {
  return Unary(context, "Waiting", [this, request, response](const MemberId& caller) -> Status {
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
  return Unary(context, "GetCheckpoint", [this, request, response](const MemberId&) -> Status {
    TRY_OK(proto::RefuseUnknown(*request));
    TRY(auto view, ViewFrom(exchange_.sequencer, request->verified_size()));
    proto::ToMessage(view.view, response);
    return Ok();
  });
}

grpc::ServerUnaryReactor* ExchangeService::GetTile(grpc::CallbackServerContext* context, const v1::TileRequest* request,
                                                   v1::TileAnswer* response) {
  return Unary(context, "GetTile", [this, request, response](const MemberId&) -> Status {
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
