#include "proto/fields.h"

#include <gtest/gtest.h>

namespace valija::proto {
namespace {

TEST(Fields, SayWhichFieldAndWhatIsWrongButNotWhatStandsThere) {
  auto refused = FixedOf<KeyId>("secret?", "Slip.epoch_key_id");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kMalformed);
  EXPECT_EQ(refused.error().detail, "Slip.epoch_key_id: 7 bytes where 32 are required");
  EXPECT_EQ(FixedOf<KeyId>("", "Slip.epoch_key_id").error().detail, "Slip.epoch_key_id: absent");
  EXPECT_EQ(MemberOf("us.dea/J\x1b[2J", "Member.id").error().detail, "Member.id: not a member id");
}

TEST(Fields, AbsenceHasOneForm) {
  EXPECT_TRUE(FixedOrAbsent<Digest>("", "x").value().IsZero());
  EXPECT_FALSE(FixedOrAbsent<Digest>(std::string(32, '\0'), "x"));
  EXPECT_TRUE(FixedOrAbsent<Digest>(std::string(32, '\1'), "x"));
  EXPECT_FALSE(TimeOrAbsent(0, "x").value());
}

TEST(Fields, RefuseACompressedPointAndOtherForms) {
  EXPECT_TRUE(PointOf("\x04" + std::string(64, 'x'), "x"));
  EXPECT_FALSE(PointOf("\x02" + std::string(32, 'x'), "x"));
  EXPECT_FALSE(PointOf("\x06" + std::string(64, 'x'), "x"));
  EXPECT_FALSE(PointOf(std::string(1, '\0'), "x"));
  EXPECT_FALSE(PointOf("\x04" + std::string(65, 'x'), "x"));
}

TEST(Fields, TimesLieBetween1970And9999) {
  EXPECT_EQ(ToMillis(TimeOf(1, "x").value()), 1);
  EXPECT_TRUE(TimeOf(253402300799999, "x"));
  EXPECT_FALSE(TimeOf(0, "x"));
  EXPECT_FALSE(TimeOf(-1, "x"));
  EXPECT_FALSE(TimeOf(253402300800000, "x"));
  EXPECT_FALSE(TimeOrAbsent(-1, "x"));
}

TEST(Fields, TextsShowAsTheyAre) {
  EXPECT_TRUE(IsPrintable("Caso 17/2026: señal, 報告 🙂", 200));
  EXPECT_TRUE(IsPrintable("", 0));
  for (const auto* bad : {"a\nb", "a\tb", "\x1b[2J", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\x8f",
                          "\xe2\x80\xa8", "\xef\xbb\xbf", "\xef\xbf\xbf", "\xd8\x9c"}) {
    EXPECT_FALSE(IsPrintable(bad, 200)) << bad;
  }
  EXPECT_FALSE(IsPrintable(std::string_view("\0", 1), 200));
}

TEST(Fields, TextsAreCountedInCharacters) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "報";
  EXPECT_TRUE(TextOf(text, "x", 1));
  EXPECT_FALSE(TextOf(text + "a", "x", 1));
  EXPECT_FALSE(TextOf("", "x", 1));
  EXPECT_TRUE(TextOf("", "x", 0));
}

TEST(Fields, ListsOfLabelsAreInTheirOrderAndWithoutDoubles) {
  Strings list;
  *list.Add() = "b";
  *list.Add() = "a";
  EXPECT_TRUE(LabelsOf(list, "x"));
  EXPECT_FALSE(AscendingLabelsOf(list, "x"));
  *list.Mutable(0) = "a";
  EXPECT_FALSE(LabelsOf(list, "x"));
  EXPECT_FALSE(AscendingLabelsOf(list, "x"));
  *list.Mutable(1) = "b";
  EXPECT_TRUE(AscendingLabelsOf(list, "x"));
  *list.Mutable(1) = "B";
  EXPECT_FALSE(LabelsOf(list, "x"));
  EXPECT_FALSE(AscendingLabelsOf(list, "x"));
}

}  // namespace
}  // namespace valija::proto
