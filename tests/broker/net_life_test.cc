// The life of a record over the wire: grants, approvals, access requests, standing orders, purges.
#include <gmock/gmock.h>

#include <set>

#include "tests/broker/net_life.h"

namespace valija::test {
namespace {

class NetLife : public NetLifeTest {
 protected:
  crypto::KemPrivateKey reply_ = crypto::KemPrivateKey::Generate(random_);
};

// ---- grants and amendments ----

TEST_F(NetLife, AGrantIsOpenedAndDownloadedByWhomItNamesAndByNobodyElse) {
  const auto record = Send();
  EXPECT_EQ(Download("mx.uif/beatriz", record).reason, "not-found");
  const auto grant = Grant("mx.fgr/omar", record, kForUif, {"mx.uif"});
  ASSERT_EQ(Post("mx.fgr/omar", grant), "");
  const auto open = Open("mx.uif/beatriz", DigestOf(grant), random_.Make<Nonce>(), "", &reply_);
  auto answer = Member("mx.uif/beatriz").transport->Post({open}, 0).value();
  ASSERT_TRUE(answer.outcomes.at(0)) << answer.outcomes[0].error().Message();
  ASSERT_EQ(answer.outcomes[0]->releases.size(), 1u);
  EXPECT_EQ(answer.outcomes[0]->releases[0].ciphertext.size(), 32u + 16);
  EXPECT_EQ(Download("mx.uif/beatriz", DigestOf(grant)).code, grpc::StatusCode::OK) << "the original's body";
  EXPECT_EQ(OfRecord("mx.uif/beatriz", &v1::Exchange::Stub::GetRecord, DigestOf(grant)).code, grpc::StatusCode::OK);
  // The first recipient learns of the second nothing at all.
  const Ended missing = OfRecord(kReader, &v1::Exchange::Stub::GetRecord, Nowhere());
  EXPECT_EQ(OfRecord(kReader, &v1::Exchange::Stub::GetRecord, DigestOf(grant)), missing);
  EXPECT_EQ(OfRecord(kReader, &v1::Exchange::Stub::Custody, DigestOf(grant)), missing);
  EXPECT_EQ(Download(kReader, DigestOf(grant)), missing);
  const auto seen = CustodyOf(kReader, record);
  EXPECT_FALSE(Has(seen, DigestOf(grant)) || Has(seen, DigestOf(open)));
  EXPECT_TRUE(Has(CustodyOf("mx.fgr/omar", record), DigestOf(open)));
  // The original's end is the grant's.
  ASSERT_EQ(Post("mx.fgr/omar", Revoke("mx.fgr/omar", record)), "");
  auto late = Member("mx.uif/beatriz")
                  .transport->Post({Open("mx.uif/beatriz", DigestOf(grant), random_.Make<Nonce>())}, 0)
                  .value();
  ASSERT_TRUE(late.outcomes.at(0));
  EXPECT_TRUE(late.outcomes[0]->releases.empty());
}

TEST_F(NetLife, AnAmendmentBringsTheVeryPolicyThatItNames) {
  const auto sent = Seal(1)[0];
  ASSERT_EQ(Post("mx.fgr/omar", sent), "");
  const auto tighter = std::string(kForDea) + "openings 1 in all\n";
  const auto good = Amend("mx.fgr/omar", sent, tighter);
  auto none = good, other = good, two = good, slips = good;
  none.attachments.policies.clear();
  other.attachments.policies[0].back() ^= 1;
  two.attachments.policies.push_back(good.attachments.policies[0]);
  slips.attachments.authority_encs = sent.attachments.authority_encs;
  for (const auto* bad : {&none, &other, &two, &slips}) EXPECT_NE(Post("mx.fgr/omar", *bad), "");
  auto foreign = good;
  foreign.attachments.policies = {
      proto::EncodePolicy(random_.Make<Salt>(), *policy::ParseText(std::string(kForDea)).policy)};
  EXPECT_EQ(Post("mx.fgr/omar", foreign), "bad-policy");
  EXPECT_EQ(Post("mx.fgr/omar", good), "");
  const auto seen = Member(kReader).transport->Custody(DigestOf(sent), 0, 0).value();
  ASSERT_EQ(seen.entries.size(), 2u);
  EXPECT_TRUE(seen.entries[1].entry.attachments.policies.empty()) << "the policy is for the originator's side";
}

// ---- dual control ----

TEST_F(NetLife, AnApprovalIsSeenByTheRequesterTheApproversAndTheOriginatorAlone) {
  const auto record = Send(std::string(kForDea) + "approval 1 of mx.fgr/alicia\napproval-hours 24\n");
  const auto open = Open(kReader, record, random_.Make<Nonce>());
  ASSERT_EQ(Post(kReader, open), "");
  auto waits = Waiting("mx.fgr/alicia");
  const auto its = std::find_if(waits.items.begin(), waits.items.end(),
                                [&](const auto& item) { return item.statement == DigestOf(open); });
  ASSERT_NE(its, waits.items.end());
  EXPECT_EQ(its->kind, "approval");
  EXPECT_EQ(its->record, record);
  EXPECT_TRUE(its->until.has_value());
  EXPECT_TRUE(Waiting("mx.uif/beatriz").items.empty());
  const auto approval = Approve("mx.fgr/alicia", DigestOf(open));
  ASSERT_EQ(Post("mx.fgr/alicia", approval), "");
  for (const auto* one : {"mx.fgr/alicia", "mx.fgr/omar", "us.dea/jrivera"})
    EXPECT_TRUE(Has(CustodyOf(one, record), DigestOf(approval))) << one;
  for (const auto* other : {"us.dea/newman", "mx.uif/beatriz", "us.cbp/tom"}) {
    EXPECT_FALSE(Has(CustodyOf(other, record), DigestOf(approval))) << other;
    EXPECT_FALSE(Has(MailOf(other), DigestOf(approval))) << other;
    EXPECT_EQ(Receipt(other, DigestOf(approval)), Receipt(other, Nowhere())) << other;
  }
  const auto ready = Waiting(kReader);
  EXPECT_TRUE(std::any_of(ready.items.begin(), ready.items.end(), [&](const auto& item) {
    return item.kind == "approved" && item.statement == DigestOf(open);
  }));
}

// On the recipient's side, and not in the audience: it sees of what it approves, until that is done, and no more.
TEST_F(NetLife, AnApproverOutsideTheAudienceSeesTheRecordWhileItWaits) {
  const std::string newman = "us.dea/newman";
  const auto record = Send(std::string(kForRiveraAlone) + "approval 1 of us.dea/newman\napproval-hours 24\n");
  const Ended missing = OfRecord(newman, &v1::Exchange::Stub::GetRecord, Nowhere());
  EXPECT_EQ(OfRecord(newman, &v1::Exchange::Stub::GetRecord, record), missing);
  ASSERT_EQ(Post(kReader, Open(kReader, record, random_.Make<Nonce>())), "");
  auto page = Member(newman).transport->GetRecord(record, 0);
  ASSERT_TRUE(page) << page.error().Message();
  EXPECT_EQ(page->entries.at(0).entry.head->statement, record);
  EXPECT_TRUE(page->entries[0].entry.attachments.slips.empty());
  EXPECT_TRUE(page->entries[0].entry.attachments.policies.empty());
  EXPECT_EQ(Download(newman, record), Download(newman, Nowhere()));
  EXPECT_EQ(OfRecord(newman, &v1::Exchange::Stub::Custody, record), missing);
  EXPECT_EQ(OfRecord("us.cbp/vera", &v1::Exchange::Stub::GetRecord, record), missing);
}

// ---- access requests ----

TEST_F(NetLife, ADeclinedRequestSilenceAndAbsenceLookTheSame) {
  const auto record = Send(), ignored = Send();
  const auto from = Size();
  const std::string vera = "us.cbp/vera";
  const std::vector<client::Submission> asked = {AskFor(vera, record), AskFor(vera, ignored), AskFor(vera, Nowhere())};
  auto answer = Member(vera).transport->Post(asked, 0).value();
  std::vector<std::size_t> sizes;
  for (const auto& outcome : answer.outcomes) {
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->releases.empty());
    sizes.push_back(outcome->receipt.decision_bytes.size());
  }
  EXPECT_EQ(sizes, std::vector<std::size_t>(3, sizes[0]));
  const auto seen_by_originator = Waiting("mx.fgr/omar");
  EXPECT_TRUE(std::any_of(seen_by_originator.items.begin(), seen_by_originator.items.end(),
                          [&](const auto& item) { return item.statement == DigestOf(asked[0]); }));
  const auto declined = Decline("mx.fgr/omar", DigestOf(asked[0]));
  ASSERT_EQ(Post("mx.fgr/omar", declined), "");

