// How a stream shares the worker pool. No call is under it: what it would send or end with stays with the reactor.
#include <gtest/gtest.h>

#include <future>

#include "broker/service_stream.h"

namespace valija::broker {
namespace {

// Looks as it is told; deleted by OnDone, as gRPC would do.
class LookingStream final : public PulledStream<v1::MailItem> {
 public:
  LookingStream(WorkerPool& workers, std::function<Step(int)> look)
      : PulledStream(workers, nullptr), look_(std::move(look)) {}

 private:
  Result<Step> Next() override { return look_(++looks_); }
  std::function<Step(int)> look_;
  int looks_ = 0;
};

TEST(StreamTest, LetsOtherWorkHaveItsTurnBetweenTwoLooks) {
  WorkerPool pool(1, 10);
  std::promise<void> opened;
  ASSERT_TRUE(pool.Submit([&] { opened.get_future().wait(); }));
  int looks = 0, looks_before_other = -1;  // the pool's one thread's
  auto* stream = new LookingStream(pool, [&](int look) {
    looks = look;
    return look < 100 ? Step::kAgain : Step::kEnd;
  });
  stream->Wake();
  ASSERT_TRUE(pool.Submit([&] { looks_before_other = looks; }));
  opened.set_value();
  pool.Stop();
  EXPECT_EQ(looks_before_other, 1);
  EXPECT_EQ(looks, 100);
  stream->OnDone();
}

TEST(StreamTest, LooksNoMoreWhenItsCallIsCancelled) {
  WorkerPool pool(1, 10);
  int looks = 0;
  LookingStream* stream = nullptr;
  stream = new LookingStream(pool, [&](int look) {
    looks = look;
    if (look == 3) stream->OnCancel();
    return look < 100 ? Step::kAgain : Step::kEnd;
  });
  stream->Wake();
  pool.Stop();
  EXPECT_EQ(looks, 3);
  stream->OnDone();
}

}  // namespace
}  // namespace valija::broker
