#include "broker/oplog.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "broker/metrics.h"
#include "core/base/time.h"

namespace valija::broker {
namespace {

constexpr std::size_t kLongestValue = 400;

struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
};

Sink& TheSink() {
  static Sink sink = [] {
    auto logger = std::make_shared<spdlog::logger>("valija-broker", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->flush_on(spdlog::level::info);
    return Sink{logger, false};
  }();
  return sink;
}

// Printable ASCII, with everything else and the quote escaped as JSON does: one event can never look like two.
std::string Escaped(std::string_view text) {
  std::string out;
  char buffer[8];
  for (unsigned char c : text.substr(0, kLongestValue)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c >= 0x7f) {
      std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
      out += buffer;
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

constexpr std::string_view kNames[] = {"debug", "info", "warning", "alarm"};

}  // namespace

Status OpenLog(const LogOptions& options) {
  try {
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (options.file.empty())
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    auto logger = std::make_shared<spdlog::logger>("valija-broker", sink);
    logger->set_pattern("%v");
    logger->set_level(options.debug ? spdlog::level::debug : spdlog::level::info);
    logger->flush_on(spdlog::level::info);
    TheSink() = Sink{std::move(logger), options.json};
  } catch (const spdlog::spdlog_ex& error) {
    return Refuse(Reason::kFile, std::string("the operations log cannot be opened: ") + error.what());
  }
  return Ok();
}

void Log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                          spdlog::level::warn, spdlog::level::critical};
  auto& sink = TheSink();
  const auto at = static_cast<std::size_t>(level);
  if (level == Level::kAlarm) Metrics::Of().Alarm(event);
  if (!sink.logger->should_log(kLevels[at])) return;
  const auto now = FormatTime(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  std::string line;
  if (sink.json) {
    line =
        "{\"time\":\"" + now + "\",\"level\":\"" + std::string(kNames[at]) + "\",\"event\":\"" + Escaped(event) + "\"";
    for (const auto& [name, value] : fields) line += ",\"" + Escaped(name) + "\":\"" + Escaped(value) + "\"";
    line += "}";
  } else {
    line = now + " " + std::string(kNames[at]) + " " + Escaped(event);
    for (const auto& [name, value] : fields) line += " " + Escaped(name) + "=\"" + Escaped(value) + "\"";
  }
  sink.logger->log(kLevels[at], "{}", line);
}

void FlushLog() { TheSink().logger->flush(); }

}  // namespace valija::broker
