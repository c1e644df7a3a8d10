#include <gmock/gmock.h>

#include <chrono>
#include <set>

#include "audio_gain.hpp"
#include "delay.hpp"
#include "discard.hpp"
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

}  // namespace
}  // namespace stream
