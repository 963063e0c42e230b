#include "core/text/details.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <map>
#include <set>
#include <system_error>

#include "core/base/reason.h"
#include "core/base/result.h"
#include "core/text/command_line.h"
#include "core/text/sentences.h"
#include "tests/core/text/source_texts.h"
#include "tests/core/text/spoken.h"

namespace valija::text {
namespace {

const SourceTexts& Sources() {
  static const SourceTexts texts = ReadSources(VALIJA_SOURCE_DIR);
  return texts;
}

// The places of a pattern, as {'0', '{'}, in their order of number.
std::map<char, char> PlacesOf(std::string_view pattern) {
  std::map<char, char> out;
  for (std::size_t at = 0; at + 2 < pattern.size(); ++at) {
    const bool place = pattern[at + 1] >= '0' && pattern[at + 1] <= '9';
    if (place && ((pattern[at] == '{' && pattern[at + 2] == '}') || (pattern[at] == '<' && pattern[at + 2] == '>')))
      out.emplace(pattern[at + 1], pattern[at]);
  }
  return out;
}

// What stands between the places.
std::set<std::string> Segments(std::string_view pattern) {
  std::set<std::string> out;
  const auto shape = Shape(pattern);
  for (std::size_t from = 0; from <= shape.size();) {
    const auto to = std::min(shape.find("{}", from), shape.size());
    out.insert(shape.substr(from, to - from));
    from = to + 2;
  }
  out.erase("");
  return out;
}

// The pattern with something in its places.
std::string Instance(std::string_view pattern) {
  std::string out;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (PlacesOf(pattern.substr(at, 3)).empty()) {
      out += pattern[at];
      continue;
    }
    out += "x" + std::string(1, pattern[at + 1]) + "x";
    at += 2;
  }
  return out;
}

// Words in our sources that no person reads as a refusal's, or that are translated elsewhere.
bool IsElsewhere(const SourceText& stray) {
  for (const char* file :
       {"core/base/reason.h",                                // sentences_test.cc
        "core/policy/text.cc", "core/policy/text_print.cc",  // policy_faults_test.cc; the policies' words
        "core/policy/words.cc", "audit/listing.cc",          // words that are filtered by
        "broker/public_log.cc", "broker/public_port.cc", "broker/witness_client.cc", "broker/witnesses.cc",
        "broker/witness_start.cc", "broker/metrics.cc", "broker/gauges.cc",  // over HTTP; the operations log
        "broker/main.cc", "core/crypto/aead.cc",                             // the catalogue; std::invalid_argument
        "core/crypto/tls13.cc", "audit/report_html.cc", "audit/evidence/page.cc"})  // a configuration of OpenSSL; tags
    if (stray.where.starts_with(std::string(file) + ":")) return true;
  static const std::set<std::string> kElsewhere = {
      "statements without bodies",       // in the operations log
      "those enrolled",                  // client/commands_members.cc has a text for each
      "those of the card",               // likewise
      "a case",                          // a case reference that is made up
      "Again, the same: ",               // the mains give their own
      "; line ",                         // between the faults of a policy, in session_explain.cc
      "what waits for a joint auditor",  // said in the log, not to people
      " of ",                            // Segments() of a row, with others
  };
  return kElsewhere.contains(stray.pattern) || stray.pattern.starts_with("valija ") ||
         stray.pattern.starts_with("-----") || stray.pattern.starts_with("PRI * HTTP/2.0") ||
         stray.pattern.starts_with("GET / ") || stray.where.starts_with("core/io/http_client.cc:") ||  // over HTTP
         stray.where.starts_with("client/profile.cc:") ||
         stray.where.starts_with("core/io/log_folder.cc:");  // the evidence of a fork
}

TEST(Details, EveryDetailOfTheSourcesHasItsSpanish) {
  ASSERT_GT(Sources().details.size(), 800u);
  std::set<std::string> shapes;
  for (const auto& row : DetailRows()) shapes.insert(Shape(row.english));
  for (const auto& text : Sources().details)
    EXPECT_TRUE(shapes.contains(Shape(text.pattern)))
        << text.where << ": core/text/details*.inc lacks VALIJA_DETAIL(\"" << text.pattern << "\", ..)";
}

TEST(Details, NoWordsOfTheSourcesAreLeftOver) {
  std::set<std::string> known;
  for (const auto rows : {DetailRows(), NextStepRows()})
    for (const auto& row : rows) known.merge(Segments(row.english));
  for (const auto& stray : Sources().strays)
    EXPECT_TRUE(known.contains(stray.pattern) || IsElsewhere(stray))
        << stray.where << ": \"" << stray.pattern
        << "\": make it plain an argument of Refuse, or give it a row of its own";
}

TEST(Details, EveryRowIsSaidSomewhere) {
  std::set<std::string> shapes, literals = Sources().literals;
  for (const auto& text : Sources().details) shapes.insert(Shape(text.pattern));
  for (const auto rows : {DetailRows(), NextStepRows()})
    for (const auto& row : rows) {
      bool said = shapes.contains(Shape(row.english));
      if (!said) {  // written in another way, or the name of a thing
        said = true;
        for (const auto& segment : Segments(row.english)) said = said && literals.contains(segment);
      }
      EXPECT_TRUE(said) << "core/text/details*.inc: no source says \"" << row.english << "\"";
    }
}

TEST(Details, BothLanguagesHaveTheSamePlaces) {
  std::set<std::string> seen;
  for (const auto rows : {DetailRows(), ForeignRows(), NextStepRows()})
    for (const auto& row : rows) {
      EXPECT_TRUE(seen.insert(Shape(row.english)).second) << row.english << " is there twice";
      EXPECT_FALSE(row.spanish.empty()) << row.english;
      if (rows.data() == ForeignRows().data()) {  // may leave out a library's own words
        for (const auto& place : PlacesOf(row.spanish)) EXPECT_TRUE(PlacesOf(row.english).contains(place.first));
        continue;
      }
      EXPECT_EQ(PlacesOf(row.english), PlacesOf(row.spanish)) << row.english << " | " << row.spanish;
      // Of each number once, from 0 on: what a place holds is neither lost nor told twice.
      char next = '0';
      for (const auto& place : PlacesOf(row.english)) EXPECT_EQ(place.first, next++) << row.english;
      EXPECT_EQ(Segments(row.spanish).empty(), Segments(row.english).empty()) << row.english;
    }
}

// Also that no other row takes it.
TEST(Details, EveryRowIsFoundByWhatItSays) {
  Spoken spoken(Language::kSpanish);
  for (const auto rows : {DetailRows(), ForeignRows()})
    for (const auto& row : rows) {
      if (Segments(row.english).size() == 1 && Segments(row.english).contains(": ")) continue;  // next test
      EXPECT_EQ(Detail(Instance(row.english)), Instance(row.spanish)) << row.english;
    }
}

TEST(Details, ATextInATextIsTranslatedToo) {
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(Detail("entry 7: the policy is withheld"), "asiento 7: la política está reservada");
  EXPECT_EQ(Detail("MailItem.releases: not beside an entry"), "MailItem.releases: no está junto a un asiento");
  EXPECT_EQ(Detail("the rules say refused, bad-policy (the policy is withheld); the log says allowed; expired"),
            "las reglas dicen negado, bad-policy (la política está reservada); la bitácora dice permitido; expired");
  EXPECT_EQ(Detail("charter draft: an administrator of us.dea needs \"card\", a text"),
            "borrador del convenio: un administrador de us.dea requiere \"card\", un texto");
  EXPECT_EQ(Detail("/x/mark: cannot be opened: " + std::generic_category().message(ENOENT)),
            "/x/mark: no se puede abrir: no existe el archivo o la carpeta");
  EXPECT_EQ(Detail("a record is named by at least 4 of its 64 hex digits"),
            "un registro se designa con al menos 4 de sus 64 dígitos hexadecimales");
  EXPECT_EQ(Detail("the record: " + Refuse(Reason::kMalformed, "Open.items: not 1 to 256").Message()),
            "la declaración del tipo record: Los datos no tienen la forma que exige su formato. (Open.items: no son de "
            "1 a 256)");
  EXPECT_EQ(Detail("of the last run: " + Refuse(Reason::kBadCheckpoint, "it is of another log").Message()),
            "de la ejecución anterior: El punto de control no está firmado con la llave de la bitácora. (es de otra "
            "bitácora)");
}

TEST(Details, SeveralAreTranslatedOneByOne) {
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(Detail("data is not set; keys is not set"), "no se indicó data; no se indicó keys");
  const auto missing = "passphrase-file: " + Refuse(Reason::kFile, "/p: (a) is missing").Message();
  EXPECT_EQ(Detail(missing + "; log-key.pem: " + Refuse(Reason::kUnsafeFile, "/k must be yours, mode 0600").Message()),
            "passphrase-file: No se pudo leer o escribir el archivo. (/p: (a) is missing); log-key.pem: Otras personas "
            "pueden leer o modificar el archivo; no se usa. (/k debe ser suyo, con modo 0600)");
  EXPECT_EQ(Detail("too few hashes; statement 3f may be in the log all the same, now or later; look before you do it "
                   "again: the custody of its record"),
            "faltan hashes; la declaración 3f podría estar de todos modos en la bitácora, ahora o después; verifique "
            "antes de "
            "repetirlo: la custodia de su registro");
  EXPECT_EQ(Detail("data is not set; workers is at most 256; of a later version"),
            "no se indicó data; workers es a lo sumo 256; of a later version");
  EXPECT_EQ(
      Detail("line 1: there is no key 'a'; did you mean 'case'?; line 4: 'b' is no clearance: one level of the "
             "charter, as in 'clearance secret'; line 5: there is no line 'purpose': write, for example, 'purpose x'"),
      "línea 1: no existe la clave 'a'; ¿quiso decir 'case'?; línea 4: 'b' no es un nivel de acceso: uno de los del "
      "convenio, como en 'clearance secret'; línea 5: falta la línea 'purpose': escriba, por ejemplo, 'purpose x'");
}

TEST(Details, WhatAPlaceHoldsStaysAsItIs) {
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(Detail("{1} was suspended before"), "{1} ya había sido suspendido");
  EXPECT_EQ(Detail("no member of your agency is an agency"), "ningún integrante de su agencia es an agency");
  EXPECT_EQ(Detail("cannot read /x/the draft"), "no se puede leer /x/the draft");
  EXPECT_EQ(Detail("/x; y must be yours, mode 0600"), "/x; y debe ser suyo, con modo 0600");
}

TEST(Details, WhatIsNotKnownIsNotLost) {
  Spoken spoken(Language::kSpanish);
  for (const char* unknown : {"", " ", "of a later version", "a: b", "a: b: c", "; ", "x; y", "{0}", "<0>", "line 1"}) {
    EXPECT_EQ(Detail(unknown), unknown);
    EXPECT_FALSE(SpanishDetail(unknown)) << unknown;
  }
}

TEST(Details, ATextMadeToHaveManyReadingsEnds) {
  Spoken spoken(Language::kSpanish);
  std::string colons, lines = "line 1";
  for (int i = 0; i < 2000; ++i) colons += "a: ", lines += "; line 1: entry 2: ";
  EXPECT_EQ(Detail(colons), colons);
  EXPECT_FALSE(Detail(lines).empty());
  std::string sentences;
  for (int i = 0; i < 100; ++i) sentences += "line 2: " + std::string(SentenceOf(Reason::kExists)) + " (";
  EXPECT_FALSE(Detail(sentences).empty());
}

TEST(Details, EnglishStaysEnglish) {
  for (const auto& row : DetailRows()) EXPECT_EQ(Detail(Instance(row.english)), Instance(row.english));
}

TEST(Details, WhatToDoNextIsTranslatedAfterThem) {
  Spoken spoken(Language::kSpanish);
  for (const auto& row : NextStepRows()) {
    EXPECT_EQ(Explain("storage", Refuse(Reason::kStorage, "the broker's disk is nearly full").Message() +
                                     std::string(row.english)),
              "El almacén no puede escribir; no se aceptó nada. (el disco del intermediario está casi lleno)" +
                  std::string(row.spanish));
    EXPECT_EQ(Explain("deadline", Refuse(Reason::kDeadline).Message() + std::string(row.english)),
              "No se concluyó antes del plazo." + std::string(row.spanish));
  }
}

TEST(SourceTexts, AreReadAsPatterns) {
  const auto read = ReadSource("a.cc", R"source(
    // Refuse(Reason::kExists, "of a comment")
    Status F() {
      if (a) return Refuse(Reason::kExists);
      if (b) return Refuse(Reason::kExists, x.str() + " is " + (y ? "old, " + z : "new"));
      if (c)
        return Malformed(std::string("a \"list\" of ") +
                         "it"
                         " all");
      Log(Level::kInfo, "not for people");
      auto text = "left over";
    })source");
  std::vector<std::string> patterns;
  for (const auto& text : read.details) patterns.push_back(text.pattern);
  EXPECT_EQ(patterns, (std::vector<std::string>{"{0} is old, {1}", "{0} is new", "a \"list\" of it all"}));
  EXPECT_EQ(read.details.back().where, "a.cc:7");
  ASSERT_EQ(read.strays.size(), 1u);
  EXPECT_EQ(read.strays[0].pattern, "left over");
}

TEST(CommandLine, WhatItSaysOfAValueIsTranslated) {
  Spoken spoken(Language::kSpanish);
  EXPECT_EQ(CommandLineFault("ValidationError", "--portion: Value 99 not in range 0 to 63"),
            "opción o valor no válido: --portion: 99 no está entre 0 y 63");
  EXPECT_EQ(CommandLineFault("ValidationError", "--portion: Value 99 not in range [0 - 63]"),
            "opción o valor no válido: --portion: 99 no está entre 0 y 63");
  EXPECT_EQ(CommandLineFault("ValidationError", "--lang: fr not in {en,es}"),
            "opción o valor no válido: --lang: fr no es uno de: en,es");
  EXPECT_EQ(CommandLineFault("ConversionError", "Could not convert: --portion = x"),
            "opción o valor no válido: no se entiende el valor de --portion: x");
  EXPECT_EQ(CommandLineFault("ArgumentMismatch", "--portion: 1 required INT missing"),
            "opción o valor no válido: --portion: falta su valor");
}

}  // namespace
}  // namespace valija::text
