/// Each fault that a recipe may have: the whole text that its writer sees.
#include <gtest/gtest.h>

#include "stream/error.hpp"
#include "test_operators.hpp"

namespace stream {
namespace {

using test::plan;

const std::string kSource = "[nodes.s]\nuse = \"src\"\n";
const std::string kSink = "[nodes.o]\nuse = \"sink\"\nfrom = \"s\"\n";
const std::string kSound = kSource + kSink;

/// The first lines of each fault, without quotation and caret.
std::string faults(const std::string& toml, const Overrides& overrides = {}) {
  const std::string text = plan(toml, overrides).text();
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.find(": error: ") != std::string::npos || line.find(": warning: ") != std::string::npos) {
      out += (line.rfind("<string>:", 0) == 0 ? line.substr(9) : line) + "\n";
    }
    at = end + 1;
  }
  return out;
}

TEST(Faults, ShowTheLineAndACaret) {
  EXPECT_EQ(plan(kSink + "[nodes.s]\nuse = \"scr\"\n").text(),
            "<string>:5:7: error: unknown operator 'scr' (did you mean 'src'?)\n"
            "    5 | use = \"scr\"\n"
            "      |       ^\n");
}

TEST(Faults, AllAtOnceInTheOrderOfTheFile) {
  EXPECT_EQ(faults("titel = 'x'\n[nodes.s]\nuse = 'src'\nrate = 0\n[nodes.k]\nuse = 'knobs'\nfrom = "
                   "'t'\nflagg = true\n"
                   "[nodes.o]\nuse = 'sink'\nfrom = 'k'\n"),
            "1:1: error: unknown key 'titel' (did you mean 'title'?)\n"
            "2:1: warning: nobody uses the output of node 's'\n"
            "4:8: error: 'rate' must be between 1 and 384000, is 0\n"
            "7:8: error: unknown node 't' (did you mean 's'?)\n"
            "8:1: error: unknown parameter 'flagg' of knobs (did you mean 'flag'?)\n");
}

TEST(Faults, CheckThrowsTheWholeText) {
  const auto p = plan("x = 1\n" + kSound);
  try {
    p.diagnostics.check();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadRecipe);
    EXPECT_EQ(std::string(e.what()) + "\n", p.text());
  }
  plan(kSound).diagnostics.check();
}

TEST(Faults, CaretCountsCharactersAndKeepsTabs) {
  EXPECT_EQ(plan(kSource + "[nodes.o]\nuse = \"sink\"\n\tfrom = [\"s\", \"é\", \"x1\"]\n").text(),
            "<string>:5:15: error: unknown node 'é' (nodes: s, o)\n"
            "    5 | \tfrom = [\"s\", \"é\", \"x1\"]\n"
            "      | \t             ^\n"
            "<string>:5:20: error: unknown node 'x1' (nodes: s, o)\n"
            "    5 | \tfrom = [\"s\", \"é\", \"x1\"]\n"
            "      | \t                  ^\n");
}

TEST(Faults, LongLinesAreCut) {
  const std::string text = plan("a = '" + std::string(5000, 'x') + "'\n" + kSound).text();
  EXPECT_LT(text.size(), 400u);
  EXPECT_NE(text.find("...\n      | ^\n"), std::string::npos) << text;
}

TEST(Faults, ControlCharactersDoNotReachTheTerminal) {
  const std::string text = plan("\"\\u001b[31m\" = 1\n" + kSound).text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("unknown key '\\x1b[31m'"), std::string::npos) << text;
}

