#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "plan/render.hpp"
#include "test_operators.hpp"

namespace stream {
namespace {

/// A folder of recipes for one test.
class Include : public ::testing::Test {
 protected:
  Include() {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    dir_ = std::filesystem::temp_directory_path() /
           ("stream-include-" + name + "-" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_ / "sub");
  }
  ~Include() override { std::filesystem::remove_all(dir_); }
  void write(const std::string& name, const std::string& toml) { std::ofstream(dir_ / name) << toml; }
  test::Planned plan(const std::string& toml, const Overrides& o = {}) {
    return test::plan(toml, o, dir_.string());
  }
  /// Faults without the folder's name.
  std::string faults(const std::string& toml, const Overrides& o = {}) {
    std::string text = plan(toml, o).text();
    for (auto at = text.find(dir_.string()); at != std::string::npos; at = text.find(dir_.string()))
      text.erase(at, dir_.string().size() + 1);
    return text;
  }
  std::filesystem::path dir_;
};

const std::string kWhole =
    "[params]\nbeam = "
    "{default=4}\n[nodes.in]\nuse='src'\n[nodes.r]\nuse='recog'\nfrom='in'\nmodel='m'\nbeam='${params.beam}'"
    "\n"
    "[nodes.out]\nuse='out'\nfrom='r'\n";

TEST_F(Include, AWholeRecipeStaysAsItIs) {
  write("whole.toml", kWhole);
  const auto p = plan("[nodes.all]\ninclude='whole.toml'\nbeam=7\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(test::edges(p.plan), "all.in>all.r:audio all.r>all.out:record");
  EXPECT_EQ(p.plan.nodes[1].params.find("beam")->as_integer(), 7);
  EXPECT_EQ(p.plan.nodes[0].where.file, (dir_ / "whole.toml").string());
}

TEST_F(Include, FromReplacesTheSourceAndUseTheSink) {
  write("whole.toml", kWhole);
  const auto p = plan(
      "[nodes.mic]\nuse='src'\n[nodes.asr]\ninclude='whole.toml'\nfrom='mic'\n[nodes.s]\nuse='say'\nfrom='"
      "asr'\n[nodes.t]\nuse='text.out'\nfrom='s'\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(test::edges(p.plan), "mic>asr.r:audio asr.r>s:record s>t:text");
}

TEST_F(Include, FragmentsHaveOpenEnds) {
  write("part.toml",
        "input='m'\noutput='r'\n[nodes.m]\nuse='mix'\n[nodes.r]\nuse='recog'\nmodel='w'\nfrom='m'\n");
  const auto p = plan(
      "[nodes.a]\nuse='src'\n[nodes.b]\nuse='src'\n[nodes.x]\ninclude='part.toml'\nfrom={a='b',b='a'}\n"
      "[nodes.o]\nuse='out'\nfrom='x'\n[nodes.f]\nuse='sink'\nfrom='x.frames'\n[nodes.i]\nuse='sink'\nfrom='"
      "x.m'\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(test::edges(p.plan),
            "b>x.m:audio a>x.m.b:audio x.m>x.r:audio x.r>o:record x.r.frames>f:tensor x.m>i:audio");
  EXPECT_EQ(
      test::plan("input='m'\n[nodes.m]\nuse='mix'\n[nodes.o]\nuse='sink'\nfrom='m'\n").text().substr(0, 101),
      "<string>:2:1: error: node 'm' takes its input from a recipe that includes this one: it cannot run "
      "by ");
}

TEST_F(Include, ChainsOfIncludes) {
  write("gain.toml",
        "[nodes.in]\nuse='src'\n[nodes.k]\nuse='knobs'\nfrom='in'\n[nodes.out]\nuse='sink'\nfrom='k'\n");
  write("wire.toml", "[nodes.in]\nuse='src'\n[nodes.out]\nuse='sink'\nfrom='in'\n");
  const auto p = plan(
      "[nodes.s]\nuse='src'\n[nodes.a]\ninclude='gain.toml'\nfrom='s'\n[nodes.w]\ninclude='wire.toml'\nfrom='"
      "a'\n"
      "[nodes.b]\ninclude='gain.toml'\nfrom='w'\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(test::edges(p.plan), "s>a.k:audio a.k>b.k:audio b.k>b.out:audio");
}

TEST_F(Include, Nested) {
  write("sub/inner.toml", "[params]\nn={type='integer'}\n[nodes.k]\nuse='knobs'\ncount='${params.n}'\n");
  write("outer.toml", "[params]\nm={default=2}\n[nodes.in]\ninclude='sub/inner.toml'\nn='${params.m}'\n");
  const std::string top =
      "[nodes.s]\nuse='src'\n[nodes.x]\ninclude='outer.toml'\n[nodes.y]\ninclude='sub/"
      "inner.toml'\nfrom='s'\nn=1\n[nodes.o]\nuse='sink'\nfrom='y'\n";
  const auto p =
      plan("[nodes.s]\nuse='src'\n[nodes.y]\ninclude='outer.toml'\n[nodes.o]\nuse='sink'\nfrom='y.in'\n");
  EXPECT_NE(p.text().find("node 'y.in.k' has no input"), std::string::npos) << p.text();
  const auto q = plan(
      "[nodes.s]\nuse='src'\n[nodes.y]\ninclude='sub/"
      "inner.toml'\nfrom='s'\nn=1\n[nodes.o]\nuse='sink'\nfrom='y.k'\n",
      {{{"y.n", "5"}}, {}, {}});
  EXPECT_EQ(q.text(), "");
  EXPECT_EQ(q.plan.nodes[1].params.find("count")->as_integer(), 5);
  const auto r = plan(
      "[nodes.s]\nuse='src'\n[nodes.y]\ninclude='sub/"
      "inner.toml'\nfrom='s'\nn=1\n[nodes.o]\nuse='sink'\nfrom='y.k'\n",
      {{{"y.k.count", "6"}}, {}, {}});
  EXPECT_EQ(r.text(), "");
  EXPECT_EQ(r.plan.nodes[1].params.find("count")->as_integer(), 6);
}

TEST_F(Include, ExpandedItPlansToTheSame) {
  write("whole.toml", kWhole);
  const auto p = plan("[nodes.mic]\nuse='src'\n[nodes.asr]\ninclude='whole.toml'\nfrom='mic'\n");
  ASSERT_EQ(p.text(), "");
  const auto q = test::plan(to_toml(p.plan));
  EXPECT_EQ(q.text(), "") << to_toml(p.plan);
  EXPECT_EQ(test::edges(q.plan), "mic>asr.r:audio asr.r>asr.out:record");
  EXPECT_EQ(p.plan.digest(), q.plan.digest());
}

TEST_F(Include, FilesBesideTheIncludedRecipe) {
  write("sub/weights.h5", "x");
  write("sub/part.toml",
        "[nodes.in]\nuse='src'\n[nodes.r]\nuse='recog'\nfrom='in'\nmodel='weights.h5'\n[nodes.o]\nuse='out'"
        "\nfrom='r'\n");
  const auto p = plan("[nodes.x]\ninclude='sub/part.toml'\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(p.plan.nodes[1].params.find("model")->as_string(), (dir_ / "sub/weights.h5").string());
}

TEST_F(Include, FaultsStandInTheirOwnFile) {
  write("bad.toml", "[nodes.in]\nuse='scr'\n");
  EXPECT_EQ(faults("[nodes.x]\ninclude='bad.toml'\n").substr(0, 66),
            "bad.toml:2:5: error: unknown operator 'scr' (did you mean 'src'?)\n");
  write("whole.toml", kWhole);
  EXPECT_EQ(
      faults("[nodes.x]\ninclude='whole.toml'\nbaem=1\n"),
      "<string>:3:1: error: unknown parameter 'baem' (did you mean 'beam'?)\n    3 | baem=1\n      | ^\n");
  EXPECT_EQ(faults("[nodes.x]\ninclude='whole.toml'\nbeam='x'\n"),
            "<string>:3:6: error: 'beam' must be an integer, is string\n    3 | beam='x'\n      |      ^\n");
  EXPECT_EQ(faults("[nodes.x]\ninclude='nothing.toml'\n").substr(0, 63),
            "<string>:2:9: error: cannot include 'nothing.toml': there is no");
}

TEST_F(Include, Cycles) {
  write("a.toml", "[nodes.b]\ninclude='b.toml'\n");
  write("b.toml", "[nodes.a]\ninclude='a.toml'\n");
  EXPECT_EQ(faults("[nodes.x]\ninclude='a.toml'\n"),
            "b.toml:2:9: error: recipes include each other in a cycle: a.toml -> b.toml -> a.toml\n"
            "    2 | include='a.toml'\n      |         ^\n");
}

TEST_F(Include, ThatFeedEachOther) {
  write("wire.toml", "[nodes.in]\nuse='src'\n[nodes.out]\nuse='sink'\nfrom='in'\n");
  const auto p = plan(
      "[nodes.a]\ninclude='wire.toml'\nfrom='b'\n[nodes.b]\ninclude='wire.toml'\nfrom='a'\n[nodes.o]\nuse='"
      "sink'\nfrom='a'\n");
  EXPECT_NE(p.text().find("is fed by itself"), std::string::npos) << p.text();
}

TEST_F(Include, Bombs) {
  std::string last = "l0.toml";
  write(last, kWhole);
  for (int i = 1; i < 14; ++i) {
    const std::string name = "l" + std::to_string(i) + ".toml";
    write(name, "[nodes.a]\ninclude='" + last + "'\n[nodes.b]\ninclude='" + last + "'\n");
    last = name;
  }
  EXPECT_NE(plan("[nodes.x]\ninclude='" + last + "'\n").text().find("too many includes"), std::string::npos);
}

}  // namespace
}  // namespace stream
