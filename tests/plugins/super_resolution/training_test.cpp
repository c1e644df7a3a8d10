/// Overfitting: what each method shows to which model, and checkpoints of published shape.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hdf5/archive_file.hpp"
#include "nn/tensor_view.hpp"
#include "plugins/super_resolution/small.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"

namespace stream::super_resolution {
namespace {

using namespace testing;
using ::testing::HasSubstr;

OverfitOptions options(Method method, std::int64_t steps = 40) {
  OverfitOptions o;
  o.method = method;
  o.shape = kSmall;
  o.models = 2;
  o.steps = steps;
  o.batch = 4;
  return o;
}

constexpr Method kAll[] = {Method::kStdo, Method::kJoint, Method::kWhole,
                           Method::kTime, Method::kCafm,  Method::kRandom};

TEST(Overfit, EveryMethodLearnsWithEqualUpdatesOfEqualPixels) {
  const TrainingClip clip = small_clip(8);
  const auto general = small_network();
  for (const Method method : kAll) {
    SCOPED_TRACE(name_of(method));
    Overfit training(clip, options(method, 120), general.get(), Random(3));
    const double before =
        play(clip, training.weights(), training.labels(), Precision::kFloat16, Halo::kNone).total();
    while (!training.finished()) training.step();
    EXPECT_EQ(training.steps(), 120);
    EXPECT_EQ(training.pixels(), 120 * 4 * 8 * 6);
    const Playback after =
        play(clip, training.weights(), training.labels(), Precision::kFloat16, Halo::kNone);
    EXPECT_GT(after.total(), before + 1);
    EXPECT_EQ(after.psnr.size(), 8u);
    EXPECT_EQ(training.weights().size(), method == Method::kJoint || method == Method::kWhole ? 1u : 2u);
    const std::size_t one = Weights::size(kSmall, Precision::kFloat16);
    EXPECT_TRUE(method != Method::kStdo || training.bytes(Precision::kFloat16) == 2 * one);
    EXPECT_TRUE(method != Method::kJoint || training.bytes(Precision::kFloat16) == one);
    if (method == Method::kCafm) {
      EXPECT_GT(training.bytes(Precision::kFloat16), one);
      EXPECT_LT(training.bytes(Precision::kFloat16), 2 * one);
    }
  }
}

TEST(Overfit, LabelsAreWhatTheMethodSays) {
  const TrainingClip clip = small_clip(8);
  const auto general = small_network();
  const auto labels = [&](Method method) {
    return Overfit(clip, options(method), general.get(), Random(3)).labels();
  };
  const auto stdo = labels(Method::kStdo), time = labels(Method::kTime), random = labels(Method::kRandom);
  const auto varies = [](const Labels& l) {
    return std::count(l.begin(), l.end(), l.front()) != static_cast<std::ptrdiff_t>(l.size());
  };
  EXPECT_TRUE(std::any_of(stdo.begin(), stdo.end(), varies));
  EXPECT_TRUE(std::none_of(time.begin(), time.end(), varies));
  EXPECT_EQ(time.front(), Labels(4, 0));
  EXPECT_EQ(time.back(), Labels(4, 1));
  EXPECT_NE(random, stdo);
}

TEST(Overfit, AStoppedTrainingGoesOnBitForBit) {
  const TrainingClip clip = small_clip(4);
  const auto general = small_network();
  for (const Method method : kAll) {
    Overfit whole(clip, options(method), general.get(), Random(3));
    while (!whole.finished()) whole.step();
    Overfit first(clip, options(method), general.get(), Random(3));
    for (int i = 0; i < 23; ++i) first.step();
    Archive state;
    first.save(state);
    for (int i = 0; i < 5; ++i) first.step();
    Overfit second(clip, options(method), general.get(), Random(3));
    second.load(state);
    EXPECT_EQ(second.steps(), 23);
    while (!second.finished()) second.step();
    const auto a = whole.weights(), b = second.weights();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].values, b[i].values) << name_of(method);
  }
}

