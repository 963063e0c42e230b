// Whole logs written by others: checkpoints, tiles, bundles and receipts, byte for byte.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/crypto/hash.h"
#include "core/log/note.h"
#include "core/log/tree.h"
#include "tests/core/log/reference.h"
#include "tests/support/vectors.h"

namespace valija::log::test {
namespace {

namespace fs = std::filesystem;
using valija::test::FullSet;
using valija::test::ReadJson;
using valija::test::ReadWhole;

// ---- generated/log: 700 entries; the keys and signatures are deterministic ----

constexpr const char* kOrigin = "vectors.example/log";
constexpr std::size_t kPublishedSizes[] = {0, 1, 2, 255, 256, 257, 700};

Bytes EntryOf(std::size_t i) {
  if (i == 3) return {};
  if (i == 7) return Bytes(65535, 0xa5);
  return ToBytes(AsBytes("main entry " + std::to_string(i) + " " + std::string(i % 97, 'x')));
}

crypto::Ed25519SignKey LogKey() {
  return *crypto::Ed25519SignKey::FromSeed(crypto::Sha256(AsBytes("tlogcheck selftest key vectors.example/log")));
}

constexpr const char* kLogVkey = "vectors.example/log+0c4942bc+ASjbi7XN2hbLcHixbvhDdp+TvnrcJR+nSN/UnSHt40Ni";

// The log as its files: path -> content. `checkpoint.K` has the log's own signature only.
std::map<std::string, Bytes> WriteLog() {
  std::map<std::string, Bytes> files;
  Tree tree;
  Bytes bundle;
  std::size_t number = 0;
  for (std::size_t size : kPublishedSizes) {
    while (tree.size() < size) {
      Bytes entry = EntryOf(tree.size());
      AppendBundleEntry(bundle, entry);
      tree.Append(LeafHash(entry));
      if (tree.size() % 256 == 0) {
        files[BundlePath(tree.size() / 256 - 1, 256)] = bundle;
        bundle.clear();
      }
    }
    if (!bundle.empty()) files[BundlePath(size / 256, PartialWidth(0, size))] = bundle;
    for (auto& [id, tile] : tree.TakeChangedTiles()) {
      auto width = static_cast<unsigned>(tile.size() / Hash::kSize);
      EXPECT_EQ(width, WidthOf(id, size));
      files[TilePath(id, width)] = std::move(tile);
    }
    auto checkpoint = SignedCheckpoint::Sign({kOrigin, size, tree.Root()}, LogKey());
    files["checkpoint." + std::to_string(number++)] = ToBytes(AsBytes(checkpoint.note()));
  }
  return files;
}

TEST(PublishedLog, IsWrittenAgainByteForByte) {
  auto files = WriteLog();
  auto text = [&](const std::string& path) { return ToString(files.at(path)); };
  EXPECT_EQ(text("checkpoint.0"),
            "vectors.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 vectors.example/log "
            "DElCvMAjilncFcBwBw3duRG5fF64GAwdrPXSyKdLbjLb0Qm0V0NLz0Khg69PD0qBKNuVVOYe2Ga6Qoom1MRktIgjVgg=\n");
  EXPECT_EQ(text("checkpoint.3"),
            "vectors.example/log\n255\nT28g/0KWf5X4uNULQjmuIK8GqnhhmUF/dtegUeK4eFI=\n\n\u2014 vectors.example/log "
            "DElCvPZcYk8+zEjfiRInh/ruYX5+pnp2q/1oNIsjea35Cb3AvKUUUZCDkMQ4M965PUXqlNT1Din4+lZMI54EjMxhJAY=\n");
  EXPECT_EQ(text("checkpoint.6"),
            "vectors.example/log\n700\nee1KJXfprJOaaw2S5jKiR2qVkOHw9X/3fRBKh9v5dco=\n\n\u2014 vectors.example/log "
            "DElCvN1LbxCNbl5QHBiWUy0wWg4ZFCDOnC/pCt7lv7ynXhq9SVPMXchGaL2zuo1QeNWTpecasjSog3TRqeAI5ZjiFg8=\n");
  const std::pair<const char*, const char*> digests[] = {
      {"tile/0/000", "67c4d285123149b2c628352a5625c9e6ee4587bafd1ba38863b71d5962e71266"},
      {"tile/0/001", "4eb688937d3d8575289055db613f2cf10c5934909d054110281b86f250571f7f"},
      {"tile/0/000.p/2", "e7e0a6fee892a246e8a4d3aa163d196573699487c5100d9718c858a49f514a19"},
      {"tile/0/000.p/255", "6104f291bb5b3bf7787c3ae09d453d6239fa49a8d060b9700166ccfa4c36e2ca"},
      {"tile/0/002.p/188", "264ef9bfb2ab8beb025a03cd1c1a0f6b7ecdf787c45d6d9b847073eb63b6d273"},
      {"tile/1/000.p/2", "3df207e56700cdd941483c7760cc9f059b5d2b868b777abd38831b36576ef782"},
      {"tile/entries/000", "463c8f1aadac58021c862d8a5939737dc3bc494aeb10d60aa8ea21f03b03b819"},
      {"tile/entries/001", "37350e70af6943cf5c9435db1210d2351ec1813064fab7de25d5b4de90a80af5"},
      {"tile/entries/000.p/255", "a006373cacc5ea8ee215b071a68f34fc39967259dcc1b91ce053c9c8c61bf9b6"},
      {"tile/entries/002.p/188", "4660f8cce411c2a079a2f6cce477f3940c5a462d5a90d3380f352b3e5c3834db"},
  };
  for (auto [path, digest] : digests) EXPECT_EQ(crypto::Sha256(files.at(path)).Hex(), digest) << path;
}

TEST(PublishedLog, EveryTileAndBundleIsTheOneLaid) {
  auto folder = FullSet("tlog/generated/log");
  if (!folder) GTEST_SKIP();
  auto files = WriteLog();
  std::size_t compared = 0;
  for (const auto& file : fs::recursive_directory_iterator(*folder / "tile")) {
    if (!file.is_regular_file()) continue;
    auto path = fs::relative(file.path(), *folder).generic_string();
    ASSERT_TRUE(ParseTilePath(path)) << path;
    ASSERT_TRUE(files.contains(path)) << path;
    EXPECT_EQ(ToString(files[path]), ReadWhole(file.path())) << path;
    ++compared;
  }
  std::size_t written = 0;
  for (const auto& [path, content] : files) written += path.starts_with("tile/");
  EXPECT_EQ(compared, written) << "no tile is written that the other log has not";
  EXPECT_EQ(compared, 16u);
}

TEST(PublishedLog, EveryCheckpointIsTheOneLaidAndVerifies) {
  auto folder = FullSet("tlog/generated/log");
  if (!folder) GTEST_SKIP();
  auto verifier = NoteVerifier::Parse(kLogVkey);
  ASSERT_TRUE(verifier);
  EXPECT_EQ(ReadWhole(*folder / "../keys/log.vkey"), kLogVkey + std::string("\n"));
  EXPECT_EQ(NoteVerifier::Make(kOrigin, LogKey().verify_key())->Text(), kLogVkey);
  auto files = WriteLog();
  for (std::size_t i = 0; i < std::size(kPublishedSizes); ++i) {
    auto name = "checkpoint." + std::to_string(i);
    auto note = ReadWhole(*folder / name);
    auto checkpoint = SignedCheckpoint::Verify(note, kOrigin, *verifier);
    ASSERT_TRUE(checkpoint) << checkpoint.error().Message();
    EXPECT_EQ(checkpoint->size(), kPublishedSizes[i]);
    EXPECT_EQ(Note::Parse(note)->signatures.size(), 3u) << "two witnesses, unknown here";
    // Witnesses' lines follow the log's: the first part is exactly ours.
    EXPECT_TRUE(note.starts_with(ToString(files[name]))) << name;
  }
}

// Reads tiles from files as tlog-tiles lays them, a full one where the partial is gone.
TileReader FolderReader(const fs::path& folder) {
  return [folder](TileId id, unsigned width) -> std::optional<Bytes> {
    for (auto wanted : {width, kTileWidth}) {
      if (auto path = folder / TilePath(id, wanted); fs::exists(path)) return ToBytes(AsBytes(ReadWhole(path)));
    }
    return std::nullopt;
  };
}

TEST(PublishedLog, ReceiptsAreMadeAgainFromTheirTilesAndHold) {
  auto folder = FullSet("tlog/generated/log");
  if (!folder) GTEST_SKIP();
  auto verifier = *NoteVerifier::Parse(kLogVkey);
  std::size_t count = 0;
  for (std::uint64_t index : {0, 3, 7, 255, 256, 511, 512, 699}) {
    auto text = ReadWhole(*folder / "proofs" / (std::to_string(index) + ".tlog-proof"));
    auto leaf = ReadWhole(*folder / "proofs" / (std::to_string(index) + ".leaf"));
    EXPECT_EQ(leaf, ToString(EntryOf(index)));
    std::stringstream lines(text.substr(0, text.find("\n\n") + 1));
    auto checkpoint = SignedCheckpoint::Verify(text.substr(text.find("\n\n") + 2), kOrigin, verifier);
    ASSERT_TRUE(checkpoint) << checkpoint.error().Message();
    Hashes path;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("c2sp.org/") || line.starts_with("extra ")) continue;
      if (line.starts_with("index ")) {
        EXPECT_EQ(line, "index " + std::to_string(index));
        continue;
      }
      path.push_back(*Hash::From(*FromBase64(line)));
    }
    EXPECT_TRUE(VerifyInclusion(index, checkpoint->size(), LeafHash(AsBytes(leaf)), path, checkpoint->root()));
    auto made = ProveInclusion(index, checkpoint->size(), FolderReader(*folder));
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, path);
    ++count;
  }
  EXPECT_EQ(count, 8u);
}

