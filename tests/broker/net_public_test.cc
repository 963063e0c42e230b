// The public port of a real broker: what a stranger gets of a log in use, and that no event is in any of it.
#include <httplib.h>
#include <sys/wait.h>

#include <atomic>
#include <set>

#include "core/log/tlog_proof.h"
#include "core/log/tree.h"
#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

constexpr char kCase[] = "CASE-NOBODY-ELSE-KNOWS-4711";

class NetPublic : public NetTest {
 protected:
  int Port(const std::string& said = "public log on port ") const {
    std::ifstream in(world_.root() / "broker/out");
    for (std::string line; std::getline(in, line);)
      if (const auto at = line.find(said); at != std::string::npos) return std::stoi(line.substr(at + said.size()));
    throw std::runtime_error("the broker did not say: " + said);
  }
  log::NoteVerifier Key() {
    return log::NoteVerifier::Parse(Member("us.dea/karen").verifier->directory().charter()->log_key).value();
  }
  // Every byte that was served to one reader.
  struct Reader {
    explicit Reader(int port) : client("127.0.0.1", port) { client.set_keep_alive(true); }
    Bytes Get(const std::string& path) {
      auto answer = client.Get("/" + path);
      if (!answer || answer->status != 200)
        throw std::runtime_error(path + ": " + (answer ? std::to_string(answer->status) : to_string(answer.error())));
      for (const auto& [name, value] : answer->headers) served += name + ": " + value + "\n";
      served += answer->body;
      return ToBytes(AsBytes(answer->body));
    }
    // The checkpoint, and everything that it calls for; whatever does not hold is told.
    std::uint64_t ReadAll(const log::NoteVerifier& key) {
      const auto note = Get("checkpoint");
      auto checkpoint = log::SignedCheckpoint::Verify(AsText(note), key.name, key);
      if (!checkpoint) throw std::runtime_error(checkpoint.error().Message());
      const auto size = checkpoint->size();
      const auto root = log::RootAt(
          size, [&](log::TileId id, unsigned width) { return std::optional(Get(log::TilePath(id, width))); });
      if (!root || *root != checkpoint->root()) throw std::runtime_error("the tiles do not give the root");
      for (const auto& tile : log::NewTiles(0, size)) {
        const auto hashes = Get(log::TilePath(tile.id, tile.width));
        if (tile.id.level != 0) continue;
        const auto entries = log::ParseBundle(Get(log::BundlePath(tile.id.index, tile.width)));
        if (!entries || entries->size() != tile.width) throw std::runtime_error("a bundle has a wrong length");
        for (std::size_t i = 0; i < entries->size(); ++i) {
          if ((*entries)[i].size() != 32) throw std::runtime_error("that is no commitment");
          if (!Equal(log::LeafHash((*entries)[i]), ByteView(hashes).subspan(32 * i, 32)))
            throw std::runtime_error("a bundle does not hash to its tile");
        }
      }
      return size;
    }
    httplib::Client client;
    std::string served;
  };
  struct Ran {
    int status = -1;
    std::string output;
  };
  static Ran Run(const std::string& command) {
    Ran ran;
    FILE* pipe = ::popen((command + " </dev/null 2>&1").c_str(), "r");
    char block[4096];
    for (std::size_t got = 0; pipe != nullptr && (got = std::fread(block, 1, sizeof block, pipe)) > 0;)
      ran.output.append(block, got);
    if (pipe != nullptr) ran.status = WEXITSTATUS(::pclose(pipe));
    return ran;
  }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(Port()); }
};

TEST_F(NetPublic, AStrangerVerifiesTheWholeTreeAndSeesNoEvent) {
  const auto record = Send();
  EXPECT_EQ(Post("us.dea/jrivera", Open("us.dea/jrivera", record, random_.Make<Nonce>(), kCase)), "");
  Reader reader(Port());
  std::uint64_t size = 0;
  while ((size = reader.ReadAll(Key())) < 260) {
    auto answer = Member("mx.fgr/omar").transport->Post(Seal(100), 0);
    ASSERT_TRUE(answer);
  }
  EXPECT_GT(reader.served.size(), size * 64);
  for (const std::string& event :
       {std::string(kCase), std::string("jrivera"), std::string("omar"), std::string("us.dea"), std::string("mx.fgr"),
        std::string("analysis"), record.Hex(), std::string(AsText(record.view()))}) {
    EXPECT_EQ(reader.served.find(event), std::string::npos) << event;
  }
}

