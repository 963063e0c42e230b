// What stands behind a refusal in a particular case (Error::detail), for people. Programs, the wire, logs and --json have it
// in English, as the source that refuses writes it; here is its Spanish, looked up when it is printed.
//
// To add one: write the refusal, Refuse(Reason::kExists, "a " + x + " is there"), and a row in the details*.inc of its folder:
//
//   VALIJA_DETAIL("a {0} is there", "ya hay: {0}")
//
// {0} to {9} are places; what they hold stays as it is. <0> is a place that holds another text of these, which is translated
// too. That every detail of the sources has its row, and every row its source, is tested (tests/core/text/details_test.cc).
// What has no row (it may come from a newer broker) is printed as it is. Of rows that fit, the one with the most letters
// outside its places rules.
// Thread-safety: pure functions, but for the language chosen.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace valija::text {

struct DetailRow {
  std::string_view english, spanish;
};

std::span<const DetailRow> DetailRows();    // of our own sources
std::span<const DetailRow> ForeignRows();   // of libraries beneath: gRPC, OpenSSL, CLI11
std::span<const DetailRow> NextStepRows();  // what a person can do, said after a refusal (client/session.cc)

std::optional<std::string> SpanishDetail(std::string_view english);  // nullopt: it is not known

std::string Detail(std::string_view english);  // in the language chosen

}  // namespace valija::text