TEST(Faults, TopLevel) {
  EXPECT_EQ(faults(""),
            "1:1: error: a recipe without nodes: it needs at least one [nodes.ID] with use = \"OPERATOR\"\n");
  EXPECT_EQ(faults("[nodes]\n"),
            "1:1: error: a recipe without nodes: it needs at least one [nodes.ID] with use = \"OPERATOR\"\n");
  EXPECT_EQ(faults("nodes = 3\n"),
            "1:9: error: 'nodes' must be a table of nodes, [nodes.ID], not an integer\n");
  EXPECT_EQ(faults("title = 3\n" + kSound), "1:9: error: 'title' must be a string, not an integer\n");
  EXPECT_EQ(faults("[node.s]\n" + kSound), "1:2: error: unknown key 'node': a node is written [nodes.ID]\n");
  EXPECT_EQ(faults("[limits]\npackets = 0\nbytes = 'x'\nfoo = 1\n" + kSound),
            "2:11: error: 'packets' must be at least 1\n"
            "3:9: error: 'bytes' must be an integer, not a string\n"
            "4:1: error: unknown key 'foo' in [limits] (keys: packets, bytes)\n");
  EXPECT_EQ(faults("output = 'so'\n" + kSound), "1:10: error: unknown node 'so' (did you mean 's'?)\n");
}

TEST(Faults, Nodes) {
  EXPECT_EQ(faults("[nodes]\nq = 1\n" + kSound.substr(0)),
            "2:5: error: node 'q' must be a table, [nodes.q], not an integer\n");
  EXPECT_EQ(faults("[nodes.'a b']\nuse='src'\n"),
            "1:8: error: 'a b' is no id for a node: up to 64 letters, digits, '-' and '_'\n");
  EXPECT_EQ(faults("[nodes.params]\nuse='src'\n"),
            "1:8: error: a node cannot be called 'params': --set params.NAME=VALUE would be ambiguous\n");
  EXPECT_EQ(faults("[nodes.s]\noperator='src'\n" + kSink),
            "1:1: error: node 's' has no operator: it needs use = \"OPERATOR\" (not 'operator')\n");
  EXPECT_EQ(faults("[nodes.s]\nuse = 3\n" + kSink),
            "2:7: error: 'use' must be a string, the name of an operator, not an integer\n");
  EXPECT_EQ(faults(kSound + "mode = 'liv'\non_error = 'ignore'\n"),
            "6:8: error: unknown mode 'liv' (did you mean 'live'?)\n"
            "7:12: error: unknown value 'ignore' of on_error (values: stop, skip, divert)\n");
}

TEST(Faults, DuplicateIds) {
  EXPECT_EQ(faults(kSound + "[nodes.s]\nuse='src'\n"),
            "6:1: error: cannot redefine existing table 'nodes.s'\n");
}

TEST(Faults, Operators) {
  EXPECT_EQ(faults(kSink + "[nodes.s]\nuse = 'text.wrong'\n"),
            "5:7: error: unknown operator 'text.wrong' (text.* has: text.out)\n");
  EXPECT_EQ(faults(kSink + "[nodes.s]\nuse = 'quite.else'\n"),
            "5:7: error: unknown operator 'quite.else'; `stream list operators` shows what there is\n");
}

TEST(Faults, Parameters) {
  const auto knobs = [](const std::string& line) {
    return faults(kSource + "[nodes.o]\nuse='sink'\nfrom='k'\n[nodes.k]\nuse='knobs'\nfrom='s'\n" + line +
                  "\n");
  };
  EXPECT_EQ(knobs("flag = 1"), "9:8: error: 'flag' must be true or false, is integer\n");
  EXPECT_EQ(knobs("count = 1.5"), "9:9: error: 'count' must be an integer, is number\n");
  EXPECT_EQ(knobs("count = 11"), "9:9: error: 'count' must be between 0 and 10, is 11\n");
  EXPECT_EQ(knobs("gain = 'loud'"), "9:8: error: 'gain' must be a number, is string\n");
  EXPECT_EQ(knobs("gain = nan"), "9:8: error: 'gain' must be a number\n");
  EXPECT_EQ(knobs("name = 3"), "9:8: error: 'name' must be a string, is integer\n");
  EXPECT_EQ(knobs("mood = 'wold'"),
            "9:8: error: 'mood' must be one of calm, wild; is 'wold' (did you mean 'wild'?)\n");
  EXPECT_EQ(knobs("sizes = [1, 'x']"), "9:9: error: 'sizes' element 1 must be an integer, is string\n");
  EXPECT_EQ(knobs("sizes = 1"), "9:9: error: 'sizes' must be a list, is integer\n");
  EXPECT_EQ(knobs("name = 2020-01-01"), "9:8: error: 'name': no parameter is a date or time\n");
  EXPECT_EQ(knobs("name.x = 1"), "9:1: error: 'name': no parameter is a table\n");
  EXPECT_EQ(knobs("sizes = [[1]]"), "9:10: error: 'sizes': no parameter is a list that holds an array\n");
  EXPECT_EQ(knobs("colour = 1"),
            "9:1: error: unknown parameter 'colour' of knobs (it has: flag, count, gain, name, mood, wait, "
            "sizes, weights, labels)\n");
}

