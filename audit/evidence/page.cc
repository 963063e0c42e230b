// The page that people read: everything in it is escaped, and it says that the file beside it is what counts.
#include "audit/evidence/story.h"
#include "core/text/catalogue.h"
#include "core/text/html.h"

namespace valija::evidence {
namespace {

using text::Format;
using text::HtmlEscaped;
using text::Id;
using text::Text;

std::string Lines(const std::string& value) {  // a policy has several
  std::string out;
  for (std::size_t at = 0; at <= value.size();) {
    const auto end = std::min(value.find('\n', at), value.size());
    if (end == value.size() && end == at) break;
    out += (out.empty() ? "" : "<br>") + HtmlEscaped(std::string_view(value).substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string Heads(std::initializer_list<Id> columns) {
  std::string out = "<thead><tr>";
  for (const auto id : columns) out += "<th scope=\"col\">" + HtmlEscaped(Text(id)) + "</th>";
  return out + "</tr></thead>\n";
}

std::string Table(const std::vector<Told>& told, Id caption) {
  std::string out = "<h2>" + HtmlEscaped(Text(caption)) + "</h2>\n<table>" +
                    Heads({Id::kColumnEntry, Id::kColumnTime, Id::kColumnWhat, Id::kColumnWho, Id::kColumnDetails}) +
                    "<tbody>\n";
  for (const auto& one : told) {
    out += "<tr><th scope=\"row\">" + std::to_string(one.entry) + "</th><td>" + HtmlEscaped(one.time) + "</td><td>" +
           HtmlEscaped(one.kind) + "</td><td class=\"e\">" + HtmlEscaped(one.who) + "</td><td class=\"e\">";
    for (const auto& [name, value] : one.fields)
      out += "<div><strong>" + HtmlEscaped(name) + "</strong> <bdi>" + Lines(value) + "</bdi></div>";
    out += "</td></tr>\n";
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::string Page(const CheckedBundle& bundle, const Hash& file) {
  std::string out = text::HtmlBegin(Text(Id::kPageTitle)) + "<table><tbody>\n";
  auto summary = Summary(bundle);
  summary.emplace_back(Text(Id::kFieldFile), file.Hex());
  for (const auto& [name, value] : summary)
    out += "<tr><th scope=\"row\">" + HtmlEscaped(name) + "</th><td class=\"e\"><bdi>" + HtmlEscaped(value) +
           "</bdi></td></tr>\n";
  out += "</tbody></table>\n<p><strong>" + HtmlEscaped(Text(Id::kPageIsNoProof)) + "</strong></p>\n";
  out += Table(Events(bundle), Id::kPageEvents) + Table(Keys(bundle), Id::kPageKeys);
  out += "<h2>" + HtmlEscaped(Text(Id::kPageLimits)) + "</h2>\n<ul>\n";
  for (const auto& sentence : Limits(bundle)) out += "<li class=\"e\">" + HtmlEscaped(sentence) + "</li>\n";
  return out + "</ul>\n" + text::HtmlEnd();
}

}  // namespace valija::evidence
