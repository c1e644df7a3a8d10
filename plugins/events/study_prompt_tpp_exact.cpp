#include <algorithm>
#include <cmath>

#include "events/study_prompt_tpp_parts.hpp"
#include "nn/device.hpp"

namespace stream::events {

std::vector<Sequence> simulated(const Hawkes& process, std::int64_t count, Random& random) {
  std::vector<Sequence> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(process.simulate(kTppLength, random));
  return out;
}

double exponential_distance(std::vector<double> sample) {
  std::sort(sample.begin(), sample.end());
  double most = 0;
  const auto n = static_cast<double>(sample.size());
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double f = 1 - std::exp(-sample[i]);
    most = std::max(
        {most, std::abs(f - static_cast<double>(i) / n), std::abs(f - static_cast<double>(i + 1) / n)});
  }
  return most;
}

void TppExactPart::measure() {
  const auto regimes = hawkes_regimes(kTppTypes, seed_);
  Random random(seed_);
  const auto sequences = simulated(regimes[0], 60, random);
  // Time rescaling of the true process; 1.63 / sqrt(n) is the distance that a sample exceeds once in a
  // hundred.
  std::vector<double> gaps;
  for (const Sequence& s : sequences) {
    const auto some = regimes[0].compensator(s);
    gaps.insert(gaps.end(), some.begin(), some.end());
  }
  const double bar = 1.63 / std::sqrt(static_cast<double>(gaps.size())),
               distance = exponential_distance(gaps);
  records_.push_back(claim("compensator gaps of the simulated process are unit exponentials: distance",
                           Value(), Value(), distance, "<= " + quantity(bar), distance <= bar));
  TppOptions options;
  options.first_epochs = 8;
  TppTrainer trainer(options, seed_);
  trainer.begin(sequences);
  while (trainer.step()) {
  }
  // Whatever follows event 20 changes nothing up to it.
  const bool causal = nn::inference([&] {
    Sequence changed = sequences[0];
    for (std::size_t i = 21; i < changed.size(); ++i)
      changed[i] = {changed[i].time * 1.5 + 1, (changed[i].type + 1) % static_cast<std::int32_t>(kTppTypes)};
    const auto rates = [&](const Sequence& s) {
      const TppBatch batch = batch_of(std::span(&s, 1));
      const auto context = trainer.network().context(batch);
      Random unused(0);
      return trainer.network().intensities(batch, context, trainer.network().choose(context, unused), 8);
    };
    return at::equal(rates(sequences[0]).narrow(1, 0, 20), rates(changed).narrow(1, 0, 20));
  });
  records_.push_back(claim("what follows changes no intensity before it, bit for bit", Value(), Value(),
                           causal, "true", causal));
  const double few = trainer.score(sequences, 8).log_likelihood,
               many = trainer.score(sequences, 400).log_likelihood;
  records_.push_back(claim("log-likelihood with 8 points an interval against 400, difference a nat", many,
                           few, std::abs(few - many), "<= 0.02", std::abs(few - many) <= 0.02));
  // A stream without memory: the intensity that is learnt is its rate.
  Hawkes poisson{std::vector<double>(kTppTypes, 0.5 / kTppTypes),
                 std::vector<std::vector<double>>(kTppTypes, std::vector<double>(kTppTypes)), 1};
  options.shape.retrieval = Retrieval::kNone;
  options.first_epochs = 15, options.batch = 25;
  TppTrainer memoryless(options, seed_ + 1);
  memoryless.begin(simulated(poisson, 200, random));
  while (memoryless.step()) {
  }
  const double rate = nn::inference([&] {  // its mean over time, on sequences that were not learnt from
    const auto fresh = simulated(poisson, 50, random);
    const TppBatch batch = batch_of(fresh);
    const auto context = memoryless.network().context(batch);
    const at::Tensor mean = memoryless.network().intensities(batch, context, {}, 8).sum(-1).mean(-1);
    const auto m = mean.size(1);
    const at::Tensor gaps = batch.times.narrow(1, 1, m) - batch.times.narrow(1, 0, m);
    return ((mean * gaps).sum() / gaps.sum()).item<double>();
  });
  records_.push_back(claim("total intensity learnt from a Poisson process of rate 0.5", Value(), 0.5, rate,
                           "within 3 %", std::abs(rate / 0.5 - 1) <= 0.03));
}

}  // namespace stream::events
