#include <gmock/gmock.h>

#include <chrono>
#include <set>

#include "audio_gain.hpp"
#include "delay.hpp"
#include "discard.hpp"
#include "evaluate_prequential.hpp"
#include "identity.hpp"
#include "record_to_text.hpp"
#include "records_generate.hpp"
#include "stream/testing.hpp"
#include "text_to_record.hpp"

namespace stream {
namespace {

TEST(Identity, PassesTheSamePayloadOn) {
  const auto op = testing::make<Identity>();
  const Packet in = Packet::of<Text>(Time{5}, "x");
  const auto out = testing::run(*op, {in});
  ASSERT_EQ(out.packets[0].size(), 1u);
  EXPECT_EQ(out.packets[0][0].payload, in.payload);
  EXPECT_EQ(out.packets[0][0].time, Time{5});
}

TEST(Discard, EmitsNothing) {
  const auto op = testing::make<Discard>();
  EXPECT_TRUE(testing::run(*op, {Packet::of<Text>(Time{}, "x")}).packets[0].empty());
}

TEST(Delay, SleepsForEachPacketFractionsIncluded) {
  const auto op = testing::make<Delay>({{"milliseconds", 2.5}});
  const auto start = std::chrono::steady_clock::now();
  const auto out = testing::run(*op, std::vector<Packet>(4, Packet::of<Text>(Time{}, "x")));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(10));
  EXPECT_EQ(out.packets[0].size(), 4u);
}

std::vector<Packet> generated(const Object& params, std::uint64_t seed) {
  const auto op = testing::make<RecordsGenerate>(params, Context{.node = "records", .seed = seed});
  return testing::drain(dynamic_cast<Source&>(*op)).packets[0];
}

TEST(RecordsGenerate, MakesValidRecordsOfTheGivenLengthAndTimes) {
  const auto packets = generated({{"count", 200}, {"bytes", 80}, {"rate", 4.0}}, 1);
  ASSERT_EQ(packets.size(), 200u);
  std::set<std::string> distinct;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto& record = packets[i].as<Record>();
    EXPECT_EQ(record.json().size(), 80u);
    EXPECT_EQ(record.at("index").as_integer(), static_cast<std::int64_t>(i));
    EXPECT_LT(record.at("value").as_integer(), 1'000'000);
    EXPECT_EQ(packets[i].time, Time{static_cast<std::int64_t>(i) * 250'000'000});
    distinct.insert(record.at("text").as_string());
  }
  EXPECT_EQ(distinct.size(), 200u);
}

TEST(RecordsGenerate, DependsOnTheSeedAlone) {
  const auto json = [](const std::vector<Packet>& packets) {
    std::string all;
    for (const auto& packet : packets) all += packet.as<Record>().json();
    return all;
  };
  EXPECT_EQ(json(generated({{"count", 50}}, 7)), json(generated({{"count", 50}}, 7)));
  EXPECT_NE(json(generated({{"count", 50}}, 7)), json(generated({{"count", 50}}, 8)));
}

TEST(RecordsGenerate, CountZeroHasNoEnd) {
  const auto op = testing::make<RecordsGenerate>({{"count", 0}});
  testing::Collector out;
  auto& source = dynamic_cast<Source&>(*op);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(source.read(out));
  EXPECT_GT(out.packets[0].size(), 1000u);
  EXPECT_LT(source.fraction(), 0);
}

TEST(AudioGain, ScalesByDecibels) {
  const auto op = testing::make<AudioGain>({{"db", 20.0}});
  const auto out = testing::run(*op, {Packet::of<Audio>(Time{}, std::vector<float>{0.01f, -0.02f}, 2, 8000)});
  const auto& audio = out.packets[0].at(0).as<Audio>();
  EXPECT_THAT(std::vector<float>(audio.samples().begin(), audio.samples().end()),
              ::testing::Pointwise(::testing::FloatEq(), {0.1f, -0.2f}));
  EXPECT_EQ(audio.channels(), 2);
  EXPECT_EQ(audio.rate(), 8000);
}

