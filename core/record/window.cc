#include "core/record/window.h"

#include <algorithm>
#include <stdexcept>

#include "core/crypto/hash.h"
#include "core/record/integers.h"

namespace valija::record {

std::string_view NameOf(Role role) { return role == Role::kAgency ? "agency" : "release"; }

Hash WindowInfo(std::uint16_t suite, Role role, const MemberId& originator, const KeyId& signing_key_id,
                std::string_view recipient, const KeyId& recipient_key_id, const WindowId& window_id) {
  return crypto::TupleHash("window", {BigEndian(suite), AsBytes(NameOf(role)), AsBytes(originator.str()),
                                      signing_key_id, AsBytes(recipient), recipient_key_id, window_id});
}

Window::Window(MemberId originator, const KeyId& signing_key_id, Time now, crypto::Random& random)
    : originator_(std::move(originator)), signing_key_id_(signing_key_id), id_(random.Make<WindowId>()), made_(now) {}

Status Window::Begin(Time now) {
  // A clock that went back says nothing about the age: the window ends, as making another is cheap.
  over_ = over_ || records_ >= kMaxRecords || now < made_ || now - made_ >= kLifetime;
  if (over_) {
    contexts_.clear();
    return Refuse(Reason::kTooMany, "the window is used up");
  }
  ++records_;
  return Ok();
}

const ShareContext& Window::Agency(const AgencyId& agency, const crypto::KemPublicKey& epoch_key,
                                   crypto::Random& random) {
  return Get(Role::kAgency, agency.str(), epoch_key, random);
}

const ShareContext& Window::Authority(const AuthorityId& authority, const crypto::KemPublicKey& release_key,
                                      crypto::Random& random) {
  return Get(Role::kRelease, authority.str(), release_key, random);
}

const ShareContext* Window::Find(Role role, std::string_view recipient, const KeyId& key_id) const {
  auto at = contexts_.find(Key{{role, std::string(recipient)}, key_id});
  return at == contexts_.end() ? nullptr : &at->second;
}

const ShareContext& Window::Get(Role role, const std::string& recipient, const crypto::KemPublicKey& key,
                                crypto::Random& random) {
  if (over_) throw std::logic_error("a window that is used up");
  if (const ShareContext* known = Find(role, recipient, key.id())) return *known;
  Hash info = WindowInfo(kSuite, role, originator_, signing_key_id_, recipient, key.id(), id_);
  crypto::HpkeSender sender = crypto::HpkeSetupSender(key, info, crypto::HpkeAead::kExportOnly, random);
  ShareContext made{sender.enc, crypto::Sha256(sender.enc), std::move(sender.context)};
  return contexts_.emplace(Key{{role, recipient}, key.id()}, std::move(made)).first->second;
}

namespace {

// The header's suite is looked at before anything is made of it: a number that is not known means nothing.
Result<Hash> ReceiverInfo(const Header& header, Role role, std::string_view recipient, const KeyId& key_id) {
  if (header.suite != kSuite) return Refuse(Reason::kUnknownSuite, std::to_string(header.suite));
  return WindowInfo(header.suite, role, header.originator, header.signing_key_id, recipient, key_id, header.window_id);
}

}  // namespace

Result<crypto::HpkeContext> ReceiverContext(const Header& header, Role role, std::string_view recipient,
                                            const crypto::KemPrivateKey& key, const Point& enc) {
  TRY(Hash info, ReceiverInfo(header, role, recipient, key.id()));
  return crypto::HpkeSetupReceiver(key, enc, info, crypto::HpkeAead::kExportOnly);
}

ContextCache::ContextCache(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

std::size_t ContextCache::size() const {
  std::lock_guard lock(mutex_);
  return items_.size();
}

Result<std::shared_ptr<const crypto::HpkeContext>> ContextCache::Get(const Header& header, Role role,
                                                                     std::string_view recipient,
                                                                     const crypto::KemPrivateKey& key,
                                                                     const Point& enc) {
  TRY(Hash info, ReceiverInfo(header, role, recipient, key.id()));
  const Key name{info, enc};
  {
    std::lock_guard lock(mutex_);
    if (auto at = index_.find(name); at != index_.end()) {
      items_.splice(items_.begin(), items_, at->second);
      return items_.front().context;
    }
  }
  TRY(auto context, crypto::HpkeSetupReceiver(key, enc, info, crypto::HpkeAead::kExportOnly));
  auto shared = std::make_shared<const crypto::HpkeContext>(std::move(context));
  std::lock_guard lock(mutex_);
  if (auto at = index_.find(name); at != index_.end()) return at->second->context;  // another thread was first
  items_.push_front({name, shared});
  index_.emplace(name, items_.begin());
  if (items_.size() > capacity_) {
    index_.erase(items_.back().key);
    items_.pop_back();
  }
  return shared;
}

}  // namespace valija::record
