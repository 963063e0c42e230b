// What people and programs are shown.
#include "client/print.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/commands.h"
#include "core/base/reason.h"
#include "tests/core/text/spoken.h"

namespace valija::cli {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

NewsItem Item(const std::string& kind) {
  NewsItem item;
  item.entry = 7;
  item.time = TimePoint(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(8) +
                        std::chrono::milliseconds(17'500));
  item.kind = kind;
  item.by = "us.dea/ana";
  item.record = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  return item;
}

TEST(Print, ShortensIdsTimesAndSizes) {
  EXPECT_EQ(ShortId(Item("record").record), "0123456789ab");
  EXPECT_EQ(ShortId("01"), "01");
  EXPECT_EQ(TimeText(Item("record").time), "2026-11-24 08:00:17 UTC");
  EXPECT_EQ(SizeText(0), "0 B");
  EXPECT_EQ(SizeText(999), "999 B");
  EXPECT_EQ(SizeText(52'900), "52.9 kB");
  EXPECT_EQ(SizeText(4'294'967'296), "4.3 GB");
  EXPECT_EQ(SizeText(18'000'000'000'000'000'000u), "18000000.0 TB");
}

TEST(NewsLine, TellsEachKindInASentence) {
  const std::string start = "2026-11-24 08:00:17 UTC  us.dea/ana ";
  EXPECT_EQ(NewsLine(Item("record")), start + "sent 0123456789ab");
  auto open = Item("open");
  open.purpose = "investigation";
  open.case_reference = "A-17";
  open.portions = {{0, "granted"}, {1, "granted"}};
  EXPECT_EQ(NewsLine(open), start + "opened 0123456789ab portion 0 portion 1 for investigation, case A-17");
  open.case_reference.clear();
  open.portions = {{0, "granted"}, {1, "role-missing, expired"}};
  EXPECT_EQ(NewsLine(open), start +
                                "was refused 0123456789ab portion 0 (granted) portion 1 (role-missing, expired)"
                                " for investigation");
  auto acknowledgement = Item("acknowledgement");
  acknowledgement.outcome = "useful";
  EXPECT_EQ(NewsLine(acknowledgement), start + "acknowledged 0123456789ab: useful");
  auto revocation = Item("revocation");
  revocation.why = "a mistake";
  EXPECT_EQ(NewsLine(revocation), start + "revoked 0123456789ab: a mistake");
  EXPECT_EQ(NewsLine(Item("epoch")), start + "epoch");
}

TEST(NewsLine, TellsItInSpanishToo) {
  text::Spoken spoken(text::Language::kSpanish);
  const std::string time = "24-nov-2026 08:00:17 UTC  ";
  EXPECT_EQ(NewsLine(Item("record")), time + "us.dea/ana envió 0123456789ab");
  auto open = Item("open");
  open.purpose = "investigation";
  open.case_reference = "A-17";
  open.portions = {{0, "granted"}, {1, "role-missing"}};
  EXPECT_EQ(NewsLine(open), time +
                                "a us.dea/ana se le negó 0123456789ab porción 0 (concedida) porción 1 (role-missing)"
                                " con la finalidad investigation, caso A-17");
}

TEST(NewsLine, TellsWhoDecidedWhatOfWhichRequestAndWhy) {
  const std::string start = "2026-11-24 08:00:17 UTC  us.dea/ana ";
  auto of_request = [](const std::string& kind, const std::string& verdict) {
    auto item = Item(kind);
    item.request = "fedcba9876543210fedc";
    item.verdict = verdict;
    item.why = "as agreed";
    return item;
  };
  EXPECT_EQ(NewsLine(of_request("approval", "approve")), start + "approved the request fedcba987654: as agreed");
  EXPECT_EQ(NewsLine(of_request("approval", "reject")), start + "rejected the request fedcba987654: as agreed");
  EXPECT_EQ(NewsLine(of_request("approval", "withdraw")),
            start + "withdrew what it had said of the request fedcba987654: as agreed");
  EXPECT_EQ(NewsLine(of_request("review", "justified")),
            start + "closed the emergency fedcba987654 as justified: as agreed");
  EXPECT_EQ(NewsLine(of_request("review", "not-justified")),
            start + "closed the emergency fedcba987654 as not justified: as agreed");
  EXPECT_EQ(NewsLine(of_request("answer", "declined")), start + "declined the access request fedcba987654: as agreed");
  auto consent = of_request("answer", "consented");
  consent.marking = "TLP:GREEN";
  EXPECT_EQ(NewsLine(consent),
            start + "consented, for the access request fedcba987654, to the marking TLP:GREEN: as agreed");
  text::Spoken spoken(text::Language::kSpanish);
  for (const auto& [kind, verdict] :
       std::initializer_list<std::pair<const char*, const char*>>{{"approval", "approve"},
                                                                  {"approval", "reject"},
                                                                  {"approval", "withdraw"},
                                                                  {"review", "justified"},
                                                                  {"review", "not-justified"},
                                                                  {"answer", "declined"},
                                                                  {"answer", "consented"}})
    EXPECT_EQ(NewsLine(of_request(kind, verdict)).find(verdict), std::string::npos) << verdict;
}

TEST(NewsLine, NamesRequestsGrantsAndOrdersByTheirFirstDigits) {
  auto open = Item("open");
  open.id = "aaaabbbbccccdddd";
  open.purpose = "analysis";
  open.portions = {{0, "approval-missing"}};
  EXPECT_THAT(NewsLine(open), HasSubstr("it is the request aaaabbbbcccc"));
  open.portions = {{0, "granted"}};
  EXPECT_THAT(NewsLine(open), ::testing::Not(HasSubstr("aaaabbbbcccc")));
  open.request = "1111222233334444";
  EXPECT_THAT(NewsLine(open), HasSubstr("on the request 111122223333"));
  auto under = Item("standing-opening");
  under.request = "5555666677778888";
  under.portions = {{0, "granted"}};
  EXPECT_THAT(NewsLine(under), HasSubstr("under the standing order 555566667777"));
  auto grant = Item("grant");
  grant.id = "9999aaaabbbbcccc";
  grant.request = "1111222233334444";
  EXPECT_THAT(NewsLine(grant), HasSubstr("as 9999aaaabbbb, in answer to the request 111122223333"));
  grant.agency = "us.cbp";
  EXPECT_THAT(NewsLine(grant), HasSubstr(", to us.cbp,"));
  auto asked = Item("access-request");
  asked.id = "ddddeeeeffff0000";
  asked.verdict = "mark-less";
  asked.marking = "TLP:CLEAR";
  EXPECT_THAT(NewsLine(asked), HasSubstr("to mark what is derived from it TLP:CLEAR, as the request ddddeeeeffff"));
}

TEST(NewsLine, SaysOfWhatWasErasedByWhichPurge) {
  auto erased = Item("revocation");
  erased.why = "[erased]";
  EXPECT_FALSE(ToJson(erased).contains("erased_by"));
  erased.erased_by = 9;
  EXPECT_EQ(NewsLine(erased),
            "2026-11-24 08:00:17 UTC  us.dea/ana revoked 0123456789ab: [erased] (erased by the purge in entry 9)");
  EXPECT_EQ(ToJson(erased)["erased_by"], 9);
}

TEST(Overdue, IsWhatShouldHaveAnAnswerByNow) {
  InboxItem item;
  EXPECT_FALSE(Overdue(item));
  item.due = std::chrono::floor<std::chrono::milliseconds>(Clock::now()) - std::chrono::hours(1);
  EXPECT_TRUE(Overdue(item));
  EXPECT_EQ(ToJson(item)["overdue"], true);
  for (auto change :
       {+[](InboxItem& one) { one.answered_by_us = true; }, +[](InboxItem& one) { one.revoked = true; },
        +[](InboxItem& one) { one.replies = {"ab"}; }, +[](InboxItem& one) { *one.due += std::chrono::hours(2); }}) {
    auto other = item;
    change(other);
    EXPECT_FALSE(Overdue(other));
  }
}

TEST(NewsLine, ShowsForeignEscapesInsteadOfSendingThemToTheTerminal) {
  auto revocation = Item("revocation");
  revocation.why =
      "\x1b[2J gone\n\xe2\x80\xae"
      "exe.pdf\xff";
  const auto line = NewsLine(revocation);
  EXPECT_THAT(line, HasSubstr("\\x1b[2J gone\\x0a\\u{202e}exe.pdf\\xff"));
  auto open = Item("open");
  open.portions = {{0, "granted"}};
  open.purpose = "x";
  open.case_reference = "\x1b]0;title\x07";
  for (char c : NewsLine(open)) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
}

TEST(ToJson, GivesReasonsAsAListOfCodes) {
  auto open = Item("open");
  open.purpose = "investigation";
  open.portions = {{0, "granted"}, {1, "role-missing, expired"}};
  auto json = ToJson(open);
  EXPECT_EQ(json["entry"], 7);
  EXPECT_EQ(json["record"], open.record);
  EXPECT_EQ(json["portions"][0], (Json{{"portion", 0}, {"granted", true}, {"reasons", Json::array()}}));
  EXPECT_EQ(json["portions"][1], (Json{{"portion", 1}, {"granted", false}, {"reasons", {"role-missing", "expired"}}}));
  EXPECT_EQ(ToJson(Item("record")).contains("portions"), false);
  auto under = Item("standing-opening");
  under.portions = {{0, "granted"}, {1, "approval-missing"}};
  EXPECT_EQ(ToJson(under)["portions"][1],
            (Json{{"portion", 1}, {"granted", false}, {"reasons", {"approval-missing"}}}));
  auto asked = Item("access-request");
  asked.portions = {{2, ""}};
  EXPECT_EQ(ToJson(asked)["portions"], (Json::array({Json{{"portion", 2}}})));
}

TEST(ToJson, NamesEveryFieldOfAnItemAndAMember) {
  InboxItem item;
  item.id = "ab";
  item.from = "us.dea/ana";
  item.portions.push_back({1, "TLP:AMBER", "text/plain", 328, true, false});
  auto json = ToJson(item);
  EXPECT_FALSE(json.contains("in_reply_to"));
  EXPECT_EQ(json["portions"][0]["sealed_bytes"], 328);
  EXPECT_EQ(json["portions"][0]["for_me"], true);
  EXPECT_EQ(json["portions"][0]["opened_by_me"], false);
  item.in_reply_to = "cd";
  EXPECT_EQ(ToJson(item)["in_reply_to"], "cd");

  MemberInfo member{"us.dea/ana", "active", "secret", {"analyst"}, {}, false, true, false, {}};
  EXPECT_EQ(ToJson(member)["auditor"], "agency");
  member.joint_auditor = true;
  EXPECT_EQ(ToJson(member)["auditor"], "joint");
  AgencyInfo agency{"us.dea", "DEA", 2, {member}};
  EXPECT_EQ(ToJson(agency)["members"].size(), 1u);
  EXPECT_EQ(ToJson(agency)["left"], false);
  agency.left = true;
  EXPECT_EQ(ToJson(agency)["left"], true);
}

TEST(Fail, GivesTheExitStatusAndKeepsStandardOutputForPrograms) {
  const Failure failure{"fork", "The log forked. (\x1b[31mred)", 5};
  Common common;
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Fail(common, failure), 5);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "valija: ALARM: The log forked. (\\x1b[31mred) [fork]\n");
  common.json = true;
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Fail(common, {"usage", "What?", 2}), 2);
  auto json = Json::parse(::testing::internal::GetCapturedStdout());
  EXPECT_EQ(json, (Json{{"error", {{"code", "usage"}, {"message", "What?"}, {"exit_status", 2}}}}));
}

TEST(Fail, ExplainsInSpanishToPeopleAndInEnglishToPrograms) {
  text::Spoken spoken(text::Language::kSpanish);
  const Failure failure{"fork", std::string(SentenceOf(Reason::kFork)) + " (at 7)", 5};
  Common common;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Fail(common, failure), 5);
  EXPECT_EQ(
      ::testing::internal::GetCapturedStderr(),
      "valija: ALARMA: La bitácora que se muestra ahora no es continuación de la que se vio antes. (at 7) [fork]\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(Init(common, "jrivera"), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("un integrante se designa"));
  common.json = true;
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Fail(common, failure), 5);
  EXPECT_EQ(Init(common, "jrivera"), 2);
  const auto programs = ::testing::internal::GetCapturedStdout();
  EXPECT_THAT(programs, HasSubstr(failure.message));
  EXPECT_THAT(programs, HasSubstr("a member is named"));
}

TEST(Commands, RefuseBadWordsBeforeTheyAskForAnything) {
  Common common;
  common.json = true;
  common.profile = "/nonexistent/valija-profile";
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(Init(common, "jrivera"), 2);
  EXPECT_EQ(Join(common, "c", "123", "b:1", "p"), 2);
  EXPECT_EQ(Send(common, {.files = {"a", "b", "c"},
                          .policies = {"p", "q"},
                          .types = {},
                          .in_reply_to = {},
                          .urgency = {},
                          .sources = {}}),
            2);
  EXPECT_NE(WhoAmIAm(common), 0);
  ::testing::internal::GetCapturedStdout();
}

}  // namespace
}  // namespace valija::cli
