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
// Of an acknowledgement: its words for people.
std::string OutcomeText(const std::string& outcome);
// Of an access request: what is asked for, as "to open it".
std::string WishText(const std::string& wish, const std::string& agency, const std::string& marking);
// Its time for an answer is over, and none has come.
bool Overdue(const InboxItem& item);

// A portion that is about to be sent: who could open it, and who not by which rules; whose approvals it takes.
struct Ahead {
  PortionPreview preview;
  std::vector<MemberExplained> members;
  std::vector<std::string> approvals;  // "1 of us.dea/karen, us.dea/ana", one for each group
};

nlohmann::ordered_json ToJson(const InboxItem& item);
nlohmann::ordered_json ToJson(const NewsItem& item);
nlohmann::ordered_json ToJson(const MemberInfo& member);
nlohmann::ordered_json ToJson(const AgencyInfo& agency);
nlohmann::ordered_json ToJson(const WhoAmI& me);
nlohmann::ordered_json ToJson(const Ahead& portion);
nlohmann::ordered_json ToJson(const Failure& failure);
nlohmann::ordered_json ToJson(const WaitingItem& item);
nlohmann::ordered_json ToJson(const PortionExplained& portion);
nlohmann::ordered_json ToJson(const OrderInfo& order);
nlohmann::ordered_json ToJson(const Released& released);

std::string NewsLine(const NewsItem& item);  // one event as a sentence

// A bar on standard error, only when that is a terminal.
Progress ProgressBar(const std::string& what);

}  // namespace valija::cli
