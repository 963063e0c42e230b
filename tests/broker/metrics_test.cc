// What monitoring reads: the format as Prometheus' parsers take it, and nothing of anybody in it.
#include "broker/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

namespace valija::broker {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, EveryLineIsOneOfTheFormat) {
  Metrics metrics;
  metrics.Refused(Reason::kNotFound);
  metrics.Alarm("stopped-accepting");
  metrics.append.Observe(milliseconds(3));
  auto gauges = ProcessGauges();
  gauges.push_back({"valija_witness_behind_entries", "Entries.", {{Metrics::Label("witness", "a\"b\\c\nd"), 7}}});
  std::istringstream lines(metrics.Text(gauges));
  const std::regex comment("# (HELP|TYPE) [a-z_]+ .+");
  const std::regex sample(R"re([a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"\})? [0-9.e+-]+)re");
  std::size_t samples = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_sample = std::regex_match(line, sample);
    EXPECT_TRUE(is_sample || std::regex_match(line, comment)) << line;
    samples += is_sample ? 1 : 0;
  }
  EXPECT_GT(samples, 40u);
}

TEST(Metrics, RefusalsAndAlarmsAreCountedByTheirCodes) {
  Metrics metrics;
  EXPECT_THAT(metrics.Text({}), Not(HasSubstr("code=")));
  for (int i = 0; i < 3; ++i) metrics.Refused(Reason::kPoolFull);
  metrics.Alarm("a");
  metrics.Alarm("a");
  const auto text = metrics.Text({});
  EXPECT_THAT(text, HasSubstr("valija_refusals_total{code=\"pool-full\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("valija_alarms_total{event=\"a\"} 2\n"));
}

TEST(Metrics, AHistogramsBucketsAreCumulativeAndEndWithAll) {
  Histogram took;
  took.Observe(milliseconds(1));  // the bound belongs to its bucket
  took.Observe(milliseconds(2));
  took.Observe(std::chrono::seconds(11));
  std::string out;
  took.Write("x", out);
  EXPECT_THAT(out, HasSubstr("x_bucket{le=\"5e-04\"} 0\n"));
  EXPECT_THAT(out, HasSubstr("x_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("x_bucket{le=\"0.0025\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("x_bucket{le=\"10\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("x_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("x_sum 11.003\n"));
  EXPECT_THAT(out, HasSubstr("x_count 3\n"));
}

}  // namespace
}  // namespace valija::broker
