// Words of a text file, and what to say about those that are wrong; for text.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace valija::policy {

std::string_view Trim(std::string_view text);  // of spaces and tabs
// The first word and the rest, both trimmed.
std::pair<std::string_view, std::string_view> FirstWord(std::string_view text);
std::vector<std::string_view> Split(std::string_view text, char at);  // each trimmed
// What stands in the file, fit to be shown on a terminal.
std::string Quote(std::string_view text);
// "; did you mean 'x'?" for the nearest of the words, if one is near; else nothing.
std::string Suggest(std::string_view written, std::span<const std::string_view> words);

}  // namespace valija::policy