TEST(Faults, MissingParameterPointsAtTheHeader) {
  EXPECT_EQ(faults(kSource + "[nodes.r]\nuse='recog'\nfrom='s'\n[nodes.o]\nuse='sink'\nfrom='r'\n"),
            "3:1: error: node 'r' needs model = ... (path: weights)\n");
}

TEST(Faults, Wiring) {
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\n"),
            "1:1: warning: nobody uses the output of node 's'\n"
            "3:1: error: node 'o' has no input: sink needs from = \"NODE\" (nodes: s)\n");
  EXPECT_EQ(faults(kSound + "[nodes.t]\nuse='src'\nfrom='s'\n[nodes.p]\nuse='sink'\nfrom='t'\n"),
            "8:1: error: node 't' takes no input: src is a source\n");
  EXPECT_EQ(faults(kSound + "[nodes.p]\nuse='sink'\nfrom='o'\n"),
            "8:6: error: node 'o' has no output: sink is a sink\n");
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom='s.outt'\n"),
            "5:6: error: node 's' has no output 'outt' (did you mean 'out'?)\n");
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom={inn='s'}\n"),
            "5:7: error: node 'o' has no input 'inn' (did you mean 'in'?)\n");
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom='s.errors'\n"),
            "5:6: error: node 's' diverts nothing: it needs on_error = \"divert\"\n");
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom=3\n"),
            "1:1: warning: nobody uses the output of node 's'\n"
            "5:6: error: 'from' must be \"NODE\", \"NODE.PORT\", a list of those, or a table PORT = "
            "\"NODE\", not an integer\n");
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom=['s',3]\n"),
            "5:11: error: 'from' must hold names of nodes, not an integer\n");
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom=['s','s']\n"),
            "5:11: warning: 's' is named twice: each packet arrives twice\n");
  EXPECT_EQ(faults(kSource + "[nodes.m]\nuse='mix'\nfrom='s'\n[nodes.o]\nuse='sink'\nfrom='m'\n"),
            "5:1: error: input 'b' (audio) of node 'm' is not connected\n");
  EXPECT_EQ(faults(kSource + "[nodes.m]\nuse='mix'\nfrom=['s','s','s']\n[nodes.o]\nuse='sink'\nfrom='m'\n"),
            "5:15: error: node 'm' has 2 inputs (a, b); nothing is left for this one\n");
  EXPECT_EQ(faults(kSource + "[nodes.g]\nuse='gate'\nfrom='s'\n[nodes.o]\nuse='sink'\nfrom='g'\n"), "")
      << "an optional input";
}

TEST(Faults, EmptyFrom) {
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='sink'\nfrom=[]\n"),
            "1:1: warning: nobody uses the output of node 's'\n"
            "5:6: error: 'from' is an empty list: it must name at least one node\n");
}

TEST(Faults, Types) {
  EXPECT_EQ(faults(kSource + "[nodes.o]\nuse='out'\nfrom='s'\n"),
            "5:6: error: types do not fit: 's.out' (src) gives audio, 'o.in' (out) takes record; between "
            "them could stand: recog\n");
  EXPECT_EQ(faults(kSource + "[nodes.p]\nuse='pass'\nfrom='s'\n[nodes.o]\nuse='text.out'\nfrom='p'\n"),
            "8:6: error: types do not fit: 'p.out' (pass) gives audio, 'o.in' (text.out) takes text\n");
}

