/// [params], placeholders, the environment, and what the command line overrides.
#include <gtest/gtest.h>

#include <cstdlib>

#include "test_operators.hpp"

namespace stream {
namespace {

using test::plan;

std::string recipe(const std::string& params, const std::string& knobs) {
  return "[nodes.s]\nuse='src'\n[nodes.k]\nuse='knobs'\nfrom='s'\n" + knobs +
         "\n[nodes.o]\nuse='sink'\nfrom='k'\n[params]\n" + params + "\n";
}

/// The parameter of the node `k` as JSON, or what is wrong with the recipe.
std::string given(const std::string& params, const std::string& knobs, const std::string& name,
                  const Overrides& o = {}) {
  const auto p = plan(recipe(params, knobs), o);
  if (!p.text().empty()) return p.text();
  const Value* v = p.plan.nodes[p.plan.find("k")].params.find(name);
  return v ? v->dump() : "absent";
}

Overrides set(std::string key, std::string value) { return {{{std::move(key), std::move(value)}}, {}, {}}; }

TEST(Params, OnErrorOfTheCommandLineIsForEveryNodeThatDoesNotDivert) {
  Overrides o;
  o.on_error = "skip";
  o.set = {{"o.on_error", "stop"}};
  const auto p = plan(
      "[nodes.s]\nuse='src'\n[nodes.k]\nuse='knobs'\nfrom='s'\n[nodes.d]\nuse='knobs'\nfrom='s'\non_error='"
      "divert'\n"
      "[nodes.o]\nuse='sink'\nfrom=['k','d','d.errors']\n",
      o);
  ASSERT_EQ(p.text(), "");
  EXPECT_EQ(p.plan.nodes[p.plan.find("k")].on_error, OnError::kSkip);
  EXPECT_EQ(p.plan.nodes[p.plan.find("d")].on_error, OnError::kDivert);
  EXPECT_EQ(p.plan.nodes[p.plan.find("o")].on_error, OnError::kStop) << "--set says more";
}

TEST(Params, PlaceholderAloneKeepsTheType) {
  EXPECT_EQ(given("n = {type='integer', default=4}", "count = '${params.n}'", "count"), "4");
  EXPECT_EQ(given("n = {default=[1.5,2]}", "weights = '${params.n}'", "weights"), "[1.5, 2]");
  EXPECT_EQ(given("n = {type='boolean', default=true}", "flag = '${params.n}'", "flag"), "true");
}

TEST(Params, PlaceholderInsideTextIsText) {
  EXPECT_EQ(given("a = {default='x'}\nn = {default=7}", "name = 'p-${params.a}${params.n}.h5'", "name"),
            "\"p-x7.h5\"");
  EXPECT_EQ(given("a = {default='x'}", "labels = ['${params.a}', 'b']", "labels"), "[\"x\", \"b\"]");
  EXPECT_EQ(given("a = {default='x'}", "name = '$${params.a}'", "name"), "\"${params.a}\"");
  EXPECT_EQ(given("a = {default='${params.b}'}\nb={default='y'}", "name = '${params.a}'", "name"),
            "\"${params.b}\"")
      << "once only";
}

TEST(Params, PlaceholdersNameOperatorsAndNodesToo) {
  const auto p = plan(
      "[params]\nop={default='sink'}\nn={default='s'}\n[nodes.s]\nuse='src'\n[nodes.o]\nuse='${params.op}'"
      "\nfrom='${params.n}'\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(test::edges(p.plan), "s>o:audio");
}

TEST(Params, CommandLineComesBeforeDefault) {
  const std::string n = "n = {type='integer', default=4, range=[1, 5]}";
  EXPECT_EQ(given(n, "count = '${params.n}'", "count", set("params.n", "5")), "5");
  EXPECT_EQ(given(n, "count = '${params.n}'", "count", set("params.n", "6")),
            "--set params.n: error: 'n' must be between 1 and 5, is 6\n");
  EXPECT_EQ(given(n, "count = '${params.n}'", "count", set("params.n", "x")),
            "--set params.n: error: 'n' must be an integer, is string\n");
  EXPECT_EQ(given(n, "", "count", set("params.m", "6")),
            "--set params.m: error: unknown parameter 'm' (did you mean 'n'?)\n");
}

TEST(Params, EnvironmentComesBetween) {
  ::setenv("STREAM_TEST_N", "9", 1);
  const std::string n = "n = {type='integer', default=4, env='STREAM_TEST_N'}";
  EXPECT_EQ(given(n, "count = '${params.n}'", "count"), "9");
  EXPECT_EQ(given(n, "count = '${params.n}'", "count", set("params.n", "2")), "2");
  ::setenv("STREAM_TEST_N", "many", 1);
  EXPECT_EQ(given(n, "count = '${params.n}'", "count"),
            "$STREAM_TEST_N: error: 'n' must be an integer, is string\n");
  ::unsetenv("STREAM_TEST_N");
  EXPECT_EQ(given(n, "count = '${params.n}'", "count"), "4");
}

TEST(Params, Faults) {
  const auto first = [](const std::string& params, const std::string& knobs = "") {
    const std::string text = given(params, knobs, "count");
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first("n = 3"),
            "<string>:11:5: error: parameter 'n' is declared with a table, as in n = { type = \"string\", "
            "default = \"...\", doc = \"...\" }, not with an integer");
  EXPECT_EQ(first("n = {}"), "<string>:11:1: error: parameter 'n' needs a 'type' or a 'default'");
  EXPECT_EQ(first("n = {type='intger', default=1}"),
            "<string>:11:11: error: unknown type 'intger' (did you mean 'integer'?)");
  EXPECT_EQ(first("n = {type='integer', default='x'}"),
            "<string>:11:30: error: 'n' must be an integer, is string");
  EXPECT_EQ(first("n = {default=1, range=[3,2]}"),
            "<string>:11:23: error: 'range' is empty: the lowest comes first");
  EXPECT_EQ(first("n = {default='a', choices=[]}"),
            "<string>:11:27: error: 'choices' must be a list of strings");
  EXPECT_EQ(first("n = {default=1, defualt=1}"),
            "<string>:11:17: error: unknown key 'defualt' in parameter 'n' (did you mean 'default'?)");
  EXPECT_EQ(first("n = {type='integer'}"),
            "<string>:11:1: error: parameter 'n' has no value: give --set params.n=VALUE");
  EXPECT_EQ(first("n = {type='integer', env='NOT_SET_ANYWHERE'}"),
            "<string>:11:1: error: parameter 'n' has no value: give --set params.n=VALUE, or set "
            "$NOT_SET_ANYWHERE");
  EXPECT_EQ(first("n = {default=2}", "count = '${params.m}'"),
            "<string>:6:9: error: unknown parameter 'params.m' (did you mean 'n'?)");
  EXPECT_EQ(first("", "count = '${params.m}'"),
            "<string>:6:9: error: unknown parameter 'params.m' (declare it in [params])");
  EXPECT_EQ(first("", "name = '${env.HOME}'"),
            "<string>:6:8: error: '${env.HOME}': only ${params.NAME} is replaced; a parameter may "
            "have env = \"VARIABLE\" (write '$${' for a plain '${')");
  EXPECT_EQ(first("", "name = '${params.m'"),
            "<string>:6:8: error: '${' without '}' (write '$${' for a plain '${')");
}

TEST(Params, AFaultyParameterIsReportedOnce) {
  const auto p = plan(recipe("n = {type='integer', default='x'}", "count = '${params.n}'"));
  EXPECT_EQ(p.diagnostics.list().size(), 1u);
}

TEST(Params, ValueOfTheWrongTypeIsFoundWhereItIsUsed) {
  EXPECT_EQ(given("n = {default='four'}", "count = '${params.n}'", "count").substr(0, 66),
            "<string>:6:9: error: 'count' must be an integer, is string\n    6 |");
}

TEST(Overrides, OfNodesAreTypedByTheSpec) {
  EXPECT_EQ(given("", "count = 1", "count", set("k.count", "2")), "2");
  EXPECT_EQ(given("", "", "gain", set("k.gain", "-1.5")), "-1.5");
  EXPECT_EQ(given("", "", "flag", set("k.flag", "true")), "true");
  EXPECT_EQ(given("", "", "name", set("k.name", "true")), "\"true\"");
  EXPECT_EQ(given("", "", "wait", set("k.wait", "250ms")), "\"250ms\"");
  EXPECT_EQ(given("", "", "sizes", set("k.sizes", "1,2,3")), "[1, 2, 3]");
  EXPECT_EQ(given("", "", "sizes", set("k.sizes", "[4]")), "[4]");
  EXPECT_EQ(given("", "", "labels", set("k.labels", "a,b c")), "[\"a\", \"b c\"]");
  EXPECT_EQ(given("", "", "labels", set("k.labels", "")), "[]");
}

TEST(Overrides, Faults) {
  EXPECT_EQ(given("", "", "", set("k.count", "2x")),
            "--set k.count: error: 'count' must be an integer, is string\n");
  EXPECT_EQ(given("", "", "", set("k.flag", "yes")),
            "--set k.flag: error: 'flag' must be true or false, is string\n");
  EXPECT_EQ(given("", "", "", set("k.sizes", "1,x")),
            "--set k.sizes: error: 'sizes' element 1 must be an integer, is string\n");
  EXPECT_EQ(given("", "", "", set("k.cuont", "2")),
            "--set k.cuont: error: unknown parameter 'cuont' of knobs (did you mean 'count'?)\n");
  EXPECT_EQ(given("", "", "", set("q.count", "2")),
            "--set q.count: error: unknown node 'q' (did you mean 's'?)\n");
  EXPECT_EQ(given("", "", "", set("count", "2")),
            "--set: error: 'count': expected NODE.PARAM=VALUE or params.NAME=VALUE\n");
  EXPECT_EQ(given("", "", "", set("k.from", "o")),
            "--set k.from: error: 'from' can only be set in the recipe\n");
}

TEST(Overrides, ModeAndErrorPolicy) {
  const auto p = plan(recipe("", ""), {{{"k.mode", "live"}, {"o.on_error", "skip"}}, {}, {}});
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(test::edges(p.plan), "s~>k:audio k>o:audio");
  EXPECT_EQ(p.plan.nodes[2].on_error, OnError::kSkip);
}

TEST(Overrides, InputAndOutputSetPaths) {
  const std::string toml =
      "[nodes.s]\nuse='src'\n[nodes.r]\nuse='recog'\nfrom='s'\nmodel='m'\n[nodes.o]\nuse='out'\nfrom='r'"
      "\npath='x'\n";
  const auto p = plan(toml, {{}, "in.wav", "out.jsonl"});
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(p.plan.nodes[0].params.find("path")->as_string(), "in.wav");
  EXPECT_EQ(p.plan.nodes[2].params.find("path")->as_string(), "out.jsonl");
}

TEST(Overrides, InputOfSeveralMustBeNamed) {
  const std::string two =
      "[nodes.a]\nuse='src'\n[nodes.b]\nuse='src'\n[nodes.o]\nuse='sink'\nfrom=['a','b']\n";
  EXPECT_EQ(plan(two, {{}, "x", {}}).text(),
            "-i: error: the recipe has several sources (a, b): say which with input = \"NODE\" in it, or use "
            "--set NODE.path=FILE\n");
  const auto p = plan("input='b'\n" + two, {{}, "x", {}});
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(p.plan.nodes[1].params.find("path")->as_string(), "x");
  EXPECT_EQ(plan(two, {{}, {}, "y"}).text(), "-o: error: node 'o' (sink) has no path to set\n");
}

}  // namespace
}  // namespace stream