  EXPECT_EQ(MailOf(vera, from).size(), 3u) << "its own requests, and nothing else";
  EXPECT_TRUE(Waiting(vera).items.empty());
  for (const auto& one : {record, ignored, DigestOf(asked[0]), DigestOf(declined)}) {
    EXPECT_EQ(OfRecord(vera, &v1::Exchange::Stub::GetRecord, one),
              OfRecord(vera, &v1::Exchange::Stub::GetRecord, Nowhere()));
    EXPECT_EQ(OfRecord(vera, &v1::Exchange::Stub::Custody, one),
              OfRecord(vera, &v1::Exchange::Stub::Custody, Nowhere()));
    EXPECT_EQ(Download(vera, one), Download(vera, Nowhere()));
  }
  EXPECT_EQ(Receipt(vera, DigestOf(declined)), Receipt(vera, Nowhere()));
  // Asked again, the very same: the same answers.
  auto again = Member(vera).transport->Post(asked, 0).value();
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(again.outcomes[i]);
    EXPECT_TRUE(again.outcomes[i]->receipt.head == answer.outcomes[i]->receipt.head);
  }
  // Nor may she answer for the originator, and what she is told does not depend on whether there is a record.
  EXPECT_EQ(Post(vera, Decline(vera, DigestOf(asked[1]))), Post(vera, Decline(vera, DigestOf(asked[2]))));
  EXPECT_TRUE(Has(CustodyOf("mx.fgr/omar", record), DigestOf(declined)));
  // Nor does her administrator find out by erasing what she said.
  const std::string tom = "us.cbp/tom";
  std::set<std::string> alone, together;
  for (const auto& one : asked) alone.insert(Post(tom, Purge(tom, ErasureOf(one))));
  for (const std::size_t other : {0, 1})
    together.insert(Post(tom, Purge(tom, std::vector{ErasureOf(asked[other]), ErasureOf(asked[2])})));
  together.insert(Post(tom, Purge(tom, std::vector{ErasureOf(asked[0]), ErasureOf(asked[1])})));
  EXPECT_THAT(alone, testing::ElementsAre("not-ready"));
  EXPECT_THAT(together, testing::ElementsAre("malformed"));
}