TEST(TextAndRecord, ConvertBothWays) {
  const auto wrap = testing::make<TextToRecord>({{"member", "line"}});
  auto wrapped = testing::run(*wrap, {Packet::of<Text>(Time{3}, "a \"quoted\" word")}).packets[0];
  EXPECT_EQ(wrapped.at(0).as<Record>().json(), R"({"line": "a \"quoted\" word"})");
  const auto take = testing::make<RecordToText>({{"member", "line"}});
  const auto taken = testing::run(*take, wrapped).packets[0];
  EXPECT_EQ(taken.at(0).as<Text>().str(), "a \"quoted\" word");
  EXPECT_EQ(taken.at(0).time, Time{3});
}

TEST(RecordToText, WritesOtherValuesAsJsonAndNamesAMissingMember) {
  const auto op = testing::make<RecordToText>({{"member", "n"}});
  EXPECT_EQ(testing::run(*op, {Packet::of<Record>(Time{}, Object{{"n", Array{1, true}}})})
                .packets[0]
                .at(0)
                .as<Text>()
                .str(),
            "[1, true]");
  testing::Collector out;
  try {
    op->process(Packet::of<Record>(Time{}, Object{{"m", 1}}), out);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), ::testing::HasSubstr("n"));
  }
}

/// The records of evaluate.prequential for events with these members.
std::vector<Object> scores(const Object& params, const std::vector<Object>& events) {
  const auto op = testing::make<EvaluatePrequential>(params);
  std::vector<Packet> in;
  for (std::size_t i = 0; i < events.size(); ++i)
    in.push_back(Packet::of<Record>(Time{static_cast<std::int64_t>(i)}, events[i]));
  std::vector<Object> out;
  const auto made = testing::run(*op, in);
  for (const Packet& packet : made.packets[0]) out.push_back(packet.as<Record>().object());
  return out;
}
double member(const Object& record, const char* name) { return record.find(name)->as_double(); }

TEST(EvaluatePrequential, LinesAreSpacedExponentiallyAndTheLastIsFinal) {
  std::vector<Object> events;
  for (int i = 1; i <= 10; ++i) events.push_back(Object{{"value", i}});
  const auto lines = scores({{"fading", 0.5}}, events);
  ASSERT_EQ(lines.size(), 5u);
  const double expected[][3] = {{1, 1, 1}, {2, 1.5, 2}, {4, 2.5, 3.5}, {8, 4.5, 6.5}, {10, 5.5, 9.5}};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(member(lines[i], "events"), expected[i][0]);
    EXPECT_DOUBLE_EQ(member(lines[i], "mean"), expected[i][1]);
    EXPECT_DOUBLE_EQ(member(lines[i], "since"), expected[i][2]);
    EXPECT_EQ(lines[i].find("final") != nullptr, i == 4);
  }
  // (2 + 0.5 * 1) / (1 + 0.5)
  EXPECT_DOUBLE_EQ(member(lines[1], "recent"), 2.5 / 1.5);
}

TEST(EvaluatePrequential, MeasuresErrorsAndAgreement) {
  const std::vector<Object> events = {Object{{"p", 1.0}, {"t", 3}}, Object{{"p", Value()}, {"t", 3}},
                                      Object{{"p", 2}, {"t", 2.0}}};
  const auto last = [&](const char* measure) {
    return member(scores({{"measure", measure}, {"member", "p"}, {"target", "t"}}, events).back(), "mean");
  };
  EXPECT_DOUBLE_EQ(last("accuracy"), 0.5);
  EXPECT_DOUBLE_EQ(last("absolute"), 1);
  EXPECT_DOUBLE_EQ(last("squared"), 2);
  EXPECT_DOUBLE_EQ(last("rms"), std::sqrt(2.0));
}

TEST(EvaluatePrequential, BadEventsAreNamedAndDoNotCount) {
  const auto op = testing::make<EvaluatePrequential>(Object{{"measure", "squared"}});
  testing::Collector out;
  EXPECT_THROW(op->process(Packet::of<Record>(Time{}, Object{{"valeu", 1}}), out), Error);
  EXPECT_THROW(op->process(Packet::of<Record>(Time{}, Object{{"value", "x"}}), out), Error);
  EXPECT_THROW(op->process(Packet::of<Record>(Time{}, Object{{"value", 1e200}}), out), Error);
  op->finish(out);
  ASSERT_EQ(out.packets[0].size(), 1u);
  EXPECT_EQ(member(out.packets[0][0].as<Record>().object(), "events"), 0);
  EXPECT_THROW(testing::make<EvaluatePrequential>(Object{{"measure", "accuracy"}}), Error);
}

}  // namespace
}  // namespace stream
