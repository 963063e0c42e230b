// libFuzzer over one target: VALIJA_FUZZ=<name> fuzzer FOLDER.. (`./do fuzz` does it for all). `fuzzer --targets` lists them,
// `fuzzer --seeds FOLDER` writes the good seeds of the target.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

#include "tests/fuzz/mutate.h"
#include "tests/fuzz/targets.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using valija::Bytes;
using valija::ByteView;

const valija::fuzz::Target* target = nullptr;
const std::vector<valija::fuzz::Target>& All() {
  static const auto all = valija::fuzz::Targets();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc > 1 && std::strcmp((*argv)[1], "--targets") == 0) {
    for (const auto& one : All()) std::cout << one.name << "\n";
    std::exit(0);
  }
  const char* name = std::getenv("VALIJA_FUZZ");
  for (const auto& one : All())
    if (name != nullptr && one.name == name) target = &one;
  if (target == nullptr) {
    std::cerr << "VALIJA_FUZZ names no target; --targets lists them\n";
    std::exit(2);
  }
  if (*argc > 2 && std::strcmp((*argv)[1], "--seeds") == 0) {
    int i = 0;
    for (const auto& seed : target->seeds())
      std::ofstream(std::string((*argv)[2]) + "/seed-" + std::to_string(i++), std::ios::binary)
          .write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  target->run(ByteView(data, size));
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  if (target->shape != valija::fuzz::Shape::kMessage || size < target->prefix || random() % 4 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  const auto inner = [](Bytes bytes) {
    const auto had = bytes.size();
    bytes.resize(had + 64);
    bytes.resize(LLVMFuzzerMutate(bytes.data(), had, bytes.size()));
    return bytes;
  };
  const auto out = valija::fuzz::MutateMessage(ByteView(data, size).subspan(target->prefix), random, inner);
  const auto length = std::min(out.size(), max_size - target->prefix);
  std::copy_n(out.begin(), length, data + target->prefix);
  return target->prefix + length;
}
