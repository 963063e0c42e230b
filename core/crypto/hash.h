// SHA-256, and the tuples T and H of sealing.md section 1: the only way our formats feed a hash.
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>

#include "core/base/bytes.h"

namespace valija::crypto {

Hash Sha256(ByteView data);
Hash Sha256(std::initializer_list<ByteView> parts);  // of their concatenation

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(Sha256Stream&&) noexcept;
  Sha256Stream& operator=(Sha256Stream&&) noexcept;
  void Update(ByteView data);
  Hash Finish();  // ends this object's use

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// T(label, x1..xn) = LV("valija/1 " || label) || LV(x1) || .. ; H = SHA-256(T). LV(x) = u32 length || x.
Bytes TupleBytes(std::string_view label, std::initializer_list<ByteView> inputs);
Hash TupleHash(std::string_view label, std::initializer_list<ByteView> inputs);

}  // namespace valija::crypto
