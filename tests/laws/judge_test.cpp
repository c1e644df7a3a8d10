/// What `stream check` judges with, without a process: growth, differences, cuts, shrinking, the wire.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "check/law.hpp"
#include "check/model.hpp"
#include "check/wire.hpp"
#include "stream/testing.hpp"

namespace stream::laws {
namespace {

using ::testing::HasSubstr;

Measures growing(const std::function<std::uint64_t(std::uint64_t)>& held) {
  Measures measures;
  for (std::uint64_t n = 64; n <= 65536; n *= 2) measures.points.push_back({n, held(n), 0, 0, 0});
  return measures;
}

bool fits(Growth growth, const std::function<std::uint64_t(std::uint64_t)>& held) {
  Contract contract;
  contract.state = growth;
  std::string note;
  return !judge_memory(growing(held), contract, note);
}

TEST(Memory, GrowthIsHeldAgainstWhatIsDeclared) {
  const auto constant = [](std::uint64_t) { return std::uint64_t{1000000}; };
  const auto filled = [](std::uint64_t n) { return 8 * std::min<std::uint64_t>(n, 10000); };
  const auto logarithmic = [](std::uint64_t n) { return 1000 * static_cast<std::uint64_t>(std::log2(n)); };
  const auto linear = [](std::uint64_t n) { return 100 * n + 5000; };
  const auto quadratic = [](std::uint64_t n) { return n * n / 100; };
  for (const Growth any : {Growth::kConstant, Growth::kLogarithmic, Growth::kLinear}) {
    EXPECT_TRUE(fits(any, constant));
    EXPECT_TRUE(fits(any, filled));
    EXPECT_FALSE(fits(any, quadratic));
  }
  EXPECT_FALSE(fits(Growth::kConstant, logarithmic));
  EXPECT_TRUE(fits(Growth::kLogarithmic, logarithmic));
  EXPECT_FALSE(fits(Growth::kLogarithmic, linear));
  EXPECT_TRUE(fits(Growth::kLinear, linear));
}

TEST(Memory, StateThatVariesIsNotStateThatGrows) {
  const auto half_full = [](std::uint64_t n) { return n % 3 * 5000; };
  EXPECT_TRUE(fits(Growth::kConstant, half_full));
}

TEST(Memory, WhatStateDoesNotShowIsFoundInTheHeap) {
  Measures measures = growing([](std::uint64_t) { return std::uint64_t{8}; });
  for (Measure& m : measures.points) m.heap = 5000000 + 48 * m.packets;
  std::string note;
  const auto breach = judge_memory(measures, Contract{}, note);
  ASSERT_TRUE(breach);
  EXPECT_THAT(breach->what, HasSubstr("neither state_bytes() nor save()"));
  for (Measure& m : measures.points) m.heap = 5000000;
  EXPECT_FALSE(judge_memory(measures, Contract{}, note));
}

Packet audio(std::int64_t first, std::vector<float> samples) {
  const auto frames = static_cast<std::int64_t>(samples.size());
  Packet packet = Packet::of<Audio>(duration_of(first, 44100), std::move(samples), 1, 44100);
  packet.duration = duration_of(first + frames, 44100) - packet.time;
  return packet;
}

TEST(Differences, AudioIsComparedWhereverItIsCut) {
  const std::vector<Emission> whole{{0, 0, audio(0, {1, 2, 3, 4})}};
  std::vector<Emission> cut{{0, 0, audio(0, {1})}, {0, 1, audio(1, {2, 3})}, {0, 2, audio(3, {4})}};
  EXPECT_FALSE(first_difference(whole, cut, Equality::kContent));
  EXPECT_TRUE(first_difference(whole, cut, Equality::kPackets));
  cut[1].packet = audio(1, {2, 9});
  const auto difference = first_difference(whole, cut, Equality::kContent);
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->where, "sample 2: 9.0, expected 3.0");
  EXPECT_EQ(difference->time, duration_of(2, 44100));
  // What comes at `until` or later does not count.
  EXPECT_FALSE(first_difference(whole, cut, Equality::kContent, duration_of(2, 44100)));
  cut[2].packet = audio(4, {4});  // a hole is a difference, too
  EXPECT_TRUE(first_difference(whole, {cut[0], cut[2]}, Equality::kContent));
}

TEST(Differences, BytesAreOneStringOfTheirKey) {
  const auto bytes = [](const char* text, const char* key) {
    Packet packet = Packet::of<Bytes>(Time{0}, Buffer::own(std::string(text)));
    packet.key = Key(key);
    return Emission{0, 0, packet};
  };
  const std::vector<Emission> a{bytes("ab", "x"), bytes("12", "y"), bytes("c", "x")};
  EXPECT_FALSE(first_difference(a, {bytes("abc", "x"), bytes("", "x"), bytes("1", "y"), bytes("2", "y")},
                                Equality::kPackets));
  EXPECT_EQ(first_difference(a, {bytes("abc", "x"), bytes("1", "y")}, Equality::kPackets)->where,
            "byte 1 (of 1, expected 2)");
}

TEST(Recut, KeepsEverySampleAtItsExactTime) {
  Inputs inputs{{0, audio(0, {1, 2, 3})}, {0, audio(3, {4, 5})}};
  const Inputs singles = recut(inputs, [](std::size_t, std::size_t) { return 1; });
  ASSERT_EQ(singles.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(singles[i].packet.as<Audio>().samples()[0], static_cast<float>(i + 1));
    EXPECT_EQ(singles[i].packet.time, duration_of(static_cast<std::int64_t>(i), 44100));
  }
  const Inputs one = recut(singles, [](std::size_t, std::size_t left) { return left; });
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].packet.duration, duration_of(5, 44100));
}

