#include "broker/kept_state.h"

#include <algorithm>
#include <stdexcept>

#include "broker/oplog.h"
#include "core/crypto/kdf.h"
#include "core/ledger/row_codec.h"

namespace valija::ledger {

template <>
struct FieldsOf<broker::KeptState::Stand> {
  static auto Of(auto& of) {
    auto& [origin, size, root, unfinished, whole] = of;
    return std::tie(origin, size, root, unfinished, whole);
  }
};

}  // namespace valija::ledger

namespace valija::broker {
namespace {

constexpr std::string_view kVersion = "valija-state-1";
constexpr std::uint8_t kHead[] = {'!'};
constexpr std::size_t kNameSize = kVersion.size() + crypto::Ed25519Public::kSize + 16;

[[noreturn]] void Throw(const Error& error) {
  if (error.reason == Reason::kCorrupt) throw ledger::RowsDamaged(error.detail);
  throw std::runtime_error(error.Message());
}

}  // namespace

void KeptState::UseKey(const crypto::Ed25519SignKey& key, const Generation& generation) {
  name_ = Concat({AsBytes(kVersion), key.verify_key().bytes(), generation});
  const auto secret = crypto::HkdfExtractSha256(AsBytes(kVersion), {key.Seed().view()});
  rows_key_ = crypto::HkdfExpandSha256(secret.view(), {AsBytes("rows"), name_}, 32);
}

Result<KeptState::Stand> KeptState::Open() {
  TRY(const auto head, rows_.Get(kHead));
  if (!head) return Refuse(Reason::kNotReady, "there is none");
  const ByteView all(*head);
  if (all.size() < kNameSize || !Equal(all.first(kVersion.size()), AsBytes(kVersion)))
    return Refuse(Reason::kCorrupt, "it is of another version");
  const auto its = all.subspan(kVersion.size(), crypto::Ed25519Public::kSize);
  const auto& keys = log_keys_.all();
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const auto* one) { return Equal(one->verify_key().bytes(), its); });
  if (key == keys.end()) return Refuse(Reason::kCorrupt, "it is under a log key that the broker has not");
  UseKey(**key, *Generation::From(all.subspan(kNameSize - Generation::kSize, Generation::kSize)));
  try {
    ledger::RowReader from(Opened(kHead, all).subspan(kNameSize), nullptr);
    auto stand = ledger::Get<Stand>(from);
    from.End();
    return stand;
  } catch (const ledger::RowsDamaged& damage) {
    return Refuse(Reason::kCorrupt, damage.what());
  }
}

Status KeptState::Clear() {
  TRY_OK(rows_.Clear());
  forgotten_ = false;
  UseKey(*log_keys_.all().at(0), random_.Make<Generation>());
  return Ok();
}

Status KeptState::Write(std::vector<ledger::Row> rows, const Stand& stand, bool purged) {
  std::vector<RowChange> changes;
  changes.reserve(rows.size() + 1);
  for (auto& [key, value] : rows) {
    if (value) Append(*value, TagOf(key, *value));
    changes.push_back({std::move(key), std::move(value)});
  }
  ledger::RowWriter head;
  head.Raw(name_);
  ledger::Put(head, stand);
  Append(head.out, TagOf(kHead, head.out));
  changes.push_back({ToBytes(kHead), std::move(head.out)});
  std::lock_guard lock(writing_);
  if (forgotten_) return Refuse(Reason::kInternal, "the state cannot be trusted");
  return rows_.Write(changes, purged ? ledger::kRowsWithTexts : std::string_view());
}

void KeptState::Forget() {
  std::lock_guard lock(writing_);
  forgotten_ = true;
  if (auto gone = rows_.Write({{ToBytes(kHead), std::nullopt}}, {}); !gone)
    Log(Level::kAlarm, "state-not-forgotten", {{"why", gone.error().Message()}});
}

KeptState::Tag KeptState::TagOf(ByteView key, ByteView value) const {
  Bytes length;
  AppendU32(length, static_cast<std::uint32_t>(key.size()));
  const auto mac = crypto::HmacSha256(rows_key_.view(), {length, key, value});
  return *Tag::From(mac.view().first(Tag::kSize));
}

ByteView KeptState::Opened(ByteView key, ByteView row) const {
  const std::size_t size = row.size() < Tag::kSize ? 0 : row.size() - Tag::kSize;
  const ByteView value = row.first(size);
  // No secret is compared that somebody could try on: whoever sees tags has the disk.
  if (row.size() < Tag::kSize || !Equal(row.subspan(size), TagOf(key, value)))
    throw ledger::RowsDamaged("a row that this broker did not write: " +
                              ToHex(key.first(std::min<std::size_t>(key.size(), 40))));
  return value;
}

std::optional<Bytes> KeptState::Get(ByteView key) const {
  auto row = rows_.Get(key);
  if (!row) Throw(row.error());
  if (!*row) return std::nullopt;
  return ToBytes(Opened(key, **row));
}

void KeptState::Scan(std::uint8_t first, const Take& take) const {
  const std::uint8_t prefix[] = {first};
  auto scanned = rows_.Scan(prefix, [&](ByteView key, ByteView row) { take(key, Opened(key, row)); });
  if (!scanned) Throw(scanned.error());
}

}  // namespace valija::broker
