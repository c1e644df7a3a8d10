#include "pipelines.hpp"

#include <algorithm>
#include <cmath>

#include "program/program.hpp"
#include "stream/random.hpp"

namespace stream::campaign {
namespace {

namespace fs = std::filesystem;
using testing::write_contents;

/// Lines of random length, some empty, some longer than any buffer would like.
std::string lines(Random& random, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += std::to_string(i) + " ";
    const std::size_t length = random.below(50) == 0 ? random.below(9000) : random.below(80);
    for (std::size_t j = 0; j < length; ++j) text += static_cast<char>('a' + random.below(26));
    text += '\n';
  }
  return text;
}

/// {"n", "key", "t"}, times not decreasing, often equal.
std::string records(Random& random, int count, double step) {
  std::string text;
  double time = 0;
  for (int i = 0; i < count; ++i) {
    time += random.below(4) == 0 ? step * static_cast<double>(random.below(8)) : 0;
    text += "{\"n\": " + std::to_string(i) + ", \"key\": \"k" + std::to_string(random.below(9)) +
            "\", \"t\": " + std::to_string(time) + "}\n";
  }
  return text;
}

template <typename T>
void append(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
}

/// 16-bit mono at 11025 Hz, a rate that has to be resampled.
std::string wav(Random& random, int frames) {
  constexpr std::uint32_t kRate = 11025;
  std::string file = "RIFF";
  append(file, static_cast<std::uint32_t>(36 + 2 * frames));
  file += "WAVEfmt ";
  append(file, std::uint32_t{16});
  append(file, std::uint16_t{1});
  append(file, std::uint16_t{1});
  append(file, kRate);
  append(file, 2 * kRate);
  append(file, std::uint16_t{2});
  append(file, std::uint16_t{16});
  file += "data";
  append(file, static_cast<std::uint32_t>(2 * frames));
  for (int i = 0; i < frames; ++i) {
    const double x = 8000 * std::sin(0.05 * i) + 2000 * random.uniform(-1, 1);
    append(file, static_cast<std::uint16_t>(static_cast<std::int16_t>(x)));
  }
  return file;
}

Pipeline text() {
  return {"text",
          "lines through a fused chain into one file",
          R"(
[nodes.in]
use = "text.read"
path = "@/in.txt"
[nodes.slow]
use = "campaign.slow"
from = "in"
[nodes.out]
use = "text.write"
from = "slow"
path = "@/out.txt"
)",
          {"in.txt"},
          {"out.txt"},
          [](const fs::path& folder, std::uint64_t seed, int length) {
            Random random(seed);
            write_contents(folder / "in.txt", lines(random, 3 * length));
          }};
}

Pipeline parallel() {
  return {"parallel",
          "lines through two stages that hold packets, tensors and random numbers, into three files",
          R"(
[nodes.in]
use = "text.read"
path = "@/in.txt"
[nodes.slow]
use = "delay"
from = "in"
milliseconds = 0.1
[nodes.once]
use = "campaign.shuffle"
from = "slow"
[nodes.twice]
use = "campaign.shuffle"
from = "once"
[nodes.plain]
use = "text.write"
from = "in"
path = "@/plain.txt"
[nodes.first]
use = "text.write"
from = "once"
path = "@/first.txt"
[nodes.second]
use = "text.write"
from = "twice"
path = "@/second.txt"
)",
          {"in.txt"},
          {"plain.txt", "first.txt", "second.txt"},
          [](const fs::path& folder, std::uint64_t seed, int length) {
            Random random(seed);
            write_contents(folder / "in.txt", lines(random, 3 * length));
          }};
}