Spec spec_of(PayloadType type) { return Spec{"test.any", "Anything."}.input("in", type).output("out", type); }

TEST(Shapes, TheSameSeedMakesTheSameStreamAndOthersAnother) {
  const Spec spec = spec_of(PayloadType::kText);
  const StreamModel model(spec, Contract{}, {});
  const auto bytes = [&](std::uint64_t seed) {
    Writer out;
    out.inputs(model.realise(make_shape(seed, model.extent())));
    return out.bytes();
  };
  EXPECT_EQ(bytes(5), bytes(5));
  std::set<std::string> different;
  for (std::uint64_t seed = 0; seed < 50; ++seed) different.insert(bytes(seed));
  EXPECT_GT(different.size(), 40u);
}

TEST(Shapes, StreamsOfEveryTypeAreInOrderAndOfThatType) {
  for (const auto type : {PayloadType::kBytes, PayloadType::kText, PayloadType::kRecord, PayloadType::kAudio,
                          PayloadType::kFrame, PayloadType::kTensor}) {
    const Spec spec = spec_of(type);
    const StreamModel model(spec, Contract{}, {});
    std::size_t packets = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      Time last = kTimeMin;
      for (const Input& input : model.realise(make_shape(seed, model.extent()))) {
        EXPECT_TRUE(input.packet.is(type));
        EXPECT_GE(input.packet.time, last);
        last = input.packet.time;
        ++packets;
      }
    }
    EXPECT_GT(packets, 100u) << stream::name_of(type);
  }
}

TEST(Shapes, ShrinkingEndsAtTheSmallestStreamThatFails) {
  const Extent extent;
  std::uint64_t seed = 0;
  const auto fails = [](const Shape& shape) {
    return std::count_if(shape.marks.begin(), shape.marks.end(),
                         [](const Mark& m) { return m.size >= 10; }) >= 2;
  };
  while (!fails(make_shape(seed, extent))) ++seed;
  const Shape smallest = shrink_shape(seed, extent, fails, [] { return true; });
  ASSERT_EQ(smallest.marks.size(), 2u);
  for (const Mark& mark : smallest.marks) {
    EXPECT_EQ(mark.size, 10);
    EXPECT_EQ(mark.seed, 0);
    EXPECT_EQ(mark.kind, 0);
  }
}

TEST(Hostile, EveryInputTypeHasContentsThatItMayRefuse) {
  for (const auto type : {PayloadType::kBytes, PayloadType::kText, PayloadType::kRecord, PayloadType::kAudio,
                          PayloadType::kFrame, PayloadType::kTensor}) {
    const Spec spec = spec_of(type);
    const StreamModel model(spec, Contract{}, {});
    std::size_t named = 0;
    for (std::size_t i = 0; i < StreamModel::hostile_count(); ++i) {
      std::string name;
      const Packet packet = model.hostile(0, i, Packet{}, name);
      if (name.empty()) continue;
      ++named;
      EXPECT_TRUE(packet.payload) << name;
      EXPECT_FALSE(short_json(packet).empty()) << name;
    }
    EXPECT_GE(named, 9u) << stream::name_of(type);
  }
}

TEST(Wire, ScenariosAndOutcomesComeBackAsTheyWere) {
  for (const auto type : {PayloadType::kBytes, PayloadType::kText, PayloadType::kRecord, PayloadType::kAudio,
                          PayloadType::kFrame, PayloadType::kTensor}) {
    const Spec spec = spec_of(type);
    const StreamModel model(spec, Contract{}, {});
    Scenario scenario;
    scenario.inputs = model.realise(make_shape(3, model.extent()));
    scenario.feed = Feed{"bytes", ".wav", 7, 9};
    scenario.state.emplace().group("a").set("x", 1.5);
    scenario.state->set("list", std::vector<std::int64_t>{1, 2});
    scenario.probes = {1, 5};
    Writer out;
    out.scenario(scenario);
    Writer again;
    again.scenario(Reader(out.bytes()).scenario());
    EXPECT_TRUE(out.bytes() == again.bytes()) << stream::name_of(type);
  }
}

TEST(Wire, BytesThatLieAreRefused) {
  Writer out;
  Outcome outcome;
  outcome.emitted.push_back({0, 1, Packet::of<Text>(Time{5}, std::string("text"))});
  outcome.state.emplace().set("n", 3);
  out.outcome(outcome);
  const std::string& bytes = out.bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THROW(Reader(std::string_view(bytes).substr(0, size)).outcome(), Error) << size;
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = bytes;
    damaged[random.below(damaged.size())] = static_cast<char>(random());
    try {
      Reader(damaged).outcome();
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace stream::laws