TEST_F(NetPublic, AnOperatorReadsFiguresThatNameNobody) {
  httplib::Client client("127.0.0.1", Port("metrics on port "));
  const auto figures = [&] {
    auto answer = client.Get("/metrics");
    return answer && answer->status == 200 ? answer->body : std::string();
  };
  const auto figure = [](const std::string& text, const std::string& name) {
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1.0 : std::stod(text.substr(at + name.size() + 2));
  };
  const auto before = figures();
  const auto record = Send();
  EXPECT_EQ(Post("us.dea/jrivera", Open("us.dea/jrivera", record, random_.Make<Nonce>(), kCase)), "");
  EXPECT_FALSE(Member("us.dea/jrivera").transport->Post({}, 0));  // malformed
  const auto after = figures();
  for (const char* name : {"valija_log_entries", "valija_appended_entries_total", "valija_append_seconds_count"})
    EXPECT_GT(figure(after, name), figure(before, name)) << name;
  const std::string refused = "valija_refusals_total{code=\"malformed\"}";
  EXPECT_EQ(figure(after, refused), std::max(figure(before, refused), 0.0) + 1);
  EXPECT_EQ(figure(after, "valija_accepting"), 1.0);
  EXPECT_GT(figure(after, "process_resident_memory_bytes"), 1e6);
  for (const char* somebody : {"jrivera", "omar", "us.dea", "mx.fgr", kCase})
    EXPECT_EQ(after.find(somebody), std::string::npos) << somebody;
  auto health = client.Get("/healthz");
  ASSERT_TRUE(health);
  EXPECT_EQ(health->status, 200);
  EXPECT_EQ(health->body, "serving\n");
  auto other = client.Get("/checkpoint");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->status, 404);
}

TEST_F(NetPublic, ServesWithTheRightHeadersAndNothingElse) {
  Send();
  httplib::Client client("127.0.0.1", Port());
  auto answer = client.Get("/checkpoint");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "public, max-age=2");
  auto head = client.Head("/checkpoint");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
  answer = client.Get("/tile/0/000.p/1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Content-Type"), "application/octet-stream");
  EXPECT_EQ(answer->get_header_value("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(answer->body.size(), 32u);
  answer = client.Get("/tile/entries/000.p/1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), 34u);
  answer = client.Head("/tile/entries/000.p/1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Length"), "34");
  for (const char* path : {"/", "/entries/000.pb", "/tile/", "/tile/0/999", "/tile/1/001", "/tile/8/000",
                           "/checkpoint?x", "/../broker.conf", "/tile/0/000.p/1/", "/tile/data/000"}) {
    answer = client.Get(path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 404) << path;
  }
  answer = client.Post("/checkpoint", "x", "text/plain");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  answer = client.Delete("/tile/0/000.p/1");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
}

TEST_F(NetPublic, ServingGoesOnWhilePostsGoOn) {
  const auto key = Key();
  const int port = Port();
  std::atomic<bool> done = false;
  std::atomic<int> rounds = 0;
  std::vector<std::thread> readers;
  std::vector<std::string> faults(3);
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      Reader reader(port);
      try {
        for (std::uint64_t last = 0; !done; ++rounds) {
          const auto size = reader.ReadAll(key);
          if (size < last) throw std::runtime_error("it went back");
          last = size;
          reader.served.clear();
        }
      } catch (const std::exception& error) {
        faults[static_cast<std::size_t>(r)] = error.what();
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    auto answer = Member("mx.fgr/omar").transport->Post(Seal(50), 0);
    EXPECT_TRUE(answer);
    ExpectServing();
  }
  while (rounds < 6) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(faults, std::vector<std::string>(3));
}

TEST_F(NetPublic, SilentStrangersKeepNobodyOut) {
  std::vector<int> silent;
  for (int i = 0; i < 200; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(Port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    silent.push_back(fd);
  }
  ExpectServing();
  Send();
  // They give way, or are closed.
  Reader reader(Port());
  bool served = false;
  for (int i = 0; i < 200 && !served; ++i) {
    auto answer = reader.client.Get("/checkpoint");
    served = answer && answer->status == 200;
    if (!served) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(served);
  for (const int fd : silent) ::close(fd);
}

TEST_F(NetPublic, AWatchdogMirrorsItAndGoesOn) {
  TempFolder folder;
  Send();
  const auto mirror = std::string(VALIJA_BINARY_DIR) + "/audit/valija-audit --lang en mirror " + Url() + " " +
                      (folder / "copy").string() + " --vkey '" + Key().Text() + "'";
  auto ran = Run(mirror);
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("last run   0 entries, and the log only grew"), std::string::npos) << ran.output;
  Send();
  ran = Run(mirror + " --json");
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("\"fetched\":"), std::string::npos) << ran.output;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (!file.is_regular_file()) continue;
    const auto text = io::ReadText(file.path()).value();
    EXPECT_EQ(text.find("us.dea"), std::string::npos) << file.path();
  }
  // Under another key it is nothing.
  const auto other =
      log::NoteVerifier::Make(Key().name, crypto::Ed25519SignKey::Generate(random_).verify_key()).value();
  ran = Run(std::string(VALIJA_BINARY_DIR) + "/audit/valija-audit mirror " + Url() + " " + (folder / "other").string() +
            " --vkey '" + other.Text() + "'");
  EXPECT_EQ(ran.status, 5) << ran.output;
  EXPECT_NE(ran.output.find("bad-checkpoint"), std::string::npos) << ran.output;
}