TEST(PublishedLog, ConsistencyProofsOfWitnessRequestsAreMadeAgain) {
  auto folder = FullSet("tlog/generated/log");
  if (!folder) GTEST_SKIP();
  auto verifier = *NoteVerifier::Parse(kLogVkey);
  for (std::size_t k = 1; k <= 6; ++k) {
    auto text = ReadWhole(*folder / "requests" / ("add-checkpoint." + std::to_string(k)));
    auto split = text.find("\n\n");
    std::stringstream lines(text.substr(0, split + 1));
    std::string word;
    std::uint64_t old_size = 0;
    lines >> word >> old_size;
    ASSERT_EQ(word, "old");
    Hashes proof;
    while (lines >> word) proof.push_back(*Hash::From(*FromBase64(word)));
    auto checkpoint = SignedCheckpoint::Verify(text.substr(split + 2), kOrigin, verifier);
    ASSERT_TRUE(checkpoint);
    auto made = ProveConsistency(old_size, checkpoint->size(), FolderReader(*folder));
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, proof) << k;
    auto old_root = RootAt(old_size, FolderReader(*folder));
    ASSERT_TRUE(old_root);
    EXPECT_TRUE(VerifyConsistency(old_size, *old_root, checkpoint->size(), checkpoint->root(), proof));
  }
}

