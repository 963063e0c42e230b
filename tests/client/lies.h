// What the tests of a broker that lies share: a record sent in truth, and its opening refused.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/world.h"

namespace valija::client {

namespace fs = std::filesystem;
using test::FakeBroker;

class LyingBrokerTest : public ::testing::Test, public test::ClientWorld {
 protected:
  std::string Sent(const Draft& draft) { return SessionOf("us.dea/ana")->Send({draft}, {}).value().front().value().id; }
  static Reason ReasonOf(const Result<std::vector<Result<OpenedPortion>>>& answer) {
    if (!answer) return answer.error().reason;
    for (const auto& one : *answer) {
      EXPECT_FALSE(one) << "it was opened";
      if (!one) return one.error().reason;
    }
    return Reason::kInternal;
  }
  // mx.fgr/luis asks for it, into a file; the reason of the refusal. There must be no file, nor a part of one.
  Reason OpenRefused(const std::string& record, bool downloaded = false) {
    auto luis = SessionOf("mx.fgr/luis");
    const Reason reason = ReasonOf(luis->Open({Asking(record, 0, folder / "out")}, {}));
    EXPECT_FALSE(fs::exists(folder / "out"));
    EXPECT_FALSE(fs::exists(folder / "out.part"));
    EXPECT_EQ(honest.downloads > 0, downloaded);
    return reason;
  }
  std::string id = Sent(DraftOf("the report"));
  test::Lies& lies = honest.lies;
};

inline proto::Receipt& ReceiptIn(PostAnswer& answer) { return answer.outcomes.at(0)->receipt; }
inline proto::Release& ReleaseIn(PostAnswer& answer) { return answer.outcomes.at(0)->releases.at(0); }

}  // namespace valija::client
