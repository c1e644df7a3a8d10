#include "json_lines.hpp"

#include <gtest/gtest.h>

#include <array>

#include "fed_pipe.hpp"
#include "stream/random.hpp"
#include "stream/value.hpp"

namespace stream {
namespace {

bool blank_or_object(std::string_view line) {
  const std::size_t start = line.find_first_not_of(" \t\r");
  return start == std::string_view::npos || (!Value::fault(line) && line[start] == '{');
}

/// What a batch holds of `text`, which is read in one piece.
std::size_t sound_lines(const std::string& text, LineReader::Batch& batch) {
  const laws::ScratchFile file(text, ".jsonl");
  LineReader reader(file.path(), {});
  if (!reader.next(batch)) return 0;
  JsonLines lines;
  return lines.sound(batch);
}

TEST(JsonLines, AgreesWithALookAtEachLineWhereverDocumentsBeginAndEnd) {
  // What makes a line, or a piece of one: documents that go on in the next line or share one, scalars,
  // faults.
  constexpr std::array<std::string_view, 24> kPieces{"{}",
                                                     "{\"a\":1}",
                                                     " {\"b\":[1,2,{\"c\":null}]} ",
                                                     "{\"s\":\"\\u00e9\xC3\xA9\"}",
                                                     "\n",
                                                     "\n",
                                                     "\n",
                                                     "\r\n",
                                                     "\n\n",
                                                     "\t",
                                                     "{\"a\":",
                                                     "1}",
                                                     "[1]",
                                                     "[",
                                                     "]",
                                                     "17",
                                                     "\"text\"",
                                                     "{\"x\":\"\xFF\"}",
                                                     "}",
                                                     "{",
                                                     ",",
                                                     "{\"a\":1,}",
                                                     "{\"n\":01}",
                                                     "\n{\"deep\":[[[[[[1]]]]]]}\n"};
  Random random(3);
  int whole = 0, cut = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    // Mostly sound, so that what is wrong stands in the middle of what is not.
    const bool mixed = random() % 2 == 0;
    for (std::uint64_t n = 1 + random() % 12; n > 0; --n) {
      text += mixed ? kPieces[random() % kPieces.size()] : kPieces[random() % 4];
      if (!mixed || random() % 2 == 0) text += random() % 4 == 0 ? "\r\n" : "\n";
    }
    LineReader::Batch batch;
    const std::size_t sound = sound_lines(text, batch);
    std::size_t good = 0;
    while (good < batch.lines.size() && blank_or_object(batch.text(batch.lines[good]))) ++good;
    ASSERT_LE(sound, good) << Value(text).dump();
    if (good == batch.lines.size()) {
      ASSERT_EQ(sound, good) << Value(text).dump();
    }
    (good == batch.lines.size() ? whole : cut) += 1;
  }
  EXPECT_GT(whole, 200);
  EXPECT_GT(cut, 200);
}

TEST(JsonLines, TakesLinesOfAnyLength) {
  std::string text;
  for (const std::size_t size : {0, 1, 63, 64, 65, 70'000, 2'000'000, 5}) {
    text += "{\"s\":\"" + std::string(size, 'x') + "\"}\n";
  }
  const laws::ScratchFile file(text, ".jsonl");
  LineReader reader(file.path(), {});
  LineReader::Batch batch;
  JsonLines lines;
  std::size_t seen = 0;
  while (reader.next(batch)) {
    EXPECT_EQ(lines.sound(batch), batch.lines.size());
    seen += batch.lines.size();
  }
  EXPECT_EQ(seen, 8u);
}

}  // namespace
}  // namespace stream
