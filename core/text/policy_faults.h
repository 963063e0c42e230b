// What is wrong with a line of a policy, for people: core/policy says it in English, as a program reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace valija::text {

std::optional<std::string> SpanishPolicyFault(std::string_view english);  // nullopt: it is not known

// In the language chosen; what is not known here stays English.
std::string PolicyFault(std::string_view english);

}  // namespace valija::text
