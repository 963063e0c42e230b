// Where the vectors are: the project's own worked examples always, the full official sets where they are laid
// (VALIJA_VECTORS, else ../shared/vectors beside the checkout). A run says which it used.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "core/base/bytes.h"

namespace valija::test {

inline std::filesystem::path WorkedExample() {
  if (const char* other = std::getenv("VALIJA_WORKED_EXAMPLE")) return other;
  return std::filesystem::path(VALIJA_SOURCE_DIR) / "tests/vectors/worked-example";
}

// The folder of a full official set, or nullopt where only the compact tables of this test are at hand.
inline std::optional<std::filesystem::path> FullSet(const std::string& name) {
  const char* given = std::getenv("VALIJA_VECTORS");
  std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given) : std::filesystem::path(VALIJA_SOURCE_DIR) / "../shared/vectors";
  auto folder = root / name;
  bool there = std::filesystem::is_directory(folder);
  std::cout << "[ VECTORS  ] " << name << ": " << (there ? "full set" : "compact table only (full set not laid)")
            << "\n";
  if (!there) return std::nullopt;
  return folder;
}

inline std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

inline nlohmann::json ReadJson(const std::filesystem::path& path) { return nlohmann::json::parse(ReadWhole(path)); }

inline Bytes Hex(const nlohmann::json& value) {
  auto bytes = FromHex(value.get<std::string>());
  if (!bytes) throw std::runtime_error("not hex: " + value.dump());
  return *bytes;
}

template <class F>
F FixedHex(const nlohmann::json& value) {
  auto fixed = F::From(Hex(value));
  if (!fixed) throw std::runtime_error("wrong length: " + value.dump());
  return *fixed;
}

}  // namespace valija::test
