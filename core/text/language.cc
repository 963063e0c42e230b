#include "core/text/language.h"

#include <atomic>
#include <cstdio>

namespace valija::text {
namespace {

std::atomic<Language> current{Language::kEnglish};

bool IsSpanish(std::string_view locale) {  // es, es_MX, es.UTF-8, es@euro, es-419; not "est"
  return locale.substr(0, 2) == "es" && (locale.size() == 2 || std::string_view("_-.@").find(locale[2]) != locale.npos);
}

}  // namespace

std::optional<Language> LanguageByName(std::string_view name) {
  if (name == "en") return Language::kEnglish;
  if (name == "es") return Language::kSpanish;
  return std::nullopt;
}

Language ChooseLanguage(int argc, const char* const* argv, const std::function<const char*(const char*)>& environment) {
  // Before the command line is understood, as its help is in that language already.
  constexpr std::string_view kOption = "--lang";
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string_view word = argv[i];
    std::string_view value;
    if (word == kOption && i + 1 < argc)
      value = argv[i + 1];
    else if (word.size() > kOption.size() && word.substr(0, kOption.size()) == kOption && word[kOption.size()] == '=')
      value = word.substr(kOption.size() + 1);
    if (auto language = LanguageByName(value)) return *language;
  }
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* locale = environment(name);
    if (locale != nullptr && *locale != '\0') return IsSpanish(locale) ? Language::kSpanish : Language::kEnglish;
  }
  return Language::kEnglish;
}

void SetLanguage(Language language) { current.store(language, std::memory_order_relaxed); }
Language CurrentLanguage() { return current.load(std::memory_order_relaxed); }

std::string TimeText(Time time) {
  auto iso = FormatTime(std::chrono::floor<std::chrono::seconds>(time));  // 2026-11-24T08:17:04Z
  const auto at = iso.find('T');
  const std::string clock = iso.substr(at + 1, iso.size() - at - 2) + " UTC";
  if (CurrentLanguage() == Language::kEnglish) return iso.substr(0, at) + " " + clock;
  static constexpr const char* kMonths[] = {"ene", "feb", "mar", "abr", "may", "jun",
                                            "jul", "ago", "sep", "oct", "nov", "dic"};
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
  char day[32];
  std::snprintf(day, sizeof day, "%02u-%s-%04d ", static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()));
  return day + clock;
}

}  // namespace valija::text
