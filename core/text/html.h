// Pages that need nothing else: no network, no script; their policy forbids both. Every text from outside is made visible and
// escaped, also where the log's rules let nothing harmful in. Thread-safety: pure functions, but for the language chosen.
#pragma once

#include <string>
#include <string_view>

namespace valija::text {

std::string HtmlEscaped(std::string_view text);
// Up to the page's headline, which is the title (plain text).
std::string HtmlBegin(std::string_view title);
std::string HtmlEnd();

}  // namespace valija::text
