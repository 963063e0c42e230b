// What a person sees. Foreign text is never sent to a terminal raw: control characters, escapes, bidirectional
// overrides and invalid UTF-8 come out as visible escapes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/valija.h"

namespace valija::cli {

// keep_lines: '\n' and '\t' stay (content shown on a terminal); else they are escaped too.
std::string Visible(std::string_view text, bool keep_lines = false);

// Columns as wide as their widest cell; cells are made Visible. Left-aligned, two spaces between.
void PrintTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

std::string ShortId(const std::string& id);  // the first 12 digits
std::string TimeText(TimePoint time);        // "2026-11-24 08:17:04Z"
std::string SizeText(std::uint64_t bytes);   // "52.9 kB"

nlohmann::ordered_json ToJson(const InboxItem& item);
nlohmann::ordered_json ToJson(const NewsItem& item);
nlohmann::ordered_json ToJson(const MemberInfo& member);
nlohmann::ordered_json ToJson(const AgencyInfo& agency);
nlohmann::ordered_json ToJson(const WhoAmI& me);
nlohmann::ordered_json ToJson(const PortionPreview& preview);
nlohmann::ordered_json ToJson(const Failure& failure);

std::string NewsLine(const NewsItem& item);  // one event as a sentence

// A bar on standard error, only when that is a terminal.
Progress ProgressBar(const std::string& what);

}  // namespace valija::cli
