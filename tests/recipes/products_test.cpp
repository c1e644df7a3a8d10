/// The recipes around COPE, from nothing: products are made up, learnt, indexed, and found in a live stream.
#include <gmock/gmock.h>

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

TEST_F(ProductRecipes, ProductsAreLearntIndexedAndFound) {
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
  const Outcome shown = stream({"product-show", "--seed", "1", "--set", "params.count=3"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(records_of(shown.out).size(), 3u);

  const Outcome indexed = stream({"index-products"});
  ASSERT_EQ(indexed.exit_code, 0) << indexed.err;
  EXPECT_THAT(indexed.err, ::testing::HasSubstr("1 missing-image"));
  EXPECT_THAT(contents(folder_ / "faults.jsonl"), ::testing::HasSubstr("gone.png"));
  EXPECT_EQ(number(records_of(contents(folder_ / "faults.jsonl")).back(), "line"), 13);
  EXPECT_EQ(number(records_of(indexed.out).back(), "pages"), 12);
  const Outcome found = stream({"find-products", "-i", "show.mkv"});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  const auto windows = records_of(found.out);
  EXPECT_GE(windows.size(), 12u);
  EXPECT_EQ(windows.back().as_object().find("products")->as_array().size(), 5u);
  EXPECT_FALSE(records_of(contents(folder_ / "changes.jsonl")).empty());
  const Outcome clip = stream({"find-products", "-i", "show.mkv", "--set", "params.emit=clip"});
  ASSERT_EQ(clip.exit_code, 0) << clip.err;
  EXPECT_EQ(records_of(clip.out).size(), 1u);
  const Outcome other =
      stream({"find-products", "-i", "show.mkv", "--set", "params.model=examples/product-space.h5"});
  EXPECT_EQ(other.exit_code, 78);
  EXPECT_THAT(other.err, ::testing::HasSubstr("was made with another model"));
}

TEST_F(ProductRecipes, WhatIsMissingIsNamed) {
  const Outcome nothing = stream({"train-products", "--set", "params.data=tables"});
  EXPECT_EQ(nothing.exit_code, 78);
  EXPECT_THAT(nothing.err, ::testing::HasSubstr("needs pages and clips"));
  const Outcome gone = stream({"index-products", "--set", "params.pages=gone.csv", "--set",
                               "params.model=examples/product-space.h5"});
  EXPECT_EQ(gone.exit_code, 66);
  EXPECT_THAT(gone.err, ::testing::HasSubstr("gone.csv"));
}

}  // namespace
}  // namespace stream::testing
