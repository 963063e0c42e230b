// For one test, people are spoken to in this language.
#pragma once

#include "core/text/language.h"

namespace valija::text {

class Spoken {
 public:
  explicit Spoken(Language language) { SetLanguage(language); }
  Spoken(const Spoken&) = delete;
  ~Spoken() { SetLanguage(Language::kEnglish); }
};

}  // namespace valija::text
