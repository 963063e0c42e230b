// Files, names and limits of a session: what a person meets when something is not as it should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/client/world.h"

namespace valija::client {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class SessionFilesTest : public ::testing::Test, public test::ClientWorld {
 protected:
  static Draft FromFile(const fs::path& file) {
    auto draft = DraftOf({});
    draft.portions[0].file = file;
    return draft;
  }
  Result<SentRecord> TrySend(const Draft& draft) {
    auto sent = SessionOf("us.dea/ana")->Send({draft}, {});
    if (!sent) return sent.error();
    return std::move(sent->front());
  }
  std::string Sent(const Draft& draft) { return TrySend(draft).value().id; }
  Result<OpenedPortion> Open(const OpenRequest& request) {
    auto opened = SessionOf("mx.fgr/luis")->Open({request}, {});
    if (!opened) return opened.error();
    return std::move(opened->front());
  }
  // No sealed body is left in a sender's profile.
  bool LeftBehind(const std::string& member) {
    for (const auto& file : fs::directory_iterator(ProfileOf(member)))
      if (file.path().filename().string().starts_with("outgoing-")) return true;
    return false;
  }
};

// ---- names ----

TEST_F(SessionFilesTest, TakesAUniquePrefixForARecord) {
  const auto id = Sent(DraftOf("x"));
  EXPECT_EQ(Open(Asking(id.substr(0, 8))).value().id, id);
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Resolve(id).value().Hex(), id);
}

TEST_F(SessionFilesTest, RefusesAPrefixThatIsShortUnknownOrNoHex) {
  const auto id = Sent(DraftOf("x"));
  auto luis = SessionOf("mx.fgr/luis");
  for (const std::string& bad :
       {std::string(), id.substr(0, 3), std::string("zzzzzz"), id + "0", std::string("ABCDEF")})
    EXPECT_EQ(luis->Resolve(bad).error().reason, Reason::kUsage) << bad;
  std::string other = id.substr(0, 8);
  other[7] = other[7] == '0' ? '1' : '0';
  EXPECT_EQ(luis->Resolve(other).error().reason, Reason::kNotFound);
}

TEST_F(SessionFilesTest, RefusesAPrefixOfTwoRecords) {
  auto ana = SessionOf("us.dea/ana");
  std::map<std::string, std::string> by_prefix;  // four digits: some 300 records until two have the same
  std::string twice;
  while (twice.empty() && by_prefix.size() < 5000) {
    auto sent = ana->Send(std::vector<Draft>(100, DraftOf("x")), {}).value();
    for (auto& one : sent)
      if (!by_prefix.emplace(one.value().id.substr(0, 4), one.value().id).second) twice = one.value().id.substr(0, 4);
  }
  ASSERT_FALSE(twice.empty());
  EXPECT_EQ(ana->Resolve(twice).error().reason, Reason::kAmbiguous);
}

// ---- writing ----

