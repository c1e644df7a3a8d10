/// PISA: the plain forward against libtorch's, the stream against the log, and what must not matter.
#include <gmock/gmock.h>

#include <numeric>

#include "models.hpp"
#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "program/program.hpp"
#include "recommenders/play_baselines.hpp"
#include "recommenders/recommenders_pisa.hpp"
#include "recommenders/study_pisa.hpp"
#include "stream/testing.hpp"

namespace stream::recommenders {
namespace {

using stream::testing::ScratchFolder;

class Pisa : public ::testing::Test {
 protected:
  Pisa() {
    while (!trainer_->finished()) trainer_->step();
    path_ = (folder_ / "pisa.h5").string();
    write_pisa(path_, trainer_->best(), trainer_->log().catalogue, trainer_->cooccurrence(), 0.4);
  }
  std::unique_ptr<PisaTrainer> trainer_ = testing::small_trainer();
  ScratchFolder folder_;
  std::string path_;
};

TEST_F(Pisa, ThePlainForwardIsThatOfLibtorch) {
  const PisaModel model(path_, {});
  const auto& sessions = trainer_->log().sessions[2];
  const Scorer scorer = trainer_->scorer();
  for (const std::size_t next : {1u, 3u, 20u}) {  // fewer sessions than the network reads, and more
    const Question q{std::span(sessions).first(next), sessions[next].time, 2};
    const auto expected = scorer(std::span(&q, 1))[0];
    const auto found = model.answer(q.past, BaseLevels(activations_of(q.past, q.now)));
    double sum = 0;
    for (const float w : found.weights) sum += w;
    EXPECT_NEAR(sum, 1, 1e-5);
    for (const FoundItem& f : model.index().best_exactly(found.query, 120))
      EXPECT_NEAR(f.score, expected[static_cast<std::size_t>(f.item)], 1e-4);
  }
}

TEST_F(Pisa, TheStreamListsWhatTheLogWould) {
  const auto op = stream::testing::make<PisaOperator>({{"model", path_}});
  const auto out = stream::testing::run(*op, testing::packets_of(2), 3);
  const auto& sessions = trainer_->log().sessions[2];
  ASSERT_EQ(out.packets[0].size(), sessions.size() + 1);
  const PisaModel model(path_, {});
  for (std::size_t next = 1; next < sessions.size(); ++next) {
    const auto past = std::span(sessions).first(next);
    // Packets carry nanoseconds.
    const double now = static_cast<double>(out.packets[0][next].time.count()) / 1e9;
    const auto wanted =
        model.index().best(model.answer(past, BaseLevels(activations_of(past, now))).query, 10);
    const Array& found = out.packets[0][next].as<Record>().at("items").as_array();
    ASSERT_EQ(found.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i)
      EXPECT_EQ(found[i].as_array()[0].as_string(), model.catalogue().name(wanted[i].item)) << next;
  }
  // What was listed is said beside what came.
  ASSERT_EQ(out.packets[1].size(), sessions.size());
  EXPECT_EQ(out.packets[1][5].as<Record>().at("targets").as_array().size(), sessions[5].items.size());
}

TEST_F(Pisa, WhatFollowsChangesNothingBefore) {
  auto packets = testing::packets_of(1);
  const auto lists = [&](const std::vector<Packet>& input) {
    const auto op = stream::testing::make<PisaOperator>({{"model", path_}});
    return stream::testing::run(*op, input, 3);
  };
  const auto whole = lists(packets);
  packets.resize(packets.size() / 2);
  const auto half = lists(packets);
  for (std::size_t i = 0; i + 1 < half.packets[0].size(); ++i)
    EXPECT_EQ(half.packets[0][i].as<Record>().json(), whole.packets[0][i].as<Record>().json());
}

TEST_F(Pisa, UnknownItemsAreNamedWithTheirLineAndChangeNothing) {
  const auto packets = testing::packets_of(0);
  const auto clean = stream::testing::make<PisaOperator>({{"model", path_}}),
             soiled = stream::testing::make<PisaOperator>({{"model", path_}});
  stream::testing::Collector a(3), b(3);
  for (const Packet& packet : packets) {
    clean->process(packet, a);
    soiled->process(packet, b);
    soiled->process(packet.with<Record>(Object{{"item", "nobody knows"}, {"line", 77}}), b);
  }
  ASSERT_EQ(b.packets[2].size(), packets.size());
  EXPECT_EQ(b.packets[2][0].as<Record>().at("line").as_integer(), 77);
  EXPECT_EQ(b.packets[2][0].as<Record>().at("fault").as_string(), "unknown-item");
  ASSERT_EQ(a.packets[0].size(), b.packets[0].size());
  for (std::size_t i = 0; i < a.packets[0].size(); ++i)
    EXPECT_EQ(a.packets[0][i].as<Record>().json(), b.packets[0][i].as<Record>().json());
  EXPECT_THROW(soiled->process(packets[0].with<Record>(Object{{"item", 1.5}}), b), Error);
  EXPECT_THROW(soiled->process(packets[0].with<Record>(Object{{"thing", "a"}}), b), Error);
}

TEST_F(Pisa, TrainingGoesOnWhereItStopped) {
  const auto whole = testing::small_trainer(2), first = testing::small_trainer(2),
             second = testing::small_trainer(2);
  while (!whole->finished()) whole->step();
  for (int i = 0; i < 3; ++i) first->step();
  Archive state;
  first->save(state);
  second->load(state);
  while (!second->finished()) second->step();
  EXPECT_EQ(whole->steps(), second->steps());
  EXPECT_TRUE(at::equal(whole->best().item_vectors(), second->best().item_vectors()));
}

TEST_F(Pisa, PlainMeansWeighEveryItemAlike) {
  PisaShape shape{.items = 20, .features = 8, .length = 3, .activations = false};
  const PisaNetwork plain(shape, nn::generator(1));
  shape.activations = true;
  const PisaNetwork weighted(shape, nn::generator(1));
  const at::Tensor items = torch::tensor({{{1, 2, 3, 4, 0, 0, 0, 0, 0, 0}}}, at::kLong);
  const at::Tensor base = torch::tensor({{{.5, .1, 0., 0., 0., 0., 0., 0., 0., 0.}}}, at::kFloat);
  const at::Tensor none = torch::zeros({1, 1, 10});
  EXPECT_TRUE(at::allclose(plain.slot_weights(items, items * 0, base, none)[0][0].narrow(0, 0, 4),
                           torch::full({4}, 0.25)));
  const at::Tensor w = weighted.slot_weights(items, items * 0, base, none)[0][0];
  EXPECT_NEAR(w.sum().item<float>(), 1, 1e-6);
  EXPECT_NEAR(w[0].item<float>() / w[1].item<float>(), std::sqrt(5.0f), 1e-3);
  EXPECT_EQ(w[5].item<float>(), 0);
}

TEST_F(Pisa, DamagedModelsAreRefused) {
  EXPECT_THROW(PisaModel((folder_ / "nothing.h5").string(), {}), Error);
  Archive archive;
  archive.group("model").set("architecture", "pisa");
  archive.group("model").set("items", std::int64_t{1} << 60);
  archive.group("weights");
  const std::string path = (folder_ / "odd.h5").string();
  nn::write_model(path, archive);
  EXPECT_THROW(PisaModel(path, {}), Error);
}

TEST(PisaStudy, ItsExactPartHolds) {
  const auto op = stream::testing::make<PisaStudy>({{"parts", Array{"exact"}}});
  const auto out = stream::testing::drain(dynamic_cast<Source&>(*op));
  EXPECT_EQ(out.packets[0].size(), 6u);
  for (const Packet& packet : out.packets[0])
    EXPECT_TRUE(packet.as<Record>().at("held").as_bool()) << packet.as<Record>().json();
}

TEST(ListeningWorld, RepeatsFollowMemoryOrNot) {
  WorldOptions options = testing::small_world();
  options.users = 30, options.sessions = 60;
  const auto base_over_counts = [&](bool memory) {
    options.memory = memory;
    const auto log = log_of_world(options);
    return measure(*log, 10, 0, by_base_level(120)).ndcg / measure(*log, 10, 0, by_personal_counts(120)).ndcg;
  };
  EXPECT_GT(base_over_counts(true), base_over_counts(false));
}

TEST(ListeningWorld, KnowsTheChancesOfEachTrack) {
  WorldOptions options;
  options.tracks = 120, options.genres = 4, options.users = 30, options.sessions = 40, options.seed = 3;
  const ListeningWorld world(options);
  const auto chances = world.chances(2, 35, 200);
  ASSERT_EQ(chances.size(), 5u);
  EXPECT_EQ(world.chances(2, 37, 200)[0], chances[2]) << "whatever the first one asked for";
  for (const auto& of : chances) {
    ASSERT_EQ(of.size(), 121u);
    EXPECT_EQ(of[0], 0) << "no track";
    // Sessions have 5 to 10 tracks, none of them twice.
    EXPECT_NEAR(std::accumulate(of.begin(), of.end(), 0.0), 7.5, 0.5);
    for (const float chance : of) EXPECT_LE(chance, 1.001f);
  }
  // What was played is what was likely.
  const auto log = log_of_world(options);
  const double most = measure(*log, 10, 0, by_the_world(options, 100)).ndcg;
  EXPECT_GT(most, 1.2 * measure(*log, 10, 0, by_base_level(120)).ndcg);
  EXPECT_GT(most, 1.2 * measure(*log, 10, 0, by_personal_counts(120)).ndcg);
}

}  // namespace
}  // namespace stream::recommenders
