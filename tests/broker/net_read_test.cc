// Who sees what: what is not for a caller looks as if it was not there.
#include <gmock/gmock.h>

#include <set>

#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

class NetRead : public NetTest {
 protected:
  template <class Method>
  Ended OfRecord(const std::string& as, Method method, const Digest& record, std::uint64_t from = 0) {
    auto stub = Stub(as);
    v1::RecordRequest request;
    request.set_from_index(from);
    request.set_record(record.bytes.data(), record.bytes.size());
    v1::EntryPage page;
    return Call(*stub, method, request, &page);
  }
  Ended Download(const std::string& as, const Digest& record, std::uint32_t portion = 0, std::uint64_t from = 0) {
    auto stub = Stub(as);
    grpc::ClientContext context;
    SetDeadline(context);
    v1::DownloadRequest request;
    request.set_record(record.bytes.data(), record.bytes.size());
    request.set_portion(portion);
    request.set_from_slice(from);
    auto stream = stub->Download(&context, request);
    v1::DownloadChunk chunk;
    while (stream->Read(&chunk)) continue;
    return EndOf(context, stream->Finish());
  }
  Ended TileAt(const std::string& path, std::size_t* size = nullptr) {
    auto stub = Stub("mx.fgr/omar");
    v1::TileRequest request;
    request.set_path(path);
    v1::TileAnswer answer;
    auto ended = Call(*stub, &v1::Exchange::Stub::GetTile, request, &answer);
    if (size != nullptr) *size = answer.data().size();
    return ended;
  }
  // This many acknowledgements of a record, in as many Posts as it takes.
  void Acknowledge(const std::string& as, const Digest& record, std::size_t count) {
    auto& peer = Member(as);
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    for (std::size_t done = 0; done < count;) {
      std::vector<client::Submission> submissions(std::min(count - done, proto::kMaxSubmissions));
      for (auto& one : submissions) {
        one.envelope.payload_type = ledger::PayloadType(ledger::Kind::kAcknowledgement);
        one.envelope.payload =
            proto::EncodeAcknowledgement({{peer.profile->member(), peer.keys->signature.id(),
                                           peer.profile->charter_terms().origin, now, random_.Make<Nonce>()},
                                          record,
                                          "received"});
        one.envelope.signatures.push_back(
            {peer.keys->signature.id(),
             peer.keys->signature.Sign(crypto::Pae(one.envelope.payload_type, one.envelope.payload))});
      }
      auto answer = peer.transport->Post(submissions, 0).value();
      for (const auto& outcome : answer.outcomes) ASSERT_TRUE(outcome) << outcome.error().Message();
      done += submissions.size();
    }
  }
  // All pages of a custody: how many entries each shows. The indexes of what is shown ascend.
  std::vector<std::size_t> CustodyPages(const std::string& as, const Digest& record) {
    std::vector<std::size_t> shown;
    std::uint64_t last = 0;
    for (std::uint64_t from = 0;;) {
      auto page = Member(as).transport->Custody(record, from, 0).value();
      shown.push_back(page.entries.size());
      for (const auto& one : page.entries) {
        EXPECT_GE(one.entry.head->index, from);
        EXPECT_GT(one.entry.head->index, last);
        EXPECT_LT(one.entry.head->index, page.next_cursor);
        last = one.entry.head->index;
      }
      if (!page.more || page.next_cursor <= from) return shown;
      from = page.next_cursor;
    }
  }
};

TEST_F(NetRead, ARecordForOthersLooksAsIfItWereNotThere) {
  const auto record = Send();
  const Ended missing = OfRecord("us.cbp/vera", &v1::Exchange::Stub::GetRecord, Nowhere());
  EXPECT_EQ(missing.reason, "not-found");
  EXPECT_EQ(OfRecord("us.cbp/vera", &v1::Exchange::Stub::GetRecord, record), missing);
  EXPECT_EQ(OfRecord("us.cbp/vera", &v1::Exchange::Stub::Custody, record), missing);
  EXPECT_EQ(OfRecord("us.cbp/vera", &v1::Exchange::Stub::Custody, Nowhere()), missing);
  EXPECT_EQ(Download("us.cbp/vera", record), missing);
  EXPECT_EQ(Download("us.cbp/vera", Nowhere()), missing);
  EXPECT_EQ(OfRecord("us.dea/jrivera", &v1::Exchange::Stub::GetRecord, record).code, grpc::StatusCode::OK);
  EXPECT_EQ(Download("us.dea/jrivera", record).code, grpc::StatusCode::OK);
}

TEST_F(NetRead, AReceiptIsForItsAuthor) {
  const auto record = Send();
  const auto other = Member("us.dea/jrivera").transport->Receipt(record, 0);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().reason, Reason::kNotFound);
  EXPECT_TRUE(Member("mx.fgr/omar").transport->Receipt(record, 0));
}

TEST_F(NetRead, ADownloadOutsideTheBodyIsRefused) {
  const auto record = Send();
  EXPECT_EQ(Download("us.dea/jrivera", record, 1).reason, "not-found");
  EXPECT_EQ(Download("us.dea/jrivera", record, 0, 9).reason, "malformed");
}