TEST_F(SessionFilesTest, WritesWhatIsOpenedForItsOwnerAlone) {
  const auto id = Sent(DraftOf("the report"));
  ::umask(0);
  auto opened = Open(Asking(id, 0, folder / "out")).value();
  ::umask(022);
  EXPECT_TRUE(opened.content.empty());
  EXPECT_EQ(opened.bytes, 10u);
  EXPECT_EQ(test::ReadAll(folder / "out"), "the report");
  struct stat found {};
  ASSERT_EQ(::stat((folder / "out").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600u);
  EXPECT_EQ(found.st_nlink, 1u);
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST_F(SessionFilesTest, DoesNotWriteOverAFileAndSpendsNoOpeningOnIt) {
  const auto id = Sent(DraftOf("x"));
  test::WriteText(folder / "out", "mine");
  fs::create_symlink(folder / "nowhere", folder / "link");
  const auto entries = honest.entries.size();
  EXPECT_EQ(Open(Asking(id, 0, folder / "out")).error().reason, Reason::kExists);
  EXPECT_EQ(Open(Asking(id, 0, folder / "link")).error().reason, Reason::kExists);
  EXPECT_EQ(Open(Asking(id, 0, folder / "none" / "out")).error().reason, Reason::kFile);
  EXPECT_EQ(honest.entries.size(), entries);
  EXPECT_EQ(test::ReadAll(folder / "out"), "mine");
  EXPECT_FALSE(fs::exists(folder / "out.part"));
  EXPECT_FALSE(fs::exists(folder / "nowhere"));
}

TEST_F(SessionFilesTest, DoesNotWriteOverAFileThatComesMeanwhile) {
  const auto id = Sent(DraftOf("x"));
  honest.lies.body = [&](BodyStream&, std::vector<Bytes>&) { test::WriteText(folder / "out", "mine"); };
  EXPECT_EQ(Open(Asking(id, 0, folder / "out")).error().reason, Reason::kExists);
  EXPECT_EQ(test::ReadAll(folder / "out"), "mine");
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST_F(SessionFilesTest, LeavesNoPartWhereAnOpeningIsRefused) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", "roles any chief\n"));
  EXPECT_EQ(Open(Asking(id, 0, folder / "out")).error().reason, Reason::kRoleMissing);
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "out.part"));
}

TEST_F(SessionFilesTest, KeepsOnlyWhatFitsInMemory) {
  {
    std::ofstream big(folder / "big", std::ios::binary);
    big.seekp((72 << 20) + 4096);
    big.put('x');
  }
  const auto id = Sent(FromFile(folder / "big"));
  const auto entries = honest.entries.size();
  auto refused = Open(Asking(id));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kUsage);
  EXPECT_THAT(refused.error().detail, HasSubstr("output"));
  EXPECT_EQ(honest.entries.size(), entries);  // nothing was asked
}

// ---- reading ----

TEST_F(SessionFilesTest, SendsAFileByUploadAndGetsItBackEqual) {
  std::string content;
  for (std::size_t i = 0; i < (5u << 20) + 17; ++i) content += static_cast<char>(i * 2654435761u >> 13);
  test::WriteText(folder / "in", content);
  std::uint64_t last = 0, all = 0;
  auto ana = SessionOf("us.dea/ana");
  auto sent = ana->Send({FromFile(folder / "in")},
                        [&](std::uint64_t done, std::uint64_t total) {
                          EXPECT_GE(done, last);
                          EXPECT_LE(done, total);
                          last = done;
                          all = total;
                        })
                  .value();
  EXPECT_EQ(honest.uploads, 1u);
  EXPECT_EQ(last, all);
  EXPECT_FALSE(LeftBehind("us.dea/ana"));
  auto opened = Open(Asking(sent[0].value().id, 0, folder / "out")).value();
  EXPECT_EQ(opened.bytes, content.size());
  EXPECT_TRUE(test::ReadAll(folder / "out") == content);
  EXPECT_TRUE(Open(Asking(sent[0].value().id)).value().content == content);
}

TEST_F(SessionFilesTest, SendsManyPortionsInlineOnlyAsFarAsAPostHolds) {
  auto draft = DraftOf(std::string(200 << 10, 'a'));
  for (int i = 1; i < 16; ++i) draft.portions.push_back(draft.portions[0]);
  const auto id = Sent(draft);
  EXPECT_GE(honest.uploads, 6u);
  EXPECT_LT(honest.uploads, 16u);
  EXPECT_EQ(Open(Asking(id, 15)).value().bytes, 200u << 10);
}

TEST_F(SessionFilesTest, SendsAnEmptyFile) {
  test::WriteText(folder / "empty", "");
  const auto id = Sent(FromFile(folder / "empty"));
  EXPECT_EQ(Open(Asking(id, 0, folder / "out")).value().bytes, 0u);
  EXPECT_EQ(fs::file_size(folder / "out"), 0u);
  EXPECT_EQ(Open(Asking(Sent(DraftOf("")))).value().content, "");
}

