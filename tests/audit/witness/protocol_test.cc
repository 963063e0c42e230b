// What a witness answers: every status, in the specification's order, and that nothing but growth is cosigned.
#include "audit/witness/protocol.h"

#include <gtest/gtest.h>

#include "tests/audit/witness/small_log.h"
#include "tests/support/vectors.h"

namespace valija::witness::test {
namespace {

using valija::test::FullSet;
using valija::test::ReadWhole;

constexpr std::uint64_t kTime = 1'700'000'000;

Decision Judge(const std::string& body, const std::optional<Record>& record, const Log& log = LogOf(kOrigin)) {
  static const Signer signer = SignerNamed(kWitness);
  auto request = ParseRequest(body);
  EXPECT_TRUE(request) << request.error().Message() << "\n" << body;
  return Decide(*request, log, record, signer, kTime);
}

// What the witness holds after an honest log came to this size.
std::optional<Record> At(std::size_t size, const SmallLog& log = SmallLog(40)) {
  return Judge(log.Ask(0, size), std::nullopt).next;
}

int StatusFor(const std::string& body, const std::optional<Record>& record) {
  auto decision = Judge(body, record);
  EXPECT_EQ(decision.next.has_value(), decision.answer.status == 200);
  EXPECT_FALSE(decision.answer.body.empty());
  return decision.answer.status;
}

// ---- growth ----

TEST(Decide, CosignsExactlyWhatGrowsFromWhatItHolds) {
  const SmallLog log(12);
  for (std::size_t held = 0; held <= 12; ++held) {
    const auto record = held == 0 ? std::nullopt : At(held, log);
    for (std::size_t old = 0; old <= 12; ++old) {
      for (std::size_t size = 0; size <= 12; ++size) {
        const auto body = log.Ask(old, size);
        auto decision = Judge(body, record);
        const int expected = old > size ? 400 : old != held ? 409 : 200;
        EXPECT_EQ(decision.answer.status, expected) << held << ": " << old << " to " << size;
        ASSERT_EQ(decision.next.has_value(), expected == 200);
        EXPECT_FALSE(decision.fork);
        if (expected == 409) {
          EXPECT_EQ(decision.answer.type, "text/x.tlog.size");
          EXPECT_EQ(decision.answer.body, std::to_string(held) + "\n");
        } else if (expected == 200) {
          EXPECT_EQ(decision.next->checkpoint, log.At(size));
          EXPECT_TRUE(Cosigns(decision.answer.body, log.Signed(log.At(size))));
          EXPECT_EQ(decision.next->note, log.Signed(log.At(size)) + decision.answer.body);
        }
      }
    }
  }
}

TEST(Decide, NeverCosignsAnotherHistory) {
  const SmallLog honest(20);
  for (std::size_t forked_at : {0, 3, 7, 9}) {
    const SmallLog other(20, forked_at);
    for (std::size_t held = forked_at + 1; held <= 12; ++held) {
      const auto record = At(held, honest);
      for (std::size_t size = held; size <= 20; ++size) {
        // Its own proof, the honest one, none: whatever it brings.
        for (const auto& proof : {other.Proof(held, size), honest.Proof(held, size), std::vector<Hash>()}) {
          auto decision = Judge(SmallLog::Body(held, proof, other.Signed(other.At(size))), record);
          EXPECT_EQ(decision.answer.status, 422) << forked_at << " " << held << " " << size;
          EXPECT_FALSE(decision.next);
          EXPECT_EQ(decision.fork, size == held) << "two roots of one size are the proof of it";
        }
      }
    }
  }
}

TEST(Decide, OneWrongHashMoreOrLessIsSeen) {
  const SmallLog log(40);
  const auto record = At(13, log);
  const auto note = log.Signed(log.At(37));
  const auto good = log.Proof(13, 37);
  ASSERT_EQ(StatusFor(SmallLog::Body(13, good, note), record), 200);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = log::test::Flip(bad[i], 77);
    EXPECT_EQ(StatusFor(SmallLog::Body(13, bad, note), record), 422);
    bad = good;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(StatusFor(SmallLog::Body(13, bad, note), record), 422);
  }
  auto longer = good;
  longer.push_back(good[0]);
  EXPECT_EQ(StatusFor(SmallLog::Body(13, longer, note), record), 422);
}

TEST(Decide, TheSameCheckpointIsCosignedAgain) {
  const SmallLog log(9);
  const auto record = At(9, log);
  EXPECT_EQ(StatusFor(log.Ask(9, 9), record), 200);
  EXPECT_EQ(StatusFor(SmallLog::Body(9, log.Proof(4, 9), log.Signed(log.At(9))), record), 422) << "with a proof";
}

TEST(Decide, TheEmptyTreeIsCosignedWithItsOwnRootAlone) {
  const SmallLog log(5);
  EXPECT_EQ(StatusFor(log.Ask(0, 0), std::nullopt), 200);
  const auto record = Judge(log.Ask(0, 0), std::nullopt).next;
  EXPECT_EQ(StatusFor(log.Ask(0, 0), record), 200);
  EXPECT_EQ(StatusFor(log.Ask(0, 5), record), 200);
  Checkpoint wrong = log.At(0);
  wrong.root = log.At(5).root;
  for (const auto& held : {std::optional<Record>(), record}) {
    auto decision = Judge(SmallLog::Body(0, {}, log.Signed(wrong)), held);
    EXPECT_EQ(decision.answer.status, 422);
    EXPECT_FALSE(decision.next);
  }
  EXPECT_EQ(StatusFor(SmallLog::Body(0, log.Proof(3, 5), log.Signed(log.At(5))), std::nullopt), 422)
      << "a proof from 0";
}

// ---- order of the checks ----

TEST(Decide, EachCheckComesBeforeTheNext) {
  const SmallLog log(20), other(20, 0);
  const auto record = At(8, log);
  const auto unsigned_one = [](const std::string& note) {
    return note.substr(0, note.rfind("\n\n") + 2) + log::NoteSignature{"x", 1, Bytes(64)}.Line();
  };
  // Everything is wrong, and is put right one after the other.
  const auto junk = other.Proof(3, 9);
  EXPECT_EQ(StatusFor(SmallLog::Body(12, junk, unsigned_one(other.Signed(other.At(9)))), record), 403);
  EXPECT_EQ(StatusFor(SmallLog::Body(12, junk, other.Signed(other.At(9))), record), 400);
  EXPECT_EQ(StatusFor(SmallLog::Body(7, junk, other.Signed(other.At(9))), record), 409);
  EXPECT_EQ(StatusFor(SmallLog::Body(8, junk, other.Signed(other.At(9))), record), 422);
  EXPECT_EQ(StatusFor(SmallLog::Body(8, log.Proof(8, 9), other.Signed(other.At(9))), record), 422);
  EXPECT_EQ(StatusFor(SmallLog::Body(8, log.Proof(8, 9), log.Signed(log.At(9))), record), 200);
  // 409 comes before the checks of an empty tree and of a proof from nothing.
  Checkpoint wrong = log.At(0);
  wrong.root = log.At(5).root;
  EXPECT_EQ(StatusFor(SmallLog::Body(0, {}, log.Signed(wrong)), record), 409);
  EXPECT_EQ(StatusFor(SmallLog::Body(0, junk, log.Signed(log.At(9))), record), 409);
}

// ---- who signed ----

TEST(Decide, TakesOnlyWhatAKnownKeyOfTheLogSigned) {
  const SmallLog log(5);
  const auto good = log.Signed(log.At(5));
  auto line = [&](const std::string& name, const std::string& signer) {
    auto note = log::SignNote(log.At(5).Body(), name, KeyNamed(signer));
    return note.substr(note.rfind("\n\n") + 2);
  };
  const auto body = log.At(5).Body() + "\n";
  const log::NoteSignature forged{kOrigin, LogNamed(kOrigin).key_id, Bytes(64, 3)};
  EXPECT_EQ(StatusFor(SmallLog::Body(0, {}, body + line(kOrigin, "thief")), std::nullopt), 403);
  EXPECT_EQ(StatusFor(SmallLog::Body(0, {}, body + line("other.example", kOrigin)), std::nullopt), 403);
  EXPECT_EQ(StatusFor(SmallLog::Body(0, {}, body + forged.Line()), std::nullopt), 403);
  EXPECT_EQ(StatusFor(SmallLog::Body(0, {}, good + forged.Line()), std::nullopt), 403) << "malformed as a whole";
  EXPECT_EQ(StatusFor(SmallLog::Body(0, {}, good + line(kOrigin, "thief")), std::nullopt), 200) << "another key id";
}

TEST(Decide, StrangersLinesAreNotKeptNorOneLineTwice) {
  const SmallLog log(5);
  const auto good = log.Signed(log.At(5));
  const auto own = good.substr(good.rfind("\n\n") + 2);
  const auto noise = log::NoteSignature{"stranger", 1, Bytes(64)}.Line() +
                     log::Cosign(log.At(5).Body(), "w2", KeyNamed("w2"), 5) + own +
                     log::Cosign(log.At(5).Body(), kWitness, KeyNamed(kWitness), 5);
  auto decision = Judge(SmallLog::Body(0, {}, good + noise), std::nullopt);
  ASSERT_TRUE(decision.next);
  EXPECT_EQ(decision.next->note, good + decision.answer.body);
}

TEST(Decide, ALogThatChangesItsKeySignsWithEither) {
  const SmallLog log(5);
  Log known{
      kOrigin, {LogNamed(kOrigin), *log::NoteVerifier::Make(kOrigin, KeyNamed("next").verify_key())}, std::nullopt, ""};
  const auto old_note = log.Signed(log.At(5)), next_note = log::SignNote(log.At(5).Body(), kOrigin, KeyNamed("next"));
  const auto next_line = next_note.substr(next_note.rfind("\n\n") + 2);
  for (const auto& note : {old_note, next_note, old_note + next_line}) {
    auto decision = Judge(SmallLog::Body(0, {}, note), std::nullopt, known);
    ASSERT_TRUE(decision.next);
    EXPECT_EQ(decision.next->note, note + decision.answer.body);
  }
}

TEST(Decide, ExtensionLinesAreCosignedAsTheyAre) {
  const SmallLog log(5);
  const auto text = log.At(5).Body() + "some extension\n";
  const auto note = log::SignNote(text, kOrigin, KeyNamed(kOrigin));
  auto decision = Judge(SmallLog::Body(0, {}, note), std::nullopt);
  EXPECT_EQ(decision.answer.status, 200);
  EXPECT_TRUE(Cosigns(decision.answer.body, note));
  EXPECT_FALSE(Cosigns(decision.answer.body, log.Signed(log.At(5))));
}

// ---- the published requests ----

TEST(Decide, AnswersThePublishedRequestsWithThePublishedLines) {
  const Signer signer{"witness1.example", log::test::PublishedKey("witness1.example")};
  const Log known{log::test::kPublishedOrigin, {*log::NoteVerifier::Parse(log::test::kPublishedLog)}, std::nullopt, ""};
  // The first of them; the root of one leaf.
  const std::string first =
      "old 0\n\nvectors.example/log\n1\nroDOf7GvuCLtKxYc90Fddetd6S8QtpPgjovpq3NIoow=\n\n\u2014 vectors.example/log "
      "DElCvPdB2CeuipS06vlIMchHg0hAUkJd4IFylkUtwFcDhdO5SV+2lSFXOCtZ3by2a0+oUo0XRMvBOBwaBItlkRWIGQU=\n";
  auto decision = Decide(*ParseRequest(first), known, std::nullopt, signer, kTime);
  EXPECT_EQ(decision.answer.status, 200);
  auto folder = FullSet("tlog/generated/log");
  if (!folder) GTEST_SKIP();
  std::optional<Record> record;
  for (int k = 1; k <= 6; ++k) {
    const auto body = ReadWhole(*folder / "requests" / ("add-checkpoint." + std::to_string(k)));
    const auto published = ReadWhole(*folder / ("checkpoint." + std::to_string(k)));
    auto request = ParseRequest(body);
    ASSERT_TRUE(request) << request.error().Message();
    decision = Decide(*request, known, record, signer, kTime);
    ASSERT_TRUE(decision.next) << decision.answer.body;
    EXPECT_NE(published.find(decision.answer.body), std::string::npos) << "witness1's line, byte for byte";
    EXPECT_TRUE(published.starts_with(decision.next->note));
    record = decision.next;
  }
}

// ---- form ----

TEST(ParseRequest, RefusesEveryOtherForm) {
  const SmallLog log(9);
  const auto good = log.Ask(3, 9), note = log.Signed(log.At(9));
  ASSERT_TRUE(ParseRequest(good));
  const auto hash = ToBase64(log.At(1).root) + "\n";
  for (const auto& body : std::vector<std::string>{
           "",
           "\n",
           "old",
           "old 3",
           note,
           "\n" + note,
           "old\n\n" + note,
           "old \n\n" + note,
           "old  3\n\n" + note,
           "old 03\n\n" + note,
           "old +3\n\n" + note,
           "old -3\n\n" + note,
           "old 3 \n\n" + note,
           "old 3\r\n\r\n" + note,
           "Old 3\n\n" + note,
           "old 0x3\n\n" + note,
           "old 9223372036854775808\n\n" + note,
           "old 18446744073709551619\n\n" + note,
           "old 3\n" + hash + note,
           "old 3\n" + hash.substr(4) + "\n" + note,
           "old 3\nAAAA" + hash + "\n" + note,
           "old 3\n " + hash + "\n" + note,
           "old 3\nhash\n\n" + note,
           "old 3\n\n",
           "old 3\n\n\n" + note,
           "old 3\n\n" + note + "\n",
           "old 3\n\n" + note + "more\n",
           "old 3\n\n" + note.substr(0, note.size() - 1),
           "old 3\n\n" + log.At(9).Body(),
           "old 3\n\n" + log::SignNote("text\n", kOrigin, KeyNamed(kOrigin)),
           "old 3\n\n" + log::SignNote("log.example\n9223372036854775808\n" + hash, kOrigin, KeyNamed(kOrigin)),
           "old 3\n\n" + log::SignNote("log.example\n09\n" + hash, kOrigin, KeyNamed(kOrigin)),
       }) {
    auto request = ParseRequest(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(StatusOf(request.error()), 400);
  }
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(ParseRequest(good.substr(0, size))) << size;
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = '\0';
    EXPECT_FALSE(ParseRequest(bad)) << at;
  }
}

TEST(ParseRequest, TakesUpTo63LinesAnd16KiB) {
  const SmallLog log(9);
  const auto note = log.Signed(log.At(9));
  EXPECT_EQ(ParseRequest(SmallLog::Body(3, std::vector<Hash>(63), note))->proof.size(), 63u);
  EXPECT_FALSE(ParseRequest(SmallLog::Body(3, std::vector<Hash>(64), note)));
  EXPECT_EQ(ParseRequest("old 9223372036854775807\n\n" + note)->old_size, 0x7fff'ffff'ffff'ffffu);
  const auto line = [](std::size_t size) { return "\u2014 x " + ToBase64(Bytes(size)) + "\n"; };
  std::string body = "old 0\n\n" + note;
  while (body.size() + line(600).size() < kMaxBody - 100) body += line(600);
  // The rest of one line, made of a long name.
  body += "\u2014 " + std::string(kMaxBody - body.size() - 3 - 1 - 1 - 9, 'n') + " AAAAAQU=\n";
  while (body.size() < kMaxBody) body.insert(body.size() - 10, "n");
  ASSERT_EQ(body.size(), kMaxBody);
  EXPECT_TRUE(ParseRequest(body));
  body.insert(body.size() - 10, "n");
  EXPECT_EQ(StatusOf(ParseRequest(body).error()), 413);
}

// ---- the list of logs ----

TEST(ParseLogs, ReadsSeveralLogsAndKeys) {
  const auto key = [](const std::string& name, const std::string& seed) {
    return "vkey " + log::NoteVerifier::Make(name, KeyNamed(seed).verify_key())->Text() + "\n";
  };
  auto logs = ParseLogs("# ours\n\nlogs/v0\n\n" + key("a.example", "a") + "qpd 86400\ncontact us, by day\n\n" +
                        key("b.key", "b") + "origin go.sum database tree\n# and its next\n" + key("a.example", "a2") +
                        "qpd 86400\n");
  ASSERT_TRUE(logs) << logs.error().Message();
  ASSERT_EQ(logs->size(), 2u);
  const auto& a = logs->at("a.example");
  EXPECT_EQ(a.keys.size(), 2u);
  EXPECT_EQ(a.per_day, 86400u);
  EXPECT_EQ(a.contact, "us, by day");
  const auto& b = logs->at("go.sum database tree");
  EXPECT_EQ(b.keys[0].name, "b.key");
  EXPECT_FALSE(b.per_day);
}

TEST(ParseLogs, RefusesEveryOtherForm) {
  const auto vkey = "vkey " + LogNamed("a").Text() + "\n";
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "the first line"},
           {"logs/v0\n", "no log"},
           {"# only this\n", "the first line"},
           {vkey, "line 1: the first line"},
           {"logs/v1\n" + vkey, "line 1: the first line"},
           {"logs/v0\norigin a\n" + vkey, "line 2: a block begins"},
           {"logs/v0\n" + vkey + "qpd 0\n", "line 3: qpd"},
           {"logs/v0\n" + vkey + "qpd -1\n", "line 3: qpd"},
           {"logs/v0\n" + vkey + "qpd 1e3\n", "line 3: qpd"},
           {"logs/v0\n" + vkey + "qpd 5\nqpd 5\n", "line 4: qpd a second"},
           {"logs/v0\n" + vkey + "origin\n", "line 3: a line is"},
           {"logs/v0\n" + vkey + "url http://x\n", "line 3: a line begins"},
           {"logs/v0\n" + vkey + vkey, "line 3: the same key"},
           {"logs/v0\nvkey " + CosignerNamed("a").Text() + "\n", "line 2: only Ed25519 keys"},
           {"logs/v0\nvkey x\n", "line 2: a verifier key"},
           {"logs/v0\n" + vkey + "qpd 5\nvkey " + LogNamed("b").Text() + "\norigin a\n", "differ in qpd"},
       }) {
    auto logs = ParseLogs(text);
    ASSERT_FALSE(logs) << text;
    EXPECT_EQ(logs.error().reason, Reason::kBadConfiguration);
    EXPECT_NE(logs.error().detail.find(why), std::string::npos) << logs.error().detail;
  }
}

TEST(OriginHash, IsThatOfTheMonitoringPath) {
  EXPECT_EQ(OriginHash("vectors.example/log"), "ccf2dabede821c2fcbf217bf02af11e41104b33968bcd8bee1abb98e1684d20c");
  EXPECT_TRUE(IsOriginHash(OriginHash("")));
  EXPECT_FALSE(IsOriginHash(""));
  EXPECT_FALSE(IsOriginHash(OriginHash("") + "0"));
  EXPECT_FALSE(IsOriginHash(std::string(64, 'A')));
  EXPECT_FALSE(IsOriginHash(std::string(63, 'a') + "/"));
}

}  // namespace
}  // namespace valija::witness::test
