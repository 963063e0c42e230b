#include "core/text/policy_faults.h"

#include <gtest/gtest.h>

#include "core/policy/policy.h"
#include "tests/core/text/spoken.h"

namespace valija::text {
namespace {

constexpr const char* kGood = "marking TLP:GREEN\nreleasable-to agency us.dea\npurpose analysis\nexpires 2036-01-01\n";

// Every way to write a policy wrongly that core/policy knows of, a line each, after a good policy or alone.
constexpr const char* kWrongLines[] = {"markings TLP:RED",
                                       "tlp TLP:RED",
                                       "clearance",
                                       "roles any",
                                       "roles any analyst\nroles any chief",
                                       "roles some a",
                                       "releasable-to agency us.dea",
                                       "clearance Top Secret",
                                       "case perhaps",
                                       "expires tomorrow",
                                       "not-before 2037-01-01",
                                       "openings many",
                                       "openings 0 in all",
                                       "openings 1 in all, 2 in all",
                                       "approval two of them",
                                       "approval 1 of karen",
                                       "approval 2 of us.dea/karen",
                                       "approval 1 of us.dea/karen\napproval-hours 1000",
                                       "approval-hours 4",
                                       "emergency allowed",
                                       "emergency often",
                                       "onward sometimes",
                                       "co-recipients seen",
                                       "roles any A,,b"};
constexpr const char* kWrongWholes[] = {
    "",
    "marking TLP:PURPLE",
    "marking amber",
    "marking white",
    "marking TLP:RED\nreleasable-to country us\npurpose a",
    "marking TLP:GREEN\nreleasable-to us, country USA, agency dea, member karen, nobody, agency us.dea,, agency "
    "us.dea\npurpose a",
    "marking TLP:GREEN\nreleasable-to contry us, us.dea, us.dea/karen\npurpose a, a"};

std::vector<policy::TextError> Faults() {
  std::vector<policy::TextError> all;
  auto take = [&](const std::string& text) {
    auto parsed = policy::ParseText(text);
    EXPECT_FALSE(parsed.errors.empty()) << text;
    all.insert(all.end(), parsed.errors.begin(), parsed.errors.end());
  };
  for (const auto* line : kWrongLines) take(std::string(kGood) + line);
  for (const auto* whole : kWrongWholes) take(whole);
  take(std::string(70'000, '#'));
  return all;
}

TEST(PolicyFault, EveryFaultHasItsSpanish) {
  const auto faults = Faults();
  EXPECT_GT(faults.size(), 40u);
  Spoken spoken(Language::kSpanish);
  for (const auto& fault : faults) {
    const auto spanish = PolicyFault(fault.message);
    EXPECT_NE(spanish, fault.message);
    for (const char* english : {" is no ", "there ", " stands ", "did you mean", " write ", " or '", "as in"})
      EXPECT_EQ(spanish.find(english), spanish.npos) << spanish;
  }
}

TEST(PolicyFault, KeepsWhatTheLineHolds) {
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(PolicyFault("there is no key 'tlp'; did you mean 'marking'?"),
            "no existe la clave 'tlp'; ¿quiso decir 'marking'?");
  EXPECT_EQ(PolicyFault("'a: b is no country' is no country: two lower-case letters, as in 'country us'"),
            "'a: b is no country' no es un país: dos letras minúsculas, como en 'country us'");
  EXPECT_EQ(PolicyFault("'x': 'case' is 'required' or 'optional'"), "'x': 'case' es 'required' o 'optional'");
  EXPECT_EQ(PolicyFault("of a later version"), "of a later version");
  EXPECT_EQ(PolicyFault(""), "");
}

TEST(PolicyFault, IsEnglishInEnglish) {
  for (const auto& fault : Faults()) EXPECT_EQ(PolicyFault(fault.message), fault.message);
}

}  // namespace
}  // namespace valija::text
