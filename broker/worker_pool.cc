#include "broker/worker_pool.h"

#include <exception>
#include <stdexcept>

#include "broker/oplog.h"

namespace valija::broker {
namespace {

void RunTask(const WorkerPool::Task& task) {
  try {
    task();
  } catch (const std::exception& breakage) {
    Log(Level::kAlarm, "worker-task-threw", {{"what", breakage.what()}});
  } catch (...) {
    Log(Level::kAlarm, "worker-task-threw");
  }
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
  if (threads == 0) throw std::invalid_argument("a worker pool has at least one thread");
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkerPool::~WorkerPool() { Stop(); }

Status WorkerPool::Submit(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Refuse(Reason::kShuttingDown);
    if (queue_.size() >= queue_limit_) return Refuse(Reason::kPoolFull);
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
  return Ok();
}

void WorkerPool::Finish(std::vector<Task> tasks) {
  {
    std::lock_guard lock(mutex_);
    if (!stopped_) {
      for (auto& task : tasks) first_.push_back(std::move(task));
      tasks.clear();
    }
  }
  wake_.notify_all();
  for (const auto& task : tasks) RunTask(task);
}

void WorkerPool::Finish(Task task) {
  std::vector<Task> one;
  one.push_back(std::move(task));
  Finish(std::move(one));
}

void WorkerPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  // What a last task or another thread handed in while the threads were ending.
  std::deque<Task> left;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(first_);
  }
  for (const auto& task : left) RunTask(task);
}

void WorkerPool::Resume(Task task) {
  {
    std::lock_guard lock(mutex_);
    if (!stopped_) {
      queue_.push_back(std::move(task));
      wake_.notify_one();
      return;
    }
  }
  RunTask(task);
}

std::size_t WorkerPool::waiting() const {
  std::lock_guard lock(mutex_);
  return first_.size() + queue_.size();
}

void WorkerPool::Run() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !first_.empty() || !queue_.empty(); });
      auto& from = first_.empty() ? queue_ : first_;
      if (from.empty()) return;  // stopping, and nothing waits
      task = std::move(from.front());
      from.pop_front();
    }
    RunTask(task);
  }
}

}  // namespace valija::broker