// What differs in the work shows in the time, of which half the pairs are on either side by chance alone. No bound on any
// time: only which of two is the slower one, in turns.
TEST_F(NetLife, WhatIsHiddenTakesAsLongAsWhatIsNotThere) {
  const std::string outsider = "us.cbp/vera";
  const auto record = Send();
  const auto open = Open(kReader, record, random_.Make<Nonce>());
  ASSERT_EQ(Post(kReader, open), "");
  const auto stub = Stub(outsider);
  const auto time_of = [&](const auto& call) {
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(call(), "not-found");
    return std::chrono::steady_clock::now() - begun;
  };
  const auto of_record = [&](auto method, const Digest& digest) {
    v1::RecordRequest request;
    request.set_record(digest.bytes.data(), digest.bytes.size());
    v1::EntryPage page;
    return Call(*stub, method, request, &page).reason;
  };
  const auto of_receipt = [&](const Digest& digest) {
    v1::ReceiptRequest request;
    request.set_statement(digest.bytes.data(), digest.bytes.size());
    v1::ReceiptAnswer answer;
    return Call(*stub, &v1::Exchange::Stub::GetReceipt, request, &answer).reason;
  };
  const auto share_slower = [&](const auto& of, const Digest& hidden) {
    constexpr int kPairs = 600;
    int slower = 0;
    for (int i = 0; i < kPairs; ++i) {
      const Digest absent = Nowhere();
      std::chrono::steady_clock::duration one{}, other{};
      if (i % 2 == 0) one = time_of([&] { return of(hidden); });
      other = time_of([&] { return of(absent); });
      if (i % 2 != 0) one = time_of([&] { return of(hidden); });
      slower += one > other ? 1 : 0;
    }
    return static_cast<double>(slower) / kPairs;  // its deviation by chance: 0.02
  };
  const auto equal = testing::AllOf(testing::Gt(0.35), testing::Lt(0.65));
  EXPECT_THAT(share_slower([&](const Digest& one) { return of_record(&v1::Exchange::Stub::GetRecord, one); }, record),
              equal);
  EXPECT_THAT(share_slower([&](const Digest& one) { return of_record(&v1::Exchange::Stub::Custody, one); }, record),
              equal);
  EXPECT_THAT(share_slower(of_receipt, record), equal);
  EXPECT_THAT(share_slower(of_receipt, DigestOf(open)), equal);
  EXPECT_THAT(share_slower([&](const Digest& one) { return Download(outsider, one).reason; }, record), equal);
}

