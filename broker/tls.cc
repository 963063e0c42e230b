#include "broker/tls.h"

#include <arpa/inet.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace valija::broker {

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const std::string& certificate_pem,
                                                               const crypto::Secret& key_pem,
                                                               const std::string& client_cas_pem) {
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = client_cas_pem;
  options.pem_key_cert_pairs.push_back({ToString(key_pem.view()), certificate_pem});
  auto credentials = grpc::SslServerCredentials(options);
  crypto::WipeText(options.pem_key_cert_pairs[0].private_key);
  return credentials;
}

Status ProbeRefusesTls12(int port) {
  const auto failed = [](const char* what) {
    return Refuse(Reason::kInternal, std::string("TLS self-probe: ") + what);
  };
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return failed("no context");
  // What RequireTls13 switched off for this process is on again for this one client.
  SSL_CTX_clear_options(context.get(), SSL_OP_NO_TLSv1_2);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION) != 1)
    return failed("TLS 1.2 cannot be offered");
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  bool spoke = false;
  if (connected) {
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    static constexpr unsigned char kAlpn[] = "\x02h2";
    SSL_set_alpn_protos(ssl.get(), kAlpn, 3);
    SSL_set_fd(ssl.get(), fd);
    SSL_connect(ssl.get());  // may fail for want of a client certificate; what counts is whether a version was agreed
    spoke = SSL_get_current_cipher(ssl.get()) != nullptr || SSL_get_peer_certificate(ssl.get()) != nullptr;
  }
  ::close(fd);
  if (!connected) return failed("cannot connect to the own port");
  if (spoke) return failed("the server speaks TLS 1.2");
  return Ok();
}

}  // namespace valija::broker
