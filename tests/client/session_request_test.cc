// What members ask of one another: approvals, emergencies, access, answers; and a broker that lies about them.
#include "client/print.h"
#include "tests/client/life.h"

namespace valija::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using RequestTest = LifeTest;
using cli::ToJson;

// ---- dual control ----

TEST_F(RequestTest, OpensOnceAnApproverHasSaidYes) {
  const auto id = Sent(DraftOf("the source", "agency mx.fgr", kTwoEyes));
  const auto request = Asks("mx.fgr/luis", id);
  {
    auto admin = SessionOf("us.dea/admin");
    const auto waiting = admin->Waiting().value();
    ASSERT_EQ(waiting.size(), 1u);
    EXPECT_EQ(waiting[0].kind, "approval");
    EXPECT_EQ(waiting[0].id, request);
    EXPECT_EQ(waiting[0].record, id);
    EXPECT_EQ(waiting[0].by, "mx.fgr/luis");
    EXPECT_EQ(waiting[0].purpose, "investigation");
    EXPECT_THAT(waiting[0].portions, ElementsAre(std::pair<std::uint32_t, std::string>(0, "TLP:AMBER")));
    EXPECT_TRUE(waiting[0].until);
    const auto said = admin->Say(request.substr(0, 8), ledger::ApprovalVerdict::kApprove, "known case").value();
    EXPECT_EQ(said.verdict, "approve");
    EXPECT_EQ(said.request, request);
    EXPECT_THAT(admin->Waiting().value(), IsEmpty());
  }
  auto luis = SessionOf("mx.fgr/luis");
  const auto waiting = luis->Waiting().value();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].kind, "approved");
  auto again = Asking(id);
  again.approved_request = waiting[0].id;
  EXPECT_EQ(OpenAs(*luis, again).value().content, "the source");
  EXPECT_EQ(OpenAs(*luis, again).error().reason, Reason::kReplayed);  // good for one opening
  EXPECT_THAT(KindsOf(luis->Custody(id).value()),
              ElementsAre("record us.dea/ana", "open mx.fgr/luis", "approval us.dea/admin", "open mx.fgr/luis"));
}

TEST_F(RequestTest, SaysWhichRequestWaits) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto refused = OpenAs("mx.fgr/luis", Asking(id));
  EXPECT_EQ(refused.error().reason, Reason::kApprovalMissing);
  EXPECT_EQ(refused.error().detail, "request " + honest.entries.back().head.statement.Hex());
  EXPECT_EQ(ToFailure(refused.error()).request, honest.entries.back().head.statement.Hex());
  EXPECT_EQ(ToJson(ToFailure(refused.error()))["error"]["request"], honest.entries.back().head.statement.Hex());
  EXPECT_EQ(ToFailure(Refuse(Reason::kNotFound, "request x")).request, "");
}

TEST_F(RequestTest, TakesBackAndRejects) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto request = Asks("mx.fgr/luis", id);
  auto admin = SessionOf("us.dea/admin");
  admin->Say(request, ledger::ApprovalVerdict::kApprove, "").value();
  EXPECT_EQ(admin->Say(request, ledger::ApprovalVerdict::kWithdraw, "the wrong one").value().verdict, "withdraw");
  auto again = Asking(id);
  again.approved_request = request;
  EXPECT_EQ(OpenAs("mx.fgr/luis", again).error().reason, Reason::kApprovalMissing);
  EXPECT_EQ(admin->Say(request, ledger::ApprovalVerdict::kReject, "no").value().verdict, "reject");
  EXPECT_EQ(OpenAs("mx.fgr/luis", again).error().reason, Reason::kRejected);
}

TEST_F(RequestTest, ShowsARequestAgainToWhoHasSaidSomethingOfItAndChangesItsWord) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto request = Asks("mx.fgr/luis", id);
  auto admin = SessionOf("us.dea/admin");
  admin->Say(request, ledger::ApprovalVerdict::kReject, "no").value();
  EXPECT_THAT(admin->Waiting().value(), IsEmpty());
  const auto shown = admin->Request(request.substr(0, 10)).value();
  EXPECT_EQ(shown.kind, "approval");
  EXPECT_EQ(shown.id, request);
  EXPECT_EQ(shown.record, id);
  EXPECT_EQ(shown.by, "mx.fgr/luis");
  EXPECT_EQ(shown.purpose, "investigation");
  EXPECT_THAT(shown.portions, ElementsAre(std::pair<std::uint32_t, std::string>(0, "TLP:AMBER")));
  EXPECT_EQ(admin->Request(std::string(64, 'a')).error().reason, Reason::kNotFound);
  EXPECT_TRUE(admin->Say(request, ledger::ApprovalVerdict::kApprove, "after all"));
  const auto plain = Sent(DraftOf("y"));
  OpenAs("mx.fgr/luis", Asking(plain)).value();
  EXPECT_EQ(admin->Request(honest.entries.back().head.statement.Hex()).error().reason, Reason::kNotFound);
}

