/// What records of turns may hold, and how one of several answers is picked.
#include <gmock/gmock.h>

#include <algorithm>

#include "llm/llm_generate.hpp"
#include "llm/memory_full.hpp"
#include "models.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::llm {
namespace {

using namespace testing;
using ::testing::HasSubstr;

Turn turn(const Object& record, bool text = true) {
  return turn_of(Packet::of<Record>(Time{0}, record), text ? byte_tokenizer().get() : nullptr, "<", ">");
}

TEST(Turn, TextsAreFramedAndIdsAreNot) {
  const Turn text = turn({{"text", "a"}, {"number", 7}});
  EXPECT_EQ(text.prompt, (std::vector<TokenId>{'<', 'a', '>'}));
  EXPECT_EQ(text.more, (Object{{"number", 7}}));
  EXPECT_FALSE(text.read_only);
  const Turn ids =
      turn({{"ids", Array{3, 4}}, {"choices", Array{Array{5}, Array{6, 7}}}, {"answer", 1}}, false);
  EXPECT_EQ(ids.prompt, (std::vector<TokenId>{3, 4}));
  EXPECT_EQ(ids.choices, (std::vector<std::vector<TokenId>>{{5}, {6, 7}}));
  EXPECT_EQ(ids.right, 1);
  EXPECT_TRUE(ids.labels.empty());
  EXPECT_TRUE(turn({{"text", "a"}, {"read", true}}).read_only);
}

TEST(Turn, WhatCannotBeIsNamed) {
  const auto fault = [](const Object& record, bool text = true) -> std::string {
    try {
      turn(record, text);
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_THAT(fault({{"txt", "a"}}), HasSubstr("text"));
  EXPECT_THAT(fault({{"text", "a"}}, false), HasSubstr("token ids only"));
  EXPECT_THAT(fault({{"ids", Array{-1}}}), HasSubstr("-1 is no token id"));
  EXPECT_THAT(fault({{"ids", Array{4294967296}}}), HasSubstr("is no token id"));
  EXPECT_THAT(fault({{"text", "a"}, {"choices", Array{}}}), HasSubstr("choices is empty"));
  EXPECT_THAT(fault({{"text", "a"}, {"choices", Array{""}}}), HasSubstr("without a token"));
  EXPECT_THAT(fault({{"text", "a"}, {"choices", Array{"b", Array{3}}}}), HasSubstr("one kind"));
  EXPECT_THAT(fault({{"text", "a"}, {"choices", Array{"b"}}, {"answer", 1}}), HasSubstr("answer is 1"));
  EXPECT_THAT(fault({{"text", "a"}, {"answer", 0}}), HasSubstr("answer is 0"));
}

TEST(Choices, ScoresAreLogProbabilitiesFromOnePastAndTheBestBecomesPartOfIt) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  write_language_model(path, random_model(small_config(), 6, 3));
  const auto decoder = std::make_shared<const Decoder>(read_language_model(path));
  const std::vector<std::vector<std::int32_t>> choices{{5}, {6, 7, 8}, {9, 4}};
  Array lists;
  for (const auto& choice : choices) lists.emplace_back(Array(choice.begin(), choice.end()));
  for (const char* scoring : {"sum", "mean"}) {
    const auto op = stream::testing::make<GenerateOperator>(
        {{"model", path}, {"memory", "full"}, {"max_tokens", 3}, {"scoring", scoring}});
    Session session(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
    std::vector<std::int32_t> said{0};  // the begin token
    std::vector<Packet> in;
    std::vector<std::size_t> best;
    std::vector<std::vector<double>> scores;
    for (int i = 0; i < 4; ++i) {
      Object record{{"ids", Array{3, 10 + i}}, {"choices", lists}, {"answer", 2}, {"number", i}};
      said.insert(said.end(), {3, 10 + i});
      if (i == 1) {
        in.push_back(Packet::of<Record>(Time{i}, Object{{"ids", Array{3, 11}}, {"read", true}}));
        continue;
      }
      in.push_back(Packet::of<Record>(Time{i}, record));
      scores.emplace_back();
      for (const auto& choice : choices) {
        Session fresh(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
        std::vector<std::int32_t> all = said;
        all.insert(all.end(), choice.begin(), choice.end());
        std::vector<float> nll;
        fresh.feed(all, {}, &nll);
        double score = 0;
        for (std::size_t t = said.size(); t < all.size(); ++t) score -= static_cast<double>(nll[t]);
        scores.back().push_back(scoring == std::string("mean") ? score / static_cast<double>(choice.size())
                                                               : score);
      }
      best.push_back(static_cast<std::size_t>(std::max_element(scores.back().begin(), scores.back().end()) -
                                              scores.back().begin()));
      said.insert(said.end(), choices[best.back()].begin(), choices[best.back()].end());
    }
    const auto out = stream::testing::run(*op, in, 3);
    ASSERT_EQ(out.packets[0].size(), 3u) << "what is only read is not answered";
    for (std::size_t i = 0; i < 3; ++i) {
      const Object& answer = out.packets[0][i].as<Record>().object();
      EXPECT_EQ(answer.find("choice")->as_integer(), static_cast<std::int64_t>(best[i]));
      EXPECT_EQ(answer.find("right")->as_bool(), best[i] == 2);
      EXPECT_EQ(answer.find("end")->as_string(), "choice");
      EXPECT_EQ(answer.find("number")->as_integer(), i == 0 ? 0 : static_cast<std::int64_t>(i + 1));
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_NEAR(answer.find("scores")->as_array()[c].as_double(), scores[i][c], 1e-4);
      const auto ids = out.packets[2][i].as<Tensor>().values<std::int32_t>();
      EXPECT_TRUE(std::ranges::equal(ids, choices[best[i]]));
    }
  }
}

}  // namespace
}  // namespace stream::llm
