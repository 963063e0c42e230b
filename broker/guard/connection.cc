#include "broker/guard/connection.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "broker/oplog.h"
#include "core/crypto/x509.h"

namespace valija::broker::guard {

// gRPC reads and writes a connection from several threads, never the same SSL at once; the mutex is for that to be no matter.
class Connection {
 public:
  Connection(std::shared_ptr<Admission> admission, std::unique_ptr<Admission::Place> place, const FrameLimits& limits)
      : admission_(std::move(admission)), place_(std::move(place)), frames_(limits, Now()) {}

  bool Read(const SSL* ssl, ByteView bytes) {
    std::lock_guard lock(mutex_);
    const auto now = Now();
    auto breach = cut_;
    if (!std::exchange(open_, true)) {
      place_->Opened();
      if (!Named(ssl)) breach = Breach::kConnections;
    }
    if (breach == Breach::kNone) breach = frames_.Received(bytes, now);
    if (!place_->Keeps(frames_.unfinished()) && breach == Breach::kNone) breach = Breach::kUnfinished;
    return Judge(breach, now);
  }
  // Who never came to HTTP/2 had no certificate that opens, or went away. `ssl` is about to go.
  void Over(const SSL* ssl) {
    std::uint64_t unsaid = 0;
    if (open_ || !admission_->Cut(Breach::kHandshake, Now(), &unsaid)) return;
    const long verified = SSL_get_verify_result(ssl);
    Log(Level::kWarning, "handshake-refused",
        {{"why", verified == X509_V_OK ? "no certificate, or not finished" : X509_verify_cert_error_string(verified)},
         {"address", TextOf(place_->address())},
         {"others-alike", std::to_string(unsaid)}});
  }
  bool Wrote(ByteView bytes) {
    std::lock_guard lock(mutex_);
    const auto now = Now();
    const auto breach = cut_ != Breach::kNone ? cut_ : frames_.Sent(bytes, now);
    (void)place_->Keeps(frames_.unfinished());
    return Judge(breach, now);
  }

 private:
  static TimePoint Now() { return std::chrono::steady_clock::now(); }
  bool Named(const SSL* ssl) {
    X509* certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) return true;
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    if (size <= 0) return false;
    auto parsed = crypto::Certificate::FromDer({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    if (!parsed) return true;  // of no member: identity.h refuses each of its calls
    key_ = parsed->key_id().Hex();
    return place_->BelongsTo(parsed->key_id());
  }
  // Says why, once.
  bool Judge(Breach breach, TimePoint now) {
    if (breach == Breach::kNone) return true;
    if (std::exchange(cut_, breach) != Breach::kNone) return false;
    std::uint64_t unsaid = 0;
    if (admission_->Cut(breach, now, &unsaid))
      Log(Level::kWarning, "connection-cut",
          {{"why", std::string(NameOf(breach))},
           {"address", TextOf(place_->address())},
           {"key", key_},
           {"others-alike", std::to_string(unsaid)}});
    return false;
  }

  std::mutex mutex_;
  const std::shared_ptr<Admission> admission_;
  const std::unique_ptr<Admission::Place> place_;
  FrameCounter frames_;
  bool open_ = false;
  std::string key_;
  Breach cut_ = Breach::kNone;
};

namespace {

thread_local std::unique_ptr<Connection> to_adopt;

// OpenSSL calls these when it makes and frees an SSL.
void Begun(void*, void*, CRYPTO_EX_DATA* data, int index, long, void*) {
  if (to_adopt && CRYPTO_set_ex_data(data, index, to_adopt.get()) == 1) (void)to_adopt.release();
}
int Copied(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** what, int, long, void*) {
  *what = nullptr;  // a copy is nobody's connection
  return 1;
}
void Ended(void* ssl, void* connection, CRYPTO_EX_DATA*, int, long, void*) {
  const std::unique_ptr<Connection> owned(static_cast<Connection*>(connection));
  if (owned) owned->Over(static_cast<const SSL*>(ssl));
}

int Index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, Begun, Copied, Ended);
  return index;
}
Connection* Of(const SSL* ssl) { return static_cast<Connection*>(SSL_get_ex_data(ssl, Index())); }

using ReadFunction = int(SSL*, void*, int);
using WriteFunction = int(SSL*, const void*, int);
template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
ReadFunction* RealRead() {
  static auto* const real = Next<ReadFunction>("SSL_read");
  return real;
}
WriteFunction* RealWrite() {
  static auto* const real = Next<WriteFunction>("SSL_write");
  return real;
}

// What SSL_get_error takes for a fault of the connection.
int Failed() {
  ERR_raise(ERR_LIB_USER, ERR_R_OPERATION_FAIL);
  return -1;
}

}  // namespace

bool Ready() { return Index() >= 0 && RealRead() != nullptr && RealWrite() != nullptr; }

Adoption::Adoption(std::shared_ptr<Admission> admission, std::unique_ptr<Admission::Place> place,
                   const FrameLimits& limits) {
  to_adopt = std::make_unique<Connection>(std::move(admission), std::move(place), limits);
}
Adoption::~Adoption() { to_adopt.reset(); }

}  // namespace valija::broker::guard

// The dynamic linker gives these to every library of the process that asks for OpenSSL's.
extern "C" {

__attribute__((visibility("default"))) int SSL_read(SSL* ssl, void* buffer, int size) {
  using namespace valija;  // NOLINT(google-build-using-namespace)
  auto* const real = broker::guard::RealRead();
  if (real == nullptr) return -1;
  const int got = real(ssl, buffer, size);
  auto* const connection = got > 0 ? broker::guard::Of(ssl) : nullptr;
  if (connection == nullptr) return got;
  const auto bytes = ByteView(static_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(got));
  if (connection->Read(ssl, bytes)) return got;
  OPENSSL_cleanse(buffer, static_cast<std::size_t>(got));
  return broker::guard::Failed();
}

__attribute__((visibility("default"))) int SSL_write(SSL* ssl, const void* buffer, int size) {
  using namespace valija;  // NOLINT(google-build-using-namespace)
  auto* const real = broker::guard::RealWrite();
  if (real == nullptr) return -1;
  const int put = real(ssl, buffer, size);
  auto* const connection = put > 0 ? broker::guard::Of(ssl) : nullptr;
  if (connection == nullptr) return put;
  const auto bytes = ByteView(static_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(put));
  return connection->Wrote(bytes) ? put : broker::guard::Failed();
}

}  // extern "C"