// ---- who else ----

TEST_F(NetLife, CoRecipientsAreInvisibleByEveryCallUnlessTheOriginatorShowsThem) {
  for (const bool shown : {false, true}) {
    const auto from = Size();
    const auto record = Send(std::string(kForDeaAndUif) + (shown ? "co-recipients shown\n" : ""), {"mx.uif", "us.dea"});
    const auto open = Open(kReader, record, random_.Make<Nonce>());
    ASSERT_EQ(Post(kReader, open), "");
    const std::string other = "mx.uif/beatriz";
    auto page = Member(other).transport->GetRecord(record, 0).value();
    std::set<std::string> named;
    for (const auto& slip : page.entries.at(0).entry.attachments.slips) named.insert(slip.agency.str());
    EXPECT_EQ(named, shown ? (std::set<std::string>{"mx.uif", "us.dea"}) : (std::set<std::string>{"mx.uif"}));
    EXPECT_EQ(Has(CustodyOf(other, record), DigestOf(open)), shown);
    EXPECT_FALSE(Has(MailOf(other, from), DigestOf(open)) && !shown);
    EXPECT_TRUE(Has(MailOf(other, from), record));
    EXPECT_EQ(Receipt(other, DigestOf(open)), Receipt(other, Nowhere())) << "a receipt is its author's in any case";
    EXPECT_EQ(Download(other, record).code, grpc::StatusCode::OK);
    EXPECT_TRUE(Waiting(other).items.empty());
  }
}

// ---- standing orders ----

TEST_F(NetLife, NobodyHandsInAStandingOpening) {
  const auto order = Order(kReader, reply_);
  ASSERT_EQ(Post(kReader, order), "");
  const auto record = Send(kForUif, {"mx.uif"});
  client::Submission opening;
  opening.envelope = {ledger::PayloadType(ledger::Kind::kStandingOpening),
                      proto::EncodeStandingOpening({DigestOf(order), *MemberId::Parse(kReader), record, {0}}),
                      {},
                      std::nullopt};
  EXPECT_EQ(Post(kReader, opening), "wrong-author");
  ASSERT_EQ(Post(kReader, Revoke(kReader, DigestOf(order))), "");
}

