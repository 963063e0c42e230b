#include "proto/wire.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>

#include "tests/proto/codings.h"

namespace valija::test {
namespace {

proto::Submission SomeSubmission(Sample& sample) {
  auto entry = sample.Entry();
  return {*entry.envelope, entry.attachments, {sample.SomeBytes(30), sample.SomeBytes(40)}};
}
proto::Release SomeRelease(Sample& sample) { return {sample.Authority(), sample.SomePoint(), sample.SomeBytes(80)}; }
proto::EntriesAnswer SomeEntries(Sample& sample) {
  return {{{sample.Entry(), sample.Hashes(3)}, {sample.Entry(), sample.Hashes(4)}}, sample.View(), true, 0};
}

// With an unknown field put at each level of the message in turn, `read` refuses it.
template <class M, class Read>
void ExpectUnknownRefusedAtEveryLevel(const M& message, Read read) {
  ASSERT_TRUE(read(message)) << read(message).error().Message();
  M whole = message;
  int levels = 0;
  EachLevel(&whole, [&](Message*) { ++levels; });
  for (int level = 0; level < levels; ++level) {
    M changed = message;
    int at = 0;
    std::string where;
    EachLevel(&changed, [&](Message* each) {
      if (at++ != level) return;
      where = each->GetDescriptor()->full_name();
      each->GetReflection()->MutableUnknownFields(each)->AddVarint(1000, 1);
    });
    auto refused = read(changed);
    ASSERT_FALSE(refused) << where;
    EXPECT_EQ(refused.error().reason, Reason::kUnknownField) << where;
    auto walked = proto::RefuseUnknown(changed);
    ASSERT_FALSE(walked) << where;
    EXPECT_EQ(walked.error().reason, Reason::kUnknownField) << where;
  }
  EXPECT_TRUE(proto::RefuseUnknown(message));
}

const auto kRead = [](const auto& message) { return proto::FromMessage(message); };

TEST(Wire, ASubmissionComesBack) {
  Sample sample(71);
  auto submission = SomeSubmission(sample);
  v1::Submission message;
  proto::ToMessage(submission, &message);
  auto back = proto::FromMessage(message).value();
  EXPECT_EQ(proto::EncodeEnvelope(back.envelope), proto::EncodeEnvelope(submission.envelope));
  EXPECT_EQ(proto::EncodeAttachments(back.attachments), proto::EncodeAttachments(submission.attachments));
  EXPECT_EQ(back.bodies, submission.bodies);
  ExpectUnknownRefusedAtEveryLevel(message, kRead);

  message.add_bodies();
  EXPECT_FALSE(proto::FromMessage(message)) << "an empty body";
  message.clear_bodies();
  message.clear_statement();
  EXPECT_FALSE(proto::FromMessage(message)) << "no statement";
}

TEST(Wire, AnAnswerToAPostComesBackWithReceiptsReleasesAndRefusals) {
  Sample sample(72);
  proto::Outcome accepted(proto::Accepted{sample.Receipt(), {SomeRelease(sample), SomeRelease(sample)}});
  proto::Outcome refused(Refuse(Reason::kSupersededEpoch, "epoch 3 of us.dea"));
  auto view = sample.View();
  v1::PostResponse message;
  proto::ToMessage(accepted, message.add_outcomes());
  proto::ToMessage(refused, message.add_outcomes());
  proto::ToMessage(view, message.mutable_view());
  EXPECT_EQ(message.outcomes(1).refusal().code(), "superseded-epoch");
  EXPECT_EQ(message.outcomes(1).refusal().sentence(), SentenceOf(Reason::kSupersededEpoch));

  auto back = proto::FromMessage(message, 2).value();
  ASSERT_EQ(back.outcomes.size(), 2U);
  ASSERT_TRUE(back.outcomes[0]);
  EXPECT_EQ(back.outcomes[0]->receipt, accepted->receipt);
  EXPECT_EQ(back.outcomes[0]->releases, accepted->releases);
  ASSERT_FALSE(back.outcomes[1]);
  EXPECT_EQ(back.outcomes[1].error().reason, Reason::kSupersededEpoch);
  EXPECT_EQ(back.outcomes[1].error().detail, "epoch 3 of us.dea");
  EXPECT_EQ(back.view, view);
  ExpectUnknownRefusedAtEveryLevel(message, [](const auto& m) { return proto::FromMessage(m, 2); });

  EXPECT_FALSE(proto::FromMessage(message, 1)) << "more outcomes than submissions";
  EXPECT_FALSE(proto::FromMessage(message, 3)) << "fewer";
  auto changed = message;
  changed.mutable_outcomes(0)->clear_receipt();
  EXPECT_FALSE(proto::FromMessage(changed, 2)) << "neither receipt nor refusal";
  changed = message;
  proto::ToMessage(SomeRelease(sample), changed.mutable_outcomes(1)->add_releases());
  EXPECT_FALSE(proto::FromMessage(changed, 2)) << "a release with a refusal";
  changed = message;
  changed.clear_view();
  EXPECT_FALSE(proto::FromMessage(changed, 2)) << "no view";
}

TEST(Wire, ARefusalIsARefusalWhateverItSays) {
  v1::Refusal message;
  message.set_code("from-the-future");
  EXPECT_EQ(proto::FromMessage(message).reason, Reason::kInternal);
  EXPECT_NE(proto::FromMessage(message).detail.find("from-the-future"), std::string::npos);
  message.set_code("\x1b[2J");
  EXPECT_EQ(proto::FromMessage(message).reason, Reason::kInternal);
  EXPECT_EQ(proto::FromMessage(message).detail, "");
  message.set_code("expired");
  message.set_detail("\x1b[2Jgone");
  EXPECT_EQ(proto::FromMessage(message).reason, Reason::kExpired);
  EXPECT_EQ(proto::FromMessage(message).detail, "") << "what a terminal would obey is not passed on";
}

TEST(Wire, AReleaseHoldsWholeShares) {
  Sample sample(73);
  for (std::size_t size : {0U, 16U, 47U, 49U, 79U, 48U + 32 * 256}) {
    v1::Release message;
    proto::ToMessage(proto::Release{sample.Authority(), sample.SomePoint(), sample.SomeBytes(size)}, &message);
    EXPECT_FALSE(proto::FromMessage(message)) << size;
  }
  v1::Release message;
  proto::ToMessage(proto::Release{sample.Authority(), sample.SomePoint(), sample.SomeBytes(48)}, &message);
  EXPECT_TRUE(proto::FromMessage(message));
}

TEST(Wire, PagesAndStreamsComeBack) {
  Sample sample(74);
  auto answer = SomeEntries(sample);
  answer.next_cursor = 98;
  auto same = [&](const proto::EntriesAnswer& back) {
    ASSERT_EQ(back.entries.size(), 2U);
    EXPECT_EQ(proto::EncodeLoggedEntry(back.entries[1].entry), proto::EncodeLoggedEntry(answer.entries[1].entry));
    EXPECT_EQ(back.entries[1].path, answer.entries[1].path);
    EXPECT_EQ(back.view, answer.view);
    EXPECT_TRUE(back.more);
  };
  v1::EntryPage page;
  proto::ToMessage(answer, &page);
  same(proto::FromMessage(page).value());
  EXPECT_EQ(proto::FromMessage(page)->next_cursor, 98U);
  ExpectUnknownRefusedAtEveryLevel(page, kRead);
  page.mutable_proofs()->RemoveLast();
  EXPECT_FALSE(proto::FromMessage(page)) << "an entry without its proof";

  answer.next_cursor = 99;
  v1::MailPage mail;
  proto::ToMessage(answer, &mail);
  EXPECT_EQ(mail.items(0).cursor(), answer.entries[0].entry.head->index + 1);
  same(proto::FromMessage(mail).value());
  EXPECT_EQ(proto::FromMessage(mail)->next_cursor, 99U);
  ExpectUnknownRefusedAtEveryLevel(mail, kRead);
  mail.mutable_items(1)->clear_proof();
  EXPECT_FALSE(proto::FromMessage(mail)) << "an entry without its proof";

  proto::FollowItem item{7, answer.entries[0], answer.view};
  v1::MailItem message;
  proto::ToMessage(item, &message);
  auto back = proto::FromMessage(message).value();
  EXPECT_EQ(back.cursor, 7U);
  EXPECT_EQ(back.view, item.view);
  ASSERT_TRUE(back.entry);
  EXPECT_EQ(back.entry->path, item.entry->path);
  ExpectUnknownRefusedAtEveryLevel(message, kRead);
  message.clear_entry();
  EXPECT_FALSE(proto::FromMessage(message)) << "a proof of nothing";
  message.clear_proof();
  EXPECT_TRUE(proto::FromMessage(message)) << "a mere cursor move";
  message.clear_view();
  EXPECT_FALSE(proto::FromMessage(message)) << "no view";
}

TEST(Wire, AMailboxBringsTheReleasesOfStandingOpenings) {
  Sample sample(78);
  auto opening =
      sample.Direct(ledger::Kind::kStandingOpening, proto::EncodeStandingOpening(SomeStandingOpening(sample)));
  opening.signatures.clear();
  const proto::FollowItem item{
      8, proto::ProvedEntry{sample.EntryOf(opening), sample.Hashes(3), {SomeRelease(sample), SomeRelease(sample)}},
      sample.View()};
  v1::MailItem message;
  proto::ToMessage(item, &message);
  EXPECT_EQ(message.releases_size(), 2);
  const auto back = proto::FromMessage(message).value();
  ASSERT_TRUE(back.entry);
  EXPECT_EQ(back.entry->releases, item.entry->releases);
  ExpectUnknownRefusedAtEveryLevel(message, kRead);

  v1::MailPage page;
  proto::ToMessage(proto::EntriesAnswer{{{sample.Entry(), sample.Hashes(2), {}}, *item.entry}, sample.View(), false, 9},
                   &page);
  const auto mail = proto::FromMessage(page).value();
  ASSERT_EQ(mail.entries.size(), 2U);
  EXPECT_TRUE(mail.entries[0].releases.empty());
  EXPECT_EQ(mail.entries[1].releases, item.entry->releases);
  ExpectUnknownRefusedAtEveryLevel(page, kRead);

  auto changed = message;
  for (int i = 0; i < 7; ++i) proto::ToMessage(SomeRelease(sample), changed.add_releases());
  EXPECT_FALSE(proto::FromMessage(changed)) << "nine of them";
  changed.mutable_releases()->RemoveLast();
  EXPECT_TRUE(proto::FromMessage(changed)) << "eight";
  changed = message;
  changed.mutable_releases(0)->mutable_ciphertext()->pop_back();
  EXPECT_FALSE(proto::FromMessage(changed)) << "a broken share";
  changed = message;
  changed.clear_entry();
  changed.clear_proof();
  EXPECT_FALSE(proto::FromMessage(changed)) << "with no entry";
  changed = message;
  proto::ToMessage(sample.Entry(), changed.mutable_entry());
  EXPECT_FALSE(proto::FromMessage(changed)) << "with a record";
  changed = message;
  changed.mutable_entry()->clear_statement();
  EXPECT_FALSE(proto::FromMessage(changed)) << "with what is not said to be a standing opening";
  changed = message;
  changed.clear_releases();
  EXPECT_TRUE(proto::FromMessage(changed)) << "an opening that released nothing";
}

TEST(Wire, WhatWaitsComesBackInTheLogsOrder) {
  const Digest one = crypto::DigestOf("one", {}), two = crypto::DigestOf("two", {});
  proto::WaitingAnswer answer{
      {{"approval", one, two, 7, *ParseTime("2026-12-01T00:00:00Z")}, {"review", two, {}, 9, std::nullopt}},
      {"a note", {}}};
  v1::WaitingAnswer message;
  proto::ToMessage(answer, &message);
  auto back = proto::FromMessage(message);
  ASSERT_TRUE(back) << back.error().Message();
  ASSERT_EQ(back->items.size(), 2U);
  EXPECT_EQ(back->items[0].kind, "approval");
  EXPECT_EQ(back->items[0].statement, one);
  EXPECT_EQ(back->items[0].record, two);
  EXPECT_EQ(back->items[0].entry, 7U);
  EXPECT_EQ(back->items[0].until, answer.items[0].until);
  EXPECT_TRUE(back->items[1].record.IsZero());
  EXPECT_FALSE(back->items[1].until);
  EXPECT_EQ(back->view, answer.view);
  ExpectUnknownRefusedAtEveryLevel(message, kRead);

  auto broken = message;
  broken.mutable_items(0)->set_entry(10);
  EXPECT_FALSE(proto::FromMessage(broken)) << "out of order";
  broken = message;
  broken.mutable_items(0)->set_kind("not a kind");
  EXPECT_FALSE(proto::FromMessage(broken));
  broken = message;
  broken.mutable_items(0)->set_statement("short");
  EXPECT_FALSE(proto::FromMessage(broken));
  broken = message;
  broken.clear_view();
  EXPECT_FALSE(proto::FromMessage(broken));
  broken = message;
  while (static_cast<std::size_t>(broken.items_size()) <= proto::kMaxWaiting) *broken.add_items() = message.items(1);
  EXPECT_FALSE(proto::FromMessage(broken)) << "too many";
}

TEST(Wire, ReceiptsAndProofsAreLimited) {
  Sample sample(75);
  v1::ReceiptAnswer answer;
  auto receipt = sample.Receipt();
  auto view = sample.View();
  proto::ToMessage(receipt, view, &answer);
  EXPECT_EQ(proto::FromMessage(answer)->first, receipt);
  ExpectUnknownRefusedAtEveryLevel(answer, kRead);
  auto changed = answer;
  changed.mutable_receipt()->mutable_head()->push_back('x');
  EXPECT_FALSE(proto::FromMessage(changed)) << "a head of 81 bytes";
  changed = answer;
  changed.mutable_receipt()->mutable_path(0)->pop_back();
  EXPECT_FALSE(proto::FromMessage(changed)) << "a hash of 31 bytes";
  changed = answer;
  for (int i = 0; i < 64; ++i) changed.mutable_receipt()->add_path(std::string(32, 'x'));
  EXPECT_FALSE(proto::FromMessage(changed)) << "a path longer than any tree is high";
  changed = answer;
  changed.clear_receipt();
  EXPECT_FALSE(proto::FromMessage(changed));
}

TEST(Wire, BodiesBeginWithLengthAndHashes) {
  Sample sample(76);
  proto::BodyStart start{sample.Some<Hash>(), 5, sample.Hashes(2), true};
  v1::UploadChunk::Start up;
  proto::ToMessage(start, &up);
  auto back = proto::FromMessage(up).value();
  EXPECT_EQ(back.root, start.root);
  EXPECT_EQ(back.length, 5U);
  EXPECT_EQ(back.slice_hashes, start.slice_hashes);
  EXPECT_TRUE(back.more);
  ExpectUnknownRefusedAtEveryLevel(up, kRead);
  up.clear_slice_hashes();
  EXPECT_FALSE(proto::FromMessage(up));

  v1::DownloadChunk::Start down;
  proto::ToMessage(start, &down);
  EXPECT_EQ(proto::FromMessage(down)->slice_hashes, start.slice_hashes);
  ExpectUnknownRefusedAtEveryLevel(down, kRead);
  down.set_body_length(0);
  EXPECT_FALSE(proto::FromMessage(down));
}

TEST(Wire, ADownloadBringsHashesOrASlice) {
  Sample sample(78);
  proto::BodyStart start{{}, 5, sample.Hashes(2), true};
  v1::DownloadChunk chunk;
  EXPECT_FALSE(proto::FromMessage(chunk)) << "neither";
  proto::ToMessage(start, chunk.mutable_start());
  auto piece = proto::FromMessage(chunk).value();
  ASSERT_TRUE(piece.start);
  EXPECT_EQ(piece.start->slice_hashes, start.slice_hashes);
  EXPECT_TRUE(piece.slice.empty());
  ExpectUnknownRefusedAtEveryLevel(chunk, kRead);
  chunk.set_slice("a slice");
  EXPECT_FALSE(proto::FromMessage(chunk)->start);
  EXPECT_EQ(AsText(proto::FromMessage(chunk)->slice), "a slice");
  ExpectUnknownRefusedAtEveryLevel(chunk, kRead);
  chunk.set_slice("");
  EXPECT_FALSE(proto::FromMessage(chunk)) << "an empty slice";
}

TEST(Wire, AnUploadIsToldFromWhereItGoesOn) {
  v1::UploadProgress message;
  message.set_next_slice(7);
  EXPECT_EQ(proto::FromMessage(message)->next_slice, 7U);
  EXPECT_FALSE(proto::FromMessage(message)->complete);
  message.set_complete(true);
  EXPECT_TRUE(proto::FromMessage(message)->complete);
  ExpectUnknownRefusedAtEveryLevel(message, kRead);
}

TEST(Wire, RequestsNameADigest) {
  Sample sample(77);
  auto digest = sample.Some<Digest>();
  v1::RecordRequest record;
  record.set_record(ToString(digest));
  record.set_from_index(12);
  EXPECT_EQ(proto::FromMessage(record)->record, digest);
  EXPECT_EQ(proto::FromMessage(record)->from, 12U);
  ExpectUnknownRefusedAtEveryLevel(record, kRead);
  record.set_record("prefix");
  EXPECT_FALSE(proto::FromMessage(record));
  v1::ReceiptRequest receipt;
  receipt.set_statement(ToString(digest));
  EXPECT_EQ(proto::FromMessage(receipt)->statement, digest);
  EXPECT_FALSE(proto::FromMessage(receipt)->witnessed);
  receipt.set_witnessed(true);
  EXPECT_TRUE(proto::FromMessage(receipt)->witnessed);
  ExpectUnknownRefusedAtEveryLevel(receipt, kRead);
}

}  // namespace
}  // namespace valija::test
