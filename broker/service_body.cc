// Upload and Download: sealed bodies in slices of 1 MiB, one in memory per call.
#include <algorithm>

#include "broker/service_stream.h"
#include "broker/visibility.h"
#include "core/record/body.h"
#include "proto/wire.h"

namespace valija::broker {
namespace {

constexpr std::size_t kHashesPerPiece = 32768;

class UploadCall final : public grpc::ServerBidiReactor<v1::UploadChunk, v1::UploadProgress> {
 public:
  UploadCall(Exchange& exchange, grpc::CallbackServerContext* context) : exchange_(exchange), context_(context) {
    auto admitted = Admit(exchange, context, CallKind::kStream, "Upload");
    if (!admitted) {
      std::lock_guard lock(mutex_);
      FinishLocked(ToStatus(context_, admitted.error()));
      return;
    }
    caller_ = std::move(admitted->first);
    call_ = std::move(admitted->second);
    StartRead(&chunk_);
  }

  void OnReadDone(bool ok) override {
    if (ok) return Go();
    std::lock_guard lock(mutex_);  // half-closed or broken: what is here stays, the next upload goes on from it
    FinishLocked(ToStatus(context_, Refuse(Reason::kUnavailable, "incomplete")));
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    if (!ok || cancelled_) return FinishLocked(grpc::Status(grpc::StatusCode::CANCELLED, ""));
    if (complete_) return FinishLocked(grpc::Status::OK);
    StartRead(&chunk_);
  }
  void OnCancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;  // the read, write or task that is under way ends the call
  }
  void OnDone() override {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
      call_.reset();  // before its context
      if (tasks_ > 0) return;
    }
    delete this;
  }

 private:
  void Go() {
    {
      std::lock_guard lock(mutex_);
      ++tasks_;
    }
    exchange_.workers.Resume([this] { Run(); });
  }

  void Run() {
    Status taken = Refuse(Reason::kInternal);
    try {
      taken = Take();
    } catch (const std::exception& error) {
      Log(Level::kAlarm, "exception", {{"call", "Upload"}, {"what", error.what()}});
    }
    bool gone = false;
    {
      std::lock_guard lock(mutex_);
      if (cancelled_)
        FinishLocked(grpc::Status(grpc::StatusCode::CANCELLED, ""));
      else if (!taken)
        FinishLocked(ToStatus(context_, taken.error()));
      else if (answer_)
        StartWrite(&progress_);
      else
        StartRead(&chunk_);
      answer_ = false;
      --tasks_;
      gone = done_ && tasks_ == 0;
    }
    if (gone) delete this;
  }

  // Asked again at each slice: a member that was removed stops here, whatever became of its connection.
  Status CheckActive() const {
    const bool active =
        exchange_.sequencer.Read([&](const ledger::State& state) { return state.active_member(*caller_) != nullptr; });
    return active ? Ok() : Status(Refuse(Reason::kNotEnrolled));
  }

  Status Take() {
    TRY_OK(proto::RefuseUnknown(chunk_));
    TRY_OK(CheckActive());
    TRY_OK(exchange_.space.CheckBodies());
    switch (chunk_.part_case()) {
      case v1::UploadChunk::kStart:
        return TakeStart();
      case v1::UploadChunk::kSlice:
        return TakeSlice();
      case v1::UploadChunk::PART_NOT_SET:
        break;
    }
    return Refuse(Reason::kMalformed, "neither start nor slice");
  }

  Status TakeStart() {
    if (begun_) return Refuse(Reason::kMalformed, "a second start");
    TRY(auto start, proto::FromMessage(chunk_.start()));
    const auto limit =
        exchange_.sequencer.Read([](const ledger::State& state) { return state.charter()->caps.max_body_bytes; });
    if (start.length > limit) return Refuse(Reason::kTooLarge, "the body");
    if (!hashes_.empty() && (start.root != root_ || start.length != length_))
      return Refuse(Reason::kMalformed, "the pieces name two bodies");
    root_ = start.root;
    length_ = start.length;
    hashes_.insert(hashes_.end(), start.slice_hashes.begin(), start.slice_hashes.end());
    if (hashes_.size() > record::SliceList::Count(length_)) return Refuse(Reason::kBadBody, "too many hashes");
    if (start.more) return Ok();
    auto info = exchange_.content.Begin(root_, length_, hashes_, *caller_, exchange_.now());
    if (!info) {
      Log(Level::kWarning, "refused-body",
          {{"member", caller_->str()},
           {"reason", std::string(CodeOf(info.error().reason))},
           {"detail", info.error().detail}});
      return info.error();
    }
    begun_ = true;
    next_ = info->slices_present;
    count_ = hashes_.size();
    hashes_ = {};
    return Say(info->complete());
  }

  Status TakeSlice() {
    if (!begun_ || complete_) return Refuse(Reason::kMalformed, "a slice that was not asked for");
    TRY_OK(exchange_.content.Put({caller_->agency(), root_}, next_, AsBytes(chunk_.slice())));
    ++next_;
    return next_ == count_ ? Say(true) : Ok();
  }

