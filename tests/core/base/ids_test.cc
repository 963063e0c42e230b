#include "core/base/ids.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace valija {
namespace {

// Characters that no id may have, wherever they stand.
constexpr std::string_view kForeign[] = {" ", "\n", "\t",   "A",    "Z",        ":",        "\\", "\"", "'",
                                         "%", "+",  "\x7f", "\x1b", "\xc3\xa9", "\xd0\xb0", "@",  "~",  "*"};

TEST(AgencyId, IsACountryADotAndAName) {
  for (std::string_view good :
       {"us.dea", "us.a", "ec.policia-nacional", "co.9", "us.-", "us.abcdefghijklmnopqrstuvwxyz012345"}) {
    auto id = AgencyId::Parse(good);
    ASSERT_TRUE(id) << good;
    EXPECT_EQ(id->str(), good);
    EXPECT_EQ(id->country(), good.substr(0, 2));
  }
}

TEST(AgencyId, RefusesEverythingElse) {
  for (std::string_view bad :
       {"", "us", "us.", "u.dea", "usa.dea", "us-dea", "US.dea", "us.DEA", "us.dea.x", "us.dea/x", "us.d_a", ".us.dea",
        "us..dea", "1s.dea", "us.abcdefghijklmnopqrstuvwxyz0123456"})
    EXPECT_FALSE(AgencyId::Parse(bad)) << bad;
  for (auto foreign : kForeign) {
    EXPECT_FALSE(AgencyId::Parse("us.d" + std::string(foreign))) << foreign;
    EXPECT_FALSE(AgencyId::Parse(std::string(foreign) + "us.dea")) << foreign;
  }
  EXPECT_FALSE(AgencyId::Parse(std::string_view("us.d\0a", 6)));
  for (std::size_t size = 0; size < 4; ++size)  // what follows a view is not read
    EXPECT_FALSE(AgencyId::Parse(std::string_view("us.dea", size))) << size;
}

TEST(MemberId, IsAnAgencyASlashAndAName) {
  auto id = MemberId::Parse("us.dea/j.rivera_2-x");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->str(), "us.dea/j.rivera_2-x");
  EXPECT_EQ(id->agency(), *AgencyId::Parse("us.dea"));
  EXPECT_EQ(id->country(), "us");
  EXPECT_EQ(id->name(), "j.rivera_2-x");
  EXPECT_TRUE(MemberId::Parse("us.dea/" + std::string(64, 'a')));
}

TEST(MemberId, RefusesEverythingElse) {
  for (std::string_view bad : {"", "/", "us.dea", "us.dea/", "/jrivera", "us.dea//x", "us.dea/x/y", "dea/jrivera",
                               "us.dea/J", "us.DEA/jrivera", "us.dea/a b"})
    EXPECT_FALSE(MemberId::Parse(bad)) << bad;
  EXPECT_FALSE(MemberId::Parse("us.dea/" + std::string(65, 'a')));
  for (auto foreign : kForeign) EXPECT_FALSE(MemberId::Parse("us.dea/x" + std::string(foreign))) << foreign;
  EXPECT_FALSE(MemberId::Parse(std::string_view("us.dea/x\0", 9)));
}

TEST(AuthorityId, IsAShortName) {
  EXPECT_TRUE(AuthorityId::Parse("broker-1"));
  EXPECT_TRUE(AuthorityId::Parse("b.example"));
  EXPECT_TRUE(AuthorityId::Parse(std::string(64, 'b')));
  EXPECT_FALSE(AuthorityId::Parse(std::string(65, 'b')));
  for (std::string_view bad : {"", "Broker", "b_1", "b/1"}) EXPECT_FALSE(AuthorityId::Parse(bad)) << bad;
  for (auto foreign : kForeign) EXPECT_FALSE(AuthorityId::Parse("b" + std::string(foreign))) << foreign;
}

TEST(Ids, CompareAndHashByTheirText) {
  auto a = *MemberId::Parse("us.dea/a"), b = *MemberId::Parse("us.dea/b");
  EXPECT_LT(a, b);
  EXPECT_EQ(a, *MemberId::Parse("us.dea/a"));
  EXPECT_EQ((std::unordered_set<MemberId>{a, b, a}).size(), 2u);
}

TEST(Label, IsLowerCaseShortAndNotEmpty) {
  for (std::string_view good : {"secret", "analyst.2", "case_work", "a-b", "7"}) EXPECT_TRUE(IsLabel(good)) << good;
  EXPECT_TRUE(IsLabel(std::string(64, 'x')));
  EXPECT_FALSE(IsLabel(std::string(65, 'x')));
  EXPECT_FALSE(IsLabel(""));
  EXPECT_FALSE(IsLabel("a/b"));
  for (auto foreign : kForeign) EXPECT_FALSE(IsLabel("a" + std::string(foreign))) << foreign;
}

TEST(Country, IsTwoLowerCaseLetters) {
  EXPECT_TRUE(IsCountry("ec"));
  for (std::string_view bad : {"", "e", "ecu", "EC", "e1", "e "}) EXPECT_FALSE(IsCountry(bad)) << bad;
}

TEST(Origin, IsPrintableAsciiWithoutSpaceOrPlus) {
  EXPECT_TRUE(IsOrigin("valija.example/log/2026"));
  EXPECT_TRUE(IsOrigin(std::string(255, 'o')));
  EXPECT_FALSE(IsOrigin(std::string(256, 'o')));
  for (std::string_view bad : {"", "a b", "a+b", "a\n", "\x7f", "\xc3\xa9"}) EXPECT_FALSE(IsOrigin(bad)) << bad;
}

}  // namespace
}  // namespace valija
