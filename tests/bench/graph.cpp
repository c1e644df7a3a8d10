/// What the graph itself costs: a hop, a start, a slow sink.
#include "compare.hpp"

namespace stream::bench {
namespace {

using testing::Program;
using testing::ScratchFolder;

/// records.generate -> `hops` pass-through nodes -> discard.
std::string chain_recipe(std::size_t packets, std::size_t hops) {
  std::string toml =
      "[nodes.source]\nuse = \"records.generate\"\nbytes = 64\ncount = " + std::to_string(packets) + "\n";
  std::string previous = "source";
  for (std::size_t i = 0; i < hops; ++i) {
    const std::string id = "hop" + std::to_string(i);
    toml += "[nodes." + id + "]\nuse = \"identity\"\nfrom = \"" + previous + "\"\n";
    previous = id;
  }
  return toml + "[nodes.end]\nuse = \"discard\"\nfrom = \"" + previous + "\"\n";
}

double stream_chain_seconds(const ScratchFolder& scratch, std::size_t packets, std::size_t hops) {
  const std::string recipe = (scratch / "chain.toml").string();
  testing::write_contents(recipe, chain_recipe(packets, hops));
  return run_or_throw({.argv = {stream_program(), "run", recipe, "--threads", "1"}, .input = ""})
      .wall_seconds;
}

double gstreamer_chain_seconds(std::size_t packets, std::size_t hops) {
  Program p{.argv = {"gst-launch-1.0", "-q", "fakesrc", "num-buffers=" + std::to_string(packets),
                     "silent=true", "!"},
            .input = ""};
  for (std::size_t i = 0; i < hops; ++i) p.argv.insert(p.argv.end(), {"identity", "!"});
  p.argv.insert(p.argv.end(), {"fakesink", "silent=true"});
  return run_or_throw(std::move(p)).wall_seconds;
}

/// Nanoseconds for one packet through one node: the slope between a short and a long chain, which takes out
/// start-up, source and sink.
std::vector<Row> fused_hop() {
  constexpr std::size_t kShort = 4, kLong = 36, kPackets = 1'000'000, kBuffers = 100'000;
  const ScratchFolder scratch;
  const auto slope = [](double longer, double shorter, std::size_t packets) {
    return (longer - shorter) * 1e9 / static_cast<double>((kLong - kShort) * packets);
  };
  const Comparison c = compare(
      7,
      [&] {
        return slope(stream_chain_seconds(scratch, kPackets, kLong),
                     stream_chain_seconds(scratch, kPackets, kShort), kPackets);
      },
      [&] {
        return slope(gstreamer_chain_seconds(kBuffers, kLong), gstreamer_chain_seconds(kBuffers, kShort),
                     kBuffers);
      });
  return {row("hop between fused operators, counters included", "GStreamer identity", "ns", c, 0.1)};
}

std::vector<Row> start_up() {
  const Comparison c = compare(
      41,
      [] {
        return 1e3 *
               run_or_throw({.argv = {stream_program(), "list", "operators"}, .input = ""}).wall_seconds;
      },
      [] {
        return 1e3 * run_or_throw({.argv = {"gst-inspect-1.0", "identity"}, .input = ""}).wall_seconds;
      });
  return {row("stream list operators", "gst-inspect-1.0 identity", "ms", c, 1.0)};
}

/// Peak resident memory behind a sink that takes 20 us for each packet, for few packets and for many.
std::vector<Row> slow_sink() {
  const ScratchFolder scratch;
  const auto peak = [&](std::size_t packets) {
    const std::string recipe = (scratch / "slow.toml").string();
    testing::write_contents(
        recipe,
        "[nodes.source]\nuse = \"records.generate\"\nbytes = 1024\ncount = " + std::to_string(packets) +
            "\n[nodes.slow]\nuse = \"delay\"\nfrom = \"source\"\nmilliseconds = 0.02\n"
            "[nodes.end]\nuse = \"discard\"\nfrom = \"slow\"\n");
    return static_cast<double>(
               run_or_throw({.argv = {stream_program(), "run", recipe}, .input = ""}).peak_bytes) /
           1048576;
  };
  const Comparison c = compare(
      3, [&] { return peak(100'000); }, [&] { return peak(1'000); });
  return {row("memory behind a slow sink, 100 000 packets", "1 000 packets", "MiB", c, 1.1)};
}

}  // namespace

std::vector<Benchmark> graph_benchmarks() {
  return {{"hop", "one hop between fused pass-through operators", fused_hop},
          {"start", "start-up of the program", start_up},
          {"slow-sink", "memory behind a slow sink", slow_sink}};
}

}  // namespace stream::bench
