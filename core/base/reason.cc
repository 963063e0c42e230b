#include "core/base/reason.h"

#include <array>
#include <utility>

namespace valija {
namespace {

struct Row {
  std::string_view code;
  Class klass;
  std::string_view sentence;
};

constexpr Row kRows[] = {
#define X(name, code, klass, sentence) {code, Class::klass, sentence},
    VALIJA_REASONS(X)
#undef X
};

const Row& RowOf(Reason reason) { return kRows[static_cast<std::size_t>(reason)]; }

}  // namespace

std::string_view CodeOf(Reason reason) { return RowOf(reason).code; }
Class ClassOf(Reason reason) { return RowOf(reason).klass; }
std::string_view SentenceOf(Reason reason) { return RowOf(reason).sentence; }

std::optional<Reason> ReasonFromCode(std::string_view code) {
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    if (kRows[i].code == code) return static_cast<Reason>(i);
  return std::nullopt;
}

int ExitStatus(Reason reason) {
  switch (ClassOf(reason)) {
    case Class::kInvalid:
      return 2;
    case Class::kUnauthenticated:
    case Class::kDenied:
    case Class::kNotFound:
      return 3;
    case Class::kConflict:
    case Class::kPrecondition:
    case Class::kExhausted:
    case Class::kUnavailable:
    case Class::kDeadline:
      return 4;
    case Class::kTampered:
      return 5;
    case Class::kInternal:
      return 1;
  }
  return 1;
}

}  // namespace valija
