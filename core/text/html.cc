#include "core/text/html.h"

#include "core/base/text.h"
#include "core/text/language.h"

namespace valija::text {
namespace {

constexpr std::string_view kStyle =
    "body{font:1rem/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:62rem;margin:2rem auto;padding:0 "
    "1rem}"
    "h1{line-height:1.2}table{border-collapse:collapse;margin:1rem 0;width:100%}"
    "caption{text-align:left;font-weight:600;padding:.3rem 0}"
    "th,td{border:1px solid #767676;padding:.2rem .5rem;text-align:left;vertical-align:top}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}td.e{overflow-wrap:anywhere}"
    "figure{margin:1rem 0}figcaption{font-weight:600}svg{width:100%;height:auto;max-width:46rem}"
    "svg text{font:12px system-ui,sans-serif}.hash{overflow-wrap:anywhere}"
    "@media print{body{margin:0;max-width:none}h2{break-before:page}h2:first-of-type{break-before:auto}"
    "tr,figure{break-inside:avoid}thead{display:table-header-group}}";

}  // namespace

std::string HtmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : Visible(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string HtmlBegin(std::string_view plain_title) {
  const auto title = HtmlEscaped(plain_title);
  return std::string("<!doctype html>\n<html lang=\"") + (CurrentLanguage() == Language::kSpanish ? "es" : "en") +
         "\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         title + "</title>\n<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n<main>\n<h1>" + title +
         "</h1>\n";
}

std::string HtmlEnd() { return "</main>\n</body>\n</html>\n"; }

}  // namespace valija::text