TEST_F(SessionFilesTest, RefusesAFileThatIsGoneOrIsNoFile) {
  EXPECT_EQ(TrySend(FromFile(folder / "gone")).error().reason, Reason::kFile);
  EXPECT_EQ(TrySend(FromFile(folder.path())).error().reason, Reason::kFile);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(TrySend(FromFile(folder / "pipe")).error().reason, Reason::kFile);  // and does not wait for a writer
  EXPECT_EQ(honest.posts, 0u);
}

TEST_F(SessionFilesTest, RefusesAFileThatChangesWhileItIsRead) {
  test::WriteText(folder / "in", std::string(4 << 20, 'x'));
  auto shrink = [&](std::uint64_t, std::uint64_t) { fs::resize_file(folder / "in", 1 << 20); };
  auto sent = SessionOf("us.dea/ana")->Send({FromFile(folder / "in")}, shrink).value();
  EXPECT_EQ(sent[0].error().reason, Reason::kFile);
  EXPECT_FALSE(LeftBehind("us.dea/ana"));
  EXPECT_EQ(honest.posts, 0u);
}

TEST_F(SessionFilesTest, SendsTheOthersWhereOneOfABatchCannotBe) {
  auto sent = SessionOf("us.dea/ana")->Send({DraftOf("a"), FromFile(folder / "gone"), DraftOf("b")}, {}).value();
  EXPECT_TRUE(sent[0]);
  EXPECT_EQ(sent[1].error().reason, Reason::kFile);
  EXPECT_EQ(Open(Asking(sent[2].value().id)).value().content, "b");
}

TEST_F(SessionFilesTest, ShowsEveryErrorOfAPolicyWithItsLine) {
  auto draft = DraftOf("x");
  draft.portions[0].policy_text = "marking TLP:AMBER\nreleasable-to agency mx.fgr\npurpose INVESTIGATION\ncolour red\n";
  auto refused = TrySend(draft);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::kBadPolicy);
  EXPECT_THAT(refused.error().detail, HasSubstr("line 3: "));
  EXPECT_THAT(refused.error().detail, HasSubstr("line 4: "));
  EXPECT_EQ(SessionOf("us.dea/ana")->Preview(draft).error().reason, Reason::kBadPolicy);
}

TEST_F(SessionFilesTest, RefusesToSendToNobody) {
  EXPECT_EQ(TrySend(DraftOf("x", "agency gt.mp")).error().reason, Reason::kBadPolicy);
  EXPECT_EQ(TrySend({}).error().reason, Reason::kUsage);
  EXPECT_EQ(SessionOf("us.dea/ana")->Send({}, {}).error().reason, Reason::kUsage);
  EXPECT_EQ(SessionOf("us.dea/ana")->Open({}, {}).error().reason, Reason::kUsage);
}

// ---- caches ----

TEST_F(SessionFilesTest, HealsTornDamagedAndMissingCaches) {
  for (int i = 0; i < 3; ++i) Sent(DraftOf("x"));
  const auto profile = ProfileOf("mx.fgr/luis");
  SessionOf("mx.fgr/luis")->Inbox().value();
  const auto mail = test::ReadAll(profile / "mail.log"), directory = test::ReadAll(profile / "directory.log");
  auto flipped = [](std::string text, std::size_t at) { return text[at] = static_cast<char>(text[at] ^ 1), text; };
  const std::pair<std::string, std::string> damages[] = {
      {mail.substr(0, mail.size() - 5), directory.substr(0, directory.size() - 5)},
      {mail.substr(0, 2), directory.substr(0, 2)},
      {flipped(mail, mail.size() / 2), flipped(directory, directory.size() / 2)},
      {flipped(mail, 0), flipped(directory, 0)},
      {"", ""},
      {directory, mail}};
  for (const auto& [one, other] : damages) {
    test::WriteText(profile / "mail.log", one);
    test::WriteText(profile / "directory.log", other);
    EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 3u);
    EXPECT_EQ(test::ReadAll(profile / "mail.log").size(), mail.size());
    EXPECT_EQ(test::ReadAll(profile / "directory.log").size(), directory.size());
  }
  fs::remove(profile / "mail.log");
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 3u);
  fs::remove(profile / "cursor");
  EXPECT_EQ(SessionOf("mx.fgr/luis")->Inbox().value().size(), 3u);
}