TEST(PublishedLog, IsLoadedFromItsFilesAtEverySize) {
  auto folder = FullSet("tlog/generated/log");
  if (!folder) GTEST_SKIP();
  auto verifier = *NoteVerifier::Parse(kLogVkey);
  for (std::size_t i = 0; i < std::size(kPublishedSizes); ++i) {
    auto checkpoint =
        SignedCheckpoint::Verify(ReadWhole(*folder / ("checkpoint." + std::to_string(i))), kOrigin, verifier);
    ASSERT_TRUE(checkpoint);
    auto tree = Tree::Load(checkpoint->size(), checkpoint->root(), FolderReader(*folder));
    ASSERT_TRUE(tree) << tree.error().Message();
    while (tree->size() < 700) tree->Append(LeafHash(EntryOf(tree->size())));
    EXPECT_EQ(ToBase64(tree->Root()), "ee1KJXfprJOaaw2S5jKiR2qVkOHw9X/3fRBKh9v5dco=");
  }
}

// ---- a log of 15 entries by Tessera ----

constexpr const char* kTesseraOrigin = "example.com/log/testdata";
constexpr const char* kTesseraKey = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

TEST(TesseraLog, ItsCheckpointVerifies) {
  auto checkpoint = SignedCheckpoint::Verify(
      "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n\u2014 example.com/log/testdata "
      "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n",
      kTesseraOrigin, *NoteVerifier::Parse(kTesseraKey));
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->size(), 15u);
}