TEST_F(NetLife, AStandingOrderBringsEachReleaseToItsAuthorAloneUntilItIsRevoked) {
  const auto order = Order(kReader, reply_);
  ASSERT_EQ(Post(kReader, order), "");
  const auto from = Size();
  const auto record = Send();
  const auto find = [&](const std::string& name) -> std::optional<proto::ProvedEntry> {
    auto page = Member(name).transport->Mailbox(from, 0).value();
    for (auto& one : page.entries)
      if (one.entry.envelope->payload_type == ledger::PayloadType(ledger::Kind::kStandingOpening)) return one;
    return std::nullopt;
  };
  const auto mine = find(kReader);
  ASSERT_TRUE(mine);
  ASSERT_EQ(mine->releases.size(), 1u);
  record::ReleaseBinding binding{mine->entry.head->statement, mine->entry.head->decision, mine->releases[0].authority,
                                 *AgencyId::Parse("us.dea"), Member(kReader).keys->signature.id()};
  EXPECT_TRUE(record::OpenRelease(binding, reply_, mine->releases[0].enc, mine->releases[0].ciphertext, 1));
  for (const char* other : {"us.dea/newman", "us.dea/karen", "mx.fgr/omar"}) {
    const auto seen = find(other);
    ASSERT_TRUE(seen) << other;
    EXPECT_TRUE(seen->releases.empty()) << other;
  }
  EXPECT_FALSE(find("mx.uif/beatriz"));
  EXPECT_EQ(Receipt(kReader, mine->entry.head->statement).code, grpc::StatusCode::OK);
  EXPECT_EQ(Receipt("us.dea/newman", mine->entry.head->statement), Receipt("us.dea/newman", Nowhere()));
  // A stream brings it as well.
  {
    auto stub = Stub(kReader);
    grpc::ClientContext context;
    SetDeadline(context);
    v1::FollowRequest request;
    request.set_cursor(mine->entry.head->index);
    auto stream = stub->Follow(&context, request);
    v1::MailItem item;
    ASSERT_TRUE(stream->Read(&item));
    EXPECT_EQ(item.releases_size(), 1);
    context.TryCancel();
    while (stream->Read(&item)) continue;
    stream->Finish();
  }
  // The record's end is the release's; the order's end too, and at once.
  ASSERT_EQ(Post("mx.fgr/omar", Revoke("mx.fgr/omar", record)), "");
  EXPECT_TRUE(find(kReader)->releases.empty());
  const auto second = Send();
  const auto last = Member(kReader).transport->Mailbox(from, 0).value().entries.back();
  EXPECT_EQ(last.releases.size(), 1u);
  ASSERT_EQ(Post(kReader, Revoke(kReader, DigestOf(order))), "");
  const auto after = Member(kReader).transport->Mailbox(from, 0).value();
  for (const auto& one : after.entries) EXPECT_TRUE(one.releases.empty());
  const auto size = Size();
  Send();
  EXPECT_EQ(Size(), size + 1) << "the record, and no opening";
  EXPECT_EQ(CustodyOf(kReader, second), (std::vector{second, last.entry.head->statement}));
  EXPECT_EQ(CustodyOf("mx.fgr/omar", second), CustodyOf(kReader, second));
  // The order that stands behind the openings is for its author and for the originators of what it opened.
  const Ended missing = OfRecord("mx.uif/beatriz", &v1::Exchange::Stub::GetRecord, Nowhere());
  EXPECT_EQ(OfRecord("mx.uif/beatriz", &v1::Exchange::Stub::GetRecord, DigestOf(order)), missing);
  for (const auto* who : {kReader.c_str(), "mx.fgr/omar"})
    EXPECT_EQ(OfRecord(who, &v1::Exchange::Stub::GetRecord, DigestOf(order)).code, grpc::StatusCode::OK) << who;
}

// What an amendment of the original, or of the grant, says by now rules the release too.
TEST_F(NetLife, NothingIsReleasedUnderAnOrderThatTheOriginalsPolicyWouldRefuseToday) {
  const auto order = Order(kReader, reply_);
  ASSERT_EQ(Post(kReader, order), "");
  const auto releases = [&](std::uint64_t from) {
    std::size_t out = 0;
    const auto mail = Member(kReader).transport->Mailbox(from, 0).value();
    for (const auto& one : mail.entries) out += one.releases.size();
    return out;
  };
  const auto from = Size();
  auto sent = Seal(1)[0];
  ASSERT_EQ(Post("mx.fgr/omar", sent), "");
  ASSERT_EQ(releases(from), 1u);
  ASSERT_EQ(Post("mx.fgr/omar",
                 Amend("mx.fgr/omar", sent, std::string(kForDea) + "approval 1 of mx.fgr/alicia\napproval-hours 24\n")),
            "");
  EXPECT_EQ(releases(from), 0u) << "it asks for approvals now, and nobody gave any";
  ASSERT_EQ(Post(kReader, Revoke(kReader, DigestOf(order))), "");
}

