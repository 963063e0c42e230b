// Reads the texts of refusals out of the sources, so that a test can tell whether each has its Spanish.
//
// A refusal's detail is the last argument of Refuse(..) and of the helpers beside it (kTellers in the source). Its
// expression is read as a pattern: "a " + x + " b" is "a {0} b"; `c ? "a" : "b"` is two patterns; whatever else is a place.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace valija::text {

struct SourceText {
  std::string where;    // "client/session.cc:31"
  std::string pattern;  // "entry {0} is missing"
};

struct SourceTexts {
  std::vector<SourceText> details;  // what refusals say
  std::set<std::string> literals;   // all that stand in the sources
  std::vector<SourceText> strays;   // words in a literal that is no part of any of them, nor of what no person is shown
};

SourceTexts ReadSource(const std::string& name, std::string_view content);

// Of all sources under `root` that make refusals.
SourceTexts ReadSources(const std::string& root);

// "{0} is {1}" and "<0> is {1}" -> "{} is {}"
std::string Shape(std::string_view pattern);

}  // namespace valija::text
