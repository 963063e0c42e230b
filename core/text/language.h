// Which language people are spoken to in: chosen once, at the start of a program. Programs are not spoken to: codes,
// JSON and CSV are the same in every language.
// Thread-safety: SetLanguage before other threads begin; all else from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace valija::text {

enum class Language { kEnglish, kSpanish };

std::optional<Language> LanguageByName(std::string_view name);  // "en", "es"

// What `--lang` says; where it says nothing known, the first of LC_ALL, LC_MESSAGES and LANG that is set: "es", "es_MX.UTF-8"
// and the like are Spanish, anything else is English. An unknown `--lang` is refused later, by the command line.
Language ChooseLanguage(int argc, const char* const* argv, const std::function<const char*(const char*)>& environment);

void SetLanguage(Language language);
Language CurrentLanguage();  // English until set

// UTC, to the second, and not to be misread on either side of the border:
// English "2026-11-24 08:17:04 UTC", Spanish "24-nov-2026 08:17:04 UTC".
std::string TimeText(Time time);

}  // namespace valija::text
