#include "broker/public_note.h"

#include <utility>

#include "broker/oplog.h"
#include "core/log/quorum.h"

namespace valija::broker {

Result<Cosigned> ReadCosigned(const std::string& text, const log::WitnessPolicy& policy) {
  const auto note = log::Note::Parse(text);
  if (!note) return Refuse(Reason::kBadCheckpoint, note.error().detail);
  TRY(const auto who, policy.WhoCosigned(*note));
  const auto since = log::QuorumSince(policy, who);
  if (!since) {
    log::WitnessPolicy::Names names;
    for (const auto& [name, time] : who) names.insert(name);
    return Refuse(Reason::kBadProof, "too few cosigned; missing " + log::WitnessPolicy::Say(policy.MissingFrom(names)));
  }
  TRY(auto checkpoint, log::Checkpoint::ParseBody(note->text));
  return Cosigned{text, std::move(checkpoint), *since};
}

PublicNote::PublicNote(Journal& journal, Source source, std::chrono::milliseconds apart)
    : journal_(journal), source_(std::move(source)), apart_(apart), kept_(journal.KeptNote()) {
  Keep();
  thread_ = std::thread([this] { Run(); });
}
PublicNote::~PublicNote() { Stop(); }

Result<std::string> PublicNote::Show() const {
  if (!source_.witnessed()) return source_.newest();
  const std::lock_guard lock(mutex_);
  if (shown_.empty()) return Refuse(Reason::kNoQuorum, "nothing is cosigned yet");
  return shown_;
}

void PublicNote::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void PublicNote::Run() {
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    last = wake_.wait_for(lock, apart_, [this] { return stopping_; });
    lock.unlock();
    Keep();
    lock.lock();
  }
}

// Nothing to show without witnesses, and nothing that was cosigned before them to come back to: the log went on meanwhile.
void PublicNote::Keep() {
  std::string next;
  if (source_.witnessed()) {
    const auto latest = source_.latest();
    if (latest == nullptr) return;  // those of an amendment have cosigned nothing yet: what is shown stays
    next = latest->note;
  }
  if (next != kept_) {
    if (auto kept = journal_.KeepNote(next); !kept) {
      if (!std::exchange(said_, true)) Log(Level::kAlarm, "note-not-kept", {{"why", kept.error().Message()}});
      return;
    }
    kept_ = next;
  }
  const std::lock_guard lock(mutex_);
  shown_ = std::move(next);
}

}  // namespace valija::broker
