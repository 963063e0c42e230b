// The words of the command line itself: headings of its help, and what is wrong with its arguments. A template over
// CLI::App, as only the mains include CLI11.
#pragma once

#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/text/catalogue.h"

namespace valija::text {

// A fault that the command line found, by the name of its class ("RequiredError") and its English text.
std::string CommandLineFault(std::string_view name, const std::string& english);

// Call when all options and subcommands are there, before parsing.
template <class App>
void TranslateHelp(App& app) {
  auto formatter = app.get_formatter();  // subcommands have the same one
  for (const char* name : {"Usage", "USAGE"}) formatter->label(name, Text(Id::kHelpUsage));
  for (const char* name : {"Positionals", "POSITIONALS"}) formatter->label(name, Text(Id::kHelpPositionals));
  formatter->label("OPTIONS", Text(Id::kHelpOptionsWord));
  formatter->label("SUBCOMMAND", Text(Id::kHelpCommandWord));
  formatter->label("REQUIRED", Text(Id::kHelpRequired));
  app.failure_message([](const App*, const auto& error) {
    return Visible(CommandLineFault(error.get_name(), error.what()), true) + "\n" + Text(Id::kHelpRunWithHelp) + "\n";
  });
  for (auto* option : app.get_options()) {
    const std::string type = option->get_type_name();  // "TEXT", and with a check like "TEXT:{a,b}"
    const auto word = type.substr(0, type.find(':'));
    if (word == "TEXT" || word == "INT" || word == "UINT")
      formatter->label(type, Text(word == "TEXT" ? Id::kHelpTypeText : Id::kHelpTypeNumber) + type.substr(word.size()));
    option->group(Text(Id::kHelpOptions));
    if (option->check_lname("help")) option->description(Text(Id::kHelpHelp));
    if (option->check_lname("version")) option->description(Text(Id::kHelpVersion));
  }
  for (auto* command : app.get_subcommands([](const App*) { return true; })) {
    command->group(Text(Id::kHelpCommands));
    TranslateHelp(*command);
  }
}

}  // namespace valija::text
