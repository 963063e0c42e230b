// Wycheproof's files: the full one where it is laid, and always the few cases that the test holds itself.
#pragma once

#include <functional>

#include "tests/support/vectors.h"

namespace valija::test {

// Calls check(group, case) for every case; returns how many there were.
inline std::size_t ForEachCase(const nlohmann::json& file,
                               const std::function<void(const nlohmann::json&, const nlohmann::json&)>& check) {
  std::size_t count = 0;
  for (const auto& group : file.at("testGroups"))
    for (const auto& one : group.at("tests")) {
      check(group, one);
      ++count;
    }
  return count;
}

inline std::optional<nlohmann::json> FullWycheproof(const std::string& name) {
  auto folder = FullSet("wycheproof");
  if (!folder) return std::nullopt;
  return ReadJson(*folder / name);
}

inline std::string CaseName(const nlohmann::json& one) {
  return "tcId " + one.at("tcId").dump() + " " + one.value("comment", "");
}

inline bool IsValid(const nlohmann::json& one) { return one.at("result") == "valid"; }

}  // namespace valija::test