// ---- an auditor's copy ----

TEST_F(SessionFilesTest, ExportsTheLogAndContinuesTheCopy) {
  Sent(DraftOf("one"));
  auto kim = SessionOf("us.fbi/kim");
  EXPECT_TRUE(kim->ExportLog(folder / "export", "a test", {}).value() == honest.entries.size());
  EXPECT_EQ(test::ReadAll(folder / "export" / "checkpoint"), honest.Checkpoint());
  Sent(DraftOf("two"));
  EXPECT_TRUE(kim->ExportLog(folder / "export", "a test", {}).value() == honest.entries.size());
  EXPECT_EQ(test::ReadAll(folder / "export" / "checkpoint"), honest.Checkpoint());
}

TEST_F(SessionFilesTest, GoesOnWithACopyWhereTheBrokerBrokeTheStreamOff) {
  Sent(DraftOf("one"));
  auto kim = SessionOf("us.fbi/kim");
  kim->set_pause({});
  std::vector<std::uint64_t> asked;
  honest.lies.entry = [&](std::uint64_t index) -> Status {
    asked.push_back(index);
    return asked.size() == 3 ? Status(Refuse(Reason::kUnavailable)) : Ok();
  };
  EXPECT_TRUE(kim->ExportLog(folder / "export", "a test", {}).value() == honest.entries.size());
  EXPECT_EQ(asked.size(), honest.entries.size() + 1);  // nothing twice but what did not come
  honest.lies.entry = [](std::uint64_t) -> Status { return Refuse(Reason::kUnavailable); };
  EXPECT_EQ(kim->ExportLog(folder / "other", "a test", {}).error().reason, Reason::kUnavailable);  // and not for ever
}

TEST_F(SessionFilesTest, ExportsAnewWhatAPurgeErasedSince) {
  auto ana = SessionOf("us.dea/ana");
  const auto id = ana->Send({DraftOf("x")}, {}).value().front().value().id;
  ana->Revoke(id, "it named Juana P.").value();
  const auto revocation = honest.entries.back().head.statement.Hex();
  auto holds = [&](const std::string& text) {
    for (const auto& file : fs::recursive_directory_iterator(folder / "export"))
      if (file.is_regular_file() && test::ReadAll(file.path()).find(text) != std::string::npos) return true;
    return false;
  };
  auto kim = SessionOf("us.fbi/kim");
  kim->ExportLog(folder / "export", "a test", {}).value();
  EXPECT_TRUE(holds("Juana P."));
  SessionOf("us.dea/admin")->Purge({revocation}, "a person's name").value();
  EXPECT_TRUE(kim->ExportLog(folder / "export", "a test", {}).value() == honest.entries.size());
  EXPECT_FALSE(holds("Juana P."));
  EXPECT_TRUE(holds("[erased]"));
}

TEST_F(SessionFilesTest, ExportsAnErasureWithItsPurgeAlsoWhenThatComesWhileItReads) {
  auto ana = SessionOf("us.dea/ana");
  const auto id = ana->Send({DraftOf("x")}, {}).value().front().value().id;
  ana->Revoke(id, "it named Juana P.").value();
  const auto revocation = honest.entries.back().head.statement.Hex();
  auto admin = SessionOf("us.dea/admin"), kim = SessionOf("us.fbi/kim");
  kim->set_pause({});
  bool purged = false;
  honest.lies.entry = [&](std::uint64_t index) -> Status {
    if (index == 1 && !std::exchange(purged, true)) admin->Purge({revocation}, "a person's name").value();
    return Ok();
  };
  const auto size = kim->ExportLog(folder / "export", "a test", {});
  ASSERT_TRUE(size) << size.error().Message();
  EXPECT_EQ(*size, honest.entries.size());
  std::string all;
  for (const auto& file : fs::recursive_directory_iterator(folder / "export"))
    if (file.is_regular_file()) all += test::ReadAll(file.path());
  EXPECT_EQ(all.find("Juana P."), std::string::npos);
  EXPECT_NE(all.find("[erased]"), std::string::npos);
  EXPECT_NE(all.find("a person's name"), std::string::npos) << "the purge";
}