TEST_F(NetRead, ARecipientSeesItsOwnSlipAndNotThePoliciesNorWhoElseGotIt) {
  const auto record = Send(kForDeaAndUif, {"mx.uif", "us.dea"});
  auto page = Member("us.dea/jrivera").transport->GetRecord(record, 0).value();
  ASSERT_EQ(page.entries.size(), 1u);
  const auto& attachments = page.entries[0].entry.attachments;
  EXPECT_TRUE(attachments.policies.empty());
  ASSERT_EQ(attachments.slips.size(), 1u);
  EXPECT_EQ(attachments.slips[0].agency.str(), "us.dea");
  auto own = Member("mx.fgr/omar").transport->GetRecord(record, 0).value();
  std::multiset<std::string> slips;
  for (const auto& slip : own.entries.at(0).entry.attachments.slips) slips.insert(slip.agency.str());
  EXPECT_EQ(slips, (std::multiset<std::string>{"mx.uif", "us.dea", "zz.none", "zz.none"})) << "decoys hide how many";
  EXPECT_EQ(own.entries.at(0).entry.attachments.policies.size(), 1u);
}

TEST_F(NetRead, ARecipientDoesNotSeeTheOpeningsOfAnother) {
  const auto record = Send(kForDeaAndUif, {"mx.uif", "us.dea"});
  ASSERT_EQ(Post("us.dea/jrivera", Open("us.dea/jrivera", record, random_.Make<Nonce>())), "");
  EXPECT_EQ(Member("mx.uif/beatriz").transport->Custody(record, 0, 0).value().entries.size(), 1u);
  EXPECT_EQ(Member("us.dea/karen").transport->Custody(record, 0, 0).value().entries.size(), 2u);
  EXPECT_EQ(Member("mx.fgr/omar").transport->Custody(record, 0, 0).value().entries.size(), 2u);
}

// What is not for the caller makes no page shorter, and no page more.
TEST_F(NetRead, ACustodyOfManyEntriesComesInPages) {
  const auto record = Send(kForDeaAndUif, {"mx.uif", "us.dea"});
  Acknowledge("us.dea/jrivera", record, 1100);
  Acknowledge("mx.uif/beatriz", record, 1);
  EXPECT_THAT(CustodyPages("mx.fgr/omar", record), testing::ElementsAre(256, 256, 256, 256, 78));
  EXPECT_THAT(CustodyPages("mx.uif/beatriz", record), testing::ElementsAre(2));
  auto end = Member("mx.fgr/omar").transport->Custody(record, std::uint64_t{1} << 40, 0).value();
  EXPECT_TRUE(end.entries.empty() && !end.more);
}

// Between two records that a member may see: one that it may not, and one of its agency's for a colleague alone.
TEST_F(NetRead, ACursorSaysWhatWasShownLastAndNothingOfWhatComesNext) {
  const auto first = Send();
  Send(kForUif, {"mx.uif"});
  const auto hidden = Send(kForRiveraAlone);
  const auto second = Send();
  auto& newman = Member("us.dea/newman");
  const auto index = newman.transport->GetRecord(first, 0).value().entries.at(0).entry.head->index;
  v1::FollowRequest request;
  request.set_cursor(index);
  request.set_limit(1);
  auto stub = Stub("us.dea/newman");
  v1::MailPage page;
  ASSERT_EQ(Call(*stub, &v1::Exchange::Stub::Mailbox, request, &page).code, grpc::StatusCode::OK);
  ASSERT_EQ(page.items_size(), 1);
  EXPECT_TRUE(page.more());
  EXPECT_EQ(page.next_cursor(), index + 1);
  request.set_cursor(index + 1);
  page.Clear();
  ASSERT_EQ(Call(*stub, &v1::Exchange::Stub::Mailbox, request, &page).code, grpc::StatusCode::OK);
  ASSERT_EQ(page.items_size(), 1) << "in the same page, whatever lies between";
  EXPECT_EQ(page.items(0).cursor(), index + 4);
  EXPECT_FALSE(page.more());
  EXPECT_GT(page.next_cursor(), index + 3);
  EXPECT_EQ(newman.transport->GetRecord(second, 0).value().entries.at(0).entry.head->index, index + 3);
  EXPECT_FALSE(newman.transport->GetRecord(hidden, 0));
}

TEST_F(NetRead, OnlyACustodyIsAskedForFromAnIndexOn) {
  const auto record = Send();
  EXPECT_EQ(OfRecord("us.dea/jrivera", &v1::Exchange::Stub::GetRecord, record, 1).reason, "malformed");
  EXPECT_EQ(OfRecord("us.dea/jrivera", &v1::Exchange::Stub::Custody, record, 1).code, grpc::StatusCode::OK);
}