TEST(Overfit, RefusesWhatCannotBe) {
  const TrainingClip clip = small_clip(2);
  EXPECT_THROW(Overfit(clip, options(Method::kStdo), nullptr, Random(1)), Error);
  auto many = options(Method::kTime);
  many.models = 3;
  EXPECT_THROW(Overfit(clip, many, small_network().get(), Random(1)), Error);
  EXPECT_THROW(Overfit(TrainingClip(4, 2, 2), options(Method::kWhole), nullptr, Random(1)), Error);
  EXPECT_THROW(method_of("sdto"), Error);
  const auto other = small_network(1, {.scale = 2, .features = 4, .blocks = 1, .expansion = 2});
  EXPECT_THROW(Overfit(clip, options(Method::kStdo), other.get(), Random(1)), Error);
}

TEST(Wdsr, ModelsAreReadAsTheyWereWritten) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "m0.h5").string();
  const auto network = small_network(6);
  save_wdsr(path, *network);
  const auto back = load_wdsr(path);
  EXPECT_EQ(back->shape(), kSmall);
  const auto a = network->folded().values, b = back->folded().values;
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 2e-3);
}

TEST(Wdsr, AWidenedNetworkComputesTheSame) {
  const auto small = small_network(6);
  const auto wide = widened(*small, 11, nn::generator(7));
  EXPECT_EQ(wide->shape().features, 11);
  const torch::NoGradGuard no_grad;
  const at::Tensor x = torch::rand({2, 3, 9, 7});
  EXPECT_LT((small->forward(x) - wide->forward(x)).abs().max().item<double>(), 1e-5);
}

/// A checkpoint as the paper's repository publishes it, as safetensors, goes through `stream import`.
TEST(Wdsr, PublishedCheckpointsAreImported) {
  const stream::testing::ScratchFolder folder;
  const WdsrShape shape{.scale = 2, .features = 4, .blocks = 2, .expansion = 4};
  const Wdsr network(shape, nn::generator(8));
  const auto all = network.named_parameters();
  std::string header = "{", data;
  for (int i = 0; i < shape.layers(); ++i) {
    const std::string name = i == shape.layers() - 1   ? "skip.0"
                             : i == 0                  ? "body.0"
                             : i == shape.layers() - 2 ? "body.3"
                                                       : "body." + std::to_string((i + 1) / 2) + ".body." +
                                                             (i % 2 == 1 ? "0" : "2");
    for (const char* part : {"weight_v", "weight_g", "bias"}) {
      const at::Tensor t = all["layer" + std::to_string(i) + "." + part].detach().contiguous();
      std::string dims;
      for (const auto n : t.sizes()) dims += (dims.empty() ? "" : ",") + std::to_string(n);
      header += (header.size() > 1 ? "," : "") + ("\"" + name + "." + part) +
                "\":{\"dtype\":\"F32\",\"shape\":[" + dims + "],\"data_offsets\":[" +
                std::to_string(data.size()) + ",";
      data.append(reinterpret_cast<const char*>(t.data_ptr<float>()),
                  static_cast<std::size_t>(t.numel()) * 4);
      header += std::to_string(data.size()) + "]}";
    }
  }
  header += "}";
  std::string file;
  const std::uint64_t length = header.size();
  file.append(reinterpret_cast<const char*>(&length), 8);
  stream::testing::write_contents(folder / "x2.safetensors", file + header + data);
  const auto outcome =
      stream::testing::run({.argv = {STREAM_BINARY_DIR "/bin/stream", "import", "x2.safetensors", "x2.h5"},
                            .input = "",
                            .folder = folder.path()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto back = load_wdsr((folder / "x2.h5").string());
  EXPECT_EQ(back->shape(), shape);
  EXPECT_EQ(back->folded().values, network.folded().values);
}

TEST(Wdsr, OtherFilesAreNamed) {
  Archive archive;
  archive.group("body").group("0").set("weight_v", Tensor::of(std::vector<float>(8), {8}));
  try {
    wdsr_of(archive, "x.h5");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("x.h5: no WDSR checkpoint"));
  }
}

}  // namespace
}  // namespace stream::super_resolution
