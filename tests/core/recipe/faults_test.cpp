/// Each fault that a recipe may have: the whole text that its writer sees.
#include <gtest/gtest.h>

#include "test_operators.hpp"

namespace stream {
namespace {

using test::plan;

const std::string kSource = "[nodes.s]\nuse = \"src\"\n";
const std::string kSink = "[nodes.o]\nuse = \"sink\"\nfrom = \"s\"\n";

TEST(Faults, UnknownOperator) {
  EXPECT_EQ(plan(kSink + "[nodes.s]\nuse = \"scr\"\n").text(),
            "<string>:5:7: error: unknown operator 'scr' (did you mean 'src'?)\n"
            "    5 | use = \"scr\"\n"
            "      |       ^\n");
}

}  // namespace
}  // namespace stream
