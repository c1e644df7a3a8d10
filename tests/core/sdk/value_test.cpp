/// JSON objects with many members and with names that occur twice.
#include "stream/value.hpp"

#include <gtest/gtest.h>

#include "stream/archive.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream {
namespace {

TEST(Object, OfANameThatOccursTwiceTheLastValueStaysAtThePlaceOfTheFirst) {
  const Object few(std::vector<Object::Member>{{"a", 1}, {"b", 2}, {"a", 3}, {"c", 4}, {"a", 5}});
  EXPECT_EQ(Value(few).dump(), R"({"a": 5, "b": 2, "c": 4})");
  EXPECT_EQ(Value::parse(R"({"x": 1, "y": {"z": 1, "z": 2}, "x": 3})").dump(), R"({"x": 3, "y": {"z": 2}})");
}

TEST(Object, ManyMembersAreWhatSetMakesOfThemOneByOne) {
  for (const int count : {0, 1, 15, 16, 17, 18, 40, 300}) {
    for (const int names : {1, 3, 17, 1000}) {
      std::vector<Object::Member> members;
      Object one_by_one;
      for (int i = 0; i < count; ++i) {
        const std::string name = "member " + std::to_string(i * 7919 % names);
        members.emplace_back(name, i);
        one_by_one.set(name, i);
      }
      EXPECT_EQ(Object(std::move(members)), one_by_one) << count << " of " << names;
    }
  }
}

TEST(Object, AHundredThousandMembersAreParsedInOrder) {
  constexpr int kMembers = 100'000;
  std::string json = "{";
  for (int i = 0; i < kMembers; ++i)
    json += "\"" + std::to_string(i * 7919LL % kMembers) + "\": " + std::to_string(i) + ", ";
  json += "\"7919\": -1}";
  const Value parsed = Value::parse(json);
  const Object& object = parsed.as_object();
  ASSERT_EQ(object.size(), std::size_t{kMembers});
  std::int64_t at = 0;
  for (const auto& [name, value] : object) {
    ASSERT_EQ(name, std::to_string(at * 7919 % kMembers));
    ASSERT_EQ(value.as_integer(), at == 1 ? -1 : at);
    ++at;
  }
}

/// --- frames in saved state

Packet a_frame(const Sampling& sampling) {
  const Buffer samples = Buffer::own(std::vector<std::uint8_t>{1, 2, 3, 4});
  return Packet::of<Frame>(Time{5}, Frame(2, 2, PixelFormat::kGray, DType::kU8, {{samples, 2, 2, 2}},
                                          ColorRange::kFull, "", 8, sampling));
}

TEST(SavedFrames, KeepHowTheirSamplesLie) {
  for (const Sampling& sampling : {Sampling{}, Sampling{16, 11, ChromaSiting::kLeft, FieldOrder::kTopFirst},
                                   Sampling{1, 1, ChromaSiting::kTopLeft, FieldOrder::kMixed}}) {
    Archive state;
    state.set("frame", a_frame(sampling));
    const Packet back = state.packet("frame");
    EXPECT_EQ(back.as<Frame>().sampling(), sampling);
    EXPECT_EQ(testing::bytes_of(*back.payload), testing::bytes_of(*a_frame(sampling).payload));
    EXPECT_EQ(testing::bytes_of(*back.payload) == testing::bytes_of(*a_frame({}).payload),
              sampling == Sampling{});
  }
}

TEST(SavedFrames, ThoseOfEarlierVersionsSayNothingAboutIt) {
  Archive now;
  now.set("frame", a_frame({16, 11, ChromaSiting::kLeft, FieldOrder::kTopFirst}));
  Archive before;
  Archive& g = before.group("frame");
  for (const auto& [name, entry] : now.group("frame").entries()) {
    if (name == "siting" || name == "fields" || name.starts_with("aspect_")) continue;
    if (const auto* scalar = std::get_if<Archive::Scalar>(&entry))
      std::visit([&, n = name](const auto& value) { g.set(n, value); }, *scalar);
  }
  Archive& plane = g.group("plane0");
  const Archive& from = now.group("frame").group("plane0");
  plane.set("width", from.get<int>("width"));
  plane.set("height", from.get<int>("height"));
  plane.set("stride", from.get<std::uint64_t>("stride"));
  plane.set("data", from.tensor("data"));
  EXPECT_EQ(before.packet("frame").as<Frame>().sampling(), Sampling{});
}

TEST(SavedFrames, DamagedSamplingIsRefused) {
  Archive state;
  state.set("frame", a_frame({}));
  state.group("frame").set("fields", 77);
  EXPECT_THROW(state.packet("frame"), Error);
  state.group("frame").set("fields", -1);
  EXPECT_THROW(state.packet("frame"), Error);
  state.group("frame").set("fields", 1);
  state.group("frame").set("aspect_width", -16);
  EXPECT_THROW(state.packet("frame"), Error);
}

}  // namespace
}  // namespace stream