TEST(Faults, Cycles) {
  EXPECT_EQ(faults(kSound + "[nodes.a]\nuse='pass'\nfrom=['s','c']\n[nodes.b]\nuse='pass'\nfrom='a'\n[nodes."
                            "c]\nuse='pass'\nfrom='b'\n"),
            "8:1: error: nodes feed each other in a cycle: a -> b -> c -> a (a loop must live inside one "
            "operator)\n");
  EXPECT_EQ(faults(kSound + "[nodes.a]\nuse='pass'\nfrom='a'\n"),
            "8:1: error: nodes feed each other in a cycle: a -> a (a loop must live inside one operator)\n");
}

TEST(Faults, NothingComesOut) {
  EXPECT_EQ(faults(kSource), "1:1: error: nothing comes out of this recipe: no node is a sink\n");
  EXPECT_EQ(faults(kSound + "[nodes.p]\nuse='pass'\nfrom='s'\n"),
            "6:1: warning: nobody uses the output of node 'p'\n");
  EXPECT_EQ(faults(kSource + "on_error='divert'\n" + kSink),
            "1:1: warning: nobody takes what node 's' diverts: from = \"s.errors\"\n");
}

TEST(Faults, TextThatIsNoToml) {
  EXPECT_EQ(faults(kSource + "from = \n").substr(0, 12), "3:8: error: ") << faults(kSource + "from = \n");
  EXPECT_EQ(faults(std::string("title = \"a\0\"\n", 13)),
            "1:11: error: NUL byte at offset 10: a recipe is a text file\n");
  EXPECT_EQ(faults("# caf\xe9\n"), "1:6: error: invalid UTF-8 at offset 5\n");
  EXPECT_EQ(faults("\n\xed\xa0\x80"), "2:1: error: invalid UTF-8 at offset 1\n");
  EXPECT_EQ(plan(std::string(2 << 20, '#')).text(),
            "<string>: error: larger than 1 MiB: this is no recipe\n");
  std::string deep = "a";
  for (int i = 0; i < 100000; ++i) deep += ".a";
  EXPECT_EQ(faults(deep + " = 1\n"), "1:34: error: a key of more than 16 parts\n");
  EXPECT_EQ(faults("x = " + std::string(100, '[') + std::string(100, ']')),
            "1:69: error: nested deeper than 64 levels\n");
  EXPECT_NE(faults("x = " + std::string(100000, '[')), "");
}

TEST(Faults, HugeRecipesAreRefusedQuickly) {
  std::string many;
  for (int i = 0; i < 30000; ++i) many += "[nodes.n" + std::to_string(i) + "]\nuse='zzz'\n";
  const auto p = plan(many);
  EXPECT_EQ(p.diagnostics.list().front().message, "a recipe of more than 1024 nodes");
  EXPECT_LT(p.text().size(), 20000u);
  std::string list = "'s'";
  for (int i = 0; i < 100000; ++i) list += ",'q" + std::to_string(i) + "'";
  EXPECT_NE(plan(kSource + "[nodes.o]\nuse='sink'\nfrom=[" + list + "]\n").text().find("more\n"),
            std::string::npos);
}

TEST(Faults, Tests) {
  EXPECT_EQ(
      faults(kSound + "[[test]]\ninput='a'\ntolerance=-1\nexpct='b'\n[[test]]\nexpect='b'\nparams={x=1}\n"),
      "6:1: error: a test needs expect = \"FILE\"\n"
      "8:11: error: 'tolerance' must not be negative\n"
      "9:1: error: unknown key 'expct' in [[test]] (did you mean 'expect'?)\n"
      "12:9: error: unknown parameter 'x'\n");
}

TEST(Faults, AFileThatIsNotThere) {
  Diagnostics d;
  plan_recipe("/nonexistent/recipe.toml", test::world(), {}, d);
  EXPECT_TRUE(d.has_errors());
  EXPECT_NE(d.text().find("/nonexistent/recipe.toml"), std::string::npos);
}

}  // namespace
}  // namespace stream
