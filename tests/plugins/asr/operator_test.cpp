#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "asr/asr_conformer.hpp"
#include "asr/asr_train.hpp"
#include "asr/corpus_spoken_text.hpp"
#include "hdf5/archive_file.hpp"
#include "stream/file.hpp"
#include "stream/testing.hpp"

namespace stream::asr {
namespace {

/// A model with random weights: laws do not depend on what it has learnt.
class AsrConformer : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("stream-asr-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    model_ = (folder_ / "model.h5").string();
    ConformerShape shape;
    shape.features = 32, shape.layers = 2, shape.channels = 8, shape.vocabulary = 4;
    Conformer network(shape, nn::generator(3));
    save_model(model_, network, {"\u2581one", "\u2581two", "\u2581three", "<unk>"});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Operator> make(int lookahead = 3) const {
    return testing::make<ConformerOperator>(Object{{"model", model_}, {"lookahead", lookahead}});
  }
  static Packet packet(std::span<const float> samples, std::size_t first, int rate = kRate) {
    return Packet::of<Audio>(duration_of(static_cast<std::int64_t>(first), kRate),
                             std::vector<float>(samples.begin(), samples.end()), 1, rate);
  }
  static std::vector<float> noise(std::size_t n) {
    Random random(9);
    std::vector<float> out(n);
    for (std::size_t i = 0; i < n; ++i)
      out[i] = static_cast<float>((i / 4000 % 2 ? 0.3 : 0.01) * random.normal());
    return out;
  }
  static std::string text(const testing::Collector& got) {
    std::string out;
    for (const auto& port : got.packets)
      for (const auto& p : port)
        out += std::to_string(p.time.count()) + ' ' + std::string(p.as<Record>().json()) + '\n';
    return out;
  }
  std::string whole(const std::vector<float>& samples) const {
    auto op = make();
    return text(testing::run(*op, {packet(samples, 0)}, 2));
  }
  ExitCode code_of(const std::function<void()>& f, const std::string& contains) const {
    try {
      f();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(contains), std::string::npos) << error.what();
      return error.code();
    }
    return ExitCode::kOk;
  }
  std::filesystem::path folder_;
  std::string model_;
};

TEST_F(AsrConformer, PiecesOfAnySizeGiveTheSameRecords) {
  const auto samples = noise(40000);
  const std::string expected = whole(samples);
  ASSERT_FALSE(expected.empty());
  Random random(1);
  for (const std::size_t most : {1u, 7u, 4000u}) {
    auto op = make();
    std::vector<Packet> in;
    for (std::size_t at = 0; at < samples.size();) {
      const std::size_t n =
          std::min<std::size_t>(samples.size() - at, most == 1 ? 1 : 1 + random.below(most));
      in.push_back(packet({samples.data() + at, n}, at));
      at += n;
    }
    // A partial is what is open when a chunk ends, not when a packet does, so both ports must agree.
    EXPECT_EQ(text(testing::run(*op, in, 2)), expected) << most;
  }
}

TEST_F(AsrConformer, StopsAndGoesOnAnywhere) {
  const auto samples = noise(40000);
  const std::string expected = whole(samples);
  for (const std::size_t cut : {1u, 5000u, 20001u, 39999u}) {
    auto before = make(), after = make();
    testing::Collector got(2);
    before->process(0, packet({samples.data(), cut}, 0), got);
    EXPECT_EQ(before->state_bytes(), after->state_bytes());
    after->load(testing::saved(*before));
    after->process(0, packet({samples.data() + cut, samples.size() - cut}, cut), got);
    after->finish(got);
    EXPECT_EQ(text(got), expected) << cut;
  }
}

TEST_F(AsrConformer, RefusesWhatItCannotRead) {
  auto op = make();
  testing::Collector got(2);
  auto samples = noise(100);
  EXPECT_EQ(code_of([&] { op->process(0, packet(samples, 0, 44100), got); }, "rate = 16000"),
            ExitCode::kBadData);
  samples[50] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(code_of([&] { op->process(0, packet(samples, 16000), got); }, "1.003125"), ExitCode::kBadData);
  EXPECT_EQ(code_of([&] { make(2); }, "6, 3, 1, 0"), ExitCode::kBadRecipe);
}

TEST_F(AsrConformer, NamesWhatIsWrongWithAModel) {
  const auto open = [&](const std::string& path) {
    return [=] { testing::make<ConformerOperator>(Object{{"model", path}}); };
  };
  EXPECT_EQ(code_of(open((folder_ / "none.h5").string()), "none.h5"), ExitCode::kNoInput);
  const std::string bytes = read_file(model_), cut = (folder_ / "cut.h5").string();
  write_atomically(cut, std::string_view(bytes).substr(0, bytes.size() / 2));
  EXPECT_EQ(code_of(open(cut), "cut.h5"), ExitCode::kBadData);
  Archive other;
  other.group("model").set("architecture", "something-else");
  other.group("weights").set("w", 1);
  const std::string path = (folder_ / "other.h5").string();
  write_archive(path, other);
  EXPECT_EQ(code_of(open(path), "something-else"), ExitCode::kBadRecipe);
}

TEST_F(AsrConformer, EmptyStreamsGiveNothing) {
  auto op = make();
  EXPECT_EQ(text(testing::run(*op, {}, 2)), "");
}

TEST_F(AsrConformer, TrainsAndResumesToTheSameModel) {
  const auto train = [&](const std::string& path, std::size_t stop_at) {
    const Object params{{"model", path}, {"steps", 3},     {"batch", 2},  {"pool", 8},  {"new_utterances", 2},
                        {"warmup", 1},   {"features", 16}, {"layers", 1}, {"heads", 2}, {"channels", 4}};
    const Context context{.node = "train", .seed = 1};
    auto op = testing::make<TrainOperator>(params, context);
    auto source = testing::make<SpokenTextSource>(Object{{"count", 14}}, context);
    const auto corpus = testing::drain(dynamic_cast<Source&>(*source), 2);
    testing::Collector log(1);
    for (std::size_t i = 0; i < corpus.packets[0].size(); ++i)
      for (std::size_t port = 0; port < 2; ++port) {
        if (2 * i + port == stop_at) {
          const Archive state = testing::saved(*op);
          op = testing::make<TrainOperator>(params, context);
          op->load(state);
        }
        op->process(port, corpus.packets[port][i], log);
      }
    op->finish(log);
    return read_file(path);
  };
  const std::string whole = train((folder_ / "a.h5").string(), 1000);
  EXPECT_TRUE(train((folder_ / "b.h5").string(), 23) == whole);  // no EXPECT_EQ: it would print the files
  EXPECT_NO_THROW(load_model((folder_ / "a.h5").string()));
}

}  // namespace
}  // namespace stream::asr
