// Windows and share contexts (sealing.md 2): one HPKE export-only context per recipient key and per release authority
// key, all under one fresh window id. The sender sets them up once for many records; each receiver sets up its own side
// from the record's header and keeps it in a ContextCache.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/crypto/hpke.h"
#include "core/record/header.h"

namespace valija::record {

enum class Role : std::uint8_t { kAgency, kRelease };
std::string_view NameOf(Role role);  // "agency", "release": as it enters the info

// H("window", u16 suite, role, originator, signing key id, recipient, recipient key id, window id): the HPKE info of one
// share context. recipient is an agency's or an authority's id.
Hash WindowInfo(std::uint16_t suite, Role role, const MemberId& originator, const KeyId& signing_key_id,
                std::string_view recipient, const KeyId& recipient_key_id, const WindowId& window_id);

// One context of a window, as the sender has it.
struct ShareContext {
  Point enc;
  Hash enc_hash;  // SHA-256(enc)
  crypto::HpkeContext context;
};

// The sender's window. Kept in memory only, for at most 15 minutes and 65,536 records; its secrets are wiped when it goes
// or is used up. Not thread-safe: one thread seals with a window, or the caller locks.
class Window {
 public:
  static constexpr Duration kLifetime = std::chrono::minutes(15);
  static constexpr std::uint32_t kMaxRecords = 65536;

  Window(MemberId originator, const KeyId& signing_key_id, Time now, crypto::Random& random);
  Window(Window&&) noexcept = default;
  Window& operator=(Window&&) noexcept = default;

  // Counts one record that is about to be sealed. kTooMany when the window is used up or older than 15 minutes (or the
  // clock went back before its making): it is wiped, and the caller makes another.
  Status Begin(Time now);

  // The context of this recipient key, set up when it is asked for first (some 150 us). The references stay good until
  // Begin refuses or the window goes.
  const ShareContext& Agency(const AgencyId& agency, const crypto::KemPublicKey& epoch_key, crypto::Random& random);
  const ShareContext& Authority(const AuthorityId& authority, const crypto::KemPublicKey& release_key,
                                crypto::Random& random);
  // The same of a key that was asked for before; nullptr for another.
  const ShareContext* Find(Role role, std::string_view recipient, const KeyId& key_id) const;

  const WindowId& id() const { return id_; }
  const MemberId& originator() const { return originator_; }
  const KeyId& signing_key_id() const { return signing_key_id_; }

 private:
  using Key = std::pair<std::pair<Role, std::string>, KeyId>;
  const ShareContext& Get(Role role, const std::string& recipient, const crypto::KemPublicKey& key,
                          crypto::Random& random);
  MemberId originator_;
  KeyId signing_key_id_;
  WindowId id_;
  Time made_;
  std::uint32_t records_ = 0;
  bool over_ = false;
  std::map<Key, ShareContext> contexts_;
};

// A receiver's side of one context, set up from what the header says. kUnknownSuite, kBadKey (enc is no valid point).
Result<crypto::HpkeContext> ReceiverContext(const Header& header, Role role, std::string_view recipient,
                                            const crypto::KemPrivateKey& key, const Point& enc);

// Decapsulations of a receiver, by info AND enc: the same enc under another originator's header is another context.
// Bounded: the least recently used goes first, and is wiped once nobody holds it.
// Thread-safe. The lock is held for the look-up alone, so two threads may set up the same context at once: harmless.
class ContextCache {
 public:
  explicit ContextCache(std::size_t capacity = 1024);
  // As ReceiverContext, from the cache if it is there. Refusals are not kept.
  Result<std::shared_ptr<const crypto::HpkeContext>> Get(const Header& header, Role role, std::string_view recipient,
                                                         const crypto::KemPrivateKey& key, const Point& enc);
  std::size_t size() const;

 private:
  using Key = std::pair<Hash, Point>;
  struct Item {
    Key key;
    std::shared_ptr<const crypto::HpkeContext> context;
  };
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Item> items_;  // most recently used first
  std::map<Key, std::list<Item>::iterator> index_;
};

}  // namespace valija::record
