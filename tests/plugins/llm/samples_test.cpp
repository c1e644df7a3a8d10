/// Texts that ask for what stands far back: labelled samples, passkeys, needles.
#include <gmock/gmock.h>

#include <map>

#include "llm/needle_text.hpp"
#include "llm/pair_samples.hpp"
#include "llm/passkey_text.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using ::testing::HasSubstr;

TEST(PairSamples, LabelsStandInFrontOfFarValuesOrOfFiller) {
  const PairTextShape shape = filler_text();
  Random random(3);
  for (int i = 0; i < 20; ++i) {
    const PairSample far = pair_sample(shape, 0.6, 96, PairLabels::kFarValues, 16, random);
    ASSERT_EQ(far.tokens.size(), 96u);
    ASSERT_EQ(far.labels.size(), 96u);
    int labels = 0;
    for (std::size_t t = 0; t < 96; ++t) {
      if (far.labels[t] == 0) continue;
      ++labels;
      // The key stands more than 16 tokens back, with the value behind it, and nowhere closer.
      const std::int32_t key = far.tokens[t], value = t + 1 < 96 ? far.tokens[t + 1] : far.next;
      ASSERT_TRUE(shape.is_key(key));
      std::size_t back = t;
      while (--back > 0 && far.tokens[back] != key) {
      }
      EXPECT_GT(t - back, 16u);
      EXPECT_EQ(far.tokens[back + 1], value);
    }
    EXPECT_GT(labels, 0);
    const PairSample near = pair_sample(shape, 0.6, 96, PairLabels::kFillers, 16, random);
    for (std::size_t t = 0; t + 1 < 96; ++t)
      EXPECT_EQ(near.labels[t] == 1, shape.is_filler(near.tokens[t + 1]));
  }
  EXPECT_THROW(pair_sample(shape, 0.6, 10, PairLabels::kFarValues, 16, random), Error);
}

TEST(Passkeys, StandAtTheirDepthsAndAreAskedForInOrder) {
  const PasskeyText text(byte_tokenizer(), kByteBegin, {.passkeys = 12, .words = 3, .tail = true});
  Random random(5);
  const auto needles = text.draw(random);
  const std::vector<TokenId> haystack(2000, '.');
  const PasskeySample sample = text.place(needles, haystack);
  EXPECT_EQ(static_cast<std::int64_t>(sample.tokens.size()), needles.tokens + 2000);
  EXPECT_EQ(sample.tokens.front(), kByteBegin);
  const std::string all = byte_tokenizer()->decode({sample.tokens.begin() + 1, sample.tokens.end()});
  const std::size_t book = all.find("</book>");
  EXPECT_EQ(std::count(all.begin(), all.end(), '.'), 2002) << "haystack, and the ends of two sentences";
  std::size_t hidden = 0, asked = book;
  for (const char* which : {"first", "second", "tenth", "11th", "12th"}) {
    const std::string name = std::string(which) + " passkey to the vault";
    hidden = all.find("This is the " + name, hidden);
    ASSERT_LT(hidden, book) << which;
    const std::size_t colon = all.find(": ", hidden), end = all.find('\n', hidden);
    const std::string words = all.substr(colon + 2, end - colon - 2);
    asked = all.find("What is the " + name + "? It is: " + words + "\n", asked);
    EXPECT_NE(asked, std::string::npos) << which << ' ' << words;
  }
  for (const double depth : needles.depths) {
    EXPECT_GE(depth, 0.05);
    EXPECT_LE(depth, 0.95);
  }
  EXPECT_TRUE(std::is_sorted(needles.depths.begin(), needles.depths.end()));
  // The tail is labelled, from the first question on; of the paper's variant the answers alone.
  const auto labelled = static_cast<std::size_t>(std::count(sample.labels.begin(), sample.labels.end(), 1));
  EXPECT_EQ(labelled, all.size() - book - std::string("</book>\n").size());
  const PasskeySample answers =
      PasskeyText(byte_tokenizer(), kByteBegin, {.passkeys = 12, .words = 3, .tail = false})
          .place(needles, haystack);
  std::string words;
  for (std::size_t i = 0; i < answers.tokens.size(); ++i)
    if (answers.labels[i] != 0) words += static_cast<char>(answers.tokens[i]);
  std::string expected;
  for (const auto& answer : needles.answers) expected += byte_tokenizer()->decode(answer);
  EXPECT_EQ(words, expected);
  EXPECT_THROW(PasskeyText(byte_tokenizer(), -1, {.passkeys = 1001}), Error);
}

TEST(Needles, OccurOnceFarFromTheEndAndOtherKeysKeepTheirValues) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const NeedleShape shape{.length = 3000};
    const NeedleStream s = needle_stream(shape, Random(seed));
    ASSERT_EQ(s.tokens.size(), 3000u);
    ASSERT_EQ(s.needles.size(), 8u);
    EXPECT_EQ(s.tokens.front(), 0);
    std::int64_t before = 0;
    for (const Needle& n : s.needles) {
      EXPECT_EQ(std::count(s.tokens.begin(), s.tokens.end(), n.key), 1);
      EXPECT_EQ(s.tokens[static_cast<std::size_t>(n.at)], n.value);
      EXPECT_EQ(s.tokens[static_cast<std::size_t>(n.at) - 1], n.key);
      EXPECT_LE(n.at, 2600);
      EXPECT_GT(n.at, before);
      EXPECT_TRUE(shape.text.is_filler(n.filler));
      before = n.at;
    }
    std::map<std::int32_t, std::int32_t> value_of;
    std::int64_t known = 0;
    for (std::size_t t = 1; t < s.tokens.size(); ++t) {
      if (!shape.text.is_key(s.tokens[t - 1])) {
        EXPECT_EQ(s.known[t], 0);
        continue;
      }
      const auto [it, fresh] = value_of.emplace(s.tokens[t - 1], s.tokens[t]);
      EXPECT_EQ(it->second, s.tokens[t]) << "a key keeps its value";
      EXPECT_EQ(s.known[t] != 0, !fresh);
      known += s.known[t];
    }
    EXPECT_GT(known, 600);
    EXPECT_EQ(needle_stream(shape, Random(seed)).tokens, s.tokens);
  }
  EXPECT_THROW(needle_stream({.length = 400}, Random(1)), Error);
  EXPECT_THROW(needle_stream({.needles = 60}, Random(1)), Error);
}

}  // namespace
}  // namespace stream::llm
