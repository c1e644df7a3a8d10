/// PromptTPP: what must be exact, and that training goes on where it stopped.
#include <gmock/gmock.h>

#include "events/events_prompt_tpp.hpp"
#include "events/study_prompt_tpp.hpp"
#include "events/study_prompt_tpp_parts.hpp"
#include "events/tpp_trainer.hpp"
#include "nn/device.hpp"
#include "nn/weights.hpp"
#include "program/program.hpp"
#include "stream/testing.hpp"

namespace stream::events {
namespace {

std::vector<Sequence> sequences(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  const Hawkes h = hawkes_regimes(6, 1)[0];
  std::vector<Sequence> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(h.simulate(20, random));
  return out;
}

TEST(PromptTpp, LikelihoodByHand) {
  TppBatch batch{torch::tensor({{0.f, 2.f}}), torch::tensor({{0, 1}}, at::kLong)};
  // Two types, three points: totals 1, 2, 3, of type 1 at the event 2: ln 2 - 2 (1 + 2 + 3) / 3.
  const at::Tensor rates = torch::tensor({{{{.5f, .5f}, {1.f, 1.f}, {1.f, 2.f}}}});
  EXPECT_NEAR(PromptTpp::log_likelihoods(batch, rates).item<float>(), std::log(2.0) - 4.0, 1e-6);
}

TEST(PromptTpp, ASequenceDoesNotDependOnItsBatch) {
  const PromptTpp network({}, 3);
  const auto some = sequences(5, 1);
  nn::inference([&] {
    Random random(0);
    const auto rates = [&](std::span<const Sequence> s) {
      const TppBatch batch = batch_of(s);
      const auto context = network.context(batch);
      return network.intensities(batch, context, network.choose(context, random), 8);
    };
    EXPECT_TRUE(at::allclose(rates(some)[3], rates(std::span(some).subspan(3, 1))[0], 1e-5, 1e-6));
    return 0;
  });
}

TEST(PromptTpp, QueriesSeeTheBlocksFirstEventAndNoneLater) {
  const PromptTpp network({}, 3);
  auto s = sequences(1, 2);
  const auto before = network.context(batch_of(s));
  for (std::size_t i = 6; i < s[0].size(); ++i) s[0][i].type = (s[0][i].type + 1) % 6, s[0][i].time += 3;
  const auto after = network.context(batch_of(s));
  EXPECT_TRUE(at::equal(before.query.narrow(1, 0, 2), after.query.narrow(1, 0, 2)));
  EXPECT_TRUE(at::equal(before.gap.narrow(1, 0, 2), after.gap.narrow(1, 0, 2)));
  EXPECT_FALSE(at::equal(before.query.narrow(1, 2, 1), after.query.narrow(1, 2, 1)));
}

TEST(PromptTpp, AStepMovesOnlyThePromptsThatWereChosen) {
  TppOptions options;
  options.first_epochs = 1, options.batch = 20;
  TppTrainer trainer(options, 4);
  const at::Tensor prompts = trainer.network().prompts.clone(), keys = trainer.network().keys.clone();
  trainer.begin(sequences(20, 3));
  ASSERT_TRUE(trainer.step());
  for (std::int64_t p = 0; p < options.shape.pools(); ++p) {
    const auto moved =
        (trainer.network().prompts[p] != prompts[p]).flatten(1).any(1).sum().item<std::int64_t>();
    EXPECT_EQ(moved, 1);
    EXPECT_EQ((trainer.network().keys[p] != keys[p]).any(1).sum().item<std::int64_t>(), 1);
  }
}

TEST(PromptTpp, WithoutPromptsNoneIsTouched) {
  TppOptions options;
  options.shape.retrieval = Retrieval::kNone, options.first_epochs = 1;
  TppTrainer trainer(options, 4);
  const at::Tensor prompts = trainer.network().prompts.clone();
  trainer.begin(sequences(20, 3));
  const double before = trainer.score(sequences(10, 9)).log_likelihood;
  while (trainer.step()) {
  }
  EXPECT_TRUE(at::equal(prompts, trainer.network().prompts));
  EXPECT_GT(trainer.score(sequences(10, 9)).log_likelihood, before);
}

TEST(PromptTpp, TrainingGoesOnWhereItStopped) {
  TppOptions options;
  options.first_epochs = 2, options.batch = 8;
  TppTrainer whole(options, 4), first(options, 4), second(options, 4);
  const auto task = sequences(20, 3);
  whole.begin(task), first.begin(task), second.begin(task);
  while (whole.step()) {
  }
  for (int i = 0; i < 4; ++i) first.step();
  Archive state;
  first.save(state);
  second.load(state);
  while (second.step()) {
  }
  EXPECT_TRUE(at::equal(whole.network().prompts, second.network().prompts));
  EXPECT_EQ(whole.score(task).log_likelihood, second.score(task).log_likelihood);
}

TEST(PromptTpp, TasksThatCannotBeLearntAreRefused) {
  TppTrainer trainer({}, 1);
  EXPECT_THROW(trainer.begin({}), Error);
  EXPECT_THROW(trainer.begin({{{0, 0}}}), Error);
  EXPECT_THROW(trainer.begin({{{0, 0}, {1, 0}}, {{0, 0}}}), Error);
}

TEST(TppModel, OneEventAtATimeIsTheBatch) {
  TppOptions options;
  options.first_epochs = 2;
  for (const Retrieval retrieval : {Retrieval::kSimilarity, Retrieval::kNone}) {
    options.shape.retrieval = retrieval;
    TppTrainer trainer(options, 4);
    const auto task = sequences(30, 3);
    trainer.begin(task);
    while (trainer.step()) {
    }
    const testing::ScratchFolder folder;
    const std::string path = (folder / "tpp.h5").string();
    write_tpp(path, trainer.network(), {"a", "b", "c", "d", "e", "f"}, 20);
    const TppModel model(path);
    const TppBatch batch = batch_of(std::span(task).first(1));
    const at::Tensor rates = nn::inference([&] {
      Random random(0);
      const auto context = trainer.network().context(batch);
      return trainer.network().intensities(batch, context, trainer.network().choose(context, random), 8);
    });
    const at::Tensor likelihoods = PromptTpp::log_likelihoods(batch, rates);
    TppState state;
    model.append(state, 0, task[0][0].type);
    for (std::size_t i = 1; i < task[0].size(); ++i) {
      const auto& e = task[0][i];
      const auto found = model.intensity(state, e.time);
      for (std::int64_t k = 0; k < 6; ++k)
        EXPECT_NEAR(found[static_cast<std::size_t>(k)],
                    rates[0][static_cast<std::int64_t>(i) - 1][7][k].item<double>(), 1e-4);
      const double likelihood = std::log(found[static_cast<std::size_t>(e.type)]) -
                                model.integral(state, state.times.back(), e.time);
      EXPECT_NEAR(likelihood, likelihoods[0][static_cast<std::int64_t>(i) - 1].item<double>(), 1e-3);
      model.append(state, e.time, e.type);
    }
    const auto next = model.forecast(state, 20);
    EXPECT_GT(next.gap, 0);
    EXPECT_LT(next.gap, 20);
  }
}

TEST(TppModel, DamagedFilesAreRefused) {
  const testing::ScratchFolder folder;
  EXPECT_THROW(TppModel((folder / "nothing.h5").string()), Error);
  Archive archive;
  archive.group("model").set("architecture", "prompt-tpp");
  archive.group("model").set("types", std::int64_t{1} << 60);
  archive.group("weights");
  const std::string path = (folder / "odd.h5").string();
  nn::write_model(path, archive);
  EXPECT_THROW(TppModel{path}, Error);
}

TEST(PromptTppOperator, WhatIsWrongIsNamedAndChangesNothing) {
  const testing::ScratchFolder folder;
  const std::string path = (folder / "tpp.h5").string();
  write_tpp(path, PromptTpp({}, 3), {"a", "b", "c", "d", "e", "f"}, 10);
  const auto clean = testing::make<PromptTppOperator>({{"model", path}}),
             soiled = testing::make<PromptTppOperator>({{"model", path}});
  testing::Collector a(2), b(2);
  for (int i = 0; i < 25; ++i) {
    const Packet packet = Packet::of<Record>(
        std::chrono::seconds(100 + i), Object{{"item", std::string(1, static_cast<char>('a' + i % 6))}});
    clean->process(packet, a);
    soiled->process(packet, b);
    soiled->process(packet.with<Record>(Object{{"item", "z"}, {"line", i}}), b);
    EXPECT_THROW(soiled->process(packet.with<Record>(Object{{"item", true}}), b), Error);
  }
  ASSERT_EQ(a.packets[0].size(), 25u);
  ASSERT_EQ(b.packets[1].size(), 25u);
  EXPECT_EQ(b.packets[1][7].as<Record>().at("fault").as_string(), "unknown-type");
  EXPECT_EQ(b.packets[1][7].as<Record>().at("line").as_integer(), 7);
  for (std::size_t i = 0; i < 25; ++i)
    EXPECT_EQ(a.packets[0][i].as<Record>().json(), b.packets[0][i].as<Record>().json());
}

TEST(Measures, OfTheStudy) {
  EXPECT_NEAR(
      mutual_information(std::vector<std::int64_t>{0, 0, 1, 1}, std::vector<std::int64_t>{5, 5, 7, 7}), 1,
      1e-12);
  EXPECT_NEAR(
      mutual_information(std::vector<std::int64_t>{0, 0, 1, 1}, std::vector<std::int64_t>{5, 7, 5, 7}), 0,
      1e-12);
  EXPECT_EQ(mutual_information(std::vector<std::int64_t>{0, 1}, std::vector<std::int64_t>{5, 5}), 0);
  EXPECT_NEAR(exponential_distance({std::log(2.0)}), 0.5, 1e-12);
}

}  // namespace
}  // namespace stream::events
