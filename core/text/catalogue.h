// Every text that `valija`, `valija-audit` and `valija-broker` show people, in English and in Spanish.
//
// To add one: a row in said.inc (what commands print and ask), help.inc (help), audit.inc or report.inc (valija-audit),
// evidence.inc (evidence bundles), or broker.inc:
//
//   VALIJA_TEXT(kSent, "sent {0}", "se envió {0}")
//   VALIJA_COUNTED(kEntries, "{0} entry", "{0} entries", "{0} asiento", "{0} asientos")    // {0} is the number
//
// and then Text(Id::kInboxEmpty), Format(Id::kSent, id), Counted(Id::kEntries, n). {0} to {9} stand for the arguments;
// each language has them in its own order. How many there are is checked when compiled; that both languages have the
// same ones, that every text is used, and that no text is written elsewhere, is tested (tests/core/text,
// tests/house/texts_test.sh). Spanish addresses people as "usted", says `registro` for a record, `bitácora` for the log,
// `asiento` for an entry, `llave` for a key (README.es.md is the glossary). No text ends in a line break: who prints adds it.
//
// A new reason code needs a Spanish sentence in sentences.cc. Codes, JSON and CSV are never translated.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/text/language.h"

namespace valija::text {

enum class Id : std::uint16_t {
#define VALIJA_TEXT(name, english, spanish) name,
#define VALIJA_COUNTED(name, english_one, english, spanish_one, spanish) name,
#include "core/text/audit.inc"
#include "core/text/broker.inc"
#include "core/text/evidence.inc"
#include "core/text/help.inc"
#include "core/text/report.inc"
#include "core/text/said.inc"
#undef VALIJA_TEXT
#undef VALIJA_COUNTED
};

struct Row {
  std::string_view name;
  std::string_view english, spanish;
  std::string_view english_one, spanish_one;  // for the number one; empty: there is no number
};

inline constexpr Row kCatalogue[] = {
#define VALIJA_TEXT(name, english, spanish) {#name, english, spanish, {}, {}},
#define VALIJA_COUNTED(name, english_one, english, spanish_one, spanish) \
  {#name, english, spanish, english_one, spanish_one},
#include "core/text/audit.inc"
#include "core/text/broker.inc"
#include "core/text/evidence.inc"
#include "core/text/help.inc"
#include "core/text/report.inc"
#include "core/text/said.inc"
#undef VALIJA_TEXT
#undef VALIJA_COUNTED
};

// How many arguments a text takes: one more than its highest placeholder.
constexpr std::size_t Placeholders(std::string_view pattern) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + 2 < pattern.size(); ++at)
    if (pattern[at] == '{' && pattern[at + 2] == '}' && pattern[at + 1] >= '0' && pattern[at + 1] <= '9' &&
        static_cast<std::size_t>(pattern[at + 1] - '0') >= count)
      count = static_cast<std::size_t>(pattern[at + 1] - '0') + 1;
  return count;
}

// An Id whose text takes just these arguments; else it does not compile.
template <bool counted, class... Arguments>
struct Checked {
  Id id;
  consteval Checked(Id i) : id(i) {  // NOLINT(google-explicit-constructor): as std::format_string
    const Row& row = kCatalogue[static_cast<std::size_t>(i)];
    if (Placeholders(row.english) != sizeof...(Arguments)) throw "another number of arguments";
    if (row.english_one.empty() == counted) throw "a number where none is, or none where one is";
  }
};

namespace internal {
std::string Fill(Id id, bool one, std::initializer_list<std::string> arguments);
template <class T>
std::string Argument(const T& value) {
  if constexpr (std::is_integral_v<T>)
    return std::to_string(value);
  else
    return std::string(value);
}
}  // namespace internal

std::string TextIn(Language language, Id id);
std::string Text(Id id);

template <class... Arguments>
std::string Format(Checked<false, std::type_identity_t<Arguments>...> id, const Arguments&... arguments) {
  return internal::Fill(id.id, false, {internal::Argument(arguments)...});
}

// {0} is the number.
template <class Number, class... Arguments>
std::string Counted(Checked<true, std::type_identity_t<Number>, std::type_identity_t<Arguments>...> id, Number number,
                    const Arguments&... arguments) {
  return internal::Fill(id.id, number == 1, {internal::Argument(number), internal::Argument(arguments)...});
}

}  // namespace valija::text