TEST_F(RequestTest, LetsNobodyApproveWhatItWasNotShown) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  Asks("mx.fgr/luis", id);
  const auto posts = honest.posts;
  auto admin = SessionOf("us.dea/admin");
  EXPECT_EQ(admin->Say(std::string(64, 'a'), ledger::ApprovalVerdict::kApprove, "").error().reason, Reason::kNotFound);
  EXPECT_EQ(admin->Say(id, ledger::ApprovalVerdict::kApprove, "").error().reason, Reason::kNotFound);  // a record's
  EXPECT_EQ(honest.posts, posts);
}

TEST_F(RequestTest, RefusesAHintThatIsAboutAnotherRequestOrRecord) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto other = Sent(DraftOf("y", "agency mx.fgr", kTwoEyes));
  Asks("mx.fgr/luis", id);
  Asks("mx.fgr/luis", other);
  auto refused = [&](auto lie) {
    lies.waiting = [&](WaitingAnswer& answer) {
      std::erase_if(answer.items, [&](const auto& one) { return one.record != Id(id); });
      lie(answer.items.at(0));
    };
    // One bad hint is told as one item.
    const auto waiting = SessionOf("us.dea/admin")->Waiting().value();
    EXPECT_EQ(waiting.size(), 1u);
    if (waiting.empty() || !waiting[0].fault) return Reason::kInternal;
    EXPECT_EQ(waiting[0].fault->exit_status, 5);
    return *ReasonFromCode(waiting[0].fault->code);
  };
  using Hint = proto::WaitingItem;
  EXPECT_EQ(refused([](Hint&) {}), Reason::kInternal);  // no lie, no refusal
  EXPECT_EQ(refused([&](Hint& hint) { hint.record = Id(other); }), Reason::kBadProof);
  EXPECT_EQ(refused([&](Hint& hint) { hint.statement = Id(other); }), Reason::kBadProof);
  EXPECT_EQ(refused([](Hint& hint) { ++hint.entry; }), Reason::kBadProof);
  EXPECT_EQ(refused([](Hint& hint) { hint.statement.bytes[0] ^= 1; }), Reason::kBadProof);
  EXPECT_EQ(refused([](Hint& hint) { hint.kind = "review"; }), Reason::kBadProof);
  EXPECT_EQ(refused([](Hint& hint) { hint.kind = "approved"; }), Reason::kBadProof);
  EXPECT_EQ(refused([](Hint& hint) { hint.kind = "access"; }), Reason::kBadProof);
  EXPECT_EQ(refused([&](Hint& hint) {
              hint = {"answer", Id(id), Id(id), honest.state.record(Id(id))->index, {}};
            }),
            Reason::kBadProof);
  EXPECT_EQ(refused([&](Hint& hint) {
              hint = {"erase", Id(id), Id(id), honest.state.record(Id(id))->index, {}};
            }),
            Reason::kBadProof);
}

TEST_F(RequestTest, RefusesAnApprovalOfAnotherRequestInARecordsCustody) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto other = Sent(DraftOf("y", "agency mx.fgr", kTwoEyes));
  Asks("mx.fgr/luis", id);
  const auto request = Asks("mx.fgr/luis", other);
  const auto said = SessionOf("us.dea/admin")->Say(request, ledger::ApprovalVerdict::kApprove, "").value();
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(other).value().size(), 3u);
  lies.custody = [&](EntriesAnswer& page) { page.entries.push_back(honest.Proved(said.entry)); };
  EXPECT_EQ(SessionOf("us.dea/ana")->Custody(id).error().reason, Reason::kBadProof);
}

// ---- emergencies ----

