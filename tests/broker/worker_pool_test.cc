#include "broker/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

namespace valija::broker {
namespace {

// Keeps a pool's only thread busy until it is opened.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::promise<void> entered;
  WorkerPool::Task Task() {
    return [this] {
      entered.set_value();
      opened.wait();
    };
  }
};

TEST(WorkerPoolTest, DoesWhatItIsGiven) {
  std::atomic<int> done = 0;
  {
    WorkerPool pool(3, 1000);
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.Submit([&] { ++done; }));
  }
  EXPECT_EQ(done, 500);
}

TEST(WorkerPoolTest, RefusesWhenTheQueueIsFullAndTakesAgainWhenItIsNot) {
  WorkerPool pool(1, 2);
  Gate gate;
  ASSERT_TRUE(pool.Submit(gate.Task()));
  gate.entered.get_future().wait();
  std::atomic<int> done = 0;
  EXPECT_TRUE(pool.Submit([&] { ++done; }));
  EXPECT_TRUE(pool.Submit([&] { ++done; }));
  auto third = pool.Submit([&] { ++done; });
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().reason, Reason::kPoolFull);
  EXPECT_EQ(pool.waiting(), 2u);
  gate.open.set_value();
  while (pool.waiting() > 0) std::this_thread::yield();
  EXPECT_TRUE(pool.Submit([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 3);
}

TEST(WorkerPoolTest, TakesAdmittedWorkWhenFullAndDoesItFirst) {
  WorkerPool pool(1, 1);
  Gate gate;
  ASSERT_TRUE(pool.Submit(gate.Task()));
  gate.entered.get_future().wait();
  std::vector<int> order;
  ASSERT_TRUE(pool.Submit([&] { order.push_back(3); }));
  std::vector<WorkerPool::Task> two;
  two.push_back([&] { order.push_back(1); });
  two.push_back([&] { order.push_back(2); });
  pool.Finish(std::move(two));
  gate.open.set_value();
  pool.Stop();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(WorkerPoolTest, DrainsOnStopAndThenRefuses) {
  std::atomic<int> done = 0;
  WorkerPool pool(2, 100);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.Submit([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 50);
  auto late = pool.Submit([&] { ++done; });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, Reason::kShuttingDown);
  pool.Finish([&] { ++done; });  // admitted before: done at once
  EXPECT_EQ(done, 51);
  pool.Stop();
}

TEST(WorkerPoolTest, OutlivesATaskThatThrows) {
  std::atomic<int> done = 0;
  WorkerPool pool(1, 10);
  ASSERT_TRUE(pool.Submit([] { throw std::runtime_error("a bug"); }));
  ASSERT_TRUE(pool.Submit([] { throw 7; }));
  ASSERT_TRUE(pool.Submit([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace valija::broker
