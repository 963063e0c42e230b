#include "broker/public_log.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "broker/oplog.h"
#include "core/log/tree.h"
#include "proto/convert.h"

namespace valija::broker {
namespace {

constexpr std::size_t kRowSize = 2 + Commitment::kSize;    // u16 length || commitment
constexpr std::size_t kReadAtOnce = std::size_t{1} << 20;  // of the journal's entries
constexpr std::int64_t kSaidEvery = 60;
constexpr char kText[] = "text/plain; charset=utf-8", kOctets[] = "application/octet-stream";
constexpr char kForEver[] = "public, max-age=31536000, immutable", kForSeconds[] = "public, max-age=2",
               kNotKept[] = "no-store";

PublicAnswer Say(int status, std::string_view sentence) {
  return {status, kText, kNotKept, ToBytes(AsBytes(std::string(sentence) + "\n"))};
}

PublicAnswer NotFound() { return Say(404, "nothing is here"); }

}  // namespace

PublicAnswer PublicLog::Get(std::string_view path) {
  if (!path.starts_with('/')) return NotFound();
  path.remove_prefix(1);
  if (path == "checkpoint") {
    auto note = checkpoint_();
    if (!note) return Failed(note.error());
    return {200, kText, kForSeconds, ToBytes(AsBytes(*note))};
  }
  const auto asked = log::ParseTilePath(path);
  if (!asked || log::WidthOf(asked->id, published_()) < asked->width) return NotFound();
  auto content = asked->bundle ? Bundle(asked->id.index, asked->width) : Tile(asked->id, asked->width);
  if (!content) return Failed(content.error());
  return {200, kOctets, kForEver, *std::move(content)};
}

Result<Bytes> PublicLog::Tile(log::TileId id, unsigned width) const {
  return log::ReadTile([this](log::TileId which, unsigned) { return journal_.Tile(which); }, id, width);
}

// Its bytes never change: a wider one begins with them, and a purge leaves commitments as they are.
Result<Bytes> PublicLog::Bundle(std::uint64_t index, unsigned width) {
  const std::scoped_lock hold(bundles_mutex_);
  auto at = std::find_if(bundles_.begin(), bundles_.end(), [&](const auto& one) { return one.first == index; });
  if (at == bundles_.end()) {
    bundles_.emplace_front(index, Bytes());
    if (bundles_.size() > kKeptBundles) bundles_.pop_back();
  } else {
    bundles_.splice(bundles_.begin(), bundles_, at);
  }
  Bytes& bundle = bundles_.front().second;
  if (bundle.size() < width * kRowSize) TRY_OK(Extend(index, width, bundle));
  return ToBytes(ByteView(bundle).first(width * kRowSize));
}

Status PublicLog::Extend(std::uint64_t index, unsigned width, Bytes& bundle) const {
  TRY(const auto tile, Tile({0, index}, width));
  for (auto have = bundle.size() / kRowSize; have < width;) {
    const std::uint64_t from = index * log::kTileWidth + have;
    TRY(auto entries, journal_.Read(from, width - have, kReadAtOnce));
    if (entries.empty()) return Refuse(Reason::kCorrupt, "entry " + std::to_string(from) + " is missing");
    for (const auto& bytes : entries) {
      TRY(auto entry, proto::DecodeLoggedEntry(bytes));
      if (!Equal(ledger::EntryLeaf(entry.commitment), ByteView(tile).subspan(have * Hash::kSize, Hash::kSize))) {
        return Refuse(Reason::kCorrupt,
                      "entry " + std::to_string(from) + " and those after it are not what the tree has");
      }
      log::AppendBundleEntry(bundle, entry.commitment);
      ++have;
    }
  }
  return Ok();
}

PublicAnswer PublicLog::Failed(const Error& error) {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  auto last = said_.load();
  if ((last == 0 || now - last >= kSaidEvery) && said_.compare_exchange_strong(last, now)) {
    Log(Level::kAlarm, "public-read-failed", {{"why", error.Message()}});
  }
  return Say(503, "the log cannot be read now");
}

}  // namespace valija::broker
