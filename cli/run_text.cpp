#include "run_text.hpp"

#include "text.hpp"

namespace stream::cli {
namespace {

struct Totals {
  std::uint64_t dropped = 0, errors = 0;
  std::size_t queued = 0, state = 0;
};
Totals totals_of(const RunMetrics& metrics) {
  Totals t;
  for (const NodeMetrics& n : metrics.nodes)
    t.dropped += n.dropped, t.errors += n.errors, t.queued += n.queued, t.state += n.state_bytes;
  return t;
}

/// Line breaks and control characters of the data must not reach the terminal.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::string label_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      out += '\\', out += c;
    else
      out += c;
  }
  return out;
}

}  // namespace

double realtime_factor(const RunMetrics& metrics) {
  return metrics.realtime_meaningful && metrics.stream_seconds > 0
             ? metrics.wall_seconds / metrics.stream_seconds
             : -1;
}

Throughput source_output(const RunMetrics& metrics, const Plan& plan) {
  Throughput sum;
  for (std::size_t i = 0; i < plan.nodes.size() && i < metrics.nodes.size(); ++i) {
    if (!plan.nodes[i].op->spec.source()) continue;
    sum.packets += metrics.nodes[i].packets_out;
    sum.bytes += metrics.nodes[i].bytes_out;
  }
  return sum;
}

std::string progress_line(const RunMetrics& metrics, std::size_t width) {
  const Totals totals = totals_of(metrics);
  std::string line;
  if (metrics.realtime_meaningful)
    line = seconds_text(metrics.stream_seconds) + " of stream";
  else {
    std::uint64_t packets = 0;
    for (const NodeMetrics& n : metrics.nodes) packets = std::max(packets, n.packets_out);
    line = std::to_string(packets) + " packets in " + seconds_text(metrics.wall_seconds);
  }
  if (metrics.fraction >= 0) line += " (" + number_text(metrics.fraction * 100) + " %)";
  if (const double factor = realtime_factor(metrics); factor >= 0) line += "  rtf " + number_text(factor, 2);
  line += "  queued " + std::to_string(totals.queued);
  if (totals.dropped > 0) line += "  dropped " + std::to_string(totals.dropped);
  if (totals.errors > 0) line += "  errors " + std::to_string(totals.errors);
  std::string newest;
  for (const NodeMetrics& n : metrics.nodes) {
    if (!n.progress.empty()) newest = n.progress;
  }
  const std::size_t used = width_of(line) + 2;
  if (!newest.empty() && width > used + 8) line += "  " + tail_of(one_line(newest), width - used - 1);
  return width_of(line) < width ? line : tail_of(line, width - 1);
}

std::string progress_keys(const RunMetrics& metrics, bool last) {
  const Totals totals = totals_of(metrics);
  std::string out;
  const auto put = [&out](const char* key, const std::string& value) {
    out += std::string(key) + "=" + value + "\n";
  };
  put("wall_seconds", Value(metrics.wall_seconds).dump());
  put("stream_seconds", Value(metrics.stream_seconds).dump());
  if (const double factor = realtime_factor(metrics); factor >= 0)
    put("realtime_factor", Value(factor).dump());
  if (metrics.fraction >= 0) put("fraction", Value(metrics.fraction).dump());
  put("queued", std::to_string(totals.queued));
  put("dropped", std::to_string(totals.dropped));
  put("errors", std::to_string(totals.errors));
  put("checkpoints", std::to_string(metrics.checkpoints));
  put("latency_p50", Value(metrics.latency_p50).dump());
  put("latency_p99", Value(metrics.latency_p99).dump());
  put("latency_max", Value(metrics.latency_max).dump());
  put("progress", last ? "end" : "continue");
  return out;
}

