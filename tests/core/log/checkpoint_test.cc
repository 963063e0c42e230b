// Checkpoints: their body, and that only a signed one of the right log becomes a SignedCheckpoint.
#include <gtest/gtest.h>

#include "core/crypto/hash.h"
#include "core/log/note.h"
#include "core/log/tree.h"

namespace valija::log {
namespace {

const std::string kRoot = "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=";

crypto::Ed25519SignKey KeyOf(std::string_view seed) {
  return *crypto::Ed25519SignKey::FromSeed(crypto::Sha256(AsBytes(seed)));
}

Hash RootValue() { return *Hash::From(*FromBase64(kRoot)); }

TEST(Checkpoint, IsReadAndWrittenAlike) {
  for (std::string size : {"0", "1", "15", "9223372036854775807"}) {
    std::string body = "example.com/log\n" + size + "\n" + kRoot + "\n";
    auto checkpoint = Checkpoint::ParseBody(body);
    ASSERT_TRUE(checkpoint) << body;
    EXPECT_EQ(checkpoint->origin, "example.com/log");
    EXPECT_EQ(std::to_string(checkpoint->size), size);
    EXPECT_EQ(checkpoint->root, RootValue());
    EXPECT_EQ(checkpoint->Body(), body);
  }
}

TEST(Checkpoint, ExtensionLinesAreToleratedAndIgnored) {
  auto checkpoint = Checkpoint::ParseBody("log\n15\n" + kRoot + "\nextension\nand another\n");
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(*checkpoint, (Checkpoint{"log", 15, RootValue()}));
  EXPECT_EQ(checkpoint->Body(), "log\n15\n" + kRoot + "\n") << "we write none";
}

TEST(Checkpoint, RefusesAnyOtherBody) {
  const std::string end = "\n" + kRoot + "\n";
  for (const auto& body : std::vector<std::string>{
           std::string(),
           std::string("log"),
           std::string("log\n"),
           std::string("log\n15\n"),
           "log\n15\n" + kRoot,
           "\n15" + end,      // no origin
           "log\n" + end,     // no size
           "log\n015" + end,  // leading zero
           "log\n00" + end,   //
           "log\n+15" + end,
           "log\n-1" + end,
           "log\n 15" + end,
           "log\n15 " + end,
           "log\n0x15" + end,
           "log\n1e3" + end,
           "log\n15.0" + end,
           "log\n1 5" + end,                                //
           "log\n9223372036854775808" + end,                // 2^63
           "log\n18446744073709551615" + end,               // 2^64 - 1
           "log\n18446744073709551617" + end,               // 2^64 + 1
           "log\n100000000000000000000000000000015" + end,  //
           std::string("log\n15\n\n"),                      // no root
           "log\n15\n" + kRoot.substr(0, 40) + "\n",        // 30 bytes
           "log\n15\nAAAA" + kRoot + "\n",                  // 35 bytes
           "log\n15\n" + kRoot.substr(0, 43) + "\n",        // no padding
           "log\n15\n" + kRoot + " \n",                     //
           "log\n15\n" + kRoot.substr(0, 42) + "t=\n",      // trailing bits
           "log\n15\n" + kRoot + "\n\n",                    // empty extension
           "log\n15\n" + kRoot + "\n\nextension\n",         //
           "log\n15\n" + kRoot + "\nextension",             // does not end
           "log\n\n15\n" + kRoot + "\n",                    //
       }) {
    auto checkpoint = Checkpoint::ParseBody(body);
    ASSERT_FALSE(checkpoint) << body;
    EXPECT_EQ(checkpoint.error().reason, Reason::kMalformed) << body;
  }
}

// ---- signed ----

class Signed : public ::testing::Test {
 protected:
  Signed() : key_(KeyOf("log")), verifier_(*NoteVerifier::Make("example.com/log", key_.verify_key())) {}

  std::string Sign(const std::string& body) const { return SignNote(body, "example.com/log", key_); }
  testing::AssertionResult Refused(const std::string& note, std::string_view origin = "example.com/log") const {
    auto checkpoint = SignedCheckpoint::Verify(note, origin, verifier_);
    if (checkpoint) return testing::AssertionFailure() << "taken: " << note;
    if (checkpoint.error().reason != Reason::kBadCheckpoint) {
      return testing::AssertionFailure() << checkpoint.error().Message();
    }
    return testing::AssertionSuccess();
  }

