#include "broker/guard/self_test.h"

#include <arpa/inet.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "broker/guard/raw_frames.h"
#include "broker/tls.h"

namespace valija::broker::guard {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPatience{20};  // of a client, on a machine that is busy

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};

Error Failed(const std::string& what) { return Refuse(Reason::kInternal, "connection guard self-test: " + what); }

// A key and a certificate of its own for an hour; it is its own CA.
struct Throwaway {
  std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key;
  std::unique_ptr<X509, Freed<X509_free>> certificate;
  std::string certificate_pem;
  crypto::Secret key_pem;
};

std::string Pem(const std::function<int(BIO*)>& write) {
  std::unique_ptr<BIO, Freed<BIO_free>> bio(BIO_new(BIO_s_mem()));
  char* data = nullptr;
  if (!bio || write(bio.get()) != 1) return {};
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::optional<Throwaway> MakeThrowaway() {
  Throwaway out;
  out.key.reset(EVP_EC_gen("P-256"));
  out.certificate.reset(X509_new());
  auto* const certificate = out.certificate.get();
  if (!out.key || certificate == nullptr) return std::nullopt;
  auto* const name = X509_get_subject_name(certificate);
  static constexpr unsigned char kName[] = "self-test";
  const bool made = X509_set_version(certificate, X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600) != nullptr &&
                    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, out.key.get()) == 1 &&
                    X509_sign(certificate, out.key.get(), EVP_sha256()) > 0;
  if (!made) return std::nullopt;
  out.certificate_pem = Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
  auto key_pem = Pem(
      [&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, out.key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  out.key_pem = crypto::Secret::CopyOf(AsBytes(key_pem));
  crypto::WipeText(key_pem);
  if (out.certificate_pem.empty() || out.key_pem.view().empty()) return std::nullopt;
  return out;
}

using h2::Acknowledgement, h2::Call, h2::Frame, h2::Header, h2::Opening, h2::Same, h2::U32;

class Client {
 public:
  Client(SSL_CTX* context, bool ipv6, int port) {
    fd_ = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in four{};
    sockaddr_in6 six{};
    four.sin_family = AF_INET;
    four.sin_port = six.sin6_port = htons(static_cast<std::uint16_t>(port));
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const auto* address = ipv6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
    if (fd_ < 0 || ::connect(fd_, address, ipv6 ? sizeof six : sizeof four) != 0) return;
    ssl_.reset(SSL_new(context));
    static constexpr unsigned char kAlpn[] = "\x02h2";
    if (!ssl_) return;
    SSL_set_alpn_protos(ssl_.get(), kAlpn, 3);
    SSL_set_fd(ssl_.get(), fd_);
  }
  ~Client() {
    ssl_.reset();
    if (fd_ >= 0) ::close(fd_);
    ERR_clear_error();
  }
  Client(const Client&) = delete;

  bool Shake(milliseconds patience = kPatience) {
    Wait(patience);
    return ssl_ && SSL_connect(ssl_.get()) == 1;
  }
  bool Send(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const int sent =
          SSL_write(ssl_.get(), bytes.data() + at, static_cast<int>(std::min<std::size_t>(bytes.size() - at, 16384)));
      if (sent <= 0) return false;
      at += static_cast<std::size_t>(sent);
    }
    return true;
  }
  // As an honest client opens HTTP/2: a server's first frame is SETTINGS.
  bool Open() {
    return Send(Opening()) &&
           Comes([](const std::string& got) { return got.size() >= 9 && got[3] == h2::kSettings; }) &&
           Send(Acknowledgement());
  }
  // Until a PING of ours is answered.
  bool Answers() {
    const std::string mark = "answer??";
    const std::string answer = Frame(h2::kPing, h2::kAck, 0, mark);
    return Send(Frame(h2::kPing, 0, 0, mark)) &&
           Comes([&](const std::string& got) { return got.find(answer) != std::string::npos; });
  }
  // The other side ends the connection, by whatever way; silence is no end.
  bool Ends() {
    Wait(kPatience);
    for (;;) {
      char buffer[4096];
      errno = 0;
      if (SSL_read(ssl_.get(), buffer, sizeof buffer) > 0) continue;
      return errno != EAGAIN && errno != EWOULDBLOCK;
    }
  }

 private:
  template <class Enough>
  bool Comes(Enough enough) {
    Wait(kPatience);
    std::string got;
    while (!enough(got)) {
      char buffer[4096];
      const int size = SSL_read(ssl_.get(), buffer, sizeof buffer);
      if (size <= 0) return false;
      got.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }
  void Wait(milliseconds patience) const {
    const timeval time{patience.count() / 1000, patience.count() % 1000 * 1000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  }
  int fd_ = -1;
  std::unique_ptr<SSL, Freed<SSL_free>> ssl_;
};

enum class Opens { kWhole, kUnacknowledged, kNot };
struct Trial {
  const char* name;
  Breach breach;
  std::string bytes;  // after the opening
  Opens opens = Opens::kWhole;
};

std::vector<Trial> Trials(const FrameLimits& limits) {
  const auto call = [](std::uint32_t stream) { return Call(stream, "/x/y"); };
  // Two above the limit: the opening's own SETTINGS count too.
  return {
      {"resets", Breach::kResets,
       h2::Repeat(limits.resets + 2,
                  [&](auto stream) { return call(stream) + Frame(h2::kRstStream, 0, stream, U32(8)); })},
      {"pings", Breach::kPings, Same(limits.pings + 2, Frame(h2::kPing, 0, 0, "12345678"))},
      {"SETTINGS", Breach::kSettings, Same(limits.settings + 2, Frame(h2::kSettings, 0, 0))},
      {"empty DATA", Breach::kEmptyData, call(1) + Same(limits.empty_data + 2, Frame(h2::kData, 0, 1))},
      {"WINDOW_UPDATE", Breach::kWindowUpdates,
       Same(limits.window_updates + 200, Frame(h2::kWindowUpdate, 0, 0, U32(1)))},
      {"WINDOW_UPDATE by nothing", Breach::kForm, Frame(h2::kWindowUpdate, 0, 0, U32(0))},
      {"PRIORITY", Breach::kOtherFrames, Same(limits.other + 2, Frame(h2::kPriority, 0, 1, "12345"))},
      {"CONTINUATION", Breach::kHeaderBlock,
       Frame(h2::kHeaders, 0, 1) + Same(limits.continuations + 2, Frame(h2::kContinuation, 0, 1))},
      {"a large header block", Breach::kHeaderBlock, Header(limits.header_block + 1, h2::kHeaders, 0, 1)},
      {"a large frame", Breach::kFrameSize, Header(limits.frame + 1, h2::kData, 0, 1)},
      // PADDED is what gRPC 1.51 ends a stream for.
      {"frames that are wrong on purpose", Breach::kFaults,
       h2::Repeat(limits.faults + 2, [&](auto stream) { return call(stream) + Frame(h2::kData, 8, stream, "12"); })},
      // In one TLS record, so that it is counted before the call is answered.
      {"an unfinished message", Breach::kUnfinished,
       call(1) + Frame(h2::kData, 0, 1, std::string("\0\0\x10\0\0", 5) + std::string(15000, 'x'))},
      {"a long message", Breach::kMessage,
       call(1) + Frame(h2::kData, 0, 1, std::string(1, '\0') + U32(limits.message + 1))},
      {"an acknowledgement of nothing", Breach::kForm, Acknowledgement()},
      {"streams at once", Breach::kStreams,
       h2::Repeat(limits.streams + 1, [&](auto stream) { return Header(0, h2::kHeaders, h2::kEndHeaders, stream); })},
      {"HTTP/1.1", Breach::kPreface, "GET / HTTP/1.1\r\n\r\n", Opens::kNot},
      {"streams before the acknowledgement", Breach::kStreams, h2::Repeat(limits.streams_unacknowledged + 2, call),
       Opens::kUnacknowledged},
  };
}

class Bench {
 public:
  Bench(const Limits& limits, Throwaway made) : limits_(limits), made_(std::move(made)) {}
  ~Bench() {
    if (acceptor_) acceptor_->Stop();
    if (server_) server_->Shutdown(std::chrono::system_clock::now()), server_->Wait();
  }

  Status Begin(bool ipv6) {
    ipv6_ = ipv6;
    TRY(acceptor_, Acceptor::Bind(ipv6 ? "[::1]:0" : "127.0.0.1:0", limits_));
    credentials_ =
        MakeServerCredentials(made_.certificate_pem, made_.key_pem, std::make_shared<ClientCas>(made_.certificate_pem));
    grpc::ServerBuilder builder;
    auto grpc = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials_);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, static_cast<int>(limits_.frames.frame));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);  // the guard is to be seen, not gRPC
    builder.RegisterCallbackGenericService(&nothing_);
    server_ = builder.BuildAndStart();
    context_.reset(SSL_CTX_new(TLS_client_method()));
    if (!server_ || !context_ || SSL_CTX_use_certificate(context_.get(), made_.certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_.get(), made_.key.get()) != 1)
      return Failed("no server to try");
    acceptor_->Serve(std::move(grpc));
    return Ok();
  }

  Status Honest() {
    auto client = Connect();
    if (!client->Shake() || !client->Open() || !client->Send(Call(1, "/x/y")) || !client->Answers() ||
        !client->Answers())
      return Failed("an honest connection is not served");
    return Ok();
  }
  Status Breaks(const Trial& trial) {
    const auto before = Cut(trial.breach);
    auto client = Connect();
    if (!client->Shake()) return Failed("a connection is not served");
    const bool opens =
        trial.opens == Opens::kWhole ? client->Open() : trial.opens == Opens::kNot || client->Send(Opening());
    if (!opens) return Failed("a connection is not served");
    (void)client->Send(trial.bytes);  // it may be closed before the last of them
    if (!client->Ends()) return Failed(std::string("not closed: ") + trial.name);
    if (Cut(trial.breach) != before + 1) return Failed(std::string("closed, and not by the guard: ") + trial.name);
    return Settle();
  }
  // As many connections of one member as there may be are served; the next is cut.
  Status FillsMember(unsigned most) {
    std::vector<std::unique_ptr<Client>> all;
    for (unsigned i = 0; i < most; ++i) {
      all.push_back(Connect());
      if (!all.back()->Shake() || !all.back()->Open() || !all.back()->Answers())
        return Failed("a connection is not served");
    }
    const auto before = Cut(Breach::kConnections);
    auto next = Connect();
    if (!next->Shake() || !next->Send(Opening()) || !next->Ends() || Cut(Breach::kConnections) != before + 1)
      return Failed("no limit of a member's connections");
    all.clear();
    next.reset();
    return Settle();
  }
  // As many of one address, who say nothing after their handshake; the next is kept waiting. (When it has waited for long one
  // of them gives way, which is no matter: the sign is that it was not let in at once.)
  Status FillsAddress(unsigned most) {
    std::vector<std::unique_ptr<Client>> all;
    for (unsigned i = 0; i < most; ++i) {
      all.push_back(Connect());
      if (!all.back()->Shake()) return Failed("a connection is not served");
    }
    const auto counts = [&] { return acceptor_->admission().counts(); };
    const auto before = counts().address_full;
    auto next = Connect();
    (void)next->Shake(milliseconds(50));
    if (!Comes([&] { return counts().address_full > before || counts().connections > most; }) ||
        counts().connections > most)
      return Failed("no limit of an address' connections");
    all.clear();
    next.reset();
    return Settle();
  }
  std::uint64_t Cut(Breach breach) const {
    return acceptor_->admission().counts().cut[static_cast<std::size_t>(breach)];
  }

 private:
  std::unique_ptr<Client> Connect() { return std::make_unique<Client>(context_.get(), ipv6_, acceptor_->port()); }
  template <class True>
  static bool Comes(True is_true) {
    for (const auto until = std::chrono::steady_clock::now() + kPatience; !is_true();) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }
  // Until gRPC has given every place back.
  Status Settle() const {
    if (!Comes([this] { return acceptor_->admission().counts().connections == 0; }))
      return Failed("a closed connection keeps its place");
    return Ok();
  }

  const Limits limits_;
  const Throwaway made_;
  bool ipv6_ = false;
  std::unique_ptr<Acceptor> acceptor_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
  grpc::CallbackGenericService nothing_;  // answers every call with UNIMPLEMENTED
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
};

}  // namespace

