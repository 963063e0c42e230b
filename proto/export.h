// The whole log as a folder of static files, for auditors and mirrors: which files, which bytes. No I/O in here.
//
//   checkpoint                     the signed note
//   witnessed                      the last checkpoint of at most that size that the charter's witnesses cosigned, with the
//                                  cosignatures; not there: the charter has none, or they have cosigned nothing yet
//   rewritten                      after a purge, when files from before are written anew: "being-written-anew" while that
//                                  goes on and files are not of one moment, then "written-anew-to-<size>". Not there: never
//   tile/<L>/<N>[.p/<W>]           hash tiles, C2SP tlog-tiles
//   tile/entries/<N>[.p/<W>]       entry bundles: 256 (or W) times u16 length || commitment of 32 bytes
//   entries/<N>[.p/<W>].pb         what stands behind those commitments: 256 (or W) times u32 big-endian length ||
//                                  LoggedEntry, in order; its parts may be withheld, the commitment never is
//
// <N> and <W> as tlog-tiles spells them ("entries/x001/234.pb", "entries/000.p/12.pb"). The folder of a checkpoint of
// size s has exactly the tiles and bundles of a tree of s leaves, and entries files beside the bundles.
//
// A folder is continued, not made anew: full files never change; partial ones are superseded by wider ones. The order of
// writing is TakeReady's files as they come, Finish's files, of which the checkpoint is the last, then every partial file
// goes that is not in PartialFiles. So whatever is cut short, the checkpoint there names files that are there.
//
// Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/log/note.h"
#include "core/log/tree.h"
#include "proto/convert.h"

namespace valija::proto {

inline constexpr const char* kWitnessedFile = "witnessed";
inline constexpr const char* kRewrittenFile = "rewritten";
inline constexpr std::string_view kBeingWritten = "being-written-anew\n";
std::string WrittenAnew(std::uint64_t size);
std::string EntriesPath(std::uint64_t index, unsigned width);  // width 1..256
// The partial files that a checkpoint of this size calls for.
std::set<std::string> PartialFiles(std::uint64_t size);
// An entries file: serialised LoggedEntry messages. kMalformed: it is cut short, or has none or more than 256.
Result<std::vector<Bytes>> ParseEntriesFile(ByteView file);

struct ExportFile {
  std::string path;  // below the export's folder, '/' between its parts
  Bytes content;
};

class ExportBuilder {
 public:
  using FileReader = std::function<std::optional<Bytes>(const std::string& path)>;

  ExportBuilder() = default;  // from nothing
  // Goes on from the export whose checkpoint this is (verified by the caller). kCorrupt if its files are not there or do
  // not give the checkpoint's root.
  static Result<ExportBuilder> Continue(const log::Checkpoint& checkpoint, const FileReader& read);

  std::uint64_t size() const { return tree_.size(); }  // index of the next entry
  void Add(const LoggedEntry& entry);
  Status Add(ByteView logged_entry);  // serialised; refusals of DecodeLoggedEntry

  // Files that became full since the last call: call it often, or memory grows.
  std::vector<ExportFile> TakeReady();
  // The partial files and, last, the checkpoint. kFork: its size or root is not that of the entries, from which follows
  // too that it continues the checkpoint this export was continued from. `witnessed`: that note, empty for none (one that is
  // there stays); it goes before the checkpoint, so that whoever reads a new checkpoint does not read an old one of these.
  Result<std::vector<ExportFile>> Finish(const log::SignedCheckpoint& checkpoint, const std::string& witnessed = {});

 private:
  void Add(const Commitment& commitment, ByteView logged_entry);
  void TakeTiles();

  log::Tree tree_;
  std::uint64_t continued_from_ = 0;
  Bytes bundle_, entries_;                  // of the last 256, not yet full
  std::map<unsigned, ExportFile> partial_;  // by level: the last partial tile, if it changed
  std::vector<ExportFile> ready_;
};

}  // namespace valija::proto
