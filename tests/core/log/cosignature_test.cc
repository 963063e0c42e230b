// Cosignatures: what is signed, by whom it counts, and everything that does not hold.
#include "core/log/cosignature.h"

#include <gtest/gtest.h>

#include "tests/core/log/witnessed.h"
#include "tests/support/vectors.h"

namespace valija::log::test {
namespace {

using valija::test::FullSet;
using valija::test::ReadJson;
using valija::test::ReadWhole;

const Checkpoint kCheckpoint{"log.example", 7, *Hash::From(Bytes(32, 7))};

Result<Cosigned> Check(const std::string& text, const std::vector<Cosigner>& known) {
  auto note = Note::Parse(text);
  if (!note) return note.error();
  return VerifyCosignatures(*note, known);
}

// A cosignature's line over `body` by this key, at `time`, whatever the time is.
std::string LineOf(std::string_view body, const std::string& name, std::uint64_t time,
                   const std::string& message_time) {
  Bytes content;
  AppendU64(content, time);
  Append(content, KeyNamed(name).Sign(AsBytes("cosignature/v1\ntime " + message_time + "\n" + std::string(body))));
  return NoteSignature{name, CosignerNamed(name).key_id, content}.Line();
}

TEST(Cosigner, ReadsAndWritesThePublishedKeys) {
  for (const char* text : {kWitness1, kWitness2}) {
    auto key = Cosigner::Parse(text);
    ASSERT_TRUE(key) << key.error().Message();
    EXPECT_EQ(key->Text(), text);
    EXPECT_EQ(Cosigner::Make(key->name, key->key)->Text(), text);
  }
  EXPECT_EQ(Cosigner::Make("witness1.example", PublishedKey("witness1.example").verify_key())->Text(), kWitness1);
}

TEST(Cosigner, IsNeverALogsKeyNorALogsKeyACosigner) {
  EXPECT_EQ(ReasonOf(Cosigner::Parse(kPublishedLog)), Reason::kBadKey);
  EXPECT_EQ(ReasonOf(NoteVerifier::Parse(kWitness1)), Reason::kBadKey);
  // The same name and key have another id for each use.
  auto key = KeyNamed("x").verify_key();
  EXPECT_NE(Cosigner::Make("x", key)->key_id, NoteVerifier::Make("x", key)->key_id);
  EXPECT_FALSE(Cosigner::Make("a b", key));
  EXPECT_FALSE(Cosigner::Parse("witness1.example+28f1a55e+BJ+9I4PW6ASWcreNAHFgwQ7GYn0YiPoB24oMqpiZMwiX"));
}

TEST(Cosign, SignsThePublishedCheckpointByteForByte) {
  EXPECT_EQ(Cosign(kPublishedBody, "witness1.example", PublishedKey("witness1.example"), kPublishedTime),
            kPublishedLine1);
  EXPECT_EQ(Cosign(kPublishedBody, "witness2.example", PublishedKey("witness2.example"), kPublishedTime),
            kPublishedLine2);
}

TEST(Cosign, ThrowsForWhatIsNoCheckpointNameOrTime) {
  auto key = KeyNamed("w");
  const auto body = kCheckpoint.Body();
  for (const std::string& bad : {std::string(), std::string("log.example\n7\n"), body.substr(0, body.size() - 1)}) {
    EXPECT_THROW(Cosign(bad, "w", key, 1), std::invalid_argument) << bad;
  }
  EXPECT_THROW(Cosign(body, "a b", key, 1), std::invalid_argument);
  EXPECT_THROW(Cosign(body, "w", key, 0), std::invalid_argument);
  EXPECT_THROW(Cosign(body, "w", key, kMaxCosignatureTime + 1), std::invalid_argument);
  EXPECT_NO_THROW(Cosign(body, "w", key, kMaxCosignatureTime));
}

TEST(VerifyCosignatures, TellsWhoCosignedAndWhen) {
  auto one = *Cosigner::Parse(kWitness1), two = *Cosigner::Parse(kWitness2);
  auto both = Check(PublishedNote(), {one, two});
  ASSERT_TRUE(both) << both.error().Message();
  EXPECT_EQ(*both, (Cosigned{{one.key.bytes(), kPublishedTime}, {two.key.bytes(), kPublishedTime}}));
  EXPECT_EQ(Check(PublishedNote(), {two})->size(), 1u) << "the other is not known";
  EXPECT_TRUE(Check(PublishedNote(), {})->empty());
  EXPECT_TRUE(Check(PublishedNote(), {CosignerNamed("w")})->empty());
}

TEST(VerifyCosignatures, HoldsForAllThatIsPublished) {
  if (auto folder = FullSet("tlog/generated")) {
    EXPECT_EQ(ReadWhole(*folder / "keys/witness1.vkey"), std::string(kWitness1) + "\n");
    EXPECT_EQ(ReadWhole(*folder / "keys/witness2.vkey"), std::string(kWitness2) + "\n");
    for (int i = 0; i <= 6; ++i) {
      const auto text = ReadWhole(*folder / "log" / ("checkpoint." + std::to_string(i)));
      auto found = Check(text, {*Cosigner::Parse(kWitness1), *Cosigner::Parse(kWitness2)});
      ASSERT_TRUE(found) << found.error().Message();
      EXPECT_EQ(found->size(), 2u) << i;
      const auto body = Note::Parse(text)->text;
      EXPECT_TRUE(text.ends_with(Cosign(body, "witness1.example", PublishedKey("witness1.example"), kPublishedTime) +
                                 Cosign(body, "witness2.example", PublishedKey("witness2.example"), kPublishedTime)));
    }
  }
  if (auto folder = FullSet("tlog/sunlight-cosignature")) {
    for (std::string name : {"mirror", "witness"}) {
      auto keys = ReadJson(*folder / (name + ".v0.json"))["verifier_keys"];
      auto found = Check(ReadWhole(*folder / (name + ".checkpoint")), {*Cosigner::Parse(keys[0].get<std::string>())});
      ASSERT_TRUE(found) << found.error().Message();
      ASSERT_EQ(found->size(), 1u);
      EXPECT_EQ(found->begin()->second, 0x69546780u) << "what its line says";
    }
  }
}

TEST(VerifyCosignatures, AKeyCountsOnceUnderWhateverNamesAndLines) {
  const auto body = kCheckpoint.Body();
  auto note = CosignedNote(kCheckpoint, {"w"}, 100);
  note += Cosign(body, "w", KeyNamed("w"), 300) + Cosign(body, "w", KeyNamed("w"), 200);
  note += Cosign(body, "alias", KeyNamed("w"), 250);
  auto alias = *Cosigner::Make("alias", KeyNamed("w").verify_key());
  auto found = Check(note, {CosignerNamed("w"), alias});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (Cosigned{{alias.key.bytes(), 300}}));
}

TEST(VerifyCosignatures, RefusesTheNoteForOneLineOfAKnownPairThatDoesNotHold) {
  const auto body = kCheckpoint.Body(), good = CosignedNote(kCheckpoint, {"w"});
  const auto line = [](Bytes content) { return NoteSignature{"w", CosignerNamed("w").key_id, content}.Line(); };
  ASSERT_TRUE(Check(good, {CosignerNamed("w")}));
  ASSERT_TRUE(Check(good + LineOf(body, "w", 5, "5"), {CosignerNamed("w")})) << "the helper signs as we do";
  Checkpoint other = kCheckpoint;
  other.size = 8;
  for (const auto& [what, bad] : std::vector<std::pair<std::string, std::string>>{
           {"over another checkpoint", Cosign(other.Body(), "w", KeyNamed("w"), 5)},
           {"another time than signed", LineOf(body, "w", 6, "5")},
           {"a time of zero", LineOf(body, "w", 0, "0")},
           {"a time with a leading zero", LineOf(body, "w", 5, "05")},
           {"a time of 2^63", LineOf(body, "w", kMaxCosignatureTime + 1, "9223372036854775808")},
           {"too short", line(Bytes(71))},
           {"too long", line(Bytes(73))},
           {"a log's signature", line(ToBytes(KeyNamed("w").Sign(AsBytes(body))))},
           {"all zero", line(Bytes(72))}}) {
    EXPECT_EQ(ReasonOf(Check(good + bad, {CosignerNamed("w")})), Reason::kBadCheckpoint) << what;
    EXPECT_TRUE(Check(good + bad, {CosignerNamed("v")})) << "not known, so not looked at: " << what;
  }
}

TEST(VerifyCosignatures, OneBitOfATimeOrSignatureIsSeen) {
  const auto good = CosignedNote(kCheckpoint, {"w"});
  auto note = *Note::Parse(good);
  const std::vector<Cosigner> known = {CosignerNamed("w")};
  ASSERT_EQ(note.signatures.size(), 2u);
  for (std::size_t bit = 0; bit < 72 * 8; ++bit) {
    auto bad = note;
    auto& byte = bad.signatures[1].signature[bit / 8];
    byte = static_cast<std::uint8_t>(byte ^ 1u << (bit % 8));
    EXPECT_FALSE(VerifyCosignatures(bad, known)) << bit;
  }
}

TEST(VerifyCosignatures, ExtensionLinesAreUnderTheSignature) {
  const std::string body = kCheckpoint.Body() + "an extension\n";
  auto note = SignNote(body, "log.example", KeyNamed("log.example")) + Cosign(body, "w", KeyNamed("w"), 5);
  EXPECT_EQ(Check(note, {CosignerNamed("w")})->size(), 1u);
  auto without =
      SignNote(body, "log.example", KeyNamed("log.example")) + Cosign(kCheckpoint.Body(), "w", KeyNamed("w"), 5);
  EXPECT_FALSE(Check(without, {CosignerNamed("w")}));
}

TEST(VerifyCosignatures, WhatIsNoCheckpointIsCosignedByNobody) {
  auto note = SignNote("text\n", "log.example", KeyNamed("log.example")) + LineOf("text\n", "w", 5, "5");
  EXPECT_EQ(ReasonOf(Check(note, {CosignerNamed("w")})), Reason::kBadCheckpoint);
}

TEST(VerifyNote, OfALogWithSeveralKeysAllLinesMustHoldAndOneBeThere) {
  const auto body = kCheckpoint.Body();
  auto line = [&](const std::string& signer, const std::string& name) {
    auto note = SignNote(body, name, KeyNamed(signer));
    return note.substr(note.rfind("\n\n") + 2);
  };
  const std::vector<NoteVerifier> known = {LogNamed("old"), LogNamed("new")};
  auto check = [&](const std::string& lines) { return VerifyNote(*Note::Parse(body + "\n" + lines), known); };
  EXPECT_TRUE(check(line("old", "old")));
  EXPECT_TRUE(check(line("new", "new")));
  EXPECT_TRUE(check(line("old", "old") + line("new", "new") + line("third", "third")));
  EXPECT_FALSE(check(line("third", "third")));
  const NoteSignature forged{"new", LogNamed("new").key_id, Bytes(64, 1)};
  EXPECT_FALSE(check(line("old", "old") + forged.Line()));
  EXPECT_FALSE(VerifyNote(*Note::Parse(body + "\n" + line("old", "old")), std::span<const NoteVerifier>()));
}

}  // namespace
}  // namespace valija::log::test
