// foreign_tree FOLDER SIZE [SALT]: a log's public side of so many entries as files, for strangers' tools to read. Prints the
// log's verifier key, which is always the same one.
#include <cstdlib>
#include <iostream>

#include "core/crypto/hash.h"
#include "core/io/file.h"
#include "core/log/note.h"
#include "core/log/tree.h"

using namespace valija;  // NOLINT(google-build-using-namespace): a program of its own

namespace {

int Make(const io::fs::path& folder, std::uint64_t size, const std::string& salt) {
  const auto key = crypto::Ed25519SignKey::FromSeed(crypto::Sha256(AsBytes("a log for strangers"))).value();
  const std::string origin = "pouch.example/strangers";
  log::Tree tree;
  std::map<log::TileId, Bytes> tiles;
  std::map<std::uint64_t, Bytes> bundles;
  for (std::uint64_t i = 0; i < size; ++i) {
    const auto entry = crypto::Sha256(AsBytes(salt + std::to_string(i)));
    log::AppendBundleEntry(bundles[i / log::kTileWidth], entry);
    tree.Append(log::LeafHash(entry));
  }
  for (auto& [id, hashes] : tree.TakeChangedTiles()) tiles[id] = hashes;
  const auto write = [&](const std::string& path, ByteView content) {
    io::fs::create_directories((folder / path).parent_path());
    io::WriteNewFile(folder / path, content).value();
  };
  for (const auto& ref : log::NewTiles(0, size)) {
    write(log::TilePath(ref.id, ref.width), ByteView(tiles.at(ref.id)).first(ref.width * Hash::kSize));
    if (ref.id.level == 0) write(log::BundlePath(ref.id.index, ref.width), bundles.at(ref.id.index));
  }
  const auto checkpoint = log::SignedCheckpoint::Sign({origin, size, tree.Root()}, key);
  write("checkpoint", AsBytes(checkpoint.note()));
  std::cout << log::NoteVerifier::Make(origin, key.verify_key()).value().Text() << "\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    return Make(argv[1], std::strtoull(argv[2], nullptr, 10), argc > 3 ? argv[3] : "");
  } catch (const std::exception& error) {
    std::cerr << "foreign_tree: " << error.what() << "\n";
    return 1;
  }
}
