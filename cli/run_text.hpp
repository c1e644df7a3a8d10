/// The measures of a run as text: for people, for scripts, for Prometheus.
#pragma once

#include <string>

#include "engine/engine.hpp"

namespace stream::cli {

/// One line of at most `width` columns: stream time, real-time factor, queueing, the newest words.
std::string progress_line(const RunMetrics& metrics, std::size_t width);
/// `key=value` lines, the last of them progress=continue or progress=end.
std::string progress_keys(const RunMetrics& metrics, bool last);
/// The text format of Prometheus.
std::string prometheus_text(const RunMetrics& metrics, const std::string& recipe);
/// What is printed on a terminal when a run has ended.
std::string summary_text(const RunMetrics& metrics);
/// Wall-clock seconds for each second of stream; negative when that means nothing.
double realtime_factor(const RunMetrics& metrics);
/// Packets and bytes that sources have emitted.
struct Throughput {
  std::uint64_t packets = 0, bytes = 0;
};
Throughput source_output(const RunMetrics& metrics, const Plan& plan);

}  // namespace stream::cli
