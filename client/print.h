// What a person or a program sees of the library's values.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/valija.h"
#include "core/base/text.h"
#include "core/text/language.h"

namespace valija::cli {

using text::TimeText;

std::string ShortId(const std::string& id);  // the first 12 digits
std::string SizeText(std::uint64_t bytes);   // "52.9 kB"

nlohmann::ordered_json ToJson(const InboxItem& item);
nlohmann::ordered_json ToJson(const NewsItem& item);
nlohmann::ordered_json ToJson(const MemberInfo& member);
nlohmann::ordered_json ToJson(const AgencyInfo& agency);
nlohmann::ordered_json ToJson(const WhoAmI& me);
nlohmann::ordered_json ToJson(const PortionPreview& preview);
nlohmann::ordered_json ToJson(const Failure& failure);
nlohmann::ordered_json ToJson(const WaitingItem& item);
nlohmann::ordered_json ToJson(const PortionExplained& portion);
nlohmann::ordered_json ToJson(const OrderInfo& order);
nlohmann::ordered_json ToJson(const Released& released);

std::string NewsLine(const NewsItem& item);  // one event as a sentence

// A bar on standard error, only when that is a terminal.
Progress ProgressBar(const std::string& what);

}  // namespace valija::cli