Status ProveGuard(const Limits& limits) {
  constexpr unsigned kOfMember = 3, kOfAddress = 4;
  auto tried = limits;
  auto& admission = tried.admission;
  admission.connections_per_member = kOfMember;
  admission.connections_per_address = kOfAddress;
  admission.handshakes_per_address = std::max(admission.handshakes_per_address, kOfAddress);
  admission.handshakes_per_second = std::max(admission.handshakes_per_second, 100u);
  admission.said = false;
  // No limit of time is tried, and a machine that is busy at the start is no reason not to serve.
  constexpr std::chrono::minutes kLong{10};
  tried.hello = tried.place = tried.frames.window = tried.frames.unacknowledged = kLong;
  admission.unfinished = 4 << 10;
  admission.unfinished_per_member = 4 << 10;
  auto made = MakeThrowaway();
  if (!made) return Failed("no certificate could be made");
  Bench bench(tried, *std::move(made));
  if (!bench.Begin(false)) {
    TRY_OK(bench.Begin(true));
  }
  TRY_OK(bench.Honest());
  for (const auto& trial : Trials(tried.frames)) TRY_OK(bench.Breaks(trial));
  TRY_OK(bench.FillsMember(kOfMember));
  TRY_OK(bench.FillsAddress(kOfAddress));
  return bench.Honest();
}

}  // namespace valija::broker::guard
