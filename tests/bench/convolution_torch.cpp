/// Prints nanoseconds for a thousand multiply-adds of a convolution through libtorch, which is oneDNN's, on
/// one thread.
#include <chrono>
#include <cstdio>

#include "nn/torch.hpp"

int main() {
  at::set_num_threads(1);
  const c10::InferenceMode guard;
  const at::Tensor x = torch::rand({1, 64, 56, 56}), w = torch::rand({64, 64, 3, 3}), b = torch::rand({64});
  const auto run = [&] { return at::conv2d(x, w, b, 1, 1); };
  for (int i = 0; i < 5; ++i) run();
  constexpr int kRounds = 20;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) run();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf("%.6f\n", seconds * 1e12 / (kRounds * 64.0 * 64 * 9 * 56 * 56));
}