std::string prometheus_text(const RunMetrics& metrics, const std::string& recipe) {
  std::string out;
  const std::string run = "recipe=\"" + label_escaped(recipe) + "\"";
  const auto header = [&out](const char* name, const char* type, const char* help) {
    out += std::string("# HELP stream_") + name + " " + help + "\n# TYPE stream_" + name + " " + type + "\n";
  };
  const auto scalar = [&](const char* name, const char* type, const char* help, double value) {
    header(name, type, help);
    out += std::string("stream_") + name + "{" + run + "} " + Value(value).dump() + "\n";
  };
  scalar("wall_seconds", "gauge", "Seconds since the run began.", metrics.wall_seconds);
  scalar("stream_seconds", "gauge", "Event time that the slowest sink has reached.", metrics.stream_seconds);
  scalar("checkpoints_total", "counter", "Checkpoints written.", static_cast<double>(metrics.checkpoints));
  if (metrics.fraction >= 0)
    scalar("input_fraction", "gauge", "Part of the input that has been read.", metrics.fraction);
  header("latency_seconds", "gauge", "Seconds from a packet's arrival to its sink.");
  out += "stream_latency_seconds{" + run + ",quantile=\"0.5\"} " + Value(metrics.latency_p50).dump() + "\n";
  out += "stream_latency_seconds{" + run + ",quantile=\"0.99\"} " + Value(metrics.latency_p99).dump() + "\n";
  out += "stream_latency_seconds{" + run + ",quantile=\"1\"} " + Value(metrics.latency_max).dump() + "\n";
  const auto per_node = [&](const char* name, const char* type, const char* help, auto value) {
    header(name, type, help);
    for (const NodeMetrics& n : metrics.nodes) {
      out += std::string("stream_") + name + "{" + run + ",node=\"" + label_escaped(n.id) + "\",operator=\"" +
             label_escaped(n.op) + "\"} " + Value(static_cast<double>(value(n))).dump() + "\n";
    }
  };
  per_node("node_packets_in_total", "counter", "Packets that a node has received.",
           [](const NodeMetrics& n) { return n.packets_in; });
  per_node("node_packets_out_total", "counter", "Packets that a node has emitted.",
           [](const NodeMetrics& n) { return n.packets_out; });
  per_node("node_bytes_out_total", "counter", "Bytes that a node has emitted.",
           [](const NodeMetrics& n) { return n.bytes_out; });
  per_node("node_seconds_total", "counter", "Seconds spent inside a node.",
           [](const NodeMetrics& n) { return n.seconds; });
  per_node("node_errors_total", "counter", "Packets lost or diverted by errors.",
           [](const NodeMetrics& n) { return n.errors; });
  per_node("node_dropped_total", "counter", "Packets dropped in live mode.",
           [](const NodeMetrics& n) { return n.dropped; });
  per_node("node_queued", "gauge", "Packets that wait for a node.",
           [](const NodeMetrics& n) { return n.queued; });
  per_node("node_state_bytes", "gauge", "Bytes of state that a node holds.",
           [](const NodeMetrics& n) { return n.state_bytes; });
  return out;
}

std::string summary_text(const RunMetrics& metrics) {
  Table table;
  table.row({"node", "operator", "in", "out", "bytes out", "seconds", "state", "errors", "dropped"});
  for (const NodeMetrics& n : metrics.nodes) {
    table.row({n.id, n.op, std::to_string(n.packets_in), std::to_string(n.packets_out),
               bytes_text(static_cast<double>(n.bytes_out)), number_text(n.seconds),
               bytes_text(static_cast<double>(n.state_bytes)), std::to_string(n.errors),
               std::to_string(n.dropped)});
  }
  std::string out = table.text({false, false, true, true, true, true, true, true, true});
  out += seconds_text(metrics.wall_seconds) + " wall";
  if (const double factor = realtime_factor(metrics); factor >= 0) {
    out += ", " + seconds_text(metrics.stream_seconds) + " of stream, real-time factor " +
           number_text(factor, 3);
  }
  out += ", latency p50 " + seconds_text(metrics.latency_p50) + " p99 " + seconds_text(metrics.latency_p99) +
         " max " + seconds_text(metrics.latency_max);
  if (metrics.checkpoints > 0) out += ", " + std::to_string(metrics.checkpoints) + " checkpoints";
  return out + "\n";
}

}  // namespace stream::cli
