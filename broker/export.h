// The whole log as a folder of static files (proto/export.h says which), from the journal itself.
#pragma once

#include <filesystem>
#include <span>

#include "broker/storage/storage.h"
#include "core/base/result.h"
#include "core/log/note.h"

namespace valija::broker {

// Writes the log as of `checkpoint` (published: the journal holds its entries and tiles) into `folder`, made if need be.
// An export that is there is continued: only new files are written, the checkpoint last, everything fsynced; then the
// partial files that it made superfluous go. After a purge the files from before are written anew: what was erased in the
// log goes from the export too. Returns how many entries were new. kRolledBack: what is there is more
// than the checkpoint; kFork: it is another log's, or this log's other history; kBadCheckpoint, kCorrupt: what is there
// is damaged; kUsage: the folder has the public side of a log, which strangers may read; kFile. `witnessed`: what the
// witnesses cosigned last of this log, at most the checkpoint; empty: nothing.
Result<std::uint64_t> ExportLog(const std::filesystem::path& folder, const Journal& journal,
                                const log::SignedCheckpoint& checkpoint, const log::NoteVerifier& log_key,
                                const std::string& witnessed = {});

// The public side alone, commitments and no event (broker/public_log.h), as files for any web server; the folder is brought
// up to the checkpoint, signed by one of these keys (core/io/log_folder.h has the refusals). kUsage: the folder has an export
// with events. Returns how many entries were new.
Result<std::uint64_t> ExportPublic(const std::filesystem::path& folder, const Journal& journal,
                                   const log::SignedCheckpoint& checkpoint,
                                   std::span<const log::NoteVerifier> log_keys);

}  // namespace valija::broker
