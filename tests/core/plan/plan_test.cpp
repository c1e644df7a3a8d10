#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_operators.hpp"

namespace stream {
namespace {

using test::chains;
using test::edges;
using test::plan;
using ::testing::HasSubstr;

TEST(Plan, HoldsNodesEdgesAndChains) {
  const auto p = plan(R"(
title = "Captions"
about = "Words."
[nodes.speech]
use = "src"
[nodes.asr]
use = "recog"
from = "speech"
model = "m.h5"
[nodes.words]
use = "out"
from = "asr"
)");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(p.plan.title, "Captions");
  EXPECT_EQ(p.plan.about, "Words.");
  EXPECT_EQ(p.plan.file, "<string>");
  EXPECT_EQ(edges(p.plan), "speech>asr:audio asr>words:record");
  EXPECT_EQ(chains(p.plan), "speech|asr words");
  EXPECT_EQ(p.plan.input_node, 0u);
  EXPECT_EQ(p.plan.output_node, 2u);
  EXPECT_EQ(p.plan.nodes[1].params.find("model")->as_string(), "m.h5");
  EXPECT_EQ(p.plan.find("asr"), 1u);
  EXPECT_EQ(p.plan.find("nobody"), Plan::npos);
}

TEST(Plan, OrderIsTopologicalAndElseTheFiles) {
  const auto p = plan(R"(
[nodes.z]
use = "sink"
from = ["y", "b"]
[nodes.y]
use = "pass"
from = "x"
[nodes.x]
use = "src"
[nodes.b]
use = "pass"
from = "a"
[nodes.a]
use = "src"
)");
  EXPECT_EQ(p.text(), "");
  std::string order;
  for (const auto& n : p.plan.nodes) order += n.id;
  EXPECT_EQ(order, "xyabz");
  EXPECT_EQ(edges(p.plan), "x>y:audio a>b:audio y>z:audio b>z:audio");
}

TEST(Plan, ListFillsPortsInOrderAndTableNamesThem) {
  const std::string nodes =
      "[nodes.l]\nuse='src'\n[nodes.r]\nuse='src'\n[nodes.o]\nuse='sink'\nfrom='m'\n[nodes.m]\nuse='mix'\n";
  EXPECT_EQ(edges(plan(nodes + "from=['l','r']").plan), "l>m:audio r>m.b:audio m>o:audio");
  EXPECT_EQ(edges(plan(nodes + "from={b='l',a='r'}").plan), "r>m:audio l>m.b:audio m>o:audio");
  EXPECT_EQ(edges(plan(nodes + "from={b=['l','r'],a='r'}").plan),
            "r>m:audio l>m.b:audio r>m.b:audio m>o:audio");
}

TEST(Plan, NamedPortsErrorsAndLiveEdges) {
  const auto p = plan(R"(
[nodes.s]
use = "src"
[nodes.r]
use = "recog"
from = "s"
model = "m"
on_error = "divert"
[nodes.frames]
use = "sink"
from = "r.frames"
mode = "live"
[nodes.bad]
use = "sink"
from = "r.errors"
)");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(edges(p.plan), "s>r:audio r.frames~>frames:tensor r.errors>bad:audio");
  EXPECT_EQ(p.plan.nodes[1].on_error, OnError::kDivert);
}

TEST(Plan, WhatTakesEverythingHoldsBackWhatIsLive) {
  const auto p = plan(R"(
[nodes.s]
use = "src"
[nodes.whole]
use = "sink"
from = "s"
[nodes.preview]
use = "sink"
from = "s"
mode = "live"
)");
  EXPECT_FALSE(p.diagnostics.has_errors());
  EXPECT_THAT(p.text(),
              HasSubstr("<string>:9:8: warning: 'preview' takes 's' live, but 'whole' takes all of it"));
}

TEST(Plan, AnyPassesOnTheTypeOfItsInput) {
  const auto p = plan(
      "[nodes.s]\nuse='src'\n[nodes.p]\nuse='pass'\nfrom='s'\n[nodes.q]\nuse='pass'\nfrom='p'\n[nodes.o]"
      "\nuse='sink'\nfrom='q'\n");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(edges(p.plan), "s>p:audio p>q:audio q>o:audio");
  EXPECT_EQ(chains(p.plan), "s p q o");
}

TEST(Chains, BranchesJoinsLiveAndErrorsBreakThem) {
  const std::string s = "[nodes.s]\nuse='src'\n";
  const auto sink = [](const std::string& id, const std::string& rest) {
    return "[nodes." + id + "]\nuse='sink'\n" + rest + "\n";
  };
  const auto pass = [](const std::string& id, const std::string& rest) {
    return "[nodes." + id + "]\nuse='pass'\n" + rest + "\n";
  };
  EXPECT_EQ(chains(plan(s + sink("a", "from='s'") + sink("b", "from='s'")).plan), "s|a|b");
  EXPECT_EQ(
      chains(plan(s + pass("a", "from='s'") + pass("b", "from='s'") + sink("o", "from=['a','b']")).plan),
      "s|a|b|o");
  EXPECT_EQ(chains(plan(s + sink("a", "from='s'\nmode='live'")).plan), "s|a");
  EXPECT_EQ(chains(plan(s + pass("a", "from='s'\non_error='divert'") + sink("e", "from='a.errors'")).plan),
            "s a|e");
  EXPECT_EQ(chains(plan(s + pass("a", "from='s'") + "[nodes.h]\nuse='recog'\nmodel='m'\nfrom='a'\n" +
                        pass("b", "from='h'") + sink("o", "from='b'"))
                       .plan),
            "s a|h b o");
}

TEST(Plan, LimitsAndTests) {
  const auto p = plan(R"(
[limits]
packets = 10
bytes = 4096
[nodes.s]
use = "src"
[nodes.o]
use = "sink"
from = "s"
[[test]]
input = "/in.flac"
expect = "/out.jsonl"
tolerance = 1e-3
)");
  EXPECT_EQ(p.text(), "");
  EXPECT_EQ(p.plan.max_packets, 10u);
  EXPECT_EQ(p.plan.max_bytes, 4096u);
  ASSERT_EQ(p.plan.tests.size(), 1u);
  EXPECT_EQ(p.plan.tests[0].input, "/in.flac");
  EXPECT_EQ(p.plan.tests[0].expect, "/out.jsonl");
  EXPECT_EQ(p.plan.tests[0].tolerance, 1e-3);
  EXPECT_EQ(p.plan.tests[0].where.line, 10);
}

std::uint64_t digest(const std::string& knobs, const std::string& path = "-", bool swapped = false) {
  const std::string s = "[nodes.s]\nuse='src'\npath='" + path + "'\n",
                    o = "[nodes.o]\nuse='sink'\nfrom='k'\n";
  const std::string k = "[nodes.k]\nuse='knobs'\nfrom='s'\n" + knobs + "\n";
  const auto p = plan(swapped ? o + k + s : s + k + o);
  EXPECT_EQ(p.text(), "");
  return p.plan.digest();
}

TEST(Digest, IsOfWhatIsComputedOnly) {
  const auto plain = digest("");
  EXPECT_EQ(plain, digest("", "elsewhere.wav"));
  EXPECT_EQ(plain, digest("", "-", true));
  EXPECT_EQ(plain, digest("wait = '1000ms'"));
  EXPECT_EQ(plain, digest("gain = 0"));
  EXPECT_EQ(plain, digest("count = 3\nname = 'x'"));
  EXPECT_NE(plain, digest("count = 4"));
  EXPECT_NE(plain, digest("wait = '2s'"));
  EXPECT_NE(plain, digest("on_error = 'skip'"));
  EXPECT_NE(plain, digest("mode = 'live'"));
  EXPECT_NE(digest("name = 'a'\nmood = 'calm'"), digest("name = 'acalm'"));
}

}  // namespace
}  // namespace stream
