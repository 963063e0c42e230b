#include "core/text/sentences.h"

#include "core/base/reason.h"
#include "core/text/details.h"
#include "core/text/language.h"

namespace valija::text {
namespace {

struct Sentence {
  std::string_view code, spanish;
};

// clang-format off
constexpr Sentence kReasons[] = {
    {"malformed",          "Los datos no tienen la forma que exige su formato."},
    {"unknown-field",      "Se rechaza un campo que esta versión no conoce."},
    {"unknown-type",       "Se rechaza una declaración de tipo desconocido."},
    {"unknown-suite",      "Esta versión no conoce el conjunto criptográfico."},
    {"foreign-origin",     "La declaración se hizo para otra bitácora."},
    {"too-large",          "El mensaje rebasa el tamaño máximo."},
    {"bad-key",            "La llave no es válida o no es del tipo que se requiere."},
    {"bad-signature",      "La firma no es válida."},
    {"bad-batch",          "La firma del lote o su ruta no es válida."},
    {"bad-time",           "La hora de la declaración difiere demasiado del reloj del intermediario."},
    {"bad-policy",         "La política infringe una regla de su formato o del convenio."},
    {"bad-header",         "El encabezado del registro infringe una regla de su formato."},
    {"bad-slip",           "Un compromiso de destinatario carece del comprobante que lo abre, o el comprobante no lo abre."},
    {"bad-certificate",    "El certificado no es válido."},
    {"bad-configuration",  "La configuración no se puede usar."},
    {"usage",              "Los argumentos del comando no son compatibles entre sí."},
    {"no-identity",        "Quien llama no presentó un certificado de una agencia del convenio."},
    {"not-enrolled",       "Quien llama no es integrante activo."},
    {"wrong-author",       "Solo su autor puede presentar una declaración."},
    {"not-authorised",     "El autor no tiene la función que exige este acto."},
    {"not-releasable",     "El registro no es divulgable a este integrante."},
    {"clearance",          "El nivel de acceso del integrante es inferior al que exige la política."},
    {"role-missing",       "El integrante carece de un rol que exige la política."},
    {"programme-missing",  "El integrante no está admitido en un programa que exige la política."},
    {"wrong-purpose",      "La finalidad declarada no es una de las que permite la política."},
    {"case-missing",       "La política exige una referencia de caso."},
    {"not-yet",            "La política aún no permite la apertura: su vigencia no ha comenzado."},
    {"expired",            "La vigencia de la política ha terminado."},
    {"revoked",            "El originador revocó el registro."},
    {"limit-reached",      "Se agotaron las aperturas que permite la política."},
    {"approval-missing",   "Faltan las aprobaciones que exige la política; la solicitud queda en espera de ellas."},
    {"rejected",           "Una persona facultada para aprobar la solicitud la rechazó."},
    {"no-emergency",       "La política no permite la apertura de emergencia."},
    {"emergency-locked",   "Una apertura de emergencia de esta persona está pendiente de revisión."},
    {"same-person",        "La misma persona no puede actuar dos veces en este asunto."},
    {"no-consent",         "El originador no ha dado su consentimiento para esto."},
    {"marking-too-low",    "Un registro derivado lleva una marca tan estricta como la de sus fuentes, salvo que sus originadores consientan una menor."},
    {"purged",             "El contenido fue depurado."},
    {"order-ended",        "La orden permanente ha terminado."},
    {"not-originator",     "Solo el originador puede hacer esto con un registro."},
    {"not-found",          "No existe, o no es para quien llama."},
    {"ambiguous",          "El prefijo corresponde a más de un registro; indique más dígitos."},
    {"exists",             "Ya existe."},
    {"replayed",           "Esta solicitud ya se usó; una solicitud sirve una sola vez."},
    {"header-reused",      "Ya se aceptó otra declaración con este encabezado."},
    {"superseded-epoch",   "El registro está sellado para una época de llaves que fue reemplazada; consulte el directorio y envíelo de nuevo."},
    {"wrong-previous",     "La declaración no cita la inmediata anterior."},
    {"last-administrator", "Una agencia conserva al menos un administrador."},
    {"body-missing",       "No se cargó el cuerpo sellado."},
    {"request-expired",    "Venció el plazo de la propia solicitud."},
    {"locked",             "Otro proceso está usando el perfil o el almacén."},
    {"not-ready",          "Antes debe hacerse algo más."},
    {"pool-full",          "El intermediario no admite más trabajo por ahora; intente de nuevo en breve."},
    {"too-many",           "Se alcanzó un límite de cantidad."},
    {"slow-consumer",      "El flujo no se leyó con suficiente rapidez; reanude desde el último cursor."},
    {"unavailable",        "No es posible comunicarse con el intermediario, o no presta servicio en este momento."},
    {"storage",            "El almacén no puede escribir; no se aceptó nada."},
    {"outcome-unknown",    "Se desconoce si se escribió; solicite de nuevo el acuse de la declaración."},
    {"no-quorum",          "No han firmado los testigos que pide el convenio; sin ellos no se libera nada."},
    {"stale",              "Los testigos de la bitácora firmaron hace más tiempo del que permite el convenio."},
    {"shutting-down",      "El intermediario se está deteniendo."},
    {"deadline",           "No se concluyó antes del plazo."},
    {"bad-seal",           "Los datos sellados no se abren: no son los que se sellaron, o no son para esta llave."},
    {"bad-body",           "El cuerpo sellado no es el que se firmó."},
    {"bad-proof",          "La prueba de la bitácora no se sostiene."},
    {"bad-checkpoint",     "El punto de control no está firmado con la llave de la bitácora."},
    {"fork",               "La bitácora que se muestra ahora no es continuación de la que se vio antes."},
    {"rolled-back",        "El almacén o la bitácora es anterior a lo que ya se había confirmado."},
    {"wrong-release",      "Lo que entregó el intermediario no responde a esta solicitud."},
    {"corrupt",            "Los datos almacenados están dañados."},
    {"finding",            "La auditoría halló algo que no se sostiene."},
    {"unsafe-file",        "Otras personas pueden leer o modificar el archivo; no se usa."},
    {"bad-passphrase",     "La frase de contraseña no abre el archivo de la llave."},
    {"file",               "No se pudo leer o escribir el archivo."},
    {"internal",           "Falla interna del programa; la bitácora de operación tiene más detalles."},
};

// Findings of valija-audit that are no reason codes.
constexpr Sentence kFindings[] = {
    {"foreign-charter", "La bitácora se rige por otro convenio."},
    {"withheld",        "El contenido del asiento no está en la exportación."},
    {"bad-erasure",     "Lo que queda de un asiento borrado no es lo que dice su depuración."},
    {"bad-commitment",  "El asiento no corresponde a su compromiso."},
    {"bad-index",       "El asiento declara otro número."},
    {"time-back",       "El asiento es anterior en el tiempo al que lo precede."},
    {"unknown-author",  "El autor nunca fue dado de alta."},
    {"wrong-decision",  "La decisión no es la que dictan las reglas."},
    {"unreadable",      "No se puede leer."},
    {"bad-witnessed",   "Lo que se muestra como cofirmado no es un punto de control de esta bitácora."},
    {"bad-cosignature", "Una cofirma no se sostiene."},
    {"too-few-cosigned","Cofirmaron menos testigos de los que pide el convenio."},
    {"back-dated",      "Una cofirma es anterior a lo que cubre."},
    {"unwitnessed",     "La bitácora siguió sin sus testigos más tiempo del que permite el convenio."},
    {"bad-bundle",      "El paquete de compromisos no es el de los asientos."},
    {"bad-tile",        "El mosaico (tile) no es el que resulta de los asientos."},
    {"bad-root",        "La raíz que resulta de los asientos no es la del punto de control."},
};
// clang-format on

}  // namespace

std::string_view SpanishSentence(std::string_view code) {
  for (const auto& row : kReasons)
    if (row.code == code) return row.spanish;
  for (const auto& row : kFindings)
    if (row.code == code) return row.spanish;
  return {};
}

std::vector<std::string_view> SpanishSentenceCodes() {
  std::vector<std::string_view> out;
  for (const auto& row : kReasons) out.push_back(row.code);
  for (const auto& row : kFindings) out.push_back(row.code);
  return out;
}

std::string Explain(std::string_view code, const std::string& message) {
  const auto spanish = SpanishSentence(code);
  if (CurrentLanguage() == Language::kEnglish || spanish.empty()) return message;
  const auto reason = ReasonFromCode(code);
  const std::string english(reason ? SentenceOf(*reason) : std::string_view());
  if (english.empty() || message.compare(0, english.size(), english) != 0)
    return std::string(spanish) + (message.empty() ? "" : " (" + Detail(message) + ")");
  // "Sentence. (detail) What to do."
  std::string_view rest = std::string_view(message).substr(english.size());
  std::string next;
  for (const auto& row : NextStepRows())
    if (next.empty() && rest.ends_with(row.english)) {
      next = row.spanish;
      rest.remove_suffix(row.english.size());
    }
  std::string out(spanish);
  if (rest.starts_with(" (") && rest.ends_with(")"))
    out.append(" (").append(Detail(rest.substr(2, rest.size() - 3))).append(")");
  else
    out += rest;
  return out + next;
}

}  // namespace valija::text
