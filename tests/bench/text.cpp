/// Lines and records through the graph against filters.
#include <unistd.h>

#include <array>
#include <filesystem>

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

/// `input` through a reader and a writer of ours, and through a filter that must give the same bytes.
std::vector<Row> copied(const std::string& what, const std::string& format, const std::string& input,
                        const std::vector<std::string>& peer, double bar) {
  const testing::ScratchFolder scratch;
  const std::string in = (scratch / "in").string(), recipe = (scratch / "copy.toml").string();
  const std::string ours = (scratch / "ours").string(), theirs = (scratch / "theirs").string();
  testing::write_contents(in, input);
  testing::write_contents(recipe, "[nodes.in]\nuse = \"" + format + ".read\"\npath = \"-\"\n" +
                                      "[nodes.out]\nuse = \"" + format +
                                      ".write\"\nfrom = \"in\"\npath = \"-\"\n");
  const auto seconds = [&](const std::vector<std::string>& argv, const std::string& output) {
    // What the system still does for the last copy, to write it down or to free it, is no part of this one.
    std::filesystem::remove(output);
    ::sync();
    return run_or_throw({.argv = argv, .input = "", .input_file = in, .output_file = output}).wall_seconds;
  };
  const Comparison c = compare(
      5,
      [&] {
        return seconds({stream_program(), "run", recipe}, ours);
      },
      [&] { return seconds(peer, theirs); });
  if (testing::contents(ours) != testing::contents(theirs))
    throw std::runtime_error("the copies differ: nothing was measured");
  std::string name;
  for (const std::string& word : peer) name += (name.empty() ? "" : " ") + word;
  return {row(what, name, "s", c, bar)};
}

std::vector<Row> copy_lines() {
  return copied("copy 200 MB of short lines", "text", short_lines(), {"sed", "-n", "p"}, 2.0);
}

std::vector<Row> copy_events() {
  return copied("copy a million records of JSON Lines", "jsonl", events(), {"jq", "-c", "."}, 1.0 / 20);
}

}  // namespace

std::vector<Benchmark> text_benchmarks() {
  return {{"lines", "text.read to text.write", copy_lines},
          {"jsonl", "jsonl.read to jsonl.write", copy_events}};
}

}  // namespace stream::bench
