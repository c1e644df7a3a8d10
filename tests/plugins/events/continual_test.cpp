/// What PromptTPP is compared with: consolidated weights, replay, the neural Hawkes process.
#include <gmock/gmock.h>

#include "events/tpp_trainer.hpp"
#include "nn/device.hpp"

namespace stream::events {
namespace {

std::vector<Sequence> drawn(std::size_t regime, std::int64_t count, std::uint64_t seed) {
  const auto regimes = hawkes_regimes(6, 1);
  Random random(seed);
  std::vector<Sequence> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(regimes[regime].simulate(20, random));
  return out;
}

void run(TppTrainer& trainer) {
  while (trainer.step()) {
  }
}

TEST(ElasticWeights, ArePulledByTheFormula) {
  nn::Linear layer(2, 1, nn::generator(1));
  at::Tensor w = layer.weight;
  for (at::Tensor& p : layer.parameters()) p.mutable_grad() = torch::zeros_like(p);
  ElasticWeights elastic(layer);
  // Two tasks, in each two samples whose gradients are known.
  const double gradients[2][2] = {{1, 3}, {2, 4}}, at_end[] = {0.5, -1};
  for (int task = 0; task < 2; ++task) {
    const torch::NoGradGuard no_grad;
    w.fill_(at_end[task]);
    elastic.consolidate(2, [&](std::int64_t i) { w.mutable_grad().fill_(gradients[task][i]); });
  }
  {
    const torch::NoGradGuard no_grad;
    w.fill_(2);
  }
  elastic.pull(3);
  EXPECT_NEAR(w.grad()[0][0].item<double>(), 3 * (5 * (2 - 0.5) + 10 * (2 + 1)), 1e-4);
  EXPECT_EQ(layer.bias.grad()[0].item<double>(), 0) << "what never had a gradient is free";
}

TEST(ElasticWeights, HoldWhatWasLearnt) {
  const auto change = [](double elastic) {
    TppOptions options;
    options.shape.retrieval = Retrieval::kNone, options.elastic = elastic;
    options.first_epochs = 6, options.epochs = 4, options.rate = 1e-2;
    TppTrainer trainer(options, 4);
    trainer.begin(drawn(0, 60, 3));
    run(trainer);
    const auto test = drawn(0, 30, 9);
    const double before = trainer.score(test).log_likelihood;
    trainer.begin(drawn(1, 60, 5));
    run(trainer);
    return before - trainer.score(test).log_likelihood;
  };
  const double free = change(0), held = change(1000);
  EXPECT_GT(free, 0.1);
  EXPECT_LT(held, 0.5 * free);
}

TEST(Reservoir, KeepsAllAlike) {
  std::vector<int> kept(40);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Reservoir memory(10, seed);
    for (int i = 0; i < 40; ++i) memory.offer({{static_cast<double>(i), 0}});
    EXPECT_EQ(memory.kept().size(), 10u);
    for (const Sequence& s : memory.kept()) ++kept[static_cast<std::size_t>(s[0].time)];
  }
  for (const int n : kept) EXPECT_NEAR(n, 100, 40);
}

TEST(NeuralHawkes, SeesNothingThatComesLater) {
  const NeuralHawkes network(6, 8, 3);
  auto sequences = drawn(0, 2, 1);
  const auto rates = [&] {
    const TppBatch batch = batch_of(sequences);
    return nn::inference([&] { return network.intensities(batch, PromptTpp::points_of(batch, 5)); });
  };
  const at::Tensor before = rates();
  for (std::size_t i = 8; i < 20; ++i)
    sequences[0][i].type = (sequences[0][i].type + 1) % 6, sequences[0][i].time += 2;
  const at::Tensor after = rates();
  EXPECT_TRUE(at::equal(before.narrow(1, 0, 7), after.narrow(1, 0, 7)));
  EXPECT_FALSE(at::equal(before.narrow(1, 8, 1), after.narrow(1, 8, 1)));
}

/// One unit, by equations 5 to 7 in double precision.
TEST(NeuralHawkes, IsTheFormula) {
  NeuralHawkes network(2, 1, 3);
  const auto p = network.named_parameters();
  const auto value = [&](const char* name, std::int64_t i) {
    return static_cast<double>(p[name].flatten()[i].item<float>());
  };
  const Sequence events{{0, 1}, {0.7, 0}, {1.9, 1}};
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  double c = 0, to = 0, h = 0;
  const TppBatch batch = batch_of(std::span(&events, 1));
  const at::Tensor rates = network.intensities(batch, PromptTpp::points_of(batch, 3));
  for (std::int64_t i = 0; i < 2; ++i) {
    const double k = value("types", events[static_cast<std::size_t>(i)].type);
    const auto gate = [&](std::int64_t g) {
      return value("gates.weight", 2 * g) * k + value("gates.weight", 2 * g + 1) * h + value("gates.bias", g);
    };
    const double fresh = std::tanh(gate(2)), out = sigmoid(gate(3)), decay = std::log1p(std::exp(gate(6)));
    const double forget = sigmoid(gate(1)), in = sigmoid(gate(0));
    to = sigmoid(gate(5)) * to + sigmoid(gate(4)) * fresh;
    c = forget * c + in * fresh;
    const double gap =
        events[static_cast<std::size_t>(i) + 1].time - events[static_cast<std::size_t>(i)].time;
    for (std::int64_t s = 0; s < 3; ++s) {
      const double now = to + (c - to) * std::exp(-decay * gap * static_cast<double>(s) / 2);
      h = out * std::tanh(now);
      for (std::int64_t type = 0; type < 2; ++type)
        EXPECT_NEAR(rates[0][i][s][type].item<double>(),
                    std::log1p(std::exp(value("intensity.weight", type) * h + value("intensity.bias", type))),
                    1e-5);
      if (s == 2) c = now;
    }
  }
}

TEST(Continual, TrainingGoesOnWhereItStopped) {
  TppOptions options;
  options.shape.retrieval = Retrieval::kNone, options.first_epochs = options.epochs = 2, options.batch = 8;
  options.elastic = 2, options.replay = 10, options.base = TppBase::kNeuralHawkes;
  TppTrainer whole(options, 4), first(options, 4), second(options, 4);
  const auto one = drawn(0, 20, 3), two = drawn(1, 20, 4), three = drawn(2, 20, 5);
  for (TppTrainer* trainer : {&whole, &first}) {
    trainer->begin(one);
    run(*trainer);
    trainer->begin(two);
  }
  run(whole);
  for (int i = 0; i < 3; ++i) first.step();
  Archive state;
  first.save(state);
  second.begin(two);
  second.load(state);
  run(second);
  whole.begin(three), second.begin(three);
  run(whole), run(second);
  EXPECT_EQ(whole.score(one).log_likelihood, second.score(one).log_likelihood);
}

/// Gaps of a Poisson process are exponential whatever came before.
TEST(GapError, OfAProcessWithoutMemoryIsItsDeviation) {
  const Hawkes poisson{{0.3, 0.2}, {{0, 0}, {0, 0}}, 1};
  Random random(7);
  std::vector<Sequence> sequences;
  for (int i = 0; i < 200; ++i) sequences.push_back(poisson.simulate(20, random));
  EXPECT_NEAR(poisson.gap_error(sequences, 40, 801), 2, 0.1);
  TppOptions options;
  options.shape.retrieval = Retrieval::kNone, options.shape.types = 2, options.first_epochs = 6;
  TppTrainer trainer(options, 1);
  trainer.begin(sequences);
  run(trainer);
  EXPECT_NEAR(trainer.gap_error(std::span(sequences).first(50), 40, 161),
              poisson.gap_error(std::span(sequences).first(50), 40, 801), 0.1);
}

}  // namespace
}  // namespace stream::events
