#include "core/text/command_line.h"

#include "core/text/details.h"

namespace valija::text {

std::string CommandLineFault(std::string_view name, const std::string& english) {
  if (name == "RequiredError") {
    constexpr std::string_view kIsRequired = " is required";
    const auto at = english.find(kIsRequired);
    if (english.compare(0, at, "A subcommand") == 0) return Text(Id::kFaultNoCommand);
    if (at != std::string::npos && at + kIsRequired.size() == english.size())
      return Format(Id::kFaultRequired, english.substr(0, at));
  }
  if (name == "ExtrasError")
    if (const auto at = english.find(": "); at != std::string::npos)
      return Format(Id::kFaultUnexpected, english.substr(at + 2));
  return Format(Id::kFaultOther, Detail(english));
}

}  // namespace valija::text