TEST_F(SessionFilesTest, SaysOnceInADayThatItReadsForTheSameReason) {
  Sent(DraftOf("one"));
  auto export_as = [&](const std::string& why) {
    return SessionOf("us.fbi/kim")->ExportLog(folder / "export", why, {}).value();
  };
  export_as("a timer");
  const auto before = honest.entries.size();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(export_as("a timer") == before);
  EXPECT_EQ(honest.entries.size(), before);
  export_as("a person asked");  // another reason is said
  EXPECT_EQ(honest.entries.size(), before + 1);
  EXPECT_EQ(SessionOf("us.fbi/kim")->ExportLog(folder / "other", "a timer", {}).value(), before + 1);
  // One that ends soon is not enough for what is read under it.
  const auto at = ProfileOf("us.fbi/kim");
  {
    auto profile = Profile::Open(at).value();
    const auto now = test::FakeBroker::Now();
    auto known = profile.Lookups(now);
    ASSERT_EQ(known.size(), 2u);
    EXPECT_EQ(known[0].why, "a timer");
    EXPECT_EQ(known[1].why, "a person asked");
    EXPECT_TRUE(profile.Lookups(now + std::chrono::hours(25)).empty());
    fs::remove(at / "lookups");
    known[0].expires = now + std::chrono::minutes(59);
    ASSERT_TRUE(profile.KeepLookup(known[0], now));
  }
  export_as("a timer");
  EXPECT_EQ(honest.entries.size(), before + 2);
}

// A run that was cut short wrote files that no checkpoint ever called for; what is erased later goes from these too.
TEST_F(SessionFilesTest, WhatARunLeftThatWasCutShortGoesAfterAPurgeToo) {
  auto ana = SessionOf("us.dea/ana");
  const auto id = ana->Send({DraftOf("x")}, {}).value().front().value().id;
  ana->Revoke(id, "it named Juana P.").value();
  const auto revocation = honest.entries.back().head.statement.Hex();
  auto kim = SessionOf("us.fbi/kim");
  const auto size = kim->ExportLog(folder / "export", "a test", {}).value();
  const auto partial = folder / "export/entries/000.p";
  fs::copy_file(partial / (std::to_string(size) + ".pb"), partial / "99.pb");
  SessionOf("us.dea/admin")->Purge({revocation}, "a person's name").value();
  kim->ExportLog(folder / "export", "a test", {}).value();
  for (const auto& file : fs::recursive_directory_iterator(folder / "export"))
    if (file.is_regular_file()) {
      EXPECT_EQ(test::ReadAll(file.path()).find("Juana P."), std::string::npos) << file.path();
    }
}

TEST_F(SessionFilesTest, WhatIsInTheLogIsNotExportedToWhereStrangersRead) {
  fs::create_directories(folder / "public/tile/0");
  EXPECT_EQ(SessionOf("us.fbi/kim")->ExportLog(folder / "public", "a test", {}).error().reason, Reason::kUsage);
  EXPECT_FALSE(fs::exists(folder / "public/entries"));
}

TEST_F(SessionFilesTest, ExportsNothingThatIsNotTheCheckpoints) {
  Sent(DraftOf("one"));
  auto kim = SessionOf("us.fbi/kim");
  kim->Directory().value();
  test::FakeBroker other(begun.broker, honest.entries, honest.entries.size(), true);
  other.lies.view = [&](View& view) { view = honest.MakeView(0); };  // the true checkpoint over other entries
  broker = &other;
  EXPECT_FALSE(kim->ExportLog(folder / "export", "a test", {}));
  EXPECT_FALSE(fs::exists(folder / "export" / "checkpoint"));
}

}  // namespace
}  // namespace valija::client
