// Handling of OpenSSL's objects and errors. Included by the sources of core/crypto alone.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace valija::crypto {

// A unique_ptr of an OpenSSL object: Owned<EVP_MD_CTX, EVP_MD_CTX_free>.
template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

// The error queue is the thread's, and gRPC's TLS reads it too: whoever made OpenSSL report something empties it.
inline void ForgetErrors() { ERR_clear_error(); }

// A breakage of the library (no memory, no algorithm) throws.
inline void Need(bool done, const char* what) {
  if (done) return;
  ForgetErrors();
  throw std::runtime_error(what);
}

}  // namespace valija::crypto
