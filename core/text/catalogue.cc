#include "core/text/catalogue.h"

namespace valija::text {
namespace {

const Row& RowOf(Id id) { return kCatalogue[static_cast<std::size_t>(id)]; }

}  // namespace

std::string TextIn(Language language, Id id) {
  return std::string(language == Language::kSpanish ? RowOf(id).spanish : RowOf(id).english);
}

std::string Text(Id id) { return TextIn(CurrentLanguage(), id); }

// Once from left to right: what an argument holds is never taken for a placeholder.
std::string internal::Fill(Id id, bool one, std::initializer_list<std::string> arguments) {
  const Row& row = RowOf(id);
  const bool spanish = CurrentLanguage() == Language::kSpanish;
  const std::string_view pattern =
      one ? (spanish ? row.spanish_one : row.english_one) : (spanish ? row.spanish : row.english);
  std::string out;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const std::size_t n = at + 2 < pattern.size() && pattern[at] == '{' && pattern[at + 2] == '}'
                              ? static_cast<std::size_t>(static_cast<unsigned char>(pattern[at + 1])) - '0'
                              : arguments.size();
    if (n >= arguments.size()) {
      out += pattern[at];
      continue;
    }
    out += arguments.begin()[n];
    at += 2;
  }
  return out;
}

}  // namespace valija::text