  Status Say(bool complete) {
    complete_ = complete;
    answer_ = true;
    progress_.set_next_slice(next_);
    progress_.set_complete(complete);
    return Ok();
  }

  void FinishLocked(const grpc::Status& status) {
    if (finished_) return;
    finished_ = true;
    if (call_) call_->Answered(0);  // before the peer hears of it, and may ask on
    Finish(status);
  }

  Exchange& exchange_;
  grpc::CallbackServerContext* context_;
  std::optional<MemberId> caller_;
  std::unique_ptr<Calls::Call> call_;
  v1::UploadChunk chunk_;
  v1::UploadProgress progress_;
  Hash root_;
  std::uint64_t length_ = 0, next_ = 0, count_ = 0;
  std::vector<Hash> hashes_;
  bool begun_ = false, complete_ = false, answer_ = false;
  std::mutex mutex_;
  bool cancelled_ = false, finished_ = false, done_ = false;
  int tasks_ = 0;
};

class DownloadCall final : public PulledStream<v1::DownloadChunk> {
 public:
  DownloadCall(Exchange& exchange, grpc::CallbackServerContext* context, const v1::DownloadRequest& request)
      : PulledStream(exchange.workers, context), exchange_(exchange), next_(request.from_slice()) {
    if (auto begun = Begin(request); !begun)
      RefuseNow(begun.error());
    else
      Wake();
  }

 private:
  Status Begin(const v1::DownloadRequest& request) {
    TRY(auto admitted, Admit(exchange_, context(), CallKind::kStream, "Download"));
    caller_ = std::move(admitted.first);
    Counts(std::move(admitted.second));
    TRY_OK(proto::RefuseUnknown(request));
    auto digest = Digest::From(AsBytes(request.record()));
    if (!digest) return Refuse(Reason::kMalformed, "record");
    record_ = *digest;
    portion_ = request.portion();
    return Ok();
  }

  struct Place {
    std::uint64_t index;
    BodyName body;
    bool purged;
  };
  // Of a grant: the original's body, for whoever the grant lets have it.
  std::optional<Place> Allowed() const {
    return exchange_.sequencer.Read([&](const ledger::State& state) -> std::optional<Place> {
      const auto* record = state.record(record_);
      if (state.active_member(*caller_) == nullptr || record == nullptr || !state.visible_to(*record, *caller_) ||
          !MayFetchBody(*record, portion_, *caller_))
        return std::nullopt;
      const auto& original = state.original(*record);
      const Hash& root = original.body_roots.at(portion_);
      return Place{record->index, {original.originator.agency(), root}, state.body_purged(root)};
    });
  }

  Result<Step> Next() override {
    const auto place = Allowed();
    if (!place || place->index >= exchange_.sequencer.checkpoint()->size()) return Refuse(Reason::kNotFound);
    if (place->purged) return Refuse(Reason::kPurged);
    if (!body_) {
      body_ = exchange_.content.Find(place->body);
      if (!body_ || !body_->complete()) return Refuse(Reason::kCorrupt, "the body of a record is not here");
      if (next_ > body_->slice_hashes.size()) return Refuse(Reason::kMalformed, "no such slice");
    }
    message().Clear();
    if (hashes_sent_ < body_->slice_hashes.size()) {
      const auto end = std::min(hashes_sent_ + kHashesPerPiece, body_->slice_hashes.size());
      proto::BodyStart start{body_->name.root, body_->length, {}, end < body_->slice_hashes.size()};
      start.slice_hashes.assign(body_->slice_hashes.begin() + static_cast<std::ptrdiff_t>(hashes_sent_),
                                body_->slice_hashes.begin() + static_cast<std::ptrdiff_t>(end));
      hashes_sent_ = end;
      proto::ToMessage(start, message().mutable_start());
      return Step::kSend;
    }
    if (next_ == body_->slice_hashes.size()) return Step::kEnd;
    TRY(auto slice, exchange_.content.Get(body_->name, next_));
    ++next_;
    message().set_slice(slice.data(), slice.size());
    return Step::kSend;
  }

  Exchange& exchange_;
  Digest record_;
  std::uint32_t portion_ = 0;
  std::uint64_t next_;
  std::optional<MemberId> caller_;
  std::optional<BodyInfo> body_;
  std::size_t hashes_sent_ = 0;
};

}  // namespace

grpc::ServerBidiReactor<v1::UploadChunk, v1::UploadProgress>* ExchangeService::Upload(
    grpc::CallbackServerContext* context) {
  return new UploadCall(exchange_, context);
}

grpc::ServerWriteReactor<v1::DownloadChunk>* ExchangeService::Download(grpc::CallbackServerContext* context,
                                                                       const v1::DownloadRequest* request) {
  return new DownloadCall(exchange_, context, *request);
}

}  // namespace valija::broker
