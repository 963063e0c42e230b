#include "core/text/sentences.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/base/reason.h"
#include "core/base/result.h"
#include "tests/core/text/spoken.h"

namespace valija::text {
namespace {

constexpr Reason kReasons[] = {
#define X(name, code, klass, sentence) Reason::name,
    VALIJA_REASONS(X)
#undef X
};

std::set<std::string> FindingCodes() {
  std::stringstream content;
  for (const char* name : {"/audit/verify.cc", "/audit/witnessed.cc"})
    content << std::ifstream(std::string(VALIJA_SOURCE_DIR) + name).rdbuf();
  const std::string text = content.str();
  const std::regex find("[Ff]ind\\([^\"]*\"([a-z-]+)\"");
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), find), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

TEST(Sentences, EveryReasonHasASpanishSentence) {
  for (auto reason : kReasons) {
    const auto spanish = SpanishSentence(CodeOf(reason));
    ASSERT_FALSE(spanish.empty()) << "core/text/sentences.cc lacks a sentence for " << CodeOf(reason);
    EXPECT_EQ(spanish.back(), '.') << spanish;
    EXPECT_NE(spanish, SentenceOf(reason));
  }
}

TEST(Sentences, EveryFindingOfTheAuditHasASpanishSentence) {
  const auto codes = FindingCodes();
  EXPECT_GT(codes.size(), 10u);
  for (const auto& code : codes)
    EXPECT_FALSE(SpanishSentence(code).empty()) << "core/text/sentences.cc lacks a sentence for the finding " << code;
}

TEST(Sentences, NoSentenceIsForACodeThatIsNotThere) {
  const auto findings = FindingCodes();
  std::set<std::string_view> seen;
  for (auto code : SpanishSentenceCodes()) {
    EXPECT_TRUE(seen.insert(code).second) << code << " is there twice";
    EXPECT_TRUE(ReasonFromCode(code) || findings.contains(std::string(code))) << code;
  }
}

TEST(Explain, PutsTheSentenceInPlaceAndTranslatesTheDetailThatItKnows) {
  const auto message = Refuse(Reason::kNotReady, "no profile in /x").Message();
  EXPECT_EQ(Explain("not-ready", message), message);
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(Explain("not-ready", message), "Antes debe hacerse algo más. (no profile in /x)");
  EXPECT_EQ(Explain("revoked", Refuse(Reason::kRevoked).Message()), "El originador revocó el registro.");
  EXPECT_EQ(Explain("usage", "--timeout: too long"),
            "Los argumentos del comando no son compatibles entre sí. (--timeout: demasiado largo)");
  EXPECT_EQ(
      Explain("bad-tile", "tile/0/000 is not what the entries give"),
      "El mosaico (tile) no es el que resulta de los asientos. (tile/0/000 no es lo que resulta de los asientos)");
  EXPECT_EQ(Explain("bad-tile", ""), "El mosaico (tile) no es el que resulta de los asientos.");
  EXPECT_EQ(Explain("of-a-later-version", "As it came."), "As it came.");
}

}  // namespace
}  // namespace valija::text