  crypto::Ed25519SignKey key_;
  NoteVerifier verifier_;
  Checkpoint checkpoint_{"example.com/log", 15, RootValue()};
};

TEST_F(Signed, WhatWasSignedVerifiesAndIsKeptVerbatim) {
  auto made = SignedCheckpoint::Sign(checkpoint_, key_);
  EXPECT_EQ(made.checkpoint(), checkpoint_);
  EXPECT_EQ(made.note(), Sign(checkpoint_.Body()));
  std::string cosigned = made.note() + "\u2014 witness " + ToBase64(Bytes(76, 7)) + "\n";
  for (const auto& note : {made.note(), cosigned}) {
    auto verified = SignedCheckpoint::Verify(note, "example.com/log", verifier_);
    ASSERT_TRUE(verified) << verified.error().Message();
    EXPECT_EQ(verified->checkpoint(), checkpoint_);
    EXPECT_EQ(verified->size(), 15u);
    EXPECT_EQ(verified->root(), RootValue());
    EXPECT_EQ(verified->note(), note);
  }
}

TEST_F(Signed, RefusesAnotherLogsCheckpoint) {
  EXPECT_TRUE(Refused(Sign("example.com/other\n15\n" + kRoot + "\n")));
  EXPECT_TRUE(Refused(Sign(checkpoint_.Body()), "example.com/other"));
  EXPECT_TRUE(Refused(Sign(checkpoint_.Body()), ""));
}

TEST_F(Signed, RefusesAnotherKeysSignature) {
  auto other = KeyOf("other");
  EXPECT_TRUE(Refused(SignedCheckpoint::Sign(checkpoint_, other).note()));
  EXPECT_TRUE(Refused(SignNote(checkpoint_.Body(), "example.com/other", key_))) << "the right key by another name";
}

TEST_F(Signed, RefusesASignedTextThatIsNoCheckpoint) {
  EXPECT_TRUE(Refused(Sign("hello\n")));
  EXPECT_TRUE(Refused(Sign("example.com/log\n015\n" + kRoot + "\n")));
  EXPECT_TRUE(Refused(Sign("example.com/log\n9223372036854775808\n" + kRoot + "\n")));
  EXPECT_TRUE(Refused(Sign("example.com/log\n15\n" + kRoot + "\n\nx\n")));
}

TEST_F(Signed, RefusesWhatIsNoNote) {
  EXPECT_TRUE(Refused(""));
  EXPECT_TRUE(Refused(checkpoint_.Body()));
  EXPECT_TRUE(Refused(Sign(checkpoint_.Body()) + "x"));
}

TEST_F(Signed, RefusesAnEmptyTreeWithAnotherRoot) {
  EXPECT_TRUE(Refused(Sign("example.com/log\n0\n" + kRoot + "\n")));
  auto empty = SignedCheckpoint::Sign({"example.com/log", 0, EmptyRoot()}, key_);
  EXPECT_NE(empty.note().find("\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"), std::string::npos);
  EXPECT_TRUE(SignedCheckpoint::Verify(empty.note(), "example.com/log", verifier_));
}

TEST_F(Signed, RefusesEveryChangedByte) {
  auto note = Sign(checkpoint_.Body());
  for (std::size_t i = 0; i < note.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = note;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      ASSERT_TRUE(Refused(changed)) << i;
    }
    ASSERT_TRUE(Refused(note.substr(0, i))) << i;
  }
}

TEST_F(Signed, TakesACheckpointWithExtensionLines) {
  auto checkpoint = SignedCheckpoint::Verify(Sign(checkpoint_.Body() + "extension\n"), "example.com/log", verifier_);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->checkpoint(), checkpoint_);
}

TEST_F(Signed, NothingIsSignedThatCouldNotBeRead) {
  for (std::string origin : {"", "a b", "a+b", "a\nb"}) {
    EXPECT_THROW(SignedCheckpoint::Sign({origin, 1, RootValue()}, key_), std::invalid_argument) << origin;
  }
  EXPECT_THROW(SignedCheckpoint::Sign({"log", kMaxTreeSize + 1, RootValue()}, key_), std::invalid_argument);
}

}  // namespace
}  // namespace valija::log
