// What the files of commands share. For commands*.cc alone.
#pragma once

#include <memory>
#include <string>

#include "client/commands.h"
#include "core/text/catalogue.h"

namespace valija::cli {

// The command's words do not fit; the detail is English where a program reads it.
int Misused(const Common& common, text::Id what);
std::unique_ptr<Session> Start(const Common& common, int& status);
// "yes", in the reader's language, on the terminal. Without a terminal the answer is no: programs say --yes.
bool Confirmed(const Common& common, const std::string& question);
// The news of what was done as JSON, or what is said of it with its entry.
int Answer(const Common& common, const Outcome<NewsItem>& done, const std::string& said);
std::string Joined(const std::vector<std::string>& list);  // "a, b"

}  // namespace valija::cli
