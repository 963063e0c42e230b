// What a reason code or an audit finding means, for people. The English sentence of a reason is in core/base/reason.h; here
// are the Spanish ones, by code. What stands behind a refusal in a particular case (Error::detail) is shown after the
// sentence; details.h has its Spanish.
// Thread-safety: pure functions, but for the language chosen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace valija::text {

std::string_view SpanishSentence(std::string_view code);  // empty: there is none
std::vector<std::string_view> SpanishSentenceCodes();     // all that have one

// A refusal in the language chosen: `message` is Error::Message(), or another English text under that code.
std::string Explain(std::string_view code, const std::string& message);

}  // namespace valija::text
