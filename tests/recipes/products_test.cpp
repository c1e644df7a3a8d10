/// The recipes around COPE, from nothing: products are made up, learnt, indexed, and found in a live stream.
#include <gmock/gmock.h>

#include <map>

#include "program/program.hpp"
#include "program/records.hpp"

namespace stream::testing {
namespace {

class ProductRecipes : public ::testing::Test {
 protected:
  Outcome stream(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), {STREAM_BINARY_DIR "/bin/stream", "run"});
    arguments[2] = STREAM_SOURCE_DIR "/recipes/" + arguments[2] + ".toml";
    return run({.argv = std::move(arguments),
                .input = input,
                .folder = folder_.path(),
                .deadline = std::chrono::minutes(4)});
  }
  ScratchFolder folder_;
};

TEST_F(ProductRecipes, ProductsAreLearntAndIndexed) {
  const Outcome trained = stream({"train-products", "--seed", "1", "--set", "params.products=60", "--set",
                                  "params.unseen=20", "--set", "params.epochs=1"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto lines = records_of(trained.out);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].as_object().find("test")->as_object().find("rank1")->as_object().size(), 7u);

  const Outcome pages = stream({"product-pages", "--seed", "1", "--set", "params.count=12"});
  ASSERT_EQ(pages.exit_code, 0) << pages.err;
  write_contents(folder_ / "pages.jsonl",
                 pages.out + "{\"id\": \"p1\", \"title\": \"\", \"image\": \"gone.png\"}\n");
  const Outcome indexed = stream({"index-products", "--set", "params.model=cope.h5"});
  ASSERT_EQ(indexed.exit_code, 0) << indexed.err;
  EXPECT_THAT(indexed.err, ::testing::HasSubstr("1 missing-image"));
  EXPECT_THAT(contents(folder_ / "faults.jsonl"), ::testing::HasSubstr("gone.png"));
  EXPECT_EQ(number(records_of(contents(folder_ / "faults.jsonl")).back(), "line"), 13);
  EXPECT_EQ(number(records_of(indexed.out).back(), "pages"), 12);
  const Outcome shown = stream({"product-show", "--seed", "1", "--set", "params.count=1"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  const Outcome other = stream({"find-products", "-i", "show.mkv"});
  EXPECT_EQ(other.exit_code, 78);
  EXPECT_THAT(other.err, ::testing::HasSubstr("was made with another model"));
}

/// The model that ships, on products that its training did not see, among a hundred pages.
TEST_F(ProductRecipes, ProductsAreFound) {
  const Outcome pages = stream({"product-pages", "--seed", "1"});
  ASSERT_EQ(pages.exit_code, 0) << pages.err;
  write_contents(folder_ / "pages.jsonl", pages.out);
  const Outcome indexed = stream({"index-products"});
  ASSERT_EQ(indexed.exit_code, 0) << indexed.err;
  EXPECT_EQ(number(records_of(indexed.out).back(), "pages"), 100);
  for (const auto& [domain, least] : {std::pair{"video", 14}, std::pair{"live", 6}}) {
    const std::string set = std::string("params.domain=") + domain;
    const Outcome shown = stream({"product-show", "--seed", "1", "--set", set, "--set", "params.count=20"});
    ASSERT_EQ(shown.exit_code, 0) << shown.err;
    const Outcome found = stream({"find-products", "-i", "show.mkv", "--set", set});
    ASSERT_EQ(found.exit_code, 0) << found.err;
    // Whatever the last window of each product holds is of it, or of it and the end of the one before.
    std::map<double, std::string> best;
    for (const Value& window : records_of(found.out)) {
      const Array& products = window.as_object().find("products")->as_array();
      EXPECT_EQ(products.size(), 5u);
      best[number(window, "t1")] = products[0].as_array()[0].as_string();
    }
    int right = 0;
    for (const Value& truth : records_of(shown.out)) {
      const auto last = best.lower_bound(number(truth, "t1") - 0.5);
      right += last != best.end() && last->second == truth.as_object().find("id")->as_string() ? 1 : 0;
    }
    EXPECT_GE(right, least) << domain;
    EXPECT_FALSE(records_of(contents(folder_ / "changes.jsonl")).empty());
  }
  const Outcome clip = stream({"find-products", "-i", "show.mkv", "--set", "params.emit=clip"});
  ASSERT_EQ(clip.exit_code, 0) << clip.err;
  EXPECT_EQ(records_of(clip.out).size(), 1u);
}

TEST_F(ProductRecipes, WhatIsMissingIsNamed) {
  const Outcome nothing = stream({"train-products", "--set", "params.data=tables"});
  EXPECT_EQ(nothing.exit_code, 78);
  EXPECT_THAT(nothing.err, ::testing::HasSubstr("needs pages and clips"));
  const Outcome gone = stream({"index-products", "--set", "params.pages=gone.csv"});
  EXPECT_EQ(gone.exit_code, 66);
  EXPECT_THAT(gone.err, ::testing::HasSubstr("gone.csv"));
}

}  // namespace
}  // namespace stream::testing
