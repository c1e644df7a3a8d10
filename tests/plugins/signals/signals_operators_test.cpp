/// Vectors in, codes and approximations out.
#include <gmock/gmock.h>

#include <cmath>

#include "program/program.hpp"
#include "signals/signals_code.hpp"
#include "signals/signals_dictionary.hpp"
#include "signals/signals_vectors.hpp"
#include "stream/testing.hpp"

namespace stream::signals {
namespace {

std::vector<Packet> vectors(int count) {
  auto op = testing::make<SparseVectors>({{"size", 8}, {"count", count}}, {.seed = 3});
  return testing::drain(dynamic_cast<Source&>(*op), 2).packets[0];
}

TEST(DictionaryOperator, CodesDecodeToTheApproximation) {
  auto learner =
      testing::make<DictionaryOperator>({{"size", 8}, {"terms", 2}, {"refresh", 50}, {"centre", true}});
  testing::Collector out = testing::run(*learner, vectors(300), 4);
  ASSERT_EQ(out.packets[1].size(), 300u);
  ASSERT_EQ(out.packets[2].size(), 300u);
  auto decoder = testing::make<DecodeOperator>();
  testing::Collector decoded;
  std::size_t dictionary = 0;
  for (const Packet& code : out.packets[1]) {
    while (dictionary < out.packets[0].size() && out.packets[0][dictionary].time <= code.time)
      decoder->process(0, out.packets[0][dictionary++], decoded);
    decoder->process(1, code, decoded);
  }
  ASSERT_EQ(decoded.packets[0].size(), 300u);
  for (std::size_t i = 0; i < 300; ++i)
    EXPECT_EQ(testing::bytes_of(*decoded.packets[0][i].payload),
              testing::bytes_of(*out.packets[2][i].payload));
}

TEST(DictionaryOperator, LearnsWhileItCodes) {
  auto learner = testing::make<DictionaryOperator>({{"size", 8}, {"terms", 3}});
  const auto input = vectors(20000);
  const testing::Collector out = testing::run(*learner, input, 4);
  const auto error = [&](std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += out.packets[1][i].as<Record>().at("error").as_double();
    return sum / static_cast<double>(end - begin);
  };
  EXPECT_LT(error(out.packets[1].size() - 2000, out.packets[1].size()), 0.5 * error(0, 100));
}

TEST(DictionaryOperator, OddVectors) {
  auto learner = testing::make<DictionaryOperator>({{"size", 2}});
  testing::Collector out(4);
  const auto tell = [&](std::vector<double> values) {
    const auto n = static_cast<std::int64_t>(values.size());
    learner->process(Packet::of<Tensor>(Time{0}, Tensor::of(std::move(values), {n})), out);
  };
  tell({1, 2});
  tell({0, 0});
  tell({std::nan(""), 1});
  EXPECT_EQ(out.packets[1].size(), 2u) << "nothing is said of what is no number";
  EXPECT_TRUE(out.packets[1][1].as<Record>().at("indices").as_array().empty());
  EXPECT_THROW(tell({1, 2, 3}), Error);
  learner->finish(out);
  EXPECT_EQ(out.packets[3].back().as<Record>().at("skipped"), Value(2));
}

TEST(EncodeOperator, UsesTheDictionaryThatWasWritten) {
  const testing::ScratchFolder folder;
  const std::string file = (folder / "basis.h5").string();
  auto learner = testing::make<DictionaryOperator>({{"size", 8}, {"terms", 3}, {"model", file}});
  const auto input = vectors(200);
  const testing::Collector learnt = testing::run(*learner, input, 4);
  auto encoder = testing::make<EncodeOperator>({{"model", file}, {"terms", 8}});
  const testing::Collector coded = testing::run(*encoder, input, 2);
  ASSERT_EQ(coded.packets[1].size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    const auto y = vector_of(input[i], 8), found = vector_of(coded.packets[1][i], 8);
    for (std::size_t k = 0; k < 8; ++k)
      EXPECT_NEAR(found[k], y[k], 1e-12) << "all eight terms are the vector";
  }
}

TEST(DecodeOperator, RefusesWhatDoesNotFit) {
  auto decoder = testing::make<DecodeOperator>();
  testing::Collector out;
  const auto tell = [&](const char* json) {
    decoder->process(1, Packet::of<Record>(Time{0}, Buffer::own(std::string(json))), out);
  };
  EXPECT_THROW(tell(R"({"version": 0, "indices": [0], "values": [1]})"), Error);
  const Codebook book(Matrix::identity(2), {0, 0});
  decoder->process(0, Packet::of<Tensor>(Time{0}, book.tensor()), out);
  EXPECT_NO_THROW(tell(R"({"version": 0, "indices": [0], "values": [1]})"));
  for (const char* bad : {R"({"version": 1, "indices": [0], "values": [1]})",
                          R"({"version": 0, "indices": [2], "values": [1]})",
                          R"({"version": 0, "indices": [1, 0], "values": [1, 1]})",
                          R"({"version": 0, "indices": [0], "values": []})",
                          R"({"version": 0, "indices": [-1], "values": [1]})"})
    EXPECT_THROW(tell(bad), Error) << bad;
  EXPECT_THROW(
      decoder->process(
          0, Packet::of<Tensor>(Time{0}, Tensor::of(std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2})), out),
      Error)
      << "not orthogonal";
}

TEST(AudioVectors, AndBack) {
  std::vector<float> samples(1000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(i) / 1000;
  auto cut = testing::make<AudioVectors>({{"size", 64}});
  const testing::Collector pieces = testing::run(*cut, {Packet::of<Audio>(Time{0}, samples, 1, 8000)});
  ASSERT_EQ(pieces.packets[0].size(), 16u);
  auto back = testing::make<VectorsAudio>({{"rate", 8000}});
  const testing::Collector audio = testing::run(*back, pieces.packets[0]);
  std::vector<float> found;
  for (const Packet& p : audio.packets[0]) {
    const auto some = p.as<Audio>().samples();
    found.insert(found.end(), some.begin(), some.end());
  }
  samples.resize(1024);
  EXPECT_EQ(found, samples);
}

TEST(RecordVectors, MissingNumbers) {
  const auto run = [](const char* missing, const std::vector<std::string>& lines) {
    auto op = testing::make<RecordVectors>({{"members", Array{"a", "b"}}, {"missing", missing}});
    std::vector<Packet> packets;
    for (const std::string& line : lines) packets.push_back(Packet::of<Record>(Time{0}, Buffer::own(line)));
    std::vector<std::vector<double>> found;
    const testing::Collector out = testing::run(*op, packets);
    for (const Packet& p : out.packets[0]) found.push_back(vector_of(p, 2));
    return found;
  };
  EXPECT_THAT(run("last", {R"({"b": 2})", R"({"a": 1})", R"({"a": null, "b": 3})"}),
              ::testing::ElementsAre(::testing::ElementsAre(0, 2), ::testing::ElementsAre(1, 2),
                                     ::testing::ElementsAre(1, 3)));
  EXPECT_THROW(run("error", {R"({"b": 2})"}), Error);
  EXPECT_THROW(run("last", {R"({"b": "x"})"}), Error);
}

}  // namespace
}  // namespace stream::signals