TEST_F(NetPublic, PlainPythonVerifiesItAndAProof) {
  if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3";
  const bool openssl = std::system("openssl version >/dev/null 2>&1") == 0;
  TempFolder folder;
  Send();
  Reader reader(Port());
  const auto size = reader.ReadAll(Key());
  const auto verify =
      std::string("python3 ") + VALIJA_SOURCE_DIR + "/docs/verify_log.py " + Url() + " '" + Key().Text() + "' ";
  auto ran = Run(verify);
  EXPECT_EQ(ran.status, openssl ? 0 : 3) << ran.output;
  EXPECT_NE(ran.output.find(" entries under root "), std::string::npos) << ran.output;

  const auto note = std::string(AsText(reader.Get("checkpoint")));
  const auto read = [&](log::TileId id, unsigned width) { return std::optional(reader.Get(log::TilePath(id, width))); };
  for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
    log::TlogProof proof;
    proof.index = index;
    proof.path = log::ProveInclusion(index, size, read).value();
    proof.checkpoint = note;
    const auto file = folder / "a.tlog-proof";
    ASSERT_TRUE(io::WriteFileAtomic(file, AsBytes(proof.Text())));
    ran = Run(verify + file.string());
    EXPECT_EQ(ran.status, openssl ? 0 : 3) << ran.output;
    EXPECT_NE(ran.output.find("entry " + std::to_string(index) + " is in it"), std::string::npos) << ran.output;
    auto wrong = proof;
    wrong.index = index == 0 ? 1 : index - 1;
    ASSERT_TRUE(io::WriteFileAtomic(file, AsBytes(wrong.Text())));
    EXPECT_EQ(Run(verify + file.string()).status, 1);
    wrong = proof;
    wrong.path.back().bytes[0] ^= 1;
    ASSERT_TRUE(io::WriteFileAtomic(file, AsBytes(wrong.Text())));
    EXPECT_EQ(Run(verify + file.string()).status, 1);
    wrong = proof;
    wrong.path.pop_back();
    ASSERT_TRUE(io::WriteFileAtomic(file, AsBytes(wrong.Text())));
    EXPECT_EQ(Run(verify + file.string()).status, 1);
  }
  // A signature that is not the log's.
  if (openssl) {
    const auto other =
        log::NoteVerifier::Make(Key().name, crypto::Ed25519SignKey::Generate(random_).verify_key()).value();
    ran = Run(std::string("python3 ") + VALIJA_SOURCE_DIR + "/docs/verify_log.py " + Url() + " '" + other.Text() + "'");
    EXPECT_EQ(ran.status, 1) << ran.output;
  }
}

}  // namespace
}  // namespace valija::test
