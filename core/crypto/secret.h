// Secret bytes: wiped when they go, moved and never copied by accident, and not printable.
#pragma once

#include <cstddef>
#include <ostream>

#include "core/base/bytes.h"

namespace valija::crypto {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size);     // zeros
  static Secret CopyOf(ByteView bytes);  // the caller wipes what it copied from
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  Secret Clone() const { return CopyOf(view()); }  // a copy on purpose
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data_, size_}; }
  std::span<std::uint8_t> mutable_view() { return {data_, size_}; }
  bool EqualTo(const Secret& other) const;  // constant time for equal sizes

  friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

 private:
  void Wipe();
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

void WipeBytes(std::span<std::uint8_t> bytes);  // OPENSSL_cleanse
inline void WipeText(std::string& text) {
  WipeBytes({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  text.clear();
}

}  // namespace valija::crypto
