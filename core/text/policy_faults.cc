#include "core/text/policy_faults.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text/details.h"
#include "core/text/language.h"

namespace valija::text {
namespace {

// {0}, {1}, .. stand for what the line holds; words of the policy's own language stay as they are.
struct Fault {
  std::string_view english, spanish;
};

// clang-format off
constexpr Fault kFaults[] = {
    {"the file is larger than 64 KiB: no policy is", "el archivo rebasa 64 KiB: ninguna política mide tanto"},
    {"there is no line 'approval' that the hours are for", "falta la línea 'approval' a la que se refieren las horas"},
    {"there is no line 'approval' that an emergency could do without", "falta la línea 'approval' de la que una emergencia prescindiría"},
    {"there is no line '{0}': write, for example, {1}", "falta la línea '{0}': escriba, por ejemplo, {1}"},
    {"{0} stands already on line {1}; it may stand once", "{0} ya está en la línea {1}; solo puede estar una vez"},
    {"there is no key {0}", "no existe la clave {0}"},
    {"nothing stands after '{0}', as in {1}", "falta algo después de '{0}', como en {1}"},
    {"nothing stands after '{0}'", "falta algo después de '{0}'"},
    {"there is no marking {0} (TLP:{1}", "no existe la marca {0} (TLP:{1}"},
    {"a name is missing between the commas", "falta un nombre entre las comas"},
    {"{0} is no country: two lower-case letters, as in {1}", "{0} no es un país: dos letras minúsculas, como en {1}"},
    {"{0} is no agency: country, dot, name, as in {1}", "{0} no es una agencia: país, punto, nombre, como en {1}"},
    {"{0} is no member: agency, slash, name, as in {1}", "{0} no es un integrante: agencia, diagonal, nombre, como en {1}"},
    {"'nobody' stands alone", "'nobody' va sin nada más"},
    {"{0}: say what it is, {1}", "{0}: indique qué es, {1}"},
    {"{0} stands there twice", "{0} está dos veces"},
    {"{0} is no name: up to 64 lower-case letters, digits, '.', '_' and '-'", "{0} no es un nombre: hasta 64 letras minúsculas, dígitos, '.', '_' y '-'"},
    {"{0} is no clearance: one level of the charter, as in {1}", "{0} no es un nivel de acceso: uno de los del convenio, como en {1}"},
    {"after '{0}' comes 'any' or 'all', as in {1}", "después de '{0}' va 'any' o 'all', como en {1}"},
    {"{0} is no time: write 2026-12-31 (its first moment, UTC) or {1}", "{0} no es una fecha: escriba 2026-12-31 (su primer instante, UTC) o {1}"},
    {"{0} is no limit: write '3 per agency', '10 in all' or both with a comma", "{0} no es un límite: escriba '3 per agency', '10 in all' o ambos con una coma"},
    {"{0}: a limit is at least 1; for no limit leave it out", "{0}: un límite es al menos 1; si no hay límite, omítalo"},
    {"{0}: write how many of whom, as in {1}", "{0}: escriba cuántos de quiénes, como en {1}"},
    {"{0} of {1} approvers: at least one is needed, and no more than there are", "{0} de {1} aprobadores: se requiere al menos uno, y no más de los que hay"},
    {"{0}: how many hours a request waits for its approvals, 1 to 720", "{0}: cuántas horas espera una solicitud sus aprobaciones, de 1 a 720"},
    {"TLP:RED is for named members only: write {0}, or another marking", "TLP:RED es solo para integrantes designados: escriba {0}, u otra marca"},
    {"it expires before it may first be opened", "vence antes de que pueda abrirse por primera vez"},
    {"{0}: '{1}' is '{2}", "{0}: '{1}' es '{2}"},
};

// Of every fault, in what a placeholder took.
constexpr Fault kWithin[] = {
    {"; did you mean ", "; ¿quiso decir "},
    {"; TLP 2.0 calls it ", "; TLP 2.0 la llama "},
    {" (or '", " (o '"},
    {"' or '", "' o '"},
};
// clang-format on

using Taken = std::array<std::string, 3>;

// The placeholders of `pattern` in `text`; the last one takes the rest.
std::optional<Taken> Match(std::string_view pattern, std::string_view text) {
  Taken taken;
  while (!pattern.empty()) {
    if (pattern.size() < 3 || pattern[0] != '{' || pattern[2] != '}') {
      if (text.empty() || text[0] != pattern[0]) return std::nullopt;
      pattern.remove_prefix(1);
      text.remove_prefix(1);
      continue;
    }
    auto& out = taken[static_cast<std::size_t>(pattern[1] - '0')];
    pattern.remove_prefix(3);
    const auto next = pattern.substr(0, pattern.find('{'));
    const auto end = next.empty()                        ? text.size()
                     : pattern.find('{') == pattern.npos ? text.rfind(next)
                                                         : text.find(next);
    if (end == text.npos) return std::nullopt;
    out = text.substr(0, end);
    text.remove_prefix(end);
  }
  return text.empty() ? std::optional(taken) : std::nullopt;
}

}  // namespace

std::optional<std::string> SpanishPolicyFault(std::string_view english) {
  std::string out(english);
  for (const auto& fault : kFaults) {
    auto taken = Match(fault.english, english);
    if (!taken) continue;
    out.clear();
    for (std::size_t at = 0; at < fault.spanish.size(); ++at) {
      if (fault.spanish[at] == '{' && at + 2 < fault.spanish.size() && fault.spanish[at + 2] == '}') {
        out += (*taken)[static_cast<std::size_t>(fault.spanish[at + 1] - '0')];
        at += 2;
      } else {
        out += fault.spanish[at];
      }
    }
    break;
  }
  if (out == english) return std::nullopt;
  for (const auto& words : kWithin)
    for (std::size_t at = 0; (at = out.find(words.english, at)) != out.npos; at += words.spanish.size())
      out.replace(at, words.english.size(), words.spanish);
  return out;
}

std::string PolicyFault(std::string_view english) { return Detail(english); }  // of a whole policy it is a detail

}  // namespace valija::text
