// The HTTP client against a server that sends whatever it likes, byte by byte.
#include "core/io/http_client.h"

#include <gtest/gtest.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <future>

#include "core/io/file.h"
#include "tests/broker/support/temp_folder.h"
#include "tests/core/io/raw_server.h"

namespace valija::io {
namespace {

using std::chrono::milliseconds;
using test::BlackHole;
using test::RawServer;
using Peer = RawServer::Peer;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kLong{60'000}, kShort{300};

std::unique_ptr<HttpClient> Client(const std::string& url) { return std::move(HttpClient::Make(url).value()); }

// What the client makes of these bytes, after which the server waits (or ends the connection).
Result<HttpClient::Answer> Of(const std::string& bytes, bool ends = false, std::size_t body = 1000) {
  RawServer server([&](Peer& peer) {
    peer.Request();
    peer.Send(bytes);
    if (!ends) peer.Hang();
  });
  return Client(server.url())->Get("/", {kLong, body});
}
std::string DetailOf(const std::string& bytes, bool ends = false) {
  auto answer = Of(bytes, ends);
  EXPECT_FALSE(answer) << bytes;
  if (answer) return "it was taken";
  EXPECT_EQ(answer.error().reason, Reason::kUnavailable);
  return answer.error().detail;
}

// Something that goes on and on until the client has had enough of it.
Result<HttpClient::Answer> OfEndless(const std::string& first, const std::string& again, std::atomic<std::size_t>* sent,
                                     std::size_t body = 1000) {
  RawServer server([&](Peer& peer) {
    peer.Request();
    if (!peer.Send(first)) return;
    while (!peer.over() && peer.Send(again)) *sent += again.size();
  });
  return Client(server.url())->Get("/", {kLong, body});
}

const std::string kGood = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: "
    "a/b\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: t\r\n\r\n";

TEST(HttpClientTest, AsksAndReadsTheAnswer) {
  std::string asked;
  RawServer server([&](Peer& peer) {
    asked = peer.Request();
    peer.Send(kGood);
    peer.Hang();
  });
  auto answer = Client(server.url() + "/below/")->Post("/add", "text/x", "body\n", {kLong});
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->type, "text/plain");
  EXPECT_EQ(answer->body, "hello");
  EXPECT_TRUE(answer->whole);
  EXPECT_EQ(asked,
            "POST /below/add HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                "\r\nUser-Agent: valija\r\nAccept: */*\r\nContent-Type: text/x\r\nContent-Length: 5\r\n\r\nbody\n");
}

TEST(HttpClientTest, AnAnswerMayComeInPiecesOfAnySize) {
  for (const auto& whole : {kGood, kChunked}) {
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      std::promise<void> first_read;
      RawServer server([&](Peer& peer) {
        peer.Request();
        peer.Send(std::string_view(whole).substr(0, cut));
        std::this_thread::sleep_for(milliseconds(1));
        peer.Send(std::string_view(whole).substr(cut));
        peer.Hang();
      });
      auto answer = Client(server.url())->Get("/", {kLong});
      ASSERT_TRUE(answer) << cut << answer.error().Message();
      EXPECT_EQ(answer->body, "hello") << cut;
    }
    RawServer server([&](Peer& peer) {
      peer.Request();
      for (const char c : whole) peer.Send(std::string(1, c));
      peer.Hang();
    });
    auto answer = Client(server.url())->Get("/", {kLong});
    ASSERT_TRUE(answer) << answer.error().Message();
    EXPECT_EQ(answer->body, "hello");
  }
}

TEST(HttpClientTest, AnAnswerThatIsCutAnywhereIsNone) {
  for (const auto& whole : {kGood, kChunked})
    for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(Of(whole.substr(0, cut), true)) << cut;
}

TEST(HttpClientTest, OfAStatusLineWithoutEndLittleIsRead) {
  std::atomic<std::size_t> sent = 0;
  auto answer = OfEndless("HTTP/1.1 200 ", std::string(4096, 'a'), &sent);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().detail, "it does not answer as HTTP: a head that is too long");
  EXPECT_EQ(DetailOf("HTTP/1.1 200 " + std::string(100'000, 'a') + "\r\nContent-Length: 0\r\n\r\n"),
            "it does not answer as HTTP: a head that is too long");
}

TEST(HttpClientTest, OfHeadersWithoutEndLittleIsRead) {
  std::atomic<std::size_t> sent = 0;
  EXPECT_FALSE(OfEndless("HTTP/1.1 200 OK\r\n", "X-More: of it\r\n", &sent));
  EXPECT_FALSE(OfEndless("HTTP/1.1 200 OK\r\nX-Long: ", std::string(1000, 'x'), &sent));
  EXPECT_FALSE(OfEndless("", "HTTP/1.1 100 Continue\r\n\r\n", &sent));
  EXPECT_FALSE(OfEndless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-Trailer: t\r\n", &sent));
  EXPECT_FALSE(OfEndless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", std::string(999, 'x'), &sent));
}

TEST(HttpClientTest, ABodyIsReadToTheLimitAndNoFurther) {
  std::atomic<std::size_t> sent = 0;
  for (const std::string head : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 404 Not\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n"}) {
    auto answer = OfEndless(head, std::string(997, 'b'), &sent);
    ASSERT_TRUE(answer) << head << answer.error().Message();
    EXPECT_FALSE(answer->whole);
    EXPECT_EQ(answer->body, std::string(1000, 'b'));
  }
  const std::string exact = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'b');
  EXPECT_TRUE(Of(exact).value().whole);
  EXPECT_TRUE(Of("HTTP/1.0 200 OK\r\n\r\n" + std::string(1000, 'b'), true).value().whole);
  EXPECT_FALSE(Of("HTTP/1.0 200 OK\r\n\r\n" + std::string(1001, 'b'), true).value().whole);
}

TEST(HttpClientTest, WhatIsAroundABodyIsCountedToo) {
  std::atomic<std::size_t> sent = 0;
  auto answer = OfEndless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "1;" + std::string(8000, 'x') + "\r\nb\r\n", &sent);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().detail, "it does not answer as HTTP: more of it than an answer has");
}

TEST(HttpClientTest, ADripEndsWithTheTimeOfTheCall) {
  for (const std::string first : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"}) {
    RawServer server([&](Peer& peer) {
      peer.Request();
      peer.Send(first);
      while (!peer.over() && peer.Send("h")) std::this_thread::sleep_for(milliseconds(10));
    });
    const auto begin = Steady::now();
    auto answer = Client(server.url())->Get("/", {kShort});
    ASSERT_FALSE(answer);
    if (!first.empty()) {
      EXPECT_EQ(answer.error().detail, "no whole answer in time");
    }
    EXPECT_LT(Steady::now() - begin, kLong) << "each read had its own time";
  }
}

TEST(HttpClientTest, WhoTakesNoConnectionOrNoRequestOrSaysNothingIsNotWaitedForLonger) {
  BlackHole hole;
  EXPECT_EQ(Client(hole.url())->Get("/", {kShort}).error().detail, "no whole answer in time");
  RawServer silent([](Peer& peer) { peer.Hang(); });
  EXPECT_EQ(Client(silent.url())->Get("/", {kShort}).error().detail, "no whole answer in time");
  RawServer deaf([](Peer& peer) {
    while (!peer.over()) std::this_thread::sleep_for(milliseconds(10));
  });
  auto told = Client(deaf.url())->Post("/", "a/b", std::string(64 << 20, 'x'), {kShort});
  EXPECT_EQ(told.error().reason, Reason::kUnavailable);
}

TEST(HttpClientTest, AnAbortEndsACallWhereverItIsAndEveryLaterOne) {
  BlackHole hole;
  std::promise<void> in_head, in_body;
  RawServer silent([](Peer& peer) { peer.Hang(); });
  RawServer drips([](Peer& peer) {
    peer.Request();
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n");
    while (!peer.over() && peer.Send("h")) std::this_thread::sleep_for(milliseconds(5));
  });
  for (const auto& url : {hole.url(), silent.url(), drips.url()}) {
    auto client = Client(url);
    auto called = std::async(std::launch::async, [&] { return client->Get("/", {kLong}); });
    std::this_thread::sleep_for(milliseconds(50));
    const auto begin = Steady::now();
    client->Abort();
    auto answer = called.get();
    EXPECT_LT(Steady::now() - begin, kLong / 2);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().reason, Reason::kShuttingDown);
    EXPECT_EQ(client->Get("/", {kLong}).error().reason, Reason::kShuttingDown);
  }
}

TEST(HttpClientTest, WhatIsNotExactlyAnAnswerIsNone) {
  const std::string rest = "\r\nContent-Length: 0\r\n\r\n";
  for (const std::string line :
       {"", "\xff\xfe\x00garbage", "HTTP/2 200", "HTTP/1.2 200 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 20 OK",
        "HTTP/1.1  200", "HTTP/1.1 600 OK", "HTTP/1.1 2x0 OK", "http/1.1 200 OK", " HTTP/1.1 200 OK",
        "HTTP/1.1 101 Switch", "SSH-2.0-x", "HTTP/1.1 200OK", "HTTP/1.1 099 OK", "HTTP/1.1 200 O\rK"})
    EXPECT_NE(DetailOf(line + rest), "it was taken") << line;
  for (const std::string header :
       {"no colon", " folded: x", ": no name", "a b: x", "A:\x01", "Content-Length: -1", "Content-Length: 1x",
        "Content-Length:", "Content-Length: 9999999999999999999", "Content-Length: 0\r\nContent-Length: 0",
        "Content-Length: 0, 0", "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 0"})
    EXPECT_NE(DetailOf("HTTP/1.1 200 OK\r\n" + header + "\r\n\r\n0\r\n\r\n", true), "it was taken") << header;
  EXPECT_NE(DetailOf("HTTP/1.1 200 OK\nContent-Length: 0\n\n"), "it was taken") << "bare line ends";
  EXPECT_NE(DetailOf(std::string(1, '\0') + kGood), "it was taken");
  EXPECT_NE(DetailOf("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true), "it was taken");
}

TEST(HttpClientTest, AChunkThatLiesAboutItsLengthIsNone) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body :
       {"3\r\nhello\r\n0\r\n\r\n", "6\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "-1\r\n",
        "0x3\r\nhel\r\n0\r\n\r\n", "123456789\r\n", "g\r\n", "3\nhel\n0\n\n", "+3\r\nhel\r\n0\r\n\r\n"})
    EXPECT_NE(DetailOf(head + body, true), "it was taken") << body;
  EXPECT_EQ(Of(head + "5\r\nhello\r\n0\r\n\r\n").value().body, "hello");
}

TEST(HttpClientTest, InterimAnswersAreReadOver) {
  auto answer = Of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + kGood);
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
}

TEST(HttpClientTest, AConnectionIsKeptAndWhatComesUnaskedOverItIsNoAnswer) {
  RawServer server([](Peer& peer) {
    while (!peer.Request().empty() && peer.Send(kGood)) {
    }
  });
  auto client = Client(server.url());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client->Get("/", {kLong}).value().body, "hello");
  EXPECT_EQ(server.connections, 1);

  RawServer ahead([](Peer& peer) {
    for (int i = 0; !peer.Request().empty(); ++i)
      peer.Send(kGood + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nunask");
  });
  client = Client(ahead.url());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client->Get("/", {kLong}).value().body, "hello");
  EXPECT_EQ(ahead.connections, 3);
}

TEST(HttpClientTest, AKeptConnectionThatEndedMeanwhileIsReplaced) {
  RawServer server([](Peer& peer) {
    peer.Request();
    peer.Send(kGood);
  });
  auto client = Client(server.url());
  for (int i = 0; i < 5; ++i) {
    auto answer = client->Get("/", {kLong});
    ASSERT_TRUE(answer) << i << answer.error().Message();
  }
  // And one that ends it when it is asked the second time.
  RawServer sulks([](Peer& peer) {
    peer.Request();
    peer.Send(kGood);
    peer.Request();
  });
  client = Client(sulks.url());
  for (int i = 0; i < 3; ++i) {
    auto answer = client->Get("/", {kLong});
    ASSERT_TRUE(answer) << i << answer.error().Message();
  }
  EXPECT_EQ(sulks.connections, 3);
}

TEST(HttpClientTest, WhoRefusesBeforeAllIsSentIsHeard) {
  RawServer server([](Peer& peer) {
    peer.Send("HTTP/1.1 413 Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmore");
    peer.Hang();
  });
  auto answer = Client(server.url())->Post("/", "a/b", std::string(1000, 'x'), {kLong});
  ASSERT_TRUE(answer) << answer.error().Message();
  EXPECT_EQ(answer->status, 413);
}

TEST(HttpClientTest, NamesAreLookedUpWithinTheTimeOfTheCall) {
  RawServer server([](Peer& peer) {
    peer.Request();
    peer.Send(kGood);
    peer.Hang();
  });
  EXPECT_EQ(Client("http://localhost:" + std::to_string(server.port()))->Get("/", {kLong}).value().body, "hello");
  EXPECT_FALSE(Client("http://nowhere.invalid")->Get("/", {kShort}));
  EXPECT_EQ(Client("http://127.0.0.1:1")->Get("/", {kLong}).error().reason, Reason::kUnavailable);
}

TEST(HttpClientTest, AUrlIsSpelledRight) {
  for (const std::string url :
       {"", "http://", "http:///x", "ftp://a", "http:/a", "http://a b", "http://a\nb", "http://a:", "http://a:0",
        "http://a:65536", "http://a:x", "http://a:123456", "http://u@a", "http://a/?q", "http://a/#f", "http://[::1",
        "http://[]:80", "http://\xc3\xa9", "HTTP://a"})
    EXPECT_EQ(HttpClient::Make(url).error().reason, Reason::kUsage) << url;
  for (const std::string url :
       {"http://a", "http://a:1", "http://a:65535/", "http://[::1]", "http://[::1]:80/x", "http://a/b/"})
    EXPECT_TRUE(HttpClient::Make(url)) << url;
  EXPECT_TRUE(HttpClient::Make("https://a").value()->secure());
}

// ---- over TLS ----

// A server's end with a certificate of its own making, for this name.
struct TlsServer {
  explicit TlsServer(const char* name) {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    auto* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    auto* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name);
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
  }
  ~TlsServer() {
    SSL_CTX_free(context);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  std::string Pem() const {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    char* text = nullptr;
    const long length = BIO_get_mem_data(out, &text);
    std::string pem(text, static_cast<std::size_t>(length));
    BIO_free(out);
    return pem;
  }
  // One answer; `closes`: and TLS's own end of it.
  void Serve(Peer& peer, const std::string& answer, bool closes) {
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, peer.fd());
    char block[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, block, sizeof block) > 0) {
      SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
      if (closes) SSL_shutdown(ssl);
    }
    SSL_free(ssl);
  }
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
};

TEST(HttpClientTest, OverTlsTheServerProvesItsNameAndTheEndOfAnAnswer) {
  test::TempFolder folder;
  TlsServer ours("DNS:localhost,IP:127.0.0.1"), other("DNS:elsewhere.example");
  ASSERT_TRUE(WriteFileAtomic(folder / "trusted", AsBytes(ours.Pem() + other.Pem())));
  ::setenv("SSL_CERT_FILE", (folder / "trusted").c_str(), 1);
  const auto ask = [](TlsServer& with, const std::string& host, const std::string& answer, bool closes) {
    RawServer server([&](Peer& peer) { with.Serve(peer, answer, closes); });
    return Client("https://" + host + ":" + std::to_string(server.port()))->Get("/", {kLong});
  };
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    auto answer = ask(ours, host, kGood, true);
    ASSERT_TRUE(answer) << answer.error().Message();
    EXPECT_EQ(answer->body, "hello");
    EXPECT_EQ(ask(other, host, kGood, true).error().reason, Reason::kBadCertificate);
  }
  const std::string open_end = "HTTP/1.1 200 OK\r\n\r\nhello";
  EXPECT_EQ(ask(ours, "localhost", open_end, true).value().body, "hello");
  EXPECT_FALSE(ask(ours, "localhost", open_end, false)) << "somebody may have cut it";
  TlsServer stranger("DNS:localhost");
  EXPECT_EQ(ask(stranger, "localhost", kGood, true).error().reason, Reason::kBadCertificate);
  ::unsetenv("SSL_CERT_FILE");
  RawServer plain([](Peer& peer) { peer.Send(kGood); });
  EXPECT_FALSE(Client("https://127.0.0.1:" + std::to_string(plain.port()))->Get("/", {kLong}));
}

}  // namespace
}  // namespace valija::io