Pipeline merge() {
  return {"merge",
          "two inputs merged by time, sums by key, numbered records, into two files",
          R"(
[nodes.left]
use = "jsonl.read"
path = "@/left.jsonl"
time = "t"
key = "key"
[nodes.right]
use = "jsonl.read"
path = "@/right.jsonl"
time = "t"
[nodes.slow]
use = "campaign.slow"
from = "right"
[nodes.join]
use = "campaign.join"
from = ["left", "slow"]
[nodes.totals]
use = "campaign.keyed_total"
from = "left"
keys_in_memory = 3
[nodes.joined]
use = "jsonl.write"
from = "join"
path = "@/joined.jsonl"
sequence = "seq"
[nodes.sums]
use = "jsonl.write"
from = "totals"
path = "@/sums.jsonl"
)",
          {"left.jsonl", "right.jsonl"},
          {"joined.jsonl", "sums.jsonl"},
          [](const fs::path& folder, std::uint64_t seed, int length) {
            Random random(seed);
            write_contents(folder / "left.jsonl", records(random, 4 * length, 0.01));
            write_contents(folder / "right.jsonl", records(random, 3 * length, 0.013));
          }};
}

Pipeline bytes() {
  return {"bytes",
          "bytes as they are, and made-up records beside them, into two files",
          R"(
[nodes.in]
use = "bytes.read"
path = "@/in.bin"
block = 97
[nodes.slow]
use = "campaign.slow"
from = "in"
[nodes.out]
use = "bytes.write"
from = "slow"
path = "@/out.bin"
[nodes.made]
use = "records.generate"
count = 9000
[nodes.keep]
use = "jsonl.write"
from = "made"
path = "@/made.jsonl"
)",
          {"in.bin"},
          {"out.bin", "made.jsonl"},
          [](const fs::path& folder, std::uint64_t seed, int length) {
            Random random(seed);
            std::string content;
            for (int i = 0; i < 3 * 97 * length; ++i) content += static_cast<char>(random.below(256));
            write_contents(folder / "in.bin", content);
          }};
}

Pipeline audio() {
  return {"audio",
          "WAV resampled into WAV and raw samples",
          R"(
[nodes.in]
use = "audio.read"
path = "@/in.wav"
rate = 16000
block = "5ms"
[nodes.slow]
use = "campaign.slow"
from = "in"
[nodes.louder]
use = "audio.gain"
from = "slow"
db = 3.0
[nodes.wav]
use = "audio.write"
from = "louder"
path = "@/out.wav"
encoding = "s24le"
[nodes.raw]
use = "audio.write"
from = "in"
path = "@/out.raw"
format = "raw"
encoding = "f32le"
)",
          {"in.wav"},
          {"out.wav", "out.raw"},
          [](const fs::path& folder, std::uint64_t seed, int length) {
            Random random(seed);
            write_contents(folder / "in.wav", wav(random, 3 * 55 * length));
          }};
}

Pipeline captions() {
  return {"captions",
          "speech to words with the shipped model: slow, so only in kill and long, and where it is named",
          R"(
[nodes.speech]
use = "audio.read"
path = "examples/numbers.flac"
rate = 16000
channels = 1
[nodes.slow]
use = "campaign.slow"
from = "speech"
microseconds = 600
[nodes.asr]
use = "asr.conformer"
from = "slow"
model = "models/captions-en.h5"
[nodes.words]
use = "jsonl.write"
from = "asr.words"
path = "@/words.jsonl"
)",
          {},
          {"words.jsonl"},
          [](const fs::path&, std::uint64_t, int) {},
          true};
}

}  // namespace

std::vector<Pipeline> pipelines(const std::vector<std::string>& only) {
  std::vector<Pipeline> all = {text(), parallel(), merge(), bytes(), audio(), captions()};
  if (!only.empty()) {
    std::erase_if(
        all, [&](const Pipeline& p) { return std::find(only.begin(), only.end(), p.name) == only.end(); });
  }
  return all;
}

std::string recipe_in(const Pipeline& pipeline, const fs::path& folder) {
  std::string text = "title = \"" + pipeline.name + "\"\n";
  for (const char c : pipeline.recipe) {
    if (c == '@')
      text += folder.string();
    else
      text += c;
  }
  return text;
}

}  // namespace stream::campaign
