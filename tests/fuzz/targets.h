// What is fuzzed: parsers of bytes that come from somebody else (README.md says which are missing). A target takes any bytes; it must not crash, and what
// it says of them must hold (what was read is written as it stood, nothing verifies that was not signed). A target that finds
// otherwise throws Broken.
//
// The same table is run by libFuzzer (fuzzer.cc, `./do fuzz`) and over the kept corpora by a plain test (corpus_test.cc).
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"

namespace valija::fuzz {

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};
inline void Holds(bool holds, const char* what) {
  if (!holds) throw Broken(what);
}

// What the bytes are made of, for mutations that keep the shape.
enum class Shape { kBytes, kText, kMessage };

struct Target {
  std::string name;  // and of its folder in corpus/
  Shape shape = Shape::kBytes;
  std::function<void(ByteView)> run;
  std::function<std::vector<Bytes>()> seeds;  // good ones
  std::size_t prefix = 0;                     // of kMessage: bytes before the message
};

std::vector<Target> LogTargets();      // notes, checkpoints, tiles, proofs, policies of witnesses, requests to one
std::vector<Target> RecordTargets();   // policies as text, bodies, certificates, cards, charters
std::vector<Target> MessageTargets();  // every coding of proto/

inline std::vector<Target> Targets() {
  auto out = LogTargets();
  for (auto& one : RecordTargets()) out.push_back(std::move(one));
  for (auto& one : MessageTargets()) out.push_back(std::move(one));
  return out;
}

}  // namespace valija::fuzz
