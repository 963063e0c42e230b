// Signed notes: their strict form, and whose signature holds.
#include "core/log/note.h"

#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "tests/support/vectors.h"

namespace valija::log {
namespace {

using test::FullSet;
using test::ReadWhole;

crypto::Ed25519SignKey KeyOf(std::string_view seed) {
  return *crypto::Ed25519SignKey::FromSeed(crypto::Sha256(AsBytes(seed)));
}

NoteVerifier VerifierOf(std::string_view name, const crypto::Ed25519SignKey& key) {
  return *NoteVerifier::Make(name, key.verify_key());
}

Reason ReasonOf(const Status& status) { return status ? Reason::kInternal : status.error().reason; }

bool IsMalformed(std::string_view note) {
  auto parsed = Note::Parse(note);
  return !parsed && parsed.error().reason == Reason::kMalformed;
}

// The example printed in signed-note.md.
constexpr std::string_view kSpecKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr std::string_view kSpecNote =
    "This is an example message.\n"
    "\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

// ---- verifier keys ----

TEST(NoteVerifier, ReadsAndWritesTheKeyOfTheSpecification) {
  auto verifier = NoteVerifier::Parse(kSpecKey);
  ASSERT_TRUE(verifier);
  EXPECT_EQ(verifier->name, "example.com/foo");
  EXPECT_EQ(verifier->key_id, 0x530d903au);
  EXPECT_EQ(verifier->Text(), kSpecKey);
  EXPECT_EQ(NoteVerifier::Make("example.com/foo", verifier->key)->Text(), kSpecKey);
}

TEST(NoteVerifier, ReadsAKeyWhoseBase64HoldsAPlus) {
  for (int i = 0; i < 1000; ++i) {
    auto text = VerifierOf("log", KeyOf("seed " + std::to_string(i))).Text();
    if (text.find('+', text.size() - 43) == std::string::npos) continue;
    auto verifier = NoteVerifier::Parse(text);
    ASSERT_TRUE(verifier) << text;
    EXPECT_EQ(verifier->Text(), text);
    return;
  }
  FAIL() << "no such key";
}

TEST(NoteVerifier, RefusesEveryOtherText) {
  const std::string key(kSpecKey.substr(kSpecKey.rfind('+') + 1));
  std::vector<std::string> bad = {
      "",
      "example.com/foo",
      "example.com/foo+530d903a",
      "example.com/foo+530d903a+",
      "example.com/foo+530D903A+" + key,
      "example.com/foo+0530d903a+" + key,
      "example.com/foo+30d903a+" + key,
      "example.com/foo+530d903b+" + key,
      "example.com/fox+530d903a+" + key,
      "+530d903a+" + key,
      "example.com foo+530d903a+" + key,
      "example.com/foo+530d903a+" + key + "\n",
      "example.com/foo+530d903a+" + key.substr(0, 40),
      "example.com/foo+530d903a+" + key + "AAAA",
      "example.com/foo+530d903a++" + key,
  };
  // A cosignature key (type 4) and one of type 2 do not sign logs, even with a right id.
  for (int type : {0, 2, 4, 5, 6, 255}) {
    Bytes typed = *FromBase64(key);
    typed[0] = static_cast<std::uint8_t>(type);
    Bytes id_input = ToBytes(AsBytes("example.com/foo\n"));
    Append(id_input, typed);
    auto id = ToHex(crypto::Sha256(id_input).view().first(4));
    bad.push_back("example.com/foo+" + id + "+" + ToBase64(typed));
    bad.push_back("example.com/foo+530d903a+" + ToBase64(typed));
  }
  for (const auto& text : bad) {
    auto verifier = NoteVerifier::Parse(text);
    ASSERT_FALSE(verifier) << text;
    EXPECT_EQ(verifier.error().reason, Reason::kBadKey) << text;
  }
}

TEST(NoteVerifier, RefusesAKeyOfLowOrder) {
  Bytes typed(33);
  typed[0] = 1;
  Bytes id_input = ToBytes(AsBytes("log\n"));
  Append(id_input, typed);
  auto verifier = NoteVerifier::Parse("log+" + ToHex(crypto::Sha256(id_input).view().first(4)) + "+" + ToBase64(typed));
  ASSERT_FALSE(verifier);
  EXPECT_EQ(verifier.error().reason, Reason::kBadKey);
}

TEST(NoteVerifier, RefusesANameThatNoLineCanCarry) {
  auto key = KeyOf("log");
  for (std::string_view name : {"", " ", "a b", "a+b", "a\nb", "a\tb", "a\rb", "a\u00a0b", "a\u2028", "\u3000",
                                "\u0085x", "a\u200ab", "\xff", "a\x01"}) {
    EXPECT_FALSE(NoteVerifier::Make(name, key.verify_key())) << ToHex(AsBytes(name));
    EXPECT_THROW(SignNote("text\n", name, key), std::invalid_argument) << ToHex(AsBytes(name));
  }
  for (std::string_view name : {"a", "vectors.example/log", "\u00e9\u200b\U0001f600"}) {
    EXPECT_TRUE(NoteVerifier::Make(name, key.verify_key())) << name;
  }
}

// ---- form ----

TEST(Note, ReadsTheNoteOfTheSpecification) {
  auto note = Note::Parse(kSpecNote);
  ASSERT_TRUE(note);
  EXPECT_EQ(note->text, "This is an example message.\n");
  ASSERT_EQ(note->signatures.size(), 1u);
  EXPECT_EQ(note->signatures[0].name, "example.com/foo");
  EXPECT_EQ(note->signatures[0].key_id, 0x530d903au);
  EXPECT_EQ(note->signatures[0].signature.size(), 64u);
  EXPECT_TRUE(VerifyNote(*note, *NoteVerifier::Parse(kSpecKey)));
}

TEST(Note, TheSpecificationsFilesAreThoseOfThisTest) {
  auto folder = FullSet("tlog/spec-examples");
  if (!folder) GTEST_SKIP();
  EXPECT_EQ(ReadWhole(*folder / "signed-note.txt"), kSpecNote);
  EXPECT_EQ(ReadWhole(*folder / "signed-note.vkey"), std::string(kSpecKey) + "\n");
}

TEST(Note, TheLastEmptyLineParts) {
  auto key = KeyOf("log");
  for (std::string text : {"one\n\ntwo\n", "one\n\n", "\n", "\n\n\n", "\u2014 not a signature\n\nx\n"}) {
    auto signed_note = SignNote(text, "log", key);
    auto note = Note::Parse(signed_note);
    ASSERT_TRUE(note) << signed_note;
    EXPECT_EQ(note->text, text);
    EXPECT_EQ(note->signatures.size(), 1u);
    EXPECT_TRUE(VerifyNote(*note, VerifierOf("log", key)));
  }
}

TEST(Note, RefusesAnyOtherForm) {
  const std::string dash = "\u2014 ";
  const std::string line = dash + "log AAAAAQU=\n";
  ASSERT_TRUE(Note::Parse("text\n\n" + line));
  ASSERT_TRUE(Note::Parse("text\n\n" + line + line));
  for (const auto& note : std::vector<std::string>{
           std::string(),
           std::string("text"),
           std::string("text\n"),
           std::string("text\n\n"),
           std::string("\n\n"),
           "text\n" + line,                               // no empty line
           "text" + line,                                 // no line end
           "\n" + line,                                   // no text
           line,                                          //
           "text\n\n" + line.substr(0, line.size() - 1),  // does not end
           "text\n\n" + line + "more\n",                  //
           "text\n\n" + line + "\n",                      // ends in an empty line
           "text\n\n- log AAAAAQU=\n",                    // another dash
           "text\n\n" + dash + "AAAAAQU=\n",              // no name
           "text\n\n" + dash + " AAAAAQU=\n",             //
           "text\n\n" + dash + "log  AAAAAQU=\n",         // two spaces
           "text\n\n" + dash + "log AAAAAQU= \n",         //
           "text\n\n" + dash + "l+g AAAAAQU=\n",          //
           "text\n\n" + dash + "l\u00a0g AAAAAQU=\n",     //
           "text\n\n" + dash + "log\n",                   // no signature
           "text\n\n" + dash + "log \n",                  //
           "text\n\n" + dash + "log AAAAAQ==\n",          // key id only
           "text\n\n" + dash + "log AAAAAQU\n",           // no padding
           "text\n\n" + dash + "log AAAAAQV=\n",          // trailing bits
           "text\n\n" + dash + "log AAAA_QU=\n",          // another alphabet
           "text\n\n\u2014log AAAAAQU=\n",                //
       }) {
    EXPECT_TRUE(IsMalformed(note)) << note;
  }
}

TEST(Note, RefusesControlCharactersAnywhere) {
  const std::string good = "text\nmore\n\n\u2014 log AAAAAQU=\n";
  ASSERT_TRUE(Note::Parse(good));
  for (std::size_t at = 0; at <= good.size(); ++at) {
    for (char c = 0; c < 0x20; ++c) {
      if (c == '\n') continue;
      std::string bad = good;
      bad.insert(at, 1, c);
      ASSERT_TRUE(IsMalformed(bad)) << int{c} << " at " << at;
    }
  }
  EXPECT_TRUE(IsMalformed("text\r\n\r\n\u2014 log AAAAAQU=\r\n"));
}

TEST(Note, RefusesWhatIsNotUtf8) {
  auto note = [](std::string_view text) { return std::string(text) + "\n\n\u2014 log AAAAAQU=\n"; };
  for (std::string_view good : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(Note::Parse(note(good))) << ToHex(AsBytes(good));
  }
  for (std::string_view bad : {"\x80",
                               "\xbf",
                               "\xc0\x80",
                               "\xc1\xbf",
                               "\xc2",
                               "\xc2x",
                               "\xe0\x80\x80",
                               "\xe0\x9f\xbf",
                               "\xe2\x80",
                               "\xe2\x80x",
                               "\xed\xa0\x80",
                               "\xed\xbf\xbf",
                               "\xf0\x80\x80\x80",
                               "\xf0\x8f\xbf\xbf",
                               "\xf0\x90\x80",
                               "\xf4\x90\x80\x80",
                               "\xf5\x80\x80\x80",
                               "\xf8\x88\x80\x80\x80",
                               "\xfe",
                               "\xff"}) {
    EXPECT_TRUE(IsMalformed(note(bad))) << ToHex(AsBytes(bad));
    EXPECT_THROW(SignNote(std::string(bad) + "\n", "log", KeyOf("log")), std::invalid_argument);
  }
  EXPECT_TRUE(IsMalformed("text\n\n\u2014 log AAAAAQU=\n\xe2\x80"));
}

TEST(Note, TakesUpTo100SignaturesAnd64KiB) {
  const std::string line = "\u2014 log AAAAAQU=\n";
  std::string note = "text\n\n";
  for (int i = 0; i < 100; ++i) note += line;
  ASSERT_TRUE(Note::Parse(note));
  EXPECT_EQ(Note::Parse(note)->signatures.size(), 100u);
  EXPECT_TRUE(IsMalformed(note + line));

  std::string end = "\n\n" + line;
  EXPECT_TRUE(Note::Parse(std::string(65536 - end.size(), 'x') + end));
  EXPECT_TRUE(IsMalformed(std::string(65537 - end.size(), 'x') + end));
}

TEST(Note, SigningThrowsForATextThatIsNone) {
  auto key = KeyOf("log");
  for (std::string_view text : {"", "text", "text\r\n", "te\txt\n"}) {
    EXPECT_THROW(SignNote(text, "log", key), std::invalid_argument) << text;
  }
}

// ---- whose signature holds ----

// Signature lines of `note`, without its text.
std::string LinesOf(const std::string& note) { return note.substr(note.rfind("\n\n") + 2); }

Status Check(const std::string& note, const NoteVerifier& verifier) {
  auto parsed = Note::Parse(note);
  if (!parsed) return parsed.error();
  return VerifyNote(*parsed, verifier);
}

TEST(VerifyNote, IgnoresLinesOfUnknownKeys) {
  auto key = KeyOf("log"), other = KeyOf("other");
  auto verifier = VerifierOf("log", key);
  const std::string text = "text\n", good = SignNote(text, "log", key);
  // Another name, the same name with another key, another name with the same key, and a witness's 76 bytes.
  for (const auto& line : {LinesOf(SignNote(text, "other", other)), LinesOf(SignNote(text, "log", other)),
                           LinesOf(SignNote(text, "other", key)), LinesOf(SignNote("else\n", "log", other)),
                           "\u2014 witness " + ToBase64(Bytes(76, 7)) + "\n", std::string("\u2014 w AAAAAQU=\n")}) {
    EXPECT_TRUE(Check(good + line, verifier)) << line;
    EXPECT_TRUE(Check(text + "\n" + line + LinesOf(good), verifier)) << line;
    EXPECT_EQ(ReasonOf(Check(text + "\n" + line, verifier)), Reason::kBadCheckpoint) << line;
  }
}

TEST(VerifyNote, RefusesTheWholeNoteForOneBadSignatureOfAKnownKey) {
  auto key = KeyOf("log");
  auto verifier = VerifierOf("log", key);
  const std::string good = SignNote("text\n", "log", key), bad = LinesOf(SignNote("else\n", "log", key));
  ASSERT_TRUE(Check(good, verifier));
  EXPECT_TRUE(Check(good + LinesOf(good), verifier)) << "a repeated line is no harm";
  EXPECT_EQ(ReasonOf(Check("text\n\n" + bad, verifier)), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(Check(good + bad, verifier)), Reason::kBadCheckpoint);
  EXPECT_EQ(ReasonOf(Check("text\n\n" + bad + LinesOf(good), verifier)), Reason::kBadCheckpoint);
  // A known pair with a signature of another length.
  Bytes content;
  AppendU32(content, verifier.key_id);
  for (std::size_t size : {1u, 63u, 65u, 72u}) {
    Bytes other = content;
    other.resize(4 + size);
    EXPECT_EQ(ReasonOf(Check(good + "\u2014 log " + ToBase64(other) + "\n", verifier)), Reason::kBadCheckpoint) << size;
  }
}

TEST(VerifyNote, RefusesEveryChangedBitOfTheText) {
  auto verifier = *NoteVerifier::Parse(kSpecKey);
  auto note = *Note::Parse(kSpecNote);
  for (std::size_t bit = 0; bit < note.text.size() * 8; ++bit) {
    auto changed = note;
    changed.text[bit / 8] = static_cast<char>(changed.text[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(ReasonOf(VerifyNote(changed, verifier)), Reason::kBadCheckpoint) << bit;
  }
  for (std::size_t bit = 0; bit < 512; ++bit) {
    auto changed = note;
    auto& byte = changed.signatures[0].signature[bit / 8];
    byte = static_cast<std::uint8_t>(byte ^ (1 << (bit % 8)));
    ASSERT_EQ(ReasonOf(VerifyNote(changed, verifier)), Reason::kBadCheckpoint) << bit;
  }
}

}  // namespace
}  // namespace valija::log
