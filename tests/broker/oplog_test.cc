// The operations log: whatever a peer spells, one event is one line, and no line but ours. Abuse tests 49 and 50 of
// docs/hardening.md.
#include "broker/oplog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/broker/support/temp_folder.h"

namespace valija::broker {
namespace {

const std::string kForged =
    "x\"}\n{\"time\":\"2026-01-01T00:00:00.000Z\",\"level\":\"info\",\"event\":\"serving\"}\r\n\x1b["
    "2J\xe2\x80\xae\x7f" +
    std::string(1, '\0') + "\\";

class OpLog : public testing::Test {
 protected:
  test::TempFolder folder_;
  // The lines that these fields make.
  std::vector<std::string> Lines(bool json, std::string_view event, std::initializer_list<Field> fields) {
    const auto path = (folder_ / (json ? "json" : "human")).string();
    EXPECT_TRUE(OpenLog({.json = json, .file = path}));
    Log(Level::kInfo, event, fields);
    FlushLog();
    EXPECT_TRUE(OpenLog({}));
    std::ifstream in(path, std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(in)), {});
    for (const unsigned char c : all) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int{c};
    std::vector<std::string> out;
    for (std::size_t at = 0; at < all.size();) {
      const auto end = std::min(all.find('\n', at), all.size());
      out.push_back(all.substr(at, end - at));
      at = end + 1;
    }
    return out;
  }
};

TEST_F(OpLog, OneEventIsOneLineOfJsonWhateverAPeerSpells) {
  const auto lines = Lines(true, "refused", {{"detail", kForged}, {kForged, "value"}});
  ASSERT_EQ(lines.size(), 1u);
  const auto line = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(line.at("event"), "refused");
  EXPECT_EQ(line.size(), 5u) << lines[0];
  EXPECT_TRUE(line.at("detail").get<std::string>().starts_with("x\"}\n{\"time\"")) << "escaped, not thrown away";
}

TEST_F(OpLog, OneEventIsOneLineForPeopleWhateverAPeerSpells) {
  const auto lines = Lines(false, "refused", {{"detail", kForged}});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(std::count(lines[0].begin(), lines[0].end(), '"') - 2,
            static_cast<std::ptrdiff_t>(std::count(kForged.begin(), kForged.end(), '"')));
  EXPECT_NE(lines[0].find("detail=\"x\\\"}\\u000a"), std::string::npos) << lines[0];
}

TEST_F(OpLog, ALongValueIsCut) {
  const auto lines = Lines(true, "refused", {{"detail", std::string(100'000, '\n')}});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LT(lines[0].size(), 4000u);
}

}  // namespace
}  // namespace valija::broker
