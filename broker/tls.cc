#include "broker/tls.h"

#include <arpa/inet.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace valija::broker {

namespace {

// gRPC's own SslServerCredentials read the CAs once. These ask at each handshake, through the interface of its C core that
// is there for it; everything else is as theirs.
class SslCredentials final : public grpc::ServerCredentials {
 public:
  SslCredentials(std::string certificate_pem, const crypto::Secret& key_pem, std::shared_ptr<const ClientCas> cas)
      : certificate_pem_(std::move(certificate_pem)), key_pem_(key_pem.Clone()), cas_(std::move(cas)) {}
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  struct Port {  // of one listening port: what it was told last
    explicit Port(const SslCredentials& of) : credentials(of) {}
    const SslCredentials& credentials;
    std::mutex mutex;
    std::uint64_t generation = 0;
  };

  int AddPortToServer(const std::string& address, grpc_server* server) override {
    ports_.push_back(std::make_unique<Port>(*this));
    auto* options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, &Fetch, ports_.back().get());
    auto* credentials = grpc_ssl_server_credentials_create_with_options(options);
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  // Called before each handshake.
  static grpc_ssl_certificate_config_reload_status Fetch(void* of, grpc_ssl_server_certificate_config** config) {
    auto& port = *static_cast<Port*>(of);
    const auto& self = port.credentials;
    const auto now = self.cas_->Get();
    std::lock_guard lock(port.mutex);
    if (now.generation == port.generation) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    std::string key = ToString(self.key_pem_.view());
    const grpc_ssl_pem_key_cert_pair pair{key.c_str(), self.certificate_pem_.c_str()};
    *config = grpc_ssl_server_certificate_config_create(now.pem.c_str(), &pair, 1);
    crypto::WipeText(key);
    if (*config == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    port.generation = now.generation;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::string certificate_pem_;
  const crypto::Secret key_pem_;
  const std::shared_ptr<const ClientCas> cas_;
  std::vector<std::unique_ptr<Port>> ports_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& certificate_pem,
                                                               const crypto::Secret& key_pem,
                                                               std::shared_ptr<const ClientCas> client_cas) {
  return std::make_shared<SslCredentials>(certificate_pem, key_pem, std::move(client_cas));
}

namespace {

// Does a server on this machine's own address agree with a client that knows this version and no other? A refusal is the
// alert that says so, or the end of the connection (gRPC closes it and does not send the alert). Another alert, silence or
// a fault of our own proves nothing.
Result<bool> Agrees(bool ipv6, int port, int version) {
  const auto failed = [](const char* what) {
    return Refuse(Reason::kInternal, std::string("TLS self-probe: ") + what);
  };
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return failed("no context");
  // What RequireTls13 switched off for this process is on again for this one client.
  SSL_CTX_clear_options(context.get(), SSL_OP_NO_TLSv1_2);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (SSL_CTX_set_min_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version) != 1)
    return failed("the version cannot be offered");
  sockaddr_storage address{};
  socklen_t size = 0;
  if (ipv6) {
    auto* six = reinterpret_cast<sockaddr_in6*>(&address);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<std::uint16_t>(port));
    six->sin6_addr = in6addr_loopback;
    size = sizeof *six;
  } else {
    auto* four = reinterpret_cast<sockaddr_in*>(&address);
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<std::uint16_t>(port));
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof *four;
  }
  const int fd = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed("no socket");
  timeval patience{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  bool agreed = false, refused = false;
  if (connected) {
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    static constexpr unsigned char kAlpn[] = "\x02h2";
    SSL_set_alpn_protos(ssl.get(), kAlpn, 3);
    SSL_set_fd(ssl.get(), fd);
    ERR_clear_error();
    errno = 0;
    // May fail for want of a client certificate; what counts is whether a version was agreed.
    const int why = SSL_get_error(ssl.get(), SSL_connect(ssl.get()));
    const int code = ERR_GET_REASON(ERR_peek_last_error());
    agreed = SSL_get_current_cipher(ssl.get()) != nullptr || SSL_get0_peer_certificate(ssl.get()) != nullptr;
    refused = (why == SSL_ERROR_SSL &&
               (code == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION || code == SSL_R_UNEXPECTED_EOF_WHILE_READING)) ||
              (why == SSL_ERROR_SYSCALL && errno == ECONNRESET);
    ERR_clear_error();
  }
  ::close(fd);
  if (!connected) return failed("cannot connect to the own port");
  if (!agreed && !refused) return failed("neither agreed on the version nor refused for it");
  return agreed;
}

}  // namespace

Status ProbeTls13Only(int port, bool ipv6) {
  // First that somebody is there who speaks TLS at all: a refusal by nobody proves nothing.
  TRY(const bool tls13, Agrees(ipv6, port, TLS1_3_VERSION));
  if (!tls13) return Refuse(Reason::kInternal, "TLS self-probe: the server does not speak TLS 1.3");
  TRY(const bool tls12, Agrees(ipv6, port, TLS1_2_VERSION));
  if (tls12) return Refuse(Reason::kInternal, "TLS self-probe: the server speaks TLS 1.2");
  TRY(const bool still, Agrees(ipv6, port, TLS1_3_VERSION));
  if (!still) return Refuse(Reason::kInternal, "TLS self-probe: the server went away");
  return Ok();
}

Status ProveTls13Only(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  for (const bool ipv6 : {false, true}) {
    grpc::CallbackGenericService nothing;  // answers every call with UNIMPLEMENTED
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(ipv6 ? "[::1]:0" : "127.0.0.1:0", credentials, &port);
    builder.RegisterCallbackGenericService(&nothing);
    auto server = builder.BuildAndStart();
    if (!server || port == 0) continue;
    auto proved = ProbeTls13Only(port, ipv6);
    server->Shutdown(std::chrono::system_clock::now());
    server->Wait();
    return proved;
  }
  return Refuse(Reason::kInternal, "TLS self-probe: neither 127.0.0.1 nor [::1] can be listened on");
}

}  // namespace valija::broker
