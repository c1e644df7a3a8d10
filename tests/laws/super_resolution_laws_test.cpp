/// The laws for the operators of plugins/super_resolution.
#include <gmock/gmock.h>

#include "fed_pipe.hpp"
#include "laws.hpp"
#include "plugins/super_resolution/small.hpp"
#include "program/program.hpp"
#include "super_resolution/study.hpp"
#include "super_resolution/superres_live.hpp"
#include "super_resolution/superres_play.hpp"
#include "super_resolution/superres_train.hpp"

namespace stream::super_resolution {
namespace {

using namespace testing;

Object training_params(const std::string& general) {
  return {{"general", general}, {"features", 4}, {"blocks", 1}, {"expansion", 2},
          {"columns", 2},       {"rows", 2},     {"models", 2}, {"batch", 4}};
}

TEST(Laws, SuperresShrink) { laws::check_all(laws::subject<ShrinkOperator>(), frames_of(small_clip(4))); }
TEST(Laws, SuperresEnlarge) {
  laws::check_all(laws::subject<EnlargeOperator>(), frames_of(small_clip(4), true));
}

TEST(Laws, SuperresPlay) {
  const TrainingClip clip = small_clip(8);
  for (const Halo halo : {Halo::kNone, Halo::kFull}) {
    const laws::ScratchFile file(small_file(clip, halo), ".srs");
    for (const int workers : {1, 3}) {
      const auto subject = laws::subject<PlayOperator>(Object{{"file", file.path()}, {"workers", workers}});
      laws::resuming_is_exact(subject, frames_of(clip, true));
      laws::output_is_punctual(subject, frames_of(clip, true));
    }
  }
}

TEST(Laws, SuperresTurns) {
  laws::resuming_a_source_is_exact([] {
    auto op = stream::testing::make<TurnsSource>(Object{{"turns", 5}});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  });
}

/// Frames on the first port, turns on the second, as the graph brings them.
class OnePort final : public Operator {
 public:
  explicit OnePort(const Object& params)
      : inner_(stream::testing::make<TrainOperator>(params, {.seed = 4})) {}
  void process(Packet in, Output& out) override {
    const std::size_t port = in.is(PayloadType::kFrame) ? 0 : 1;
    inner_->process(port, std::move(in), out);
  }
  void finish(Output& out) override { inner_->finish(out); }
  void save(Archive& state) const override { inner_->save(state); }
  void load(const Archive& state) override { inner_->load(state); }

 private:
  std::unique_ptr<Operator> inner_;
};

TEST(Laws, SuperresTrainResumesToTheSameFile) {
  const stream::testing::ScratchFolder folder;
  const std::string general = (folder / "m0.h5").string(), file = (folder / "out.srs").string();
  save_wdsr(general, *small_network());
  Object params = training_params(general);
  params.set("file", file);
  params.set("steps", 30);
  auto input = frames_of(small_clip(3));
  auto turns = stream::testing::make<TurnsSource>(Object{{"turns", 3}});
  stream::testing::Collector out(1);
  for (auto& source = dynamic_cast<Source&>(*turns); source.read(out);) {
  }
  input.insert(input.end(), out.packets[0].begin(), out.packets[0].end());
  const laws::Subject subject{[&] { return std::make_unique<OnePort>(params); },
                              TrainOperator::spec().contract(), 2};
  laws::resuming_is_exact(subject, input);
  const std::string resumed = read_file(file);
  std::filesystem::remove(file);
  laws::run(subject, input);
  EXPECT_EQ(read_file(file), resumed);
  // Without turns all happens at the end, and to the same effect.
  laws::run(subject, frames_of(small_clip(3)));
  EXPECT_EQ(read_file(file), resumed);
}

TEST(Laws, SuperresLiveWithStepsIsExact) {
  const stream::testing::ScratchFolder folder;
  const std::string general = (folder / "m0.h5").string();
  save_wdsr(general, *small_network());
  Object params = training_params(general);
  params.set("steps", 12);
  params.set("chunk", "100ms");
  const auto subject = laws::subject<LiveOperator>(params, {.seed = 4});
  EXPECT_EQ(subject.contract.order, Order::kStateful);
  const auto input = frames_of(small_clip(12));
  laws::resuming_is_exact(subject, input);
  laws::output_is_punctual(subject, input);
  // What it sends is what a player needs, and a player shows what it says that a viewer sees.
  stream::testing::Collector out(4);
  const auto op = stream::testing::make<LiveOperator>(params, {.seed = 4});
  for (const Packet& packet : input) op->process(packet, out);
  op->finish(out);
  const laws::ScratchFile file(laws::joined(out.packets[2]), ".srs");
  const auto player = stream::testing::make<PlayOperator>(Object{{"file", file.path()}});
  const auto played = stream::testing::run(*player, out.packets[1], 2);
  ASSERT_EQ(played.packets[0].size(), 12u);
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_EQ(stream::testing::bytes_of(*played.packets[0][i].payload),
              stream::testing::bytes_of(*out.packets[0][i].payload))
        << i;
  EXPECT_GE(out.packets[3].size(), 2u);
}

TEST(Laws, SuperresLiveByTheClockSaysSo) {
  EXPECT_EQ(LiveOperator::spec().contract(Params(LiveOperator::spec(), {})).order, Order::kArrival);
}

TEST(Laws, SuperresStudy) {
  const stream::testing::ScratchFolder folder;
  const std::string general = (folder / "m0.h5").string();
  save_wdsr(general, *small_network());
  laws::resuming_a_source_is_exact([&] {
    auto op = stream::testing::make<SuperresStudy>(Object{{"general", general},
                                                          {"frames", 4},
                                                          {"steps", 2},
                                                          {"clips", Array{"talk"}},
                                                          {"parts", Array{"exact"}}},
                                                   {.seed = 4});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  });
}

}  // namespace
}  // namespace stream::super_resolution
