/// Whatever stands in a recipe, planning it neither throws nor crashes, and says why when there is no plan.
#include <gtest/gtest.h>

#include "plan/render.hpp"
#include "stream/random.hpp"
#include "test_operators.hpp"

namespace stream {
namespace {

const char* const kSeeds[] = {
    "title = \"T\"\ninput = 's'\n[params]\nn = {type='integer', default=4, range=[1,9], doc='d', "
    "env='STREAM_NONE'}\n"
    "[limits]\npackets = "
    "5\n[nodes.s]\nuse='src'\npath='-'\n[nodes.k]\nuse='knobs'\nfrom='s'\ncount='${params.n}'\nmood='wild'\n"
    "wait='1s'\nsizes=[1,2]\non_error='divert'\n[nodes.o]\nuse='sink'\nfrom=['k','k.errors']\nmode='live'\n[["
    "test]]\nexpect='x'\nparams={n=2}\n",
    "[nodes.a]\nuse='src'\n[nodes.b]\nuse='src'\n[nodes.m]\nuse='mix'\nfrom={a='a',b='b'}\n[nodes.r]\nuse='"
    "recog'\nmodel=\"\"\"w\"\"\"\n"
    "from='m'\n[nodes.o]\nuse='out'\nfrom='r'\n[nodes.f]\nuse='sink'\nfrom='r.frames'\n",
};
const char* const kPieces[] = {"[nodes.",
                               "]",
                               "\n",
                               "from=",
                               "use=",
                               "'s'",
                               "'",
                               "\"",
                               "\"\"\"",
                               "=",
                               ".",
                               "{",
                               "}",
                               "[[",
                               "${params.n}",
                               "${",
                               "$${",
                               "include='x'",
                               "1979-05-27T07:32:00Z",
                               "nan",
                               "-inf",
                               "0x",
                               "1e999",
                               "9223372036854775808",
                               "#",
                               "\\u0000",
                               "\xff",
                               "\xc3\xa9",
                               "[params]",
                               "s",
                               "k",
                               "errors",
                               "true",
                               ",",
                               "a.b.c=1\n",
                               "[nodes.\"a.b\"]\n"};

std::string mutated(std::string text, Random& random) {
  const std::uint64_t most = random.below(2) == 0 ? 1 : 6;
  for (std::uint64_t edits = 1 + random.below(most); edits > 0; --edits) {
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t size = std::min<std::size_t>(random.below(12), text.size() - at);
    switch (random.below(4)) {
      case 0:
        text.erase(at, size);
        break;
      case 1:
        text.insert(at, kPieces[random.below(std::size(kPieces))]);
        break;
      case 2:
        text.insert(at, text.substr(random.below(text.size() + 1), random.below(60)));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(random.below(256));
    }
  }
  return text;
}

TEST(Mutations, NeverThrow) {
  Random random(7);
  int sound = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutated(kSeeds[random.below(std::size(kSeeds))], random);
    SCOPED_TRACE(text);
    Overrides overrides;
    if (random.below(16) == 0) overrides.set.emplace_back("k.count", "3");
    if (random.below(16) == 0) overrides.input = "in";
    test::Planned p;
    ASSERT_NO_THROW(p = test::plan(text, overrides));
    ASSERT_NO_THROW(p.text());
    if (p.diagnostics.has_errors()) continue;
    ++sound;
    ASSERT_FALSE(p.plan.nodes.empty());
    const std::string flat = to_toml(p.plan);
    const auto again = test::plan(flat);
    ASSERT_FALSE(again.diagnostics.has_errors()) << flat << again.text();
    ASSERT_EQ(again.plan.digest(), p.plan.digest()) << flat;
    ASSERT_NO_THROW(to_svg(p.plan));
  }
  EXPECT_GT(sound, 400) << "mutations that only break things test little";
}

TEST(Mutations, SeedsAreSound) {
  for (const char* seed : kSeeds)
    EXPECT_FALSE(test::plan(seed).diagnostics.has_errors()) << test::plan(seed).text();
}

}  // namespace
}  // namespace stream
