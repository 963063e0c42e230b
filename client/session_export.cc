// An auditor's copy of the log: a folder that valija-audit verifies offline, continued at every call.
#include <fstream>

#include "client/session.h"
#include "core/io/log_folder.h"
#include "proto/export.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;

constexpr Duration kLookupLasts = std::chrono::hours(24);
constexpr int kMostRounds = 8;  // of reading it all, each as a purge came while it was read
constexpr Duration kLookupSpare = std::chrono::hours(1);  // what is read under one takes its time

Status WriteUnder(const fs::path& folder, const proto::ExportFile& file) {
  const fs::path path = folder / file.path;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return Refuse(Reason::kFile, "cannot make " + path.parent_path().string());
  return io::WriteFileAtomic(path, file.content);
}

}  // namespace

Result<Digest> SessionCore::LookUpEntries(std::uint64_t from, std::uint64_t end, const std::string& why) {
  const auto by = By();
  // One that says so already is enough: who looks every minute would fill the log with it, and the broker's limit.
  for (const auto& said : profile_.Lookups(by.time + kLookupSpare))
    if (said.why == why && said.from <= from && (said.end == 0 || (end != 0 && end <= said.end))) return said.statement;
  const auto expires = by.time + kLookupLasts;
  TRY(auto entry, PostDirect(ledger::Kind::kLookup, proto::EncodeLookup({by, from, end, expires, why})));
  (void)profile_.KeepLookup({entry.statement->digest, from, end, expires, why}, by.time);  // lost, another is posted
  return entry.statement->digest;
}

Result<std::uint64_t> SessionCore::ExportLog(const fs::path& folder, const std::string& why, const Progress& progress) {
  if (io::IsPublicSide(folder))
    return Refuse(Reason::kUsage,
                  folder.string() + " has the public side of a log; what is in the log is not to go there");
  TRY_OK(Refresh());
  proto::ExportBuilder builder;
  std::optional<log::SignedCheckpoint> before;
  if (fs::exists(folder / "checkpoint")) {
    TRY(auto note, io::ReadText(folder / "checkpoint", 1 << 16));
    TRY(before, verifier_.VerifyOlder(note));
    if (before->size() > verifier_.verified_size())
      return Refuse(Reason::kRolledBack, "the folder holds more entries than the broker shows");
    TRY(builder,
        proto::ExportBuilder::Continue(before->checkpoint(), [&](const std::string& path) -> std::optional<Bytes> {
          auto bytes = io::ReadFile(folder / path);
          return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
        }));
  }
  // Said in the log before anything is read, so it is in the copy too.
  TRY(auto lookup, LookUpEntries(builder.size(), 0, why));
  TRY(auto view, transport_->Checkpoint(verifier_.verified_size()));
  TRY(auto checkpoint, verifier_.Advance(view));
  const auto kPurgeType = ledger::PayloadType(ledger::Kind::kPurge);
  Status failed = Ok();
  auto flush = [&] {
    for (const auto& file : builder.TakeReady())
      if (failed) failed = WriteUnder(folder, file);
    return failed.has_value();
  };
  bool purged = false;
  bool earlier = builder.size() > 0;  // some of it is as it was under an earlier checkpoint
  auto fetch = [&]() -> Status {
    for (int fruitless = 0; failed && builder.size() < checkpoint.size();) {
      const auto begun_at = builder.size();
      auto fetched = transport_->Entries(builder.size(), checkpoint.size(), lookup, [&](proto::LoggedEntry entry) {
        purged = purged || (entry.envelope && entry.envelope->payload_type == kPurgeType);
        builder.Add(entry);
        if (progress) progress(builder.size(), checkpoint.size());
        return builder.size() % 256 != 0 || flush();
      });
      if (fetched) break;
      if (!AnotherStream(fetched.error(), builder.size() > begun_at, fruitless)) return fetched.error();
      // A purge may have come in between: what it erased is shown with it, under a newer checkpoint.
      if (auto newer = transport_->Checkpoint(verifier_.verified_size())) {
        earlier = earlier || builder.size() > 0;
        TRY(checkpoint, verifier_.Advance(*newer));
      }
    }
    TRY_OK(failed);
    if (builder.size() != checkpoint.size())
      return Refuse(Reason::kBadProof, "the broker sent fewer entries than it has");
    flush();
    return failed;
  };
  TRY_OK(fetch());
  bool anew = false;
  // What was read before may hold what is erased since; the checkpoint comes last of all.
  for (int rounds = 0; earlier && purged; ++rounds) {
    if (rounds == kMostRounds) return Refuse(Reason::kUnavailable, "one purge comes after another");
    earlier = purged = false;
    if (before) TRY_OK(io::WriteFileAtomic(folder / proto::kRewrittenFile, AsBytes(proto::kBeingWritten)));
    anew = before.has_value();
    builder = proto::ExportBuilder();
    TRY(lookup, LookUpEntries(0, 0, why));
    TRY_OK(fetch());
  }
  TRY(auto rest, builder.Finish(checkpoint, verifier_.witnessed_note()));
  for (const auto& file : rest) TRY_OK(WriteUnder(folder, file));
  if (anew) TRY_OK(WriteUnder(folder, {proto::kRewrittenFile, ToBytes(AsBytes(proto::WrittenAnew(checkpoint.size())))}));
  TRY_OK(io::RemovePartials(folder, proto::PartialFiles(checkpoint.size())));  // they may hold what was erased since
  return checkpoint.size();
}

}  // namespace valija::client
