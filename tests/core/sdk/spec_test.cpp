#include "stream/spec.hpp"

#include <gmock/gmock.h>

#include "stream/error.hpp"
#include "stream/random.hpp"

namespace stream {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Duration, IsWrittenInTheShortestFormThatReadsBack) {
  EXPECT_EQ(to_string(0ns), "0s");
  EXPECT_EQ(to_string(7ns), "7ns");
  EXPECT_EQ(to_string(1500us), "1500us");
  EXPECT_EQ(to_string(480ms), "480ms");
  EXPECT_EQ(to_string(1500ms), "1.5s");
  EXPECT_EQ(to_string(1000125us), "1.000125s");
  EXPECT_EQ(to_string(-1000125us), "-1.000125s");
  EXPECT_EQ(to_string(61s + 1ns), "61.000000001s");
  EXPECT_EQ(to_string(90min), "90m");
  EXPECT_EQ(to_string(2h), "2h");
}

TEST(Duration, EveryOneReadsBackToItself) {
  Random random(1);
  for (int i = 0; i < 200'000; ++i) {
    // Of every size from a nanosecond to the end of time, round and not.
    auto ns = static_cast<std::int64_t>(random() >> (1 + random.below(62)));
    if (random.below(2) == 0) ns -= ns % 1'000;
    if (random.below(2) == 0) ns = -ns;
    ASSERT_EQ(parse_duration(to_string(Duration{ns})).count(), ns) << to_string(Duration{ns});
  }
}

TEST(Spec, RefusesParametersThatNoRecipeCouldSet) {
  for (const char* key : {"use", "from", "mode", "on_error", "doc", "include"}) {
    try {
      Spec("x.y", "Test.").param(key, 1, "a number");
      ADD_FAILURE() << key << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadRecipe);
      EXPECT_THAT(e.what(),
                  HasSubstr(std::string("operator x.y has a parameter '") + key + "', which is a key"));
    }
  }
  EXPECT_NO_THROW(Spec("x.y", "Test.").param("model", 1, "a number"));
}

}  // namespace
}  // namespace stream
