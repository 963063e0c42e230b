#include "core/crypto/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace valija::crypto {

void WipeBytes(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

Secret::Secret(std::size_t size) : data_(size == 0 ? nullptr : new std::uint8_t[size]()), size_(size) {}

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
  WipeBytes(mutable_view());
  delete[] data_;
  data_ = nullptr;
  size_ = 0;
}

bool Secret::EqualTo(const Secret& other) const {
  return size_ == other.size_ && (size_ == 0 || CRYPTO_memcmp(data_, other.data_, size_) == 0);
}

}  // namespace valija::crypto
