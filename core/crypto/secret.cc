#include "core/crypto/secret.h"

#include <openssl/crypto.h>

#include <atomic>
#include <utility>

#include "core/crypto/secret_memory.h"

namespace valija::crypto {
namespace {

constexpr std::size_t kSecretMemory = std::size_t{2} << 20;  // a fourth of what Debian lets a user lock
constexpr std::size_t kLeastPiece = 32;
constexpr std::size_t kMostOfIt = 4096;  // larger ones are contents, and there may be many

std::atomic<bool> locked{false};

// When the secure heap is full, as without it: the ordinary one.
std::uint8_t* NewPiece(std::size_t size) {
  if (size == 0) return nullptr;
  if (size <= kMostOfIt && CRYPTO_secure_malloc_initialized() != 0)
    if (void* piece = OPENSSL_secure_zalloc(size)) return static_cast<std::uint8_t*>(piece);
  return new std::uint8_t[size]();
}

}  // namespace

bool LockSecretMemory() {
  if (CRYPTO_secure_malloc_initialized() == 0) locked = CRYPTO_secure_malloc_init(kSecretMemory, kLeastPiece) == 1;
  return locked;
}

bool SecretMemoryIsLocked() { return locked; }

void WipeBytes(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

Secret::Secret(std::size_t size) : data_(NewPiece(size)), size_(size) {}

Secret Secret::CopyOf(ByteView bytes) {
  Secret out(bytes.size());
  if (!bytes.empty()) std::memcpy(out.data_, bytes.data(), bytes.size());
  return out;
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() { Wipe(); }

void Secret::Wipe() {
  if (data_ != nullptr && CRYPTO_secure_allocated(data_) != 0) {
    OPENSSL_secure_clear_free(data_, size_);
  } else {
    WipeBytes(mutable_view());
    delete[] data_;
  }
  data_ = nullptr;
  size_ = 0;
}

bool Secret::EqualTo(const Secret& other) const {
  return size_ == other.size_ && (size_ == 0 || CRYPTO_memcmp(data_, other.data_, size_) == 0);
}

}  // namespace valija::crypto
