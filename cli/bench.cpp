/// stream bench: how fast a recipe runs, with a digest of its output beside the speed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "console.hpp"
#include "plans.hpp"
#include "run_text.hpp"
#include "scratch.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/random.hpp"
#include "text.hpp"
#include "verb.hpp"

namespace stream::cli {
namespace {

/// 64-bit FNV-1a of a file, as hexadecimal digits; "-" when there is none.
std::string digest_of(const std::string& path) {
  if (!std::filesystem::exists(path)) return "-";
  InputFile file(path);
  std::vector<std::byte> block(1 << 20);
  std::uint64_t hash = stable_hash("");
  for (;;) {
    const auto [status, size] = file.read(block);
    if (status != InputFile::Status::kData) break;
    hash = stable_hash({reinterpret_cast<const char*>(block.data()), size}, hash);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

struct Row {
  std::vector<std::pair<std::string, Value>> cells;
};

std::string rendered(const std::vector<Row>& rows, const std::string& format) {
  std::string out;
  const auto cell = [](const Value& v) {
    return v.is_string()   ? v.as_string()
           : v.is_double() ? number_text(v.as_double(), 4)
           : v.is_null()   ? "-"
                           : v.dump();
  };
  if (format == "jsonl") {
    for (const Row& row : rows) {
      Object object;
      for (const auto& [name, value] : row.cells) object.set(name, value);
      out += Value(std::move(object)).dump() + "\n";
    }
    return out;
  }
  std::vector<std::string> header;
  for (const auto& [name, value] : rows.front().cells) header.push_back(name);
  if (format == "csv") {
    out = join(header, ",") + "\n";
    for (const Row& row : rows) {
      std::string line;
      for (const auto& [name, value] : row.cells) {
        line += (line.empty() ? "" : ",");
        line += value.is_string() ? "\"" + value.as_string() + "\"" : value.is_null() ? "" : value.dump();
      }
      out += line + "\n";
    }
    return out;
  }
  out = "| " + join(header, " | ") + " |\n|";
  for (std::size_t i = 0; i < header.size(); ++i) out += " --- |";
  out += "\n";
  for (const Row& row : rows) {
    std::vector<std::string> cells;
    for (const auto& [name, value] : row.cells) cells.push_back(cell(value));
    out += "| " + join(cells, " | ") + " |\n";
  }
  return out;
}

class Bench final : public Verb {
 public:
  Bench()
      : Verb("bench",
             "Time a recipe: packets and bytes a second, real-time factor, each node's share, a digest of "
             "the output.") {
    option("RECIPE", "RECIPE", &recipe_, "recipe by path or bare name").required = true;
    option("-i,--input", "FILE", &overrides_.input, "what the recipe's input reads");
    option("--set", "NODE.PARAM=VALUE", &settings_,
           "set a parameter of a node, or params.NAME of the recipe; may be repeated");
    option("-r,--repeats", "N", &repeats_, "runs that count");
    option("-w,--warmup", "N", &warmup_, "runs before those");
    option("--threads", "N", &threads_, "threads for the graph; 0 stands for one for each processor");
    option("--seed", "N", &seed_, "seed of every random number in the runs");
    option("-f,--format", "FORMAT", &format_, "how the tables are printed").choices = {"md", "csv", "jsonl"};
    option("--nodes", "", &nodes_, "print the table of nodes instead of the one of the whole recipe");
    example("three runs after one that warms up",
            "seq 100000 > lines.txt && stream bench copy-lines -i lines.txt -r 3 -w 1");
    example("where the time goes",
            "seq 100000 > lines.txt && stream bench copy-lines -i lines.txt -r 1 -w 0 --nodes --format csv");
  }

  int run() override {
    log_to_console(LogFormat::kText, LogLevel::kWarning);
    if (repeats_ < 1 || repeats_ > 1'000'000)
      throw Error(ExitCode::kUsage, "--repeats " + std::to_string(repeats_) + ": expected 1 to 1000000");
    if (overrides_.input && *overrides_.input == "-")
      throw Error(ExitCode::kUsage, "-i -: stdin can be read once only; give a file");
    Registry registry;
    scan_plugins(registry);
    overrides_.set = parse_settings(settings_);
    const ScratchFolder scratch;
    const std::string output = scratch.file("output");
    if (load_plan(recipe_, registry, overrides_).output_node != Plan::npos) overrides_.output = output;
    const Plan plan = load_plan(recipe_, registry, overrides_);
    prepare_process();

    RunOptions options;
    options.seed = seed_;
    options.threads = static_cast<int>(std::min<std::uint64_t>(threads_, 4096));
    std::vector<RunMetrics> runs;
    std::string digest;
    for (std::uint64_t i = 0; i < warmup_ + repeats_; ++i) {
      const RunResult result = engine().run(plan, registry, options, [](const RunMetrics&, bool) {});
      if (result.exit_code != 0) {
        log_error("", result.error.empty() ? "the run was stopped" : result.error);
        return result.exit_code;
      }
      const std::string now = digest_of(output);
      if (!digest.empty() && now != digest)
        throw failed(recipe_ + ": the output of run " + std::to_string(i + 1) +
                     " differs from that of the one before: it is not deterministic");
      digest = now;
      if (i >= warmup_) runs.push_back(result.metrics);
    }
    print(rendered(nodes_ ? node_rows(runs) : recipe_rows(runs, plan, digest), format_));
    return 0;
  }

 private:
  std::vector<Row> recipe_rows(const std::vector<RunMetrics>& runs, const Plan& plan,
                               const std::string& digest) const {
    std::vector<double> wall;
    wall.reserve(runs.size());
    for (const RunMetrics& m : runs) wall.push_back(m.wall_seconds);
    const double middle = median(wall);
    double spread = 0;
    for (const double w : wall) spread = std::max(spread, std::fabs(w - middle));
    const RunMetrics& last = runs.back();
    const Throughput through = source_output(last, plan);
    const Value factor =
        last.realtime_meaningful && last.stream_seconds > 0 ? Value(middle / last.stream_seconds) : Value();
    return {{{{"recipe", recipe_},
              {"runs", static_cast<std::int64_t>(runs.size())},
              {"median s", middle},
              {"spread s", spread},
              {"packets/s", static_cast<double>(through.packets) / middle},
              {"MB/s", static_cast<double>(through.bytes) / middle / 1e6},
              {"real-time factor", factor},
              {"p99 ms", last.latency_p99 * 1e3},
              {"output", digest}}}};
  }
  /// Means over the runs.
  std::vector<Row> node_rows(const std::vector<RunMetrics>& runs) const {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < runs.front().nodes.size(); ++i) {
      double seconds = 0, all = 0;
      for (const RunMetrics& m : runs) {
        seconds += m.nodes[i].seconds / static_cast<double>(runs.size());
        for (const NodeMetrics& n : m.nodes) all += n.seconds / static_cast<double>(runs.size());
      }
      const NodeMetrics& n = runs.back().nodes[i];
      const auto packets = static_cast<double>(std::max({n.packets_in, n.packets_out, std::uint64_t{1}}));
      rows.push_back({{{"node", n.id},
                       {"operator", n.op},
                       {"packets in", n.packets_in},
                       {"packets out", n.packets_out},
                       {"bytes out", n.bytes_out},
                       {"seconds", seconds},
                       {"share %", all > 0 ? 100 * seconds / all : 0.0},
                       {"ns/packet", seconds / packets * 1e9},
                       {"state bytes", static_cast<std::uint64_t>(n.state_bytes)}}});
    }
    return rows;
  }
  std::string recipe_, format_ = "md";
  std::vector<std::string> settings_;
  std::uint64_t repeats_ = 5, warmup_ = 1, threads_ = 0, seed_ = 0;
  bool nodes_ = false;
  Overrides overrides_;
};

}  // namespace

std::unique_ptr<Verb> make_bench() { return std::make_unique<Bench>(); }

}  // namespace stream::cli
