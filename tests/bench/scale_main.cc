// valija-scale: what a log's size costs its broker and its auditors, on a log of any size that it makes first.
//
//   valija-scale [--entries N,N,..] [--folder DIR] [--audit-up-to N] [--refold]      (scale.h)
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "tests/bench/scale.h"

int main(int argc, char** argv) {
  using namespace valija::bench;  // NOLINT(google-build-using-namespace)
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "part") return ScalePart({words.begin() + 1, words.end()});
  ScaleOptions options{.sizes = {100'000}, .folder = "scale-log"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool more = i + 1 < words.size();
    if (words[i] == "--entries" && more) {
      options.sizes.clear();
      std::istringstream in(words[++i]);
      for (std::string one; std::getline(in, one, ',');)
        options.sizes.push_back(std::strtoull(one.c_str(), nullptr, 10));
    } else if (words[i] == "--folder" && more) {
      options.folder = words[++i];
    } else if (words[i] == "--audit-up-to" && more) {
      options.audit_up_to = std::strtoull(words[++i].c_str(), nullptr, 10);
    } else if (words[i] == "--refold") {
      options.refold = true;
    } else {
      std::cerr << "usage: valija-scale [--entries N,N,..] [--folder DIR] [--audit-up-to N] [--refold]\n";
      return words[i] == "--help" ? 0 : 2;
    }
  }
  try {
    MeasureScale(options);
  } catch (const std::exception& error) {
    std::cerr << "valija-scale: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