// A recipient passed it on within its country; then the originator tightened what is its own.
TEST_F(NetLife, NothingIsReleasedUnderAnOrderThatIsLaxerThanTheOriginal) {
  const std::string vera = "us.cbp/vera";
  const std::string dea = std::string(kForDea) + "onward within-country\n";
  auto sent = Seal(1, dea)[0];
  ASSERT_EQ(Post("mx.fgr/omar", sent), "");
  ASSERT_EQ(Post(kReader, Open(kReader, DigestOf(sent), random_.Make<Nonce>())), "");
  ASSERT_EQ(Post(vera, Order(vera, reply_)), "");
  const auto from = Size();
  ASSERT_TRUE(Member(kReader).verifier->Refresh(*Member(kReader).transport)) << "us.cbp may have a new epoch";
  const auto grant = Grant(kReader, DigestOf(sent),
                           "marking TLP:GREEN\nreleasable-to agency us.cbp\npurpose analysis\ncase optional\n"
                           "expires 2036-01-01\nonward within-country\n",
                           {"us.cbp"});
  ASSERT_EQ(Post(kReader, grant), "");
  const auto releases = [&] {
    std::size_t out = 0;
    const auto mail = Member(vera).transport->Mailbox(from, 0).value();
    for (const auto& one : mail.entries) out += one.releases.size();
    return out;
  };
  ASSERT_EQ(releases(), 1u);
  ASSERT_EQ(Post("mx.fgr/omar", Amend("mx.fgr/omar", sent,
                                      "marking TLP:GREEN\nreleasable-to agency us.dea\npurpose analysis\n"
                                      "case required\nexpires 2036-01-01\nonward within-country\n")),
            "");
  EXPECT_EQ(releases(), 0u);
}

TEST_F(NetLife, AnOrderTellsNoOriginatorOfItWhatElseItOpened) {
  // mx.fgr sends to us.dea and mx.uif, who do not know of one another; an order of us.dea opens it, and later something of
  // mx.uif's own as well.
  const auto order = Order(kReader, reply_);
  ASSERT_EQ(Post(kReader, order), "");
  const auto hidden = Send(kForDeaAndUif, {"mx.uif", "us.dea"});
  const auto theirs = Member("mx.uif/beatriz").Sealer(kForDea, {"us.dea"}).Seal(1, 100, true)[0];
  ASSERT_EQ(Post("mx.uif/beatriz", theirs), "");
  EXPECT_EQ(CustodyOf("mx.uif/beatriz", DigestOf(theirs)).size(), 2u);
  EXPECT_EQ(OfRecord("mx.uif/beatriz", &v1::Exchange::Stub::GetRecord, DigestOf(order)).code, grpc::StatusCode::OK);
  EXPECT_EQ(CustodyOf("mx.uif/beatriz", hidden), std::vector{hidden}) << "who else has it, or opened it";
}

// ---- purges ----

// What one Post brings is verified before anything of it is there.
TEST_F(NetLife, APurgeOfWhatComesWithTheSamePostIsNotFound) {
  const auto sent = Seal(1)[0];
  auto erasure = ErasureOf(sent);
  erasure.redacted.bytes[0] ^= 1;
  const auto omar = std::string("mx.fgr/omar");
  auto answer = Member(omar).transport->Post({sent, Revoke(omar, DigestOf(sent)), Purge(omar, erasure)}, 0).value();
  EXPECT_TRUE(answer.outcomes.at(0) && answer.outcomes.at(1));
  ASSERT_FALSE(answer.outcomes.at(2));
  EXPECT_EQ(answer.outcomes[2].error().reason, Reason::kNotFound);
  EXPECT_EQ(Post(omar, Seal(1)[0]), "") << "the broker goes on";
}