TEST_F(NetRead, ADirectoryPageIsAsLongAsItIsAskedForAndSaysWhereTheNextBegins) {
  auto stub = Stub("us.cbp/vera");
  v1::DirectoryRequest request;
  request.set_limit(3);
  std::uint64_t entries = 0;
  for (;;) {
    v1::EntryPage page;
    ASSERT_EQ(Call(*stub, &v1::Exchange::Stub::Directory, request, &page).code, grpc::StatusCode::OK);
    EXPECT_LE(page.entries_size(), 3);
    entries += static_cast<std::uint64_t>(page.entries_size());
    if (!page.more()) break;
    ASSERT_GT(page.next_index(), request.from_index());
    request.set_from_index(page.next_index());
  }
  request.set_from_index(0);
  request.clear_limit();
  v1::EntryPage whole;
  ASSERT_EQ(Call(*stub, &v1::Exchange::Stub::Directory, request, &whole).code, grpc::StatusCode::OK);
  EXPECT_GT(entries, 6u);
  EXPECT_EQ(static_cast<std::uint64_t>(whole.entries_size()), entries);
}

TEST_F(NetRead, AnAgencysAuditorSeesBareCommitmentsOfWhatDoesNotConcernIt) {
  const auto record = Send();
  bool seen = false, bare = false;
  auto read =
      Member("us.cbp/vera").transport->Entries(0, 0, LookUp("us.cbp/vera"), [&](const proto::LoggedEntry& entry) {
        if (!entry.head) {
          bare = true;
          EXPECT_FALSE(entry.salt || entry.envelope);
          EXPECT_TRUE(entry.decision_bytes.empty() && entry.attachments.slips.empty() &&
                      entry.attachments.policies.empty());
        } else if (entry.envelope &&
                   crypto::DigestOf(entry.envelope->payload_type, entry.envelope->payload) == record) {
          seen = true;
        }
        return true;
      });
  EXPECT_TRUE(read) << read.error().Message();
  EXPECT_TRUE(bare);
  EXPECT_FALSE(seen);
}

TEST_F(NetRead, OnlyAuditorsReadEntries) {
  auto read = Member("mx.fgr/omar").transport->Entries(0, 0, Digest{}, [](const proto::LoggedEntry&) { return true; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, Reason::kNotAuthorised);
  std::uint64_t all = 0;
  EXPECT_TRUE(Member("mx.fgr/contralora")
                  .transport->Entries(0, 0, LookUp("mx.fgr/contralora"), [&](const proto::LoggedEntry& entry) {
                    EXPECT_TRUE(entry.head && entry.envelope);
                    ++all;
                    return true;
                  }));
  EXPECT_GT(all, 8u);
  auto beyond =
      Member("mx.fgr/contralora")
          .transport->Entries(0, 1u << 30, LookUp("mx.fgr/contralora"), [](const proto::LoggedEntry&) { return true; });
  EXPECT_FALSE(beyond);
}

TEST_F(NetRead, WhoReadsEntriesHasSaidSoInTheLogFirst) {
  const auto read = [&](std::uint64_t from, std::uint64_t end, const Digest& lookup) {
    auto done = Member("mx.fgr/contralora").transport->Entries(from, end, lookup, [](const proto::LoggedEntry&) {
      return true;
    });
    return done ? std::string() : std::string(CodeOf(done.error().reason));
  };
  EXPECT_EQ(read(0, 3, Nowhere()), "not-ready");
  EXPECT_EQ(read(0, 3, LookUp("us.cbp/vera")), "not-ready") << "another auditor's";
  const auto narrow = LookUp("mx.fgr/contralora", 1, 3);
  EXPECT_EQ(read(1, 3, narrow), "");
  EXPECT_EQ(read(0, 3, narrow), "not-ready");
  EXPECT_EQ(read(1, 4, narrow), "not-ready");
  EXPECT_EQ(read(2, 0, narrow), "not-ready") << "up to now is more than that";
  EXPECT_EQ(Post("mx.fgr/omar",
                 Direct(ledger::Kind::kLookup,
                        proto::EncodeLookup({By(Member("mx.fgr/omar")), 0, 0,
                                             By(Member("mx.fgr/omar")).time + std::chrono::hours(1), "me too"}),
                        Member("mx.fgr/omar"))),
            "not-authorised");
}

TEST_F(NetRead, AViewFromASizeThatTheLogNeverHadIsRefused) {
  auto view = Member("mx.fgr/omar").transport->Checkpoint(std::uint64_t{1} << 40);
  ASSERT_FALSE(view);
  EXPECT_NE(view.error().reason, Reason::kInternal);
}

TEST_F(NetRead, TilesAreFoundByTheirPathAlone) {
  for (const char* path :
       {"", "tile", "tile/0", "tile/0/", "/tile/0/000", "tile/0/0", "tile/64/000", "tile/0/x000", "tile/-1/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/300", "tile/0/../000", "tile/0/000/", "tile/00/000",
        "tile/entries/000", "tile/0/x99999999999999999999/000", "tile/0/000.p/"}) {
    const auto reason = TileAt(path).reason;
    EXPECT_TRUE(reason == "malformed" || reason == "not-found") << path << ": " << reason;
  }
  std::size_t size = 0;
  EXPECT_EQ(TileAt("tile/0/000.p/5", &size).code, grpc::StatusCode::OK);
  EXPECT_EQ(size, 5u * 32);
  EXPECT_EQ(TileAt("tile/0/x999/999").reason, "not-found");
}

}  // namespace
}  // namespace valija::test
