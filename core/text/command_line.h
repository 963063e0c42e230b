// The words of the command line itself: headings of its help, and what is wrong with its arguments. A template over
// CLI::App, as only the mains include CLI11.
#pragma once

#include <string>
#include <string_view>
#include <utility>

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
    const std::string type = option->get_type_name();  // with a check it is like "TEXT:{a,b}"
    for (const auto& [name, id] : {std::pair(std::string("TEXT"), Id::kHelpTypeText), {"INT", Id::kHelpTypeNumber}})
      if (type == name || type.compare(0, name.size() + 1, name + ":") == 0)
        formatter->label(type, Text(id) + type.substr(name.size()));
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
