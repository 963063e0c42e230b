#include "core/text/language.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/core/text/spoken.h"

namespace valija::text {
namespace {

Language Chosen(std::vector<const char*> words, const std::map<std::string, const char*>& environment) {
  words.insert(words.begin(), "valija");
  return ChooseLanguage(static_cast<int>(words.size()), words.data(), [&](const char* name) -> const char* {
    auto at = environment.find(name);
    return at == environment.end() ? nullptr : at->second;
  });
}

constexpr auto kEn = Language::kEnglish, kEs = Language::kSpanish;

TEST(Language, TheOptionRulesWhereverItStands) {
  EXPECT_EQ(Chosen({"--lang", "es", "inbox"}, {}), kEs);
  EXPECT_EQ(Chosen({"inbox", "--lang=es"}, {{"LC_ALL", "en_US.UTF-8"}}), kEs);
  EXPECT_EQ(Chosen({"inbox", "--lang", "en"}, {{"LC_ALL", "es_MX.UTF-8"}}), kEn);
  EXPECT_EQ(Chosen({"inbox", "--", "--lang", "es"}, {}), kEn);
}

TEST(Language, AnUnknownOptionIsRefusedInTheLanguageOfTheLocale) {
  for (const char* unknown : {"fr", "ES", "español", "es_MX", ""})
    EXPECT_EQ(Chosen({"--lang", unknown}, {{"LANG", "es"}}), kEs) << unknown;
  EXPECT_EQ(Chosen({"--lang"}, {{"LANG", "es"}}), kEs);
  EXPECT_EQ(Chosen({"--lang=", "x"}, {}), kEn);
  EXPECT_EQ(Chosen({"--language=es"}, {}), kEn);
  EXPECT_FALSE(LanguageByName("fr") || LanguageByName("") || LanguageByName("e"));
}

TEST(Language, ElseTheFirstLocaleThatIsSet) {
  EXPECT_EQ(Chosen({}, {}), kEn);
  EXPECT_EQ(Chosen({}, {{"LANG", "es_MX.UTF-8"}}), kEs);
  EXPECT_EQ(Chosen({}, {{"LANG", "es_MX.UTF-8"}, {"LC_MESSAGES", "C"}}), kEn);
  EXPECT_EQ(Chosen({}, {{"LC_MESSAGES", "es"}, {"LC_ALL", ""}}), kEs);
  EXPECT_EQ(Chosen({}, {{"LC_MESSAGES", "es"}, {"LC_ALL", "C.UTF-8"}}), kEn);
  for (const char* spanish : {"es", "es_US", "es-419", "es.UTF-8", "es@euro"})
    EXPECT_EQ(Chosen({}, {{"LC_ALL", spanish}}), kEs) << spanish;
  for (const char* other : {"C", "POSIX", "en_US.UTF-8", "e", "est", "et_EE", "ES"})
    EXPECT_EQ(Chosen({}, {{"LC_ALL", other}}), kEn) << other;
}

TEST(TimeText, CannotBeMisreadInEitherLanguage) {
  const auto time = *ParseTime("2026-05-06T08:17:04.999Z");
  EXPECT_EQ(TimeText(time), "2026-05-06 08:17:04 UTC");
  Spoken spoken(kEs);
  EXPECT_EQ(TimeText(time), "06-may-2026 08:17:04 UTC");
  EXPECT_EQ(TimeText(*ParseTime("2027-01-01")), "01-ene-2027 00:00:00 UTC");
  EXPECT_EQ(TimeText(*ParseTime("2026-12-31T23:59:59Z")), "31-dic-2026 23:59:59 UTC");
}

}  // namespace
}  // namespace valija::text
