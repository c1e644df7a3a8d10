#include "asr/ctc_decoder.hpp"

#include <gtest/gtest.h>

#include "asr/asr_score.hpp"

namespace stream::asr {
namespace {

/// Feeds one-hot posteriors; label -1 is the blank.
std::vector<RecognisedWord> decode(const std::vector<std::string>& pieces, const std::vector<int>& labels) {
  CtcWordDecoder decoder(pieces);
  std::vector<RecognisedWord> out;
  for (std::size_t t = 0; t < labels.size(); ++t) {
    std::vector<float> p(pieces.size() + 1, 0.0f);
    p[labels[t] < 0 ? pieces.size() : static_cast<std::size_t>(labels[t])] = 0.9f;
    decoder.step(static_cast<std::int64_t>(t), p, -1, 1, out);
  }
  decoder.finish(static_cast<std::int64_t>(labels.size()), out);
  return out;
}

TEST(CtcWordDecoder, CollapsesRepeatsAndKeepsWordsThatABlankDivides) {
  const auto words = decode({"\u2581two", "\u2581one"}, {0, 0, -1, 0, 1, 1});
  ASSERT_EQ(words.size(), 3u);
  EXPECT_EQ(words[0].text, "two");
  EXPECT_EQ(words[0].frame, 2);  // the first blank: no piece goes on with a word
  EXPECT_EQ(words[1].text, "two");
  EXPECT_EQ(words[1].frame, 4);
  EXPECT_EQ(words[2].text, "one");
  EXPECT_EQ(words[2].frame, 6);
  for (const auto& word : words) EXPECT_LT(word.start, word.end);
  for (std::size_t i = 1; i < words.size(); ++i) EXPECT_GE(words[i].start, words[i - 1].end);
}

TEST(CtcWordDecoder, JoinsPiecesOfAWordAndWaitsForThem) {
  const auto words = decode({"\u2581four", "teen", "\u2581one"}, {0, -1, -1, 1, -1, -1, -1, -1, -1, 2});
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].text, "fourteen");
  EXPECT_EQ(words[0].frame, 7);  // the fourth blank
}

TEST(CtcWordDecoder, StateSavedInsideAWordGoesOnTheSame) {
  const std::vector<std::string> pieces{"\u2581four", "teen"};
  std::vector<RecognisedWord> whole, parts;
  CtcWordDecoder a(pieces), b(pieces), c(pieces);
  const std::vector<std::vector<float>> frames{{0.8f, 0.1f, 0.1f}, {0.1f, 0.6f, 0.3f}, {0, 0, 1},
                                               {0, 0, 1},          {0, 0, 1},          {0, 0, 1}};
  for (std::size_t t = 0; t < frames.size(); ++t) {
    a.step(static_cast<std::int64_t>(t), frames[t], 0, 1, whole);
    if (t == 2) {
      Archive state;
      b.save(state);
      c.load(state);
    }
    (t < 2 ? b : c).step(static_cast<std::int64_t>(t), frames[t], 0, 1, parts);
  }
  ASSERT_EQ(whole.size(), 1u);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(whole[0].text, parts[0].text);
  EXPECT_EQ(whole[0].confidence, parts[0].confidence);
  EXPECT_FLOAT_EQ(static_cast<float>(whole[0].confidence), 0.6f);
}

TEST(CtcWordDecoder, AnEndlessWordIsClosed) {
  EXPECT_EQ(decode({"\u2581a"}, std::vector<int>(400, 0)).size(), 1u);
  const auto words = decode({"\u2581a", "b", "c"}, [] {
    std::vector<int> labels{0};
    for (int i = 0; i < 200; ++i) labels.push_back(1 + i % 2);
    return labels;
  }());
  for (const auto& word : words) EXPECT_LE(word.text.size(), 32u);
}

TEST(Score, EditDistanceAndArea) {
  EXPECT_EQ(edit_distance({}, {"a", "b"}), 2u);
  EXPECT_EQ(edit_distance({"a", "x", "b"}, {"a", "b"}), 1u);
  EXPECT_EQ(edit_distance({"a", "c"}, {"a", "b"}), 1u);
  EXPECT_DOUBLE_EQ(area_under_roc({0.9, 0.8}, {0.1, 0.8}), 0.875);
  EXPECT_DOUBLE_EQ(area_under_roc({}, {0.1}), 0.5);
}

}  // namespace
}  // namespace stream::asr
