/// Lines and records through the graph against filters.
#include <array>

#include "compare.hpp"
#include "stream/random.hpp"

namespace stream::bench {
namespace {

/// 200 MB of short lines, 20 to 60 bytes each.
std::string short_lines() {
  constexpr std::size_t kBytes = 200'000'000;
  constexpr std::string_view kText = "the quick brown fox jumps over the lazy dog and runs away";
  std::string text;
  text.reserve(kBytes + 64);
  for (std::size_t i = 0; text.size() < kBytes; ++i) {
    text += std::to_string(1'000'000 + i % 9'000'000);
    text += ' ';
    text += kText.substr(0, 12 + i % 40);
    text += '\n';
  }
  return text;
}

std::vector<Row> copy_lines() {
  const testing::ScratchFolder scratch;
  const std::string input = (scratch / "lines.txt").string(), recipe = (scratch / "copy.toml").string();
  const std::string ours = (scratch / "ours.txt").string(), theirs = (scratch / "theirs.txt").string();
  testing::write_contents(input, short_lines());
  testing::write_contents(recipe,
                          "[nodes.lines]\nuse = \"text.read\"\npath = \"-\"\n"
                          "[nodes.copy]\nuse = \"text.write\"\nfrom = \"lines\"\npath = \"-\"\n");
  const Comparison c = compare(
      5,
      [&] {
        return run_or_throw({.argv = {stream_program(), "run", recipe},
                             .input = "",
                             .input_file = input,
                             .output_file = ours})
            .wall_seconds;
      },
      [&] {
        return run_or_throw(
                   {.argv = {"sed", "-n", "p"}, .input = "", .input_file = input, .output_file = theirs})
            .wall_seconds;
      });
  if (testing::contents(ours) != testing::contents(theirs))
    throw std::runtime_error("the copies differ: nothing was measured");
  return {row("copy 200 MB of short lines", "sed -n p", "s", c, 2.0)};
}

/// A million events of some 80 bytes, written as jq writes them.
std::string events() {
  constexpr std::array kKinds{"view", "buy", "skip"};
  std::string text;
  Random random(1);
  for (int i = 0; i < 1'000'000; ++i) {
    const auto cents = 1 + random() % 10000;
    text += "{\"t\":" + std::to_string(i) + ",\"user\":\"u" + std::to_string(random() % 50000) +
            "\",\"item\":" + std::to_string(random() % 100000) + ",\"kind\":\"" +
            kKinds[random() % kKinds.size()] + "\",\"cents\":" + std::to_string(cents) + ",\"paid\":true}\n";
  }
  return text;
}

std::vector<Row> copy_events() {
  const testing::ScratchFolder scratch;
  const std::string input = (scratch / "events.jsonl").string(), recipe = (scratch / "copy.toml").string();
  const std::string ours = (scratch / "ours.jsonl").string(), theirs = (scratch / "theirs.jsonl").string();
  testing::write_contents(input, events());
  testing::write_contents(recipe,
                          "[nodes.events]\nuse = \"jsonl.read\"\npath = \"-\"\n"
                          "[nodes.copy]\nuse = \"jsonl.write\"\nfrom = \"events\"\npath = \"-\"\n");
  const Comparison c = compare(
      5,
      [&] {
        return run_or_throw({.argv = {stream_program(), "run", recipe},
                             .input = "",
                             .input_file = input,
                             .output_file = ours})
            .wall_seconds;
      },
      [&] {
        return run_or_throw(
                   {.argv = {"jq", "-c", "."}, .input = "", .input_file = input, .output_file = theirs})
            .wall_seconds;
      });
  if (testing::contents(ours) != testing::contents(theirs))
    throw std::runtime_error("the copies differ: nothing was measured");
  return {row("copy a million records of JSON Lines", "jq -c .", "s", c, 1.0 / 20)};
}

}  // namespace

std::vector<Benchmark> text_benchmarks() {
  return {{"lines", "text.read to text.write", copy_lines},
          {"jsonl", "jsonl.read to jsonl.write", copy_events}};
}

}  // namespace stream::bench