TEST_F(RequestTest, OpensInAnEmergencyAndWaitsForTheReview) {
  Enrol("us.dea/admin", {"", {}, {}, true, true, "head-of-dea"});
  const auto id = Sent(DraftOf("the source", "agency mx.fgr", std::string(kTwoEyes) + "emergency allowed\n"));
  auto request = Asking(id);
  request.emergency = "a life is at stake";
  EXPECT_EQ(OpenAs("mx.fgr/luis", request).value().content, "the source");
  EXPECT_EQ(OpenAs("mx.fgr/luis", request).error().reason, Reason::kEmergencyLocked);
  for (const char* auditor : {"us.dea/admin", "us.fbi/kim"}) {  // of the originator's agency, and a joint one
    const auto waiting = SessionOf(auditor)->Waiting().value();
    ASSERT_EQ(waiting.size(), 1u) << auditor;
    EXPECT_EQ(waiting[0].kind, "review");
    EXPECT_EQ(waiting[0].why, "a life is at stake");
    EXPECT_EQ(waiting[0].by, "mx.fgr/luis");
    EXPECT_EQ(waiting[0].record, id);
  }
  const auto before = honest.entries.size();
  const auto waiting = SessionOf("us.fbi/kim")->Waiting().value();
  EXPECT_EQ(honest.entries.size(), before);  // a look-up in force says already that it reads
  EXPECT_EQ(SessionOf("us.fbi/kim")->Review(waiting[0].id.substr(0, 10), true, "it was so").value().verdict,
            "justified");
  EXPECT_EQ(OpenAs("mx.fgr/luis", request).value().content, "the source");
}

// ---- access, and what is derived ----

TEST_F(RequestTest, AnswersAccessRequestsAndLetsSilenceLookLikeAbsence) {
  const auto id = Sent(DraftOf("x"));
  auto kim = SessionOf("us.fbi/kim");
  AccessDraft draft{id, {}, "open", {}, {}, "investigation", "", "a reference in another file"};
  const auto asked = kim->RequestAccess(draft).value();
  draft.record = std::string(64, 'a');
  EXPECT_TRUE(kim->RequestAccess(draft));  // of nothing
  draft.wish = "all";
  EXPECT_EQ(kim->RequestAccess(draft).error().reason, Reason::kUsage);
  auto ana = SessionOf("us.dea/ana");
  const auto waiting = ana->Waiting().value();
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].kind, "access");
  EXPECT_EQ(waiting[0].id, asked.id);
  EXPECT_EQ(waiting[0].why, "a reference in another file");
  EXPECT_EQ(waiting[0].wish, "open");
  EXPECT_EQ(waiting[0].agency, "us.fbi");
  EXPECT_EQ(ana->Answer(asked.id.substr(0, 8), "", "not theirs to know").value().verdict, "declined");
  EXPECT_THAT(ana->Waiting().value(), IsEmpty());
}

TEST_F(RequestTest, DerivesWithTheMarkingThatTheOriginatorConsentsTo) {
  const auto id = Sent(DraftOf("x"));
  OpenAs("mx.fgr/luis", Asking(id)).value();
  auto derived = DraftOf("summary", "agency us.dea");
  derived.portions[0].policy_text.replace(derived.portions[0].policy_text.find("AMBER"), 5, "GREEN");
  derived.sources = {id.substr(0, 12)};
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_EQ(luis->Send({derived}, {}).value()[0].error().reason, Reason::kMarkingTooLow);
  const auto asked =
      luis->RequestAccess({id, {}, "mark-less", {}, "TLP:GREEN", "investigation", "", "for the bulletin"}).value();
  EXPECT_EQ(SessionOf("us.dea/ana")->Answer(asked.id, "TLP:GREEN", "").value().verdict, "consented");
  const auto sent = luis->Send({derived}, {}).value()[0].value();
  EXPECT_THAT(SessionOf("us.dea/ana")->Inbox().value().at(0).sources, ElementsAre(id));
}

// ---- requests for information ----

