// A fixed number of threads and a bounded queue: what must not block a gRPC handler is done here.
//
// Two ways in. Submit is for new work and refuses when the queue is full. Finish is for work that was admitted before
// (completions of the sequencer): it is never refused, goes first, and is bounded by what the sequencer admits. A task
// that throws is logged and does not end its thread.
//
// Thread-safety: everything may be called from any thread; Stop not from a task.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/result.h"

namespace valija::broker {

class WorkerPool {
 public:
  using Task = std::function<void()>;

  WorkerPool(std::size_t threads, std::size_t queue_limit);
  ~WorkerPool();  // Stop
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  Status Submit(Task task);  // kPoolFull, kShuttingDown
  // A further step of a stream: behind the new work that waits, never refused; bounded by the streams that are admitted.
  void Resume(Task task);
  // After Stop the tasks run at once, on the caller's thread.
  void Finish(std::vector<Task> tasks);
  void Finish(Task task);

  // Does all that waits, then ends the threads. Stop the sequencer first.
  void Stop();
  std::size_t waiting() const;

 private:
  void Run();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> first_, queue_;
  bool stopping_ = false;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace valija::broker
