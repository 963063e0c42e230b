#include "core/base/time.h"

#include <gtest/gtest.h>

namespace valija {
namespace {

TEST(Time, IsWrittenInUtcWithAFractionOnlyWhenThereIsOne) {
  EXPECT_EQ(FormatTime(FromMillis(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(FromMillis(1795508224000)), "2026-11-24T08:17:04Z");
  EXPECT_EQ(FormatTime(FromMillis(1795508224123)), "2026-11-24T08:17:04.123Z");
  EXPECT_EQ(FormatTime(FromMillis(1795508224007)), "2026-11-24T08:17:04.007Z");
}

TEST(Time, BeforeTheEpochIsWrittenRightToo) {
  EXPECT_EQ(FormatTime(FromMillis(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatTime(FromMillis(-86400000)), "1969-12-31T00:00:00Z");
}

TEST(Time, IsReadAsItIsWritten) {
  for (std::int64_t ms : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1795508224123}, std::int64_t{951782399000},
                          std::int64_t{4102444800000}})
    EXPECT_EQ(ParseTime(FormatTime(FromMillis(ms))), FromMillis(ms)) << ms;
}

TEST(Time, ADateAloneIsItsFirstMoment) {
  EXPECT_EQ(ParseTime("2026-11-24"), ParseTime("2026-11-24T00:00:00Z"));
  EXPECT_EQ(ToMillis(*ParseTime("1970-01-02")), 86400000);
}

TEST(Time, KnowsLeapDays) {
  EXPECT_TRUE(ParseTime("2028-02-29"));
  EXPECT_TRUE(ParseTime("2000-02-29"));
  EXPECT_FALSE(ParseTime("2026-02-29"));
  EXPECT_FALSE(ParseTime("2100-02-29"));
}

TEST(Time, RefusesEveryOtherForm) {
  for (std::string_view bad : {"",
                               "2026",
                               "2026-11",
                               "2026-11-2",
                               "2026-11-24T",
                               "2026-11-24Z",
                               "2026-11-24T08:17Z",
                               "2026-11-24T08:17:04",
                               "2026-11-24t08:17:04Z",
                               "2026-11-24T08:17:04z",
                               "2026-11-24 08:17:04Z",
                               "2026-11-24T08:17:04+00:00",
                               "2026-11-24T08:17:04-05:00",
                               "2026-11-24T08:17:04.Z",
                               "2026-11-24T08:17:04.1Z",
                               "2026-11-24T08:17:04.12Z",
                               "2026-11-24T08:17:04.1234Z",
                               "2026-11-24T08:17:04,123Z",
                               "2026-11-24T08:17:04Z ",
                               " 2026-11-24",
                               "2026-00-24",
                               "2026-13-24",
                               "2026-11-00",
                               "2026-11-31",
                               "2026-11-24T24:00:00Z",
                               "2026-11-24T08:60:00Z",
                               "2026-11-24T08:17:60Z",
                               "2026-11-24T08:17:-1Z",
                               "-026-11-24",
                               "+026-11-24",
                               "20261124",
                               "2026-11-24T08:17:04.-12Z",
                               "2026-1a-24",
                               "12026-11-24"})
    EXPECT_FALSE(ParseTime(bad)) << bad;
  EXPECT_FALSE(ParseTime(std::string_view("2026-11-24\0", 11)));
}

}  // namespace
}  // namespace valija
