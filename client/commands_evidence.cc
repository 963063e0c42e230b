// What is kept for years and shown to others: receipts, and the policy that they are judged by.
#include <iostream>

#include "client/commands_internal.h"
#include "client/connect.h"
#include "core/io/file.h"
#include "core/text/catalogue.h"

namespace valija::cli {

using client::ToFailure;
using text::Format;
using text::Id;
using text::Text;

namespace {

constexpr const char* kReceiptSuffix = ".tlog-proof";
constexpr const char* kPageSuffix = ".html";

nlohmann::ordered_json CosignedJson(const std::vector<std::pair<std::string, TimePoint>>& cosigned) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& [name, time] : cosigned) out.push_back({{"witness", name}, {"time", FormatTime(time)}});
  return out;
}

}  // namespace

int SaveReceipt(const Common& common, const std::string& statement, const std::string& output, unsigned wait_seconds) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  ReceiptRequest request{statement, output, std::chrono::seconds(wait_seconds), [](const std::string& missing) {
                           std::cerr << Format(Id::kReceiptWaits, Visible(missing)) << "\n";
                         }};
  if (output.empty()) request.output = ShortId(statement) + kReceiptSuffix;
  auto saved = session->SaveReceipt(request);
  if (!saved) return Fail(common, saved.failure());
  if (common.json) {
    std::cout << nlohmann::ordered_json{{"statement", saved->id}, {"receipt", request.output.string()},
                                        {"entry", saved->entry},  {"time", FormatTime(saved->time)},
                                        {"size", saved->size},    {"cosigned", CosignedJson(saved->cosigned)}}
                     .dump()
              << "\n";
    return 0;
  }
  std::cout << Format(Id::kReceiptSaved, saved->id, Visible(request.output.string()), saved->entry,
                      TimeText(saved->time), saved->size)
            << "\n";
  for (const auto& [name, time] : saved->cosigned)
    std::cout << Format(Id::kReceiptCosigned, Visible(name), TimeText(time)) << "\n";
  if (saved->cosigned.empty()) std::cout << Text(Id::kReceiptUnwitnessed) << "\n";
  std::cout << Format(Id::kReceiptNext, Visible(request.output.string())) << "\n";
  return 0;
}

int SaveBundle(const Common& common, BundleRequest request) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  request.page = request.output.string() + kPageSuffix;
  request.waiting = [](const std::string& missing) {
    std::cerr << Format(Id::kReceiptWaits, Visible(missing)) << "\n";
  };
  auto saved = session->SaveBundle(request);
  if (!saved) return Fail(common, saved.failure());
  if (common.json) {
    std::cout << nlohmann::ordered_json{{"record", saved->id},           {"bundle", request.output.string()},
                                        {"page", request.page.string()}, {"entries", saved->entries},
                                        {"size", saved->size},           {"cosigned", CosignedJson(saved->cosigned)},
                                        {"withheld", saved->withheld},   {"dependent", saved->dependent},
                                        {"others", saved->others}}
                     .dump()
              << "\n";
    return 0;
  }
  std::cout << Format(Id::kBundleSaved, saved->id, Visible(request.output.string()), Visible(request.page.string()),
                      saved->entries, saved->size)
            << "\n";
  for (const auto& [name, time] : saved->cosigned)
    std::cout << Format(Id::kReceiptCosigned, Visible(name), TimeText(time)) << "\n";
  if (saved->cosigned.empty()) std::cout << Text(Id::kReceiptUnwitnessed) << "\n";
  const auto say = [](auto sentence, const std::vector<std::uint64_t>& entries) {
    std::string all;
    for (const auto index : entries) all += (all.empty() ? "" : ", ") + std::to_string(index);
    if (!all.empty()) std::cout << sentence(all) << "\n";
  };
  say([](const auto& all) { return Format(Id::kBundleWithheld, all); }, saved->withheld);
  say([](const auto& all) { return Format(Id::kBundleDependent, all); }, saved->dependent);
  say([](const auto& all) { return Format(Id::kBundleOthers, all); }, saved->others);
  std::cout << Format(Id::kBundleNext, Visible(request.output.string())) << "\n";
  return 0;
}

namespace {

// A text of the log's, for a file or for standard output.
int Give(const Common& common, const std::string& output, const char* name, std::string (*written)(const std::string&),
         Outcome<std::string> (Session::*text)()) {
  int status = 0;
  auto session = Start(common, status);
  if (!session) return status;
  auto given = ((*session).*text)();
  if (!given) return Fail(common, given.failure());
  if (!output.empty())
    if (auto wrote = io::WriteNewFile(output, AsBytes(*given)); !wrote) return Fail(common, ToFailure(wrote.error()));
  if (common.json)
    std::cout << nlohmann::ordered_json{{name, *given}}.dump() << "\n";
  else if (output.empty())
    std::cout << *given;
  else
    std::cout << written(Visible(output)) << "\n";
  return 0;
}

}  // namespace

int WitnessPolicy(const Common& common, const std::string& output) {
  return Give(
      common, output, "policy", [](const std::string& file) { return Format(Id::kWitnessPolicyWritten, file); },
      &Session::WitnessPolicies);
}

int Checkpoint(const Common& common, const std::string& output) {
  return Give(
      common, output, "checkpoint", [](const std::string& file) { return Format(Id::kCheckpointWritten, file); },
      &Session::LastCheckpoint);
}

}  // namespace valija::cli