TEST_F(RequestTest, StartsAClockThatBothSidesSee) {
  auto question = DraftOf("who is it?");
  question.urgency = "immediate";
  const auto id = Sent(question);
  const auto due = ToTimePoint(honest.entries.back().head.time + std::chrono::hours(8));
  {
    auto luis = SessionOf("mx.fgr/luis");
    const auto inbox = luis->Inbox().value();
    EXPECT_EQ(inbox.at(0).urgency, "immediate");
    EXPECT_EQ(inbox.at(0).due, due);
    const auto waiting = luis->Waiting().value();
    ASSERT_EQ(waiting.size(), 1u);
    EXPECT_EQ(waiting[0].kind, "answer");
    EXPECT_EQ(waiting[0].until, due);
    auto reply = DraftOf("nobody", "agency us.dea");
    reply.in_reply_to = id;
    luis->Send({reply}, {}).value()[0].value();
    EXPECT_TRUE(luis->Inbox().value().at(0).answered_by_us);
    EXPECT_THAT(luis->Waiting().value(), IsEmpty());
  }
  const auto sent = SessionOf("us.dea/ana")->SentItems().value();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].due, due);
  EXPECT_EQ(sent[0].replies.size(), 1u);
  EXPECT_FALSE(sent[0].answered_by_us);
  question.urgency = "soon";
  EXPECT_EQ(SessionOf("us.dea/ana")->Send({question}, {}).value()[0].error().reason, Reason::kUsage);
}

TEST_F(RequestTest, PassesOverWhatAColleagueAnsweredMeanwhileAndNotWhatWasAnsweredBefore) {
  auto question = DraftOf("who is it?");
  question.urgency = "urgent";
  const auto id = Sent(question);
  std::optional<proto::WaitingItem> hint;
  lies.waiting = [&](WaitingAnswer& answer) {
    if (hint) {
      answer.items.push_back(*hint);
      return;
    }
    hint = answer.items.at(0);
    auto reply = DraftOf("nobody", "agency us.dea");
    reply.in_reply_to = id;
    SessionOf("mx.fgr/admin")->Send({reply}, {}).value()[0].value();
  };
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_THAT(luis->Waiting().value(), IsEmpty());
  const auto again = luis->Waiting().value();  // the very same hint, now a lie
  ASSERT_EQ(again.size(), 1u);
  ASSERT_TRUE(again[0].fault);
  EXPECT_EQ(again[0].fault->code, "bad-proof");
}

// The clock of who asked stops for an answer that reaches it, and for no other.
TEST_F(RequestTest, AReplyThatDoesNotReachWhoAskedAnswersNothing) {
  auto question = DraftOf("who is it?", "agency mx.fgr, agency us.fbi");
  question.urgency = "urgent";
  const auto id = Sent(question);
  auto reply = [&](const std::string& by, const std::string& audience) {
    auto draft = DraftOf("somebody", audience);
    draft.in_reply_to = id;
    return SessionOf(by)->Send({draft}, {}).value()[0].value().id;
  };
  reply("mx.fgr/admin", "agency us.fbi");
  reply("us.dea/ana", "agency mx.fgr, agency us.dea");  // who asked says more
  {
    auto luis = SessionOf("mx.fgr/luis");
    const auto waiting = luis->Waiting().value();
    ASSERT_EQ(waiting.size(), 1u);
    EXPECT_EQ(waiting[0].kind, "answer");
    EXPECT_FALSE(waiting[0].fault);
    EXPECT_FALSE(luis->Inbox().value().at(0).answered_by_us);
  }
  EXPECT_THAT(SessionOf("us.dea/ana")->SentItems().value().at(0).replies, IsEmpty());
  const auto answer = reply("mx.fgr/admin", "agency us.dea");
  auto luis = SessionOf("mx.fgr/luis");
  EXPECT_THAT(luis->Waiting().value(), IsEmpty());
  EXPECT_TRUE(luis->Inbox().value().at(0).answered_by_us);
  EXPECT_THAT(SessionOf("us.dea/ana")->SentItems().value().at(0).replies, ElementsAre(answer));
}

TEST_F(RequestTest, OneBadHintDoesNotTakeTheListDown) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto request = Asks("mx.fgr/luis", id);
  lies.waiting = [&](WaitingAnswer& answer) {
    auto lie = answer.items.at(0);
    lie.kind = "review";
    answer.items.insert(answer.items.begin(), lie);
  };
  auto admin = SessionOf("us.dea/admin");
  const auto waiting = admin->Waiting().value();
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_TRUE(waiting[0].fault);
  EXPECT_EQ(ToJson(waiting[0])["error"]["code"], "bad-proof");
  EXPECT_FALSE(waiting[1].fault);
  EXPECT_EQ(waiting[1].id, request);
  lies.waiting = [](WaitingAnswer& answer) { answer.view.checkpoint += "x"; };  // what is wrong with the log ends it
  EXPECT_EQ(admin->Waiting().error().reason, Reason::kBadCheckpoint);
}

