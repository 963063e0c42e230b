// A server-streaming call whose messages are made on the worker pool, one at a time: a write goes out only when the one
// before it has left, so a client that does not read costs one message and one stream, whatever there is to send.
//
// A message that the peer has not taken yet counts with its call (calls.h).
//
// Next() runs on the pool and says what to do: a message is ready in message(), nothing now (Wake() looks again), nothing
// yet (it looks again when the pool's other work has had its turn), or the call ends. Reactors own themselves and go with OnDone.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "broker/oplog.h"
#include "broker/service.h"
#include "broker/status.h"

namespace valija::broker {

enum class Step { kSend, kWait, kAgain, kEnd };

template <class Message>
class PulledStream : public grpc::ServerWriteReactor<Message> {
 public:
  PulledStream(WorkerPool& workers, grpc::CallbackServerContext* context) : workers_(workers), context_(context) {}

  // Looks for something to send, unless it is doing so already.
  void Wake() {
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
      if (busy_) {
        again_ = true;
        return;
      }
      busy_ = true;
      ++tasks_;
    }
    Go();
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      if (call_) call_->Sends(0);
      if (!ok || cancelled_) {
        busy_ = false;
        FinishLocked(grpc::Status(grpc::StatusCode::CANCELLED, ""));
        return;
      }
      ++tasks_;
    }
    Go();
  }

  void OnCancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (!busy_) FinishLocked(grpc::Status(grpc::StatusCode::CANCELLED, ""));
  }

  void OnDone() override {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
      call_.reset();           // before its context
      if (tasks_ > 0) return;  // the task that runs deletes
    }
    delete this;
  }

 protected:
  virtual Result<Step> Next() = 0;
  Message& message() { return message_; }
  grpc::CallbackServerContext* context() { return context_; }
  // Once, before anything is sent.
  void Counts(std::unique_ptr<Calls::Call> call) { call_ = std::move(call); }
  // For a call that is refused before it begins.
  void RefuseNow(const Error& error) {
    std::lock_guard lock(mutex_);
    FinishLocked(ToStatus(context_, error));
  }

 private:
  void Go() {
    workers_.Resume([this] { Run(); });
  }

  void Run() {
    bool gone = false, go_on = false;
    for (bool more = true; more;) {
      more = false;
      Result<Step> step = Refuse(Reason::kInternal);
      bool stop = false;
      {
        std::lock_guard lock(mutex_);
        stop = cancelled_ || finished_;
        again_ = false;
      }
      try {
        if (!stop) step = Next();
      } catch (const std::exception& error) {
        Log(Level::kAlarm, "exception", {{"call", "stream"}, {"what", error.what()}});
      }
      std::lock_guard lock(mutex_);
      if (cancelled_ || finished_) {
        busy_ = false;
        FinishLocked(grpc::Status(grpc::StatusCode::CANCELLED, ""));
      } else if (!step) {
        busy_ = false;
        FinishLocked(ToStatus(context_, step.error()));
      } else if (*step == Step::kEnd) {
        busy_ = false;
        FinishLocked(grpc::Status::OK);
      } else if (*step == Step::kSend) {
        call_->Sends(MemoryOfAnswer(message_));
        this->StartWrite(&message_);  // busy until OnWriteDone
      } else if (*step == Step::kAgain) {
        ++tasks_;
        go_on = true;
      } else if (again_) {
        more = true;
      } else {
        busy_ = false;
      }
    }
    if (go_on) Go();
    {
      std::lock_guard lock(mutex_);
      --tasks_;
      gone = done_ && tasks_ == 0;
    }
    if (gone) delete this;
  }

  void FinishLocked(const grpc::Status& status) {
    if (finished_) return;
    finished_ = true;
    if (call_) call_->Answered(0);  // before the peer hears of it, and may ask on
    this->Finish(status);
  }

  WorkerPool& workers_;
  grpc::CallbackServerContext* context_;
  std::unique_ptr<Calls::Call> call_;
  std::mutex mutex_;
  bool busy_ = false, again_ = false, cancelled_ = false, finished_ = false, done_ = false;
  int tasks_ = 0;  // of this object on the pool
  Message message_;
};

}  // namespace valija::broker
