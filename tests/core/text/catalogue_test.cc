#include "core/text/catalogue.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/text.h"
#include "core/text/command_line.h"
#include "tests/core/text/spoken.h"

namespace valija::text {
namespace {

std::set<char> PlaceholdersIn(std::string_view pattern) {
  std::set<char> out;
  for (std::size_t at = 0; at + 2 < pattern.size(); ++at)
    if (pattern[at] == '{' && pattern[at + 2] == '}') out.insert(pattern[at + 1]);
  return out;
}

std::vector<std::string_view> Forms(const Row& row) {
  std::vector<std::string_view> forms = {row.english, row.spanish};
  if (!row.english_one.empty() || !row.spanish_one.empty()) {
    forms.push_back(row.english_one);
    forms.push_back(row.spanish_one);
  }
  return forms;
}

TEST(Catalogue, EveryTextIsThereInBothLanguages) {
  for (const auto& row : kCatalogue)
    for (auto form : Forms(row)) EXPECT_FALSE(form.empty()) << row.name;
}

TEST(Catalogue, BothLanguagesTakeTheSameArgumentsAndUseEachOfThem) {
  for (const auto& row : kCatalogue) {
    std::set<char> want;
    for (std::size_t i = 0; i < Placeholders(row.english); ++i) want.insert(static_cast<char>('0' + i));
    for (auto form : Forms(row)) EXPECT_EQ(PlaceholdersIn(form), want) << row.name << ": " << form;
  }
}

TEST(Catalogue, SpanishIsSpanish) {
  const std::set<std::string_view> same = {"kHeadRoles", "kAuditor", "kChangeRoles", "kNo", "kWaitingLine"};
  for (const auto& row : kCatalogue)
    EXPECT_EQ(row.english == row.spanish, same.contains(row.name)) << row.name << ": " << row.spanish;
}

TEST(Catalogue, TextsAreCleanAndEndWithoutALineBreak) {
  std::set<std::string_view> names;
  for (const auto& row : kCatalogue) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    for (auto form : Forms(row)) {
      EXPECT_EQ(Visible(form, true), form) << row.name;
      EXPECT_FALSE(form.ends_with('\n')) << row.name;
      EXPECT_EQ(form.find('\t'), form.npos) << row.name;
    }
  }
}

TEST(Catalogue, FillsInArgumentsOfTheLanguageChosen) {
  EXPECT_EQ(Format(Id::kSent, std::string("3f9a")), "sent 3f9a");
  EXPECT_EQ(Format(Id::kAuditVerifying, 3, std::uint64_t{1} << 40), "verifying 3 of 1099511627776");
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(Text(Id::kRevoked), "revocado");
  EXPECT_EQ(TextIn(Language::kEnglish, Id::kRevoked), "revoked");
  EXPECT_EQ(Format(Id::kSent, "3f9a"), "se envió 3f9a");
}

TEST(Catalogue, WhatAnArgumentHoldsIsNoPlaceholder) {
  EXPECT_EQ(Format(Id::kNewsAcknowledged, "{1}", "{2}", "{0}"), "{1} acknowledged {2}: {0}");
  EXPECT_EQ(Format(Id::kNewsAcknowledged, "", "{9}", "{"), " acknowledged {9}: {");
}

TEST(Catalogue, OneIsCountedOtherwiseThanNoneAndMany) {
  EXPECT_EQ(Counted(Id::kCustodyTotal, 1), "1 entry, proved to be in the log");
  EXPECT_EQ(Counted(Id::kCustodyTotal, 0), "0 entries, each proved to be in the log");
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(Counted(Id::kExported, std::size_t{1}, "copia"),
            "se exportó 1 asiento a copia; siguiente: valija-audit verify copia");
  EXPECT_EQ(Counted(Id::kExported, std::size_t{2}, "copia"),
            "se exportaron 2 asientos a copia; siguiente: valija-audit verify copia");
}

TEST(Catalogue, PlaceholdersAreCountedByTheHighest) {
  static_assert(Placeholders("") == 0 && Placeholders("{") == 0 && Placeholders("{}") == 0 && Placeholders("{a}") == 0);
  static_assert(Placeholders("{0}") == 1 && Placeholders("{2} {0}") == 3 && Placeholders("x{1") == 0);
}

TEST(CommandLine, FaultsAreToldInTheLanguageChosen) {
  EXPECT_EQ(CommandLineFault("RequiredError", "--purpose is required"), "--purpose is required");
  EXPECT_EQ(CommandLineFault("ExtrasError", "The following arguments were not expected: b a"), "not expected: b a");
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(CommandLineFault("RequiredError", "--purpose is required"), "falta --purpose");
  EXPECT_EQ(CommandLineFault("RequiredError", "A subcommand is required"), "falta el comando");
  EXPECT_EQ(CommandLineFault("ExtrasError", "The following argument was not expected: frob"), "no se esperaba: frob");
  EXPECT_EQ(CommandLineFault("RequiredError", "Requires at least 2"), "opción o valor no válido: Requires at least 2");
  EXPECT_EQ(CommandLineFault("ValidationError", "--portion: 99"), "opción o valor no válido: --portion: 99");
}

}  // namespace
}  // namespace valija::text
