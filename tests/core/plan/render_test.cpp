#include "plan/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "test_operators.hpp"

namespace stream {
namespace {

using test::plan;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kForked = R"(
title = "Speech & <noise>"
about = "Two\nlines"
output = "words"
[limits]
packets = 7
[nodes.left]
use = "src"
path = "odd \"name\".wav"
[nodes.right]
use = "src"
[nodes.sum]
use = "mix"
from = { b = "right", a = "left" }
[nodes.knobs]
use = "knobs"
from = "sum"
flag = true
gain = 2
name = "$${not.a.param}"
weights = [1, 0.25]
sizes = [3]
labels = ["a", "b\\c"]
wait = "5ms"
[nodes.asr]
use = "recog"
from = "knobs"
model = "m"
on_error = "divert"
[nodes.words]
use = "out"
from = "asr"
[nodes.frames]
use = "sink"
from = ["asr.frames", "asr.errors", "left"]
mode = "live"
[[test]]
input = "/a"
expect = "/b"
tolerance = 0.5
)";

TEST(Toml, PlansToTheSameAgain) {
  const auto first = plan(kForked);  // warns of what is live beside what is not
  ASSERT_FALSE(first.diagnostics.has_errors()) << first.text();
  const std::string toml = to_toml(first.plan);
  const auto second = plan(toml);
  ASSERT_FALSE(second.diagnostics.has_errors()) << toml << second.text();
  EXPECT_EQ(to_toml(second.plan), toml);
  EXPECT_EQ(first.plan.digest(), second.plan.digest());
  EXPECT_EQ(test::edges(first.plan), test::edges(second.plan));
  EXPECT_EQ(test::chains(first.plan), test::chains(second.plan));
  EXPECT_EQ(second.plan.title, "Speech & <noise>");
  EXPECT_EQ(second.plan.about, "Two\nlines");
  EXPECT_EQ(second.plan.max_packets, 7u);
  EXPECT_EQ(second.plan.nodes[second.plan.output_node].id, "words");
  EXPECT_EQ(second.plan.nodes[second.plan.find("knobs")].params.find("name")->as_string(), "${not.a.param}");
  ASSERT_EQ(second.plan.tests.size(), 1u);
  EXPECT_EQ(second.plan.tests[0].tolerance, 0.5);
}

TEST(Dot, NamesNodesEdgesAndChains) {
  const std::string dot = to_dot(plan(kForked).plan);
  EXPECT_THAT(dot, HasSubstr("label = \"Speech & <noise>\""));
  EXPECT_THAT(dot, HasSubstr("\"asr\" [label = \"asr\\nrecog\", penwidth = 2]"));
  EXPECT_THAT(dot, HasSubstr("\"asr\" -> \"frames\" [label = \"frames: tensor\", style = dashed]"));
  EXPECT_THAT(dot, HasSubstr("\"asr\" -> \"frames\" [label = \"errors\", style = dashed, color = red]"));
  EXPECT_THAT(dot, HasSubstr("subgraph cluster_"));
}

TEST(Mermaid, NamesNodesAndEdges) {
  EXPECT_EQ(to_mermaid(plan("[nodes.a]\nuse='src'\n[nodes.b]\nuse='sink'\nfrom='a'\nmode='live'\n").plan),
            "flowchart LR\n  n0([\"a<br/>src\"])\n  n1([\"b<br/>sink\"])\n  n0 -.->|\"audio\"| n1\n");
}

TEST(Svg, ShowsEveryNodeOnceAndEscapes) {
  const auto p = plan(kForked);
  const std::string svg = to_svg(p.plan);
  EXPECT_EQ(svg.find("<svg "), 0u);
  EXPECT_THAT(svg, HasSubstr("Speech &amp; &lt;noise&gt;"));
  for (const auto& n : p.plan.nodes) EXPECT_THAT(svg, HasSubstr(">" + n.id + "</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  std::size_t paths = 0;
  for (auto at = svg.find("marker-end"); at != std::string::npos; at = svg.find("marker-end", at + 1))
    ++paths;
  EXPECT_EQ(paths, p.plan.edges.size());
  if (const char* file = std::getenv("STREAM_TEST_SVG")) std::ofstream(file) << svg;
}

TEST(Render, AnEmptyPlanIsNoTrouble) {
  EXPECT_THAT(to_svg(Plan{}), HasSubstr("</svg>"));
  EXPECT_EQ(to_mermaid(Plan{}), "flowchart LR\n");
  EXPECT_THAT(to_dot(Plan{}), HasSubstr("digraph"));
}

}  // namespace
}  // namespace stream