TEST(TesseraLog, EveryCheckpointVerifiesAndItsTilesAndBundlesGiveItsRoot) {
  auto folder = FullSet("tlog/tessera-log");
  if (!folder) GTEST_SKIP();
  auto vkey = ReadWhole(*folder / "log.vkey");
  EXPECT_EQ(vkey, kTesseraKey + std::string("\n"));
  auto verifier = *NoteVerifier::Parse(kTesseraKey);
  std::vector<fs::path> notes;
  for (const auto& file : fs::directory_iterator(*folder)) {
    if (file.path().filename().string().starts_with("checkpoint")) notes.push_back(file.path());
  }
  EXPECT_GE(notes.size(), 16u);
  auto newest = SignedCheckpoint::Verify(ReadWhole(*folder / "checkpoint"), kTesseraOrigin, verifier);
  ASSERT_TRUE(newest);
  for (const auto& path : notes) {
    auto checkpoint = SignedCheckpoint::Verify(ReadWhole(path), kTesseraOrigin, verifier);
    ASSERT_TRUE(checkpoint) << path << checkpoint.error().Message();
    auto size = checkpoint->size();
    auto loaded = Tree::Load(size, checkpoint->root(), FolderReader(*folder));
    EXPECT_TRUE(loaded) << path << loaded.error().Message();
    auto proof = ProveConsistency(size, newest->size(), FolderReader(*folder));
    ASSERT_TRUE(proof);
    EXPECT_TRUE(VerifyConsistency(size, checkpoint->root(), newest->size(), newest->root(), *proof));
    if (size == 0) continue;
    auto bundle = ParseBundle(AsBytes(ReadWhole(*folder / BundlePath(0, PartialWidth(0, size)))));
    ASSERT_TRUE(bundle);
    Tree tree;
    for (const auto& entry : *bundle) tree.Append(LeafHash(entry));
    EXPECT_EQ(tree.size(), size);
    EXPECT_EQ(tree.Root(), checkpoint->root());
  }
}

// ---- checkpoints of a Sunlight witness: other kinds of signature lines than ours ----

constexpr const char* kMirrorNote =
    "rome2026h1.example.org\n300\ngw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=\n\n\u2014 mirror.example.org "
    "P7FI7wAAAABpVGeAjA1S4pJm6MbcXjX7UUImu4azZtrfcVW2uyr/LXIYlwEJzXC0N0EiZkbqfLdXt/4gVEEuGmxJjAfXKMCISpsJAg==\n";
constexpr const char* kMirrorKey = "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O";

// The cosignature/v1 line of `vkey` over this note, checked by hand: what we parse is what was signed.
void ExpectCosigned(std::string_view text, std::string_view vkey) {
  auto note = Note::Parse(text);
  ASSERT_TRUE(note) << note.error().Message();
  EXPECT_TRUE(Checkpoint::ParseBody(note->text));
  auto name = vkey.substr(0, vkey.find('+'));
  auto key = FromBase64(vkey.substr(vkey.find('+') + 10));
  ASSERT_TRUE(key && key->size() == 33 && key->front() == 4);
  auto verify_key = crypto::Ed25519VerifyKey::FromBytes(ByteView(*key).subspan(1));
  ASSERT_TRUE(verify_key);
  std::size_t found = 0;
  for (const auto& line : note->signatures) {
    if (line.name != name) continue;
    ++found;
    ASSERT_EQ(line.signature.size(), 72u);
    auto message = "cosignature/v1\ntime " + std::to_string(ReadU64(line.signature.data())) + "\n" + note->text;
    EXPECT_TRUE(verify_key->Verify(AsBytes(message), ByteView(line.signature).subspan(8)));
  }
  EXPECT_EQ(found, 1u);
  // A cosignature is never taken for the log's own signature.
  EXPECT_FALSE(NoteVerifier::Parse(vkey));
  auto as_log = NoteVerifier::Make(name, *verify_key);
  ASSERT_TRUE(as_log);
  EXPECT_FALSE(VerifyNote(*note, *as_log));
}

TEST(SunlightCheckpoint, CosignaturesAreReadButAreNoLogSignatures) { ExpectCosigned(kMirrorNote, kMirrorKey); }

TEST(SunlightCheckpoint, AllOfThemAreReadAlike) {
  auto folder = FullSet("tlog/sunlight-cosignature");
  if (!folder) GTEST_SKIP();
  for (std::string name : {"mirror", "witness"}) {
    auto keys = ReadJson(*folder / (name + ".v0.json"))["verifier_keys"];
    ExpectCosigned(ReadWhole(*folder / (name + ".checkpoint")), keys[0].get<std::string>());
  }
  auto note = Note::Parse(ReadWhole(*folder / "witness.checkpoint"));
  ASSERT_TRUE(note);
  EXPECT_EQ(note->signatures.size(), 2u) << "a static-ct line, which is none of ours, and the witness's";
}

}  // namespace
}  // namespace valija::log::test
