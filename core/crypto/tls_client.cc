#include "core/crypto/tls_client.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/crypto/openssl_internal.h"

namespace valija::crypto {

struct TlsClient::Impl {
  Owned<SSL_CTX, SSL_CTX_free> context;
  Owned<SSL, SSL_free> ssl;
  BIO* in = nullptr;  // of ssl
  BIO* out = nullptr;

  // Why a call came back without success: nothing bad (more has to be fed), the end, or a refusal.
  Result<bool> Ended(int returned) {
    const int what = SSL_get_error(ssl.get(), returned);
    ForgetErrors();
    if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) return false;
    if (what == SSL_ERROR_ZERO_RETURN) return true;
    const long verified = SSL_get_verify_result(ssl.get());
    if (verified != X509_V_OK) return Refuse(Reason::kBadCertificate, X509_verify_cert_error_string(verified));
    return Refuse(Reason::kUnavailable, "it does not speak TLS as agreed");
  }
};

TlsClient::TlsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsClient::~TlsClient() = default;

Result<std::unique_ptr<TlsClient>> TlsClient::Make(const std::string& host) {
  const auto no = [] {
    ForgetErrors();
    return Refuse(Reason::kInternal, "OpenSSL did not take the TLS configuration");
  };
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_client_method()));
  if (!impl->context || SSL_CTX_set_min_proto_version(impl->context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_default_verify_paths(impl->context.get()) != 1)
    return no();
  SSL_CTX_set_verify(impl->context.get(), SSL_VERIFY_PEER, nullptr);
  impl->ssl.reset(SSL_new(impl->context.get()));
  Owned<BIO, BIO_free> in(BIO_new(BIO_s_mem())), out(BIO_new(BIO_s_mem()));
  if (!impl->ssl || !in || !out) return no();
  X509_VERIFY_PARAM* wanted = SSL_get0_param(impl->ssl.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1) {  // it is no address
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) != 1 ||
        SSL_ctrl(impl->ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(host.c_str())) != 1)
      return no();
  }
  impl->in = in.get();
  impl->out = out.get();
  SSL_set_bio(impl->ssl.get(), in.release(), out.release());
  SSL_set_connect_state(impl->ssl.get());
  ForgetErrors();
  return std::unique_ptr<TlsClient>(new TlsClient(std::move(impl)));
}

void TlsClient::Feed(ByteView received) {
  Need(BIO_write(impl_->in, received.data(), static_cast<int>(received.size())) == static_cast<int>(received.size()),
       "BIO_write");
}

Bytes TlsClient::Take() {
  Bytes out(BIO_ctrl_pending(impl_->out));
  if (!out.empty()) Need(BIO_read(impl_->out, out.data(), static_cast<int>(out.size())) > 0, "BIO_read");
  return out;
}

Result<bool> TlsClient::Shake() {
  const int done = SSL_do_handshake(impl_->ssl.get());
  if (done == 1) return true;
  TRY(const bool over, impl_->Ended(done));
  if (over) return Refuse(Reason::kUnavailable, "it does not speak TLS as agreed");
  return false;
}

Status TlsClient::Write(ByteView data) {
  if (data.empty()) return Ok();
  std::size_t written = 0;
  const int done = SSL_write_ex(impl_->ssl.get(), data.data(), data.size(), &written);
  if (done == 1 && written == data.size()) return Ok();
  ForgetErrors();
  return Refuse(Reason::kUnavailable, "it does not speak TLS as agreed");
}

Result<std::optional<std::size_t>> TlsClient::Read(std::span<std::uint8_t> into) {
  std::size_t got = 0;
  const int done = SSL_read_ex(impl_->ssl.get(), into.data(), into.size(), &got);
  if (done == 1) return std::optional(got);
  TRY(const bool over, impl_->Ended(done));
  return over ? std::optional(std::size_t{0}) : std::nullopt;
}

}  // namespace valija::crypto
