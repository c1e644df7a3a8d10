/// usage: bench-rl-torch UPDATES: the learner of rl_loop.py through libtorch's C++ modules; prints
/// microseconds of processor time for an update.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "nn/torch.hpp"
#include "torch_learner.hpp"

int main(int argc, char** argv) {
  using stream::rl::TorchLearner;
  const long updates = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1000;
  at::set_num_threads(1);
  TorchLearner learner({.inputs = 5, .hidden = {32, 32}, .outputs = 2}, 1, 2);
  stream::Random random(1);
  std::vector<std::vector<double>> samples(1024, std::vector<double>(5));
  for (auto& sample : samples)
    for (double& x : sample) x = random.normal();
  const auto run = [&](long count) {
    for (long t = 0; t < count; ++t) {
      const auto& x = samples[static_cast<std::size_t>(t % 1023)];
      const auto after = learner.outputs(samples[static_cast<std::size_t>(t % 1023 + 1)]);
      learner.learn(x, static_cast<std::size_t>(t % 2), 0.99 * 0.8, t % 50 == 49,
                    [&](double q) { return 1 + 0.99 * *std::max_element(after.begin(), after.end()) - q; });
    }
  };
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  run(100);
  const double start = now();
  run(updates);
  std::printf("%.6g\n", 1e6 * (now() - start) / static_cast<double>(updates));
}
