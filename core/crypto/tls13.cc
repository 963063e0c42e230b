#include "core/crypto/tls13.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>

#include <memory>

namespace valija::crypto {
namespace {

constexpr char kConfiguration[] =
    "openssl_conf = init\n"
    "[init]\n"
    "ssl_conf = contexts\n"
    "[contexts]\n"
    "system_default = default\n"
    "[default]\n"
    "Protocol = ALL,-SSLv3,-TLSv1,-TLSv1.1,-TLSv1.2\n"
    "Options = -SessionTicket\n"
    "NumTickets = 0\n";  // in TLS 1.3 the option alone makes them stateful

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

}  // namespace

Status RequireTls13() {
  // First the system's configuration, so that it cannot be loaded later and undo ours.
  OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  std::unique_ptr<BIO, Freed<BIO_free>> text(BIO_new_mem_buf(kConfiguration, -1));
  std::unique_ptr<CONF, Freed<NCONF_free>> conf(NCONF_new(nullptr));
  long line = 0;
  if (!text || !conf || NCONF_load_bio(conf.get(), text.get(), &line) != 1 ||
      CONF_modules_load(conf.get(), nullptr, 0) != 1)
    return Refuse(Reason::kInternal, "OpenSSL did not take the TLS configuration");
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> trial(SSL_CTX_new(TLS_method()));
  constexpr auto kOff = SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1;
  if (!trial || (SSL_CTX_get_options(trial.get()) & kOff) != kOff)
    return Refuse(Reason::kInternal, "TLS below 1.3 could not be switched off");
  if (SSL_CTX_get_num_tickets(trial.get()) != 0)
    return Refuse(Reason::kInternal, "TLS session tickets could not be switched off");
  return Ok();
}

}  // namespace valija::crypto