// Whoever reads up to a checkpoint gets nothing that only a later one proves.
TEST_F(NetLife, AnErasureIsStreamedWithItsPurgeOrNotAtAll) {
  const std::string omar = "mx.fgr/omar", auditor = "mx.fgr/contralora";
  const auto from = Size();
  const auto sent = Seal(1)[0];
  ASSERT_EQ(Post(omar, sent), "");
  ASSERT_EQ(Post(omar, Revoke(omar, DigestOf(sent))), "");
  const auto lookup = LookUp(auditor);
  const auto before = Size();
  std::vector<bool> erased;
  const auto read = [&](std::uint64_t end) {
    erased.clear();
    auto done = Member(auditor).transport->Entries(from, end, lookup, [&](const proto::LoggedEntry& entry) {
      erased.push_back(entry.erased_by.has_value());
      return true;
    });
    return done ? std::string() : std::string(CodeOf(done.error().reason));
  };
  EXPECT_EQ(read(before), "");
  ASSERT_EQ(erased.size(), before - from);
  EXPECT_EQ(std::count(erased.begin(), erased.end(), true), 0);
  ASSERT_EQ(Post(omar, Purge(omar, ErasureOf(sent))), "");
  EXPECT_EQ(read(before), "unavailable") << "its purge is behind the end";
  EXPECT_TRUE(erased.empty());
  EXPECT_EQ(read(0), "");
  ASSERT_EQ(erased.size(), before - from + 1);
  EXPECT_TRUE(erased[0]);
  EXPECT_EQ(std::count(erased.begin(), erased.end(), true), 1);
}

TEST_F(NetLife, WhatWasPurgedIsGoneForEverAndItsProofsStay) {
  const auto sent = Seal(1)[0];
  const auto record = DigestOf(sent);
  ASSERT_EQ(Post("mx.fgr/omar", sent), "");
  const auto erasure = ErasureOf(sent);
  EXPECT_EQ(Post("mx.fgr/omar", Purge("mx.fgr/omar", erasure)), "not-ready") << "it can still be opened";
  ASSERT_EQ(Post("mx.fgr/omar", Revoke("mx.fgr/omar", record)), "");
  EXPECT_EQ(Download(kReader, record).code, grpc::StatusCode::OK);
  auto wrong = erasure;
  wrong.redacted.bytes[0] ^= 1;
  EXPECT_EQ(Post("mx.fgr/omar", Purge("mx.fgr/omar", wrong)), "malformed");
  EXPECT_EQ(Post("us.dea/karen", Purge("us.dea/karen", wrong)), "not-found") << "whatever it names";
  EXPECT_EQ(Post("us.dea/karen", Purge("us.dea/karen", {Nowhere(), {}})), "not-found");
  const auto purge = Purge("mx.fgr/omar", erasure);
  ASSERT_EQ(Post("mx.fgr/omar", purge), "");

  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Download(kReader, record).reason, "purged");
    EXPECT_EQ(Download("us.cbp/vera", record), Download("us.cbp/vera", Nowhere()));
    EXPECT_EQ(Post("mx.fgr/omar", sent), "purged") << "posted again, with its body";
    auto without = sent;
    without.bodies.clear();
    EXPECT_EQ(Post("mx.fgr/omar", without), "purged");
    const auto page = Member(kReader).transport->GetRecord(record, 0).value();
    const auto& entry = page.entries.at(0).entry;
    EXPECT_TRUE(entry.erased_by.has_value());
    EXPECT_TRUE(proto::CheckLoggedEntry(entry));
    EXPECT_EQ(entry.head->statement, record);
    EXPECT_EQ(Receipt("mx.fgr/omar", record).code, grpc::StatusCode::OK);
    std::uint64_t all = 0;
    EXPECT_TRUE(Member("mx.fgr/contralora")
                    .transport->Entries(0, 0, LookUp("mx.fgr/contralora"), [&](const proto::LoggedEntry& one) {
                      EXPECT_TRUE(proto::CheckLoggedEntry(one)) << one.head->index;
                      ++all;
                      return true;
                    }));
    EXPECT_EQ(all, Size());
    if (i == 1) break;
    ASSERT_EQ(world_.Stop(), 0);
    world_.Start();
    for (int tries = 0; tries < 100 && !Member("us.dea/karen").transport->Checkpoint(0); ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (const char* name : {"mx.fgr/omar", "us.dea/jrivera", "us.cbp/vera", "mx.fgr/contralora"})
      for (int tries = 0; tries < 100 && !Member(name).transport->Checkpoint(0); ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(Post("mx.fgr/omar", Purge("mx.fgr/omar", erasure)), "exists");
  EXPECT_TRUE(Has(CustodyOf(kReader, record), DigestOf(purge))) << "whoever knew of it sees why it is gone";
}

}  // namespace
}  // namespace valija::test
