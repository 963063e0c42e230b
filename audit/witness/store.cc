#include "audit/witness/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "core/crypto/hash.h"

namespace valija::witness {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVkey = "witness.vkey";
constexpr std::size_t kMaxFile = 64 * 1024, kBlock = 4096;

Error Corrupt(const fs::path& path, const std::string& what) {
  return Refuse(Reason::kCorrupt, path.string() + ": " + what);
}

Result<log::Cosigner> ReadVkey(const fs::path& folder) {
  const auto path = folder / kVkey;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return Refuse(Reason::kNotReady, "no witness's state in " + folder.string() +
                                         "; if there was one, do not make it anew with the same key (docs/witness.md)");
  }
  TRY(auto text, io::ReadText(path, kMaxFile));
  if (!text.ends_with('\n')) return Corrupt(path, "no verifier key");
  text.pop_back();
  auto witness = log::Cosigner::Parse(text);
  if (!witness) return Corrupt(path, witness.error().detail);
  return *std::move(witness);
}

// A fixed length, so that it is written over in place.
std::string MarkText(const std::string& hash, std::uint64_t size) {
  auto digits = std::to_string(size);
  digits.insert(0, 19 - digits.size(), '0');
  return digits + " " + crypto::Sha256(AsBytes(hash + " " + digits)).Hex().substr(0, 16) + "\n";
}

// Calls f(path, name) for every file in the folder.
template <class F>
Status ForEachFile(const fs::path& folder, F f) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    TRY_OK(f(at->path(), at->path().filename().string()));
  }
  if (error) return Refuse(Reason::kFile, folder.string() + ": " + error.message());
  return Ok();
}

// What a process that was killed while it wrote left beside.
Status RemoveTemporaries(const fs::path& folder) {
  return ForEachFile(folder, [](const fs::path& path, const std::string& name) -> Status {
    std::error_code ignored;
    if (name.starts_with(".") && name.ends_with(".tmp")) fs::remove(path, ignored);
    return Ok();
  });
}

// The note, filled up with empty lines to whole blocks, so that the next one has the same length.
std::string Padded(std::string note) {
  note.resize((note.size() + kBlock - 1) / kBlock * kBlock, '\n');
  return note;
}

Result<Record> ParseRecord(std::string text, const std::string& hash, const log::Cosigner& witness) {
  text.resize(text.find_last_not_of('\n') + 1);
  text += '\n';
  TRY(auto note, log::Note::Parse(text));
  TRY(auto checkpoint, log::Checkpoint::ParseBody(note.text));
  if (OriginHash(checkpoint.origin) != hash) return Refuse(Reason::kCorrupt, "the checkpoint of another log");
  TRY(auto own, log::VerifyCosignatures(note, {&witness, 1}));
  if (own.empty()) return Refuse(Reason::kCorrupt, "not what this witness cosigned");
  return Record{std::move(checkpoint), std::move(text)};
}

// Over a file of this very length, synced; false, and nothing done, if there is none.
Result<bool> WriteOver(const fs::path& path, ByteView content) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  struct stat info {};
  const bool fits =
      ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == static_cast<off_t>(content.size());
  const bool done = fits && ::pwrite(fd, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()) &&
                    ::fdatasync(fd) == 0;
  ::close(fd);
  if (fits && !done) return Refuse(Reason::kFile, path.string() + " cannot be written");
  return done;
}

}  // namespace

Status Store::Create(const fs::path& state, const fs::path& marks, const log::Cosigner& witness) {
  const auto vkey = witness.Text() + "\n";
  for (const auto& folder : {state, marks}) {
    TRY_OK(io::MakePrivateDirectory(folder));
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (at->path() != marks) return Refuse(Reason::kExists, folder.string() + " is not empty");
    }
    if (error) return Refuse(Reason::kFile, folder.string() + ": " + error.message());
  }
  TRY_OK(io::WriteNewFile(marks / kVkey, AsBytes(vkey), 0600));
  return io::WriteNewFile(state / kVkey, AsBytes(vkey), 0600);
}

Result<log::Cosigner> Store::WitnessOf(const fs::path& state) { return ReadVkey(state); }

Store::Store(fs::path state, fs::path marks, log::Cosigner witness, io::FileLock of_state, io::FileLock of_marks)
    : state_(std::move(state)),
      marks_(std::move(marks)),
      witness_(std::move(witness)),
      of_state_(std::move(of_state)),
      of_marks_(std::move(of_marks)) {}

Result<std::unique_ptr<Store>> Store::Open(const fs::path& state, const fs::path& marks) {
  TRY(auto witness, ReadVkey(state));
  TRY(auto whose_marks, ReadVkey(marks));
  if (whose_marks.Text() != witness.Text()) return Corrupt(marks, "the marks of another witness");
  TRY(auto of_state, io::FileLock::Take(state / "lock"));
  TRY(auto of_marks, io::FileLock::Take(marks / "lock"));  // a copy of the folder beside would share these
  TRY_OK(RemoveTemporaries(state));
  TRY_OK(RemoveTemporaries(marks));
  std::unique_ptr<Store> store(new Store(state, marks, std::move(witness), std::move(of_state), std::move(of_marks)));
  TRY_OK(store->Load());
  TRY_OK(store->CheckMarks());
  // A record is ahead of its mark if the process ended between the two.
  for (const auto& [hash, slot] : store->slots_) {
    TRY_OK(io::WriteFileAtomic(marks / hash, AsBytes(MarkText(hash, slot->record->checkpoint.size)), 0600));
  }
  return store;
}

