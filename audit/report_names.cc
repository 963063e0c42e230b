#include "audit/card.h"
#include "core/text/catalogue.h"

namespace valija::audit {
namespace {

using text::Id;

constexpr std::pair<std::string_view, Id> kNames[] = {{"shared", Id::kFigShared},
                                                      {"shared-records", Id::kFigSharedRecords},
                                                      {"shared-grants", Id::kFigSharedGrants},
                                                      {"opened-portions", Id::kFigOpenedPortions},
                                                      {"opened-records", Id::kFigOpenedRecords},
                                                      {"first-openings", Id::kFigFirstOpenings},
                                                      {"unwitnessed", Id::kFigUnwitnessed},
                                                      {"asked", Id::kFigAsked},
                                                      {"answered", Id::kFigAnswered},
                                                      {"overdue", Id::kFigOverdue},
                                                      {"refused", Id::kFigRefused},
                                                      {"emergencies", Id::kFigEmergencies},
                                                      {"reviewed", Id::kFigReviewed},
                                                      {"unreviewed", Id::kFigUnreviewed},
                                                      {"recalls", Id::kFigRecalls},
                                                      {"asked-to-erase", Id::kFigAskedToErase},
                                                      {"erased", Id::kFigErased},
                                                      {"acknowledged", Id::kFigAcknowledged},
                                                      {"access-asked", Id::kFigAccessAsked},
                                                      {"access-granted", Id::kFigAccessGranted},
                                                      {"access-not-granted", Id::kFigAccessNotGranted},
                                                      {"not-found", Id::kFigNotFound},
                                                      {"to-first-opening", Id::kFigToFirstOpening},
                                                      {"to-answer", Id::kFigToAnswer},
                                                      {"to-review", Id::kFigToReview}};

}  // namespace

std::string FigureName(const std::string& code) {
  for (const auto& [name, id] : kNames)
    if (name == code) return text::Text(id);
  const auto what = code.substr(code.find(':') + 1);
  return code.starts_with("refused:") ? text::Format(Id::kFigRefusedFor, what) : text::Format(Id::kFigOutcome, what);
}

std::string MinutesName(const std::string& code, bool median) {
  return median ? text::Format(Id::kFigMedian, FigureName(code)) : text::Format(Id::kFigNinthTenth, FigureName(code));
}

}  // namespace valija::audit
