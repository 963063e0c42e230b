#include "core/text/details.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

#include "core/base/reason.h"
#include "core/text/catalogue.h"
#include "core/text/language.h"
#include "core/text/policy_faults.h"
#include "core/text/sentences.h"

namespace valija::text {
namespace {

constexpr DetailRow kDetails[] = {
#define VALIJA_DETAIL(english, spanish) {english, spanish},
#include "core/text/details_broker.inc"
#include "core/text/details_client.inc"
#include "core/text/details_core.inc"
#include "core/text/details_ledger.inc"
#include "core/text/details_log.inc"
#include "core/text/details_wire.inc"
#undef VALIJA_DETAIL
};

constexpr DetailRow kForeign[] = {
#define VALIJA_DETAIL(english, spanish) {english, spanish},
#include "core/text/details_foreign.inc"
#undef VALIJA_DETAIL
};

constexpr DetailRow kNextSteps[] = {
    {" The broker may be busy, or out of reach.", " El intermediario puede estar ocupado o fuera de alcance."},
    {" The broker's operator has to make space, and after a failed write to restart it.",
     " El operador del intermediario debe liberar espacio y, tras una escritura fallida, reiniciarlo."},
    {" The broker takes nothing more until its operator has restarted it.",
     " El intermediario no admite nada más hasta que su operador lo reinicie."},
    {" Wait a minute, or tell the broker's operator.", " Espere un minuto, o avise al operador del intermediario."},
};

// What the system says of a file or a connection.
struct SystemRow {
  int error;
  std::string_view spanish;
};
constexpr SystemRow kSystem[] = {
    {ENOENT, "no existe el archivo o la carpeta"},
    {EACCES, "permiso denegado"},
    {EPERM, "operación no permitida"},
    {EISDIR, "es una carpeta"},
    {ENOTDIR, "no es una carpeta"},
    {EEXIST, "el archivo ya existe"},
    {ENOTEMPTY, "la carpeta no está vacía"},
    {ENOSPC, "no queda espacio en el disco"},
    {EDQUOT, "se rebasó la cuota de disco"},
    {EROFS, "el sistema de archivos es de solo lectura"},
    {EFBIG, "el archivo es demasiado grande"},
    {EIO, "error de entrada o salida"},
    {ELOOP, "demasiados enlaces simbólicos"},
    {ENAMETOOLONG, "el nombre del archivo es demasiado largo"},
    {EMFILE, "demasiados archivos abiertos"},
    {EBUSY, "el dispositivo o recurso está ocupado"},
    {EAGAIN, "el recurso no está disponible por ahora"},
    {EADDRINUSE, "la dirección ya está en uso"},
    {EADDRNOTAVAIL, "no se puede asignar la dirección"},
    {ECONNREFUSED, "conexión rechazada"},
    {ECONNRESET, "el otro extremo cerró la conexión"},
    {ETIMEDOUT, "se agotó el tiempo de espera"},
    {ENETUNREACH, "no se llega a la red"},
    {EHOSTUNREACH, "no se llega al equipo"},
};

constexpr int kMostLooks = 500;  // a text of somebody else's, made to have many readings, stays as it is

bool IsPlace(std::string_view at) {
  return at.size() > 2 && at[1] >= '0' && at[1] <= '9' &&
         ((at[0] == '{' && at[2] == '}') || (at[0] == '<' && at[2] == '>'));
}

struct Taken {
  std::string_view text;
  bool inner = false;  // another text
};
using Places = std::array<Taken, 10>;
bool HoldsSeveral(const Taken& taken) { return !taken.inner && taken.text.find("; ") != taken.text.npos; }

// A pattern's literal text up to its next place.
std::string_view Literal(std::string_view pattern) {
  for (std::size_t at = 0; at < pattern.size(); ++at)
    if (IsPlace(pattern.substr(at))) return pattern.substr(0, at);
  return pattern;
}

// What the places of `pattern` hold in `text`. The text before the last place is looked for from the left, what stands
// after it is at the end.
bool Match(std::string_view pattern, std::string_view text, Places& places) {
  while (true) {
    const auto literal = Literal(pattern);
    if (!text.starts_with(literal)) return false;
    text.remove_prefix(literal.size());
    pattern.remove_prefix(literal.size());
    if (pattern.empty()) return text.empty();
    Taken& taken = places[static_cast<std::size_t>(pattern[1] - '0')];
    taken.inner = pattern[0] == '<';
    pattern.remove_prefix(3);
    const auto next = Literal(pattern);
    if (next.size() == pattern.size()) {  // the last place
      if (text.size() <= next.size() || !text.ends_with(next)) return false;
      taken.text = text.substr(0, text.size() - next.size());
      return true;
    }
    const auto end = text.find(next, 1);
    if (end == text.npos) return false;
    taken.text = text.substr(0, end);
    text.remove_prefix(end);
  }
}

// Outside its places.
std::string LiteralsOf(std::string_view pattern) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (IsPlace(pattern.substr(at)))
      at += 2;
    else
      out += pattern[at];
  }
  return out;
}
std::size_t Letters(std::string_view pattern) { return LiteralsOf(pattern).size(); }
bool Says(std::string_view pattern) {
  const auto literals = LiteralsOf(pattern);
  return std::any_of(literals.begin(), literals.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
}

std::optional<std::string> ByCatalogue(std::string_view english) {
  for (const auto& row : kCatalogue)
    if (row.english == english && Placeholders(row.english) == 0) return std::string(row.spanish);
  return std::nullopt;
}

std::optional<std::string> BySystem(std::string_view english) {
  for (const auto& row : kSystem)
    if (english == std::generic_category().message(row.error)) return std::string(row.spanish);
  return std::nullopt;
}

// Where the parenthesis that opens at `at` closes; npos: nowhere.
std::size_t Closing(std::string_view text, std::size_t at) {
  for (int depth = 0; at < text.size(); ++at) {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (depth == 0) return at;
  }
  return text.npos;
}

// Of one text, and of those in it.
class Translator {
 public:
  std::optional<std::string> Translate(std::string_view english) {
    if (english.starts_with("line "))
      if (auto lines = ByParts(english, "; line ")) return lines;
    // What a place holds seldom has a "; " in it: first as if it never had, else "{0} is missing" would take a whole list.
    if (auto whole = Whole(english, false)) return whole;
    if (auto parts = ByParts(english, "; ")) return parts;
    return Whole(english, true);
  }
  // Whatever of it is known, is translated.
  std::string AsFarAsKnown(std::string_view english) {
    auto spanish = Translate(english);
    return spanish ? *spanish : std::string(english);
  }

 private:
  std::optional<std::string> Whole(std::string_view english, bool semicolons) {
    if (english.empty() || looked_++ > kMostLooks) return std::nullopt;
    for (auto code : SpanishSentenceCodes())
      if (const auto reason = ReasonFromCode(code); reason && english.starts_with(SentenceOf(*reason)))
        return BySentence(code, english.substr(SentenceOf(*reason).size()));
    if (auto row = ByRow(english, semicolons)) return row;
    if (auto fault = SpanishPolicyFault(english)) return fault;
    if (auto said = ByCatalogue(english)) return said;
    return BySystem(english);
  }

  std::optional<std::string> ByRow(std::string_view english, bool semicolons) {
    const DetailRow* best = nullptr;
    std::size_t letters = 0;
    Places places;
    for (const auto rows : {DetailRows(), ForeignRows()})
      for (const auto& row : rows) {
        Places taken;
        if (!Match(row.english, english, taken)) continue;
        if (!semicolons && std::any_of(taken.begin(), taken.end(), HoldsSeveral)) continue;
        const auto count = Letters(row.english);
        if (best != nullptr && count <= letters) continue;
        if (!Says(row.english) && !KnowsOneOf(taken)) continue;
        best = &row;
        letters = count;
        places = taken;
      }
    if (best == nullptr) return std::nullopt;
    std::string out;
    for (std::size_t at = 0; at < best->spanish.size(); ++at) {
      if (!IsPlace(best->spanish.substr(at))) {
        out += best->spanish[at];
        continue;
      }
      const auto& place = places[static_cast<std::size_t>(best->spanish[at + 1] - '0')];
      out += place.inner ? AsFarAsKnown(place.text) : std::string(place.text);
      at += 2;
    }
    return out;
  }

  // "{0}: <1>" is anything with a colon: it is this only if what stands after that is known.
  bool KnowsOneOf(const Places& places) {
    for (const auto& place : places)
      if (place.inner && Translate(place.text)) return true;
    return false;
  }

  // Error::Message() of another refusal: its sentence, and its own detail in parentheses.
  std::optional<std::string> BySentence(std::string_view code, std::string_view after) {
    std::string out(SpanishSentence(code));
    if (after.empty()) return out;
    if (!after.starts_with(" (") || Closing(after, 1) != after.size() - 1) return std::nullopt;
    return out + " (" + AsFarAsKnown(after.substr(2, after.size() - 3)) + ")";
  }

  // Several, as "line 1: ..; line 3: ..": each for itself.
  std::optional<std::string> ByParts(std::string_view english, std::string_view mark) {
    for (auto at = english.find(mark); at != english.npos; at = english.find(mark, at + 1))
      if (auto head = Whole(english.substr(0, at), false)) return *head + "; " + AsFarAsKnown(english.substr(at + 2));
    return std::nullopt;
  }

  int looked_ = 0;
};

}  // namespace

std::span<const DetailRow> DetailRows() { return kDetails; }
std::span<const DetailRow> ForeignRows() { return kForeign; }
std::span<const DetailRow> NextStepRows() { return kNextSteps; }

std::optional<std::string> SpanishDetail(std::string_view english) { return Translator().Translate(english); }

std::string Detail(std::string_view english) {
  return CurrentLanguage() == Language::kEnglish ? std::string(english) : Translator().AsFarAsKnown(english);
}

}  // namespace valija::text