Status Store::Load() {
  std::map<std::string, Error> bad;  // by log, where one of its two files is none
  TRY_OK(ForEachFile(state_, [&](const fs::path& path, const std::string& name) -> Status {
    const auto hash = name.substr(0, name.find('.'));
    if (!IsOriginHash(hash) || (name != hash + ".0" && name != hash + ".1")) return Ok();
    auto& slot = slots_[hash];
    if (!slot) slot = std::make_unique<Slot>();
    TRY(auto text, io::ReadText(path, kMaxFile));
    auto record = ParseRecord(std::move(text), hash, witness_);
    if (!record) {
      bad.emplace(hash, Corrupt(path, record.error().Message()));
    } else if (!slot->record || slot->record->checkpoint.size < record->checkpoint.size) {
      slot->record = *std::move(record);
      slot->next = name.back() == '0' ? 1 : 0;
    }
    return Ok();
  }));
  // One that is none is a write that a power cut halved; were it more, the mark would say so.
  for (const auto& [hash, slot] : slots_) {
    if (!slot->record) return bad.at(hash);
  }
  return Ok();
}

Status Store::CheckMarks() const {
  return ForEachFile(marks_, [this](const fs::path& path, const std::string& hash) -> Status {
    if (!IsOriginHash(hash)) return Ok();
    TRY(const auto text, io::ReadText(path, kMaxFile));
    std::uint64_t size = 0;
    for (char digit : text.substr(0, 19)) size = size * 10 + static_cast<std::uint64_t>(digit - '0');
    if (size > log::kMaxCosignatureTime || text != MarkText(hash, size)) return Corrupt(path, "no mark");
    const auto* slot = Find(hash);
    if (slot == nullptr) {
      return Refuse(Reason::kRolledBack, (state_ / hash).string() + " is missing; " + path.string() +
                                             " says that size " + std::to_string(size) + " was cosigned");
    }
    const auto recorded = slot->record->checkpoint.size;
    if (recorded >= size) return Ok();
    return Refuse(Reason::kRolledBack, (state_ / hash).string() + " has size " + std::to_string(recorded) + "; " +
                                           path.string() + " says that size " + std::to_string(size) + " was cosigned");
  });
}

Status Store::WriteRecord(const std::string& hash, int which, const std::string& note) const {
  const auto path = state_ / (hash + "." + std::to_string(which));
  const auto text = Padded(note);
  TRY(const bool written, WriteOver(path, AsBytes(text)));
  return written ? Ok() : io::WriteFileAtomic(path, AsBytes(text), 0600);
}

Status Store::WriteMark(const std::string& hash, std::uint64_t size) const {
  const auto text = MarkText(hash, size);
  // In place and in one write, which a kill does not halve.
  std::fstream file(marks_ / hash, std::ios::binary | std::ios::in | std::ios::out);
  if (file.is_open()) {
    file.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
    if (file.good()) return Ok();
  }
  return io::WriteFileAtomic(marks_ / hash, AsBytes(text), 0600);
}

Store::Slot* Store::Find(std::string_view hash) const {
  const std::scoped_lock hold(mutex_);
  auto at = slots_.find(hash);
  return at == slots_.end() ? nullptr : at->second.get();
}

std::size_t Store::size() const {
  const std::scoped_lock hold(mutex_);
  return slots_.size();
}

std::optional<Record> Store::Get(std::string_view origin_hash) const {
  auto* slot = Find(origin_hash);
  if (slot == nullptr) return std::nullopt;
  const std::scoped_lock hold(slot->mutex);
  return slot->record;
}

Result<bool> Store::Replace(const std::optional<Record>& seen, const Record& next) {
  const auto hash = OriginHash(next.checkpoint.origin);
  Slot* slot = nullptr;
  {
    const std::scoped_lock hold(mutex_);
    auto& place = slots_[hash];
    if (!place) place = std::make_unique<Slot>();
    slot = place.get();
  }
  const std::scoped_lock hold(slot->mutex);
  auto& record = slot->record;
  if (record.has_value() != seen.has_value() || (record && record->checkpoint != seen->checkpoint)) return false;
  if (!record || record->checkpoint != next.checkpoint) {
    if (record && (next.checkpoint.size <= record->checkpoint.size)) throw std::logic_error("a record went back");
    TRY_OK(WriteRecord(hash, slot->next, next.note));
    slot->next = 1 - slot->next;
    record = next;  // it is on disk, whatever becomes of the mark
    slot->mark_owed = true;
  }
  if (slot->mark_owed) {  // also of the same checkpoint, asked again
    TRY_OK(WriteMark(hash, next.checkpoint.size));
    slot->mark_owed = false;
  }
  record = next;
  return true;
}

Status Store::KeepFork(const Record& record, std::string_view request) {
  const auto path = state_ / (OriginHash(record.checkpoint.origin) + ".fork");
  auto kept = io::WriteNewFile(path, AsBytes(record.note + "\n" + std::string(request)), 0600);
  return kept || kept.error().reason == Reason::kExists ? Ok() : kept;
}

}  // namespace valija::witness