TEST_F(RequestTest, ShowsWhatWaitsAlsoWhereARecordIsPurged) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", kTwoEyes));
  const auto request = Asks("mx.fgr/luis", id);
  const auto other = Sent(DraftOf("y", "agency mx.fgr", kTwoEyes));
  Asks("mx.fgr/luis", other);
  SessionOf("us.fbi/kim")->RequestAccess({id, {}, "open", {}, {}, "investigation", "", "why"}).value();
  {
    auto ana = SessionOf("us.dea/ana");
    ana->Revoke(id, "over").value();
    ana->Purge({id}, "over").value();
    EXPECT_THAT(ana->Waiting().value(), ::testing::SizeIs(1));
  }
  const auto waiting = SessionOf("us.dea/admin")->Waiting().value();
  ASSERT_EQ(waiting.size(), 2u);
  for (const auto& item : waiting)
    EXPECT_THAT(item.portions, ElementsAre(std::pair<std::uint32_t, std::string>(0, "TLP:AMBER")));
}

// ---- beforehand ----

TEST_F(RequestTest, SaysInAPreviewWhatAnOpeningWaitsFor) {
  auto ana = SessionOf("us.dea/ana");
  const auto preview = ana->Preview(DraftOf("x", "agency mx.fgr", kTwoEyes)).value();
  EXPECT_THAT(preview.at(0).readers.at(0).members, ElementsAre("mx.fgr/admin", "mx.fgr/luis"));
  EXPECT_THAT(preview.at(0).waits_for, ElementsAre("approval-missing"));
  EXPECT_THAT(ana->Preview(DraftOf("x")).value().at(0).waits_for, IsEmpty());
  EXPECT_THAT(ana->Preview(DraftOf("x", "agency mx.fgr", "not-before 2035-01-01\n")).value().at(0).waits_for,
              ElementsAre("not-yet"));
}

TEST_F(RequestTest, ExplainsWhoCouldOpenAndWhoNotAndWhy) {
  const auto explained =
      SessionOf("us.dea/ana")
          ->Explain(DraftOf("x", "agency mx.fgr", std::string(kTwoEyes) + "clearance secret\n"), "analysis", "")
          .value();
  ASSERT_EQ(explained.size(), 1u);
  std::vector<std::string> lines;
  for (const auto& one : explained[0].members) {
    std::string line = one.member;
    for (const auto& reason : one.reasons) line += " " + reason;
    lines.push_back(line);
  }
  EXPECT_THAT(lines, ElementsAre("mx.fgr/admin clearance wrong-purpose approval-missing",
                                 "mx.fgr/luis wrong-purpose approval-missing", "us.dea/admin not-releasable",
                                 "us.dea/ana not-releasable", "us.fbi/kim not-releasable"));
}

TEST_F(RequestTest, ExplainsARecordOfTheLogAsItIsAmended) {
  const auto id = Sent(DraftOf("x", "agency mx.fgr", "clearance secret\n"));
  auto ana = SessionOf("us.dea/ana");
  auto reasons = [&](const std::string& member) {
    const auto explained = ana->ExplainRecord(id.substr(0, 12), "", "").value();
    for (const auto& one : explained.at(0).members)
      if (one.member == member) return one.reasons;
    return std::vector<std::string>{"unknown"};
  };
  EXPECT_THAT(reasons("mx.fgr/luis"), IsEmpty());
  EXPECT_THAT(reasons("mx.fgr/admin"), ElementsAre("clearance"));
  ana->Amend(id, 0, PolicyFor("agency mx.fgr", "roles any chief\n")).value();
  EXPECT_THAT(reasons("mx.fgr/luis"), ElementsAre("role-missing"));
  EXPECT_THAT(reasons("us.fbi/kim"), ElementsAre("not-releasable"));
  EXPECT_EQ(SessionOf("mx.fgr/luis")->ExplainRecord(id, "", "").error().reason, Reason::kNotFound);  // it is shown none
  ana->Revoke(id, "over").value();
  EXPECT_THAT(reasons("mx.fgr/luis"), ElementsAre("revoked"));
}

}  // namespace
}  // namespace valija::client
