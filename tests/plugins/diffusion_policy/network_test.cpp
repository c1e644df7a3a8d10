/// The network, its activation, its file.
#include <gmock/gmock.h>

#include "diffusion_policy/mish.hpp"
#include "diffusion_policy/study_exact.hpp"
#include "policies.hpp"
#include "program/program.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

using testing::small_policy;

TEST(Mish, IsLibtorchsForwardAndBack) {
  const at::Tensor x = torch::cat({torch::linspace(-30, 30, 601), torch::tensor({-100.0f, 100.0f, 0.0f})});
  const at::Tensor ours = x.clone().requires_grad_(), theirs = x.clone().requires_grad_();
  const at::Tensor a = Mish::of(ours), b = at::mish(theirs);
  EXPECT_LT((a - b).abs().max().item<float>(), 2e-6f);
  a.sum().backward();
  b.sum().backward();
  EXPECT_LT((ours.grad() - theirs.grad()).abs().max().item<float>(), 2e-6f);
}

TEST(Denoiser, GivesNoiseForEveryPosition) {
  for (const std::vector<std::int64_t>& dims : {std::vector<std::int64_t>{16}, {8, 16}, {8, 16, 24}}) {
    DenoiserShape shape;
    shape.dims = dims;
    ASSERT_EQ(shape.fault(), "");
    const Denoiser network(shape, nn::generator(1));
    const torch::NoGradGuard no_grad;
    const at::Tensor e =
        network.forward(torch::zeros({3, 20, 2}), torch::full({3, 20}, -1, at::kLong), torch::zeros({3, 18}));
    EXPECT_EQ(e.sizes(), (std::vector<std::int64_t>{3, 20, 2}));
    EXPECT_TRUE(e.isfinite().all().item<bool>());
  }
}

TEST(Denoiser, TellsTheStepsOfPositionsApart) { EXPECT_TRUE(positions_are_told_apart(small_policy(), 1)); }

TEST(Denoiser, RefusesShapesThatCannotBe) {
  const auto fault = [](auto change) {
    DenoiserShape shape;
    change(shape);
    return shape.fault();
  };
  EXPECT_EQ(fault([](DenoiserShape&) {}), "");
  EXPECT_THAT(fault([](DenoiserShape& s) { s.horizon = 21; }), ::testing::HasSubstr("multiple of 2"));
  EXPECT_THAT(fault([](DenoiserShape& s) { s.dims = {12}; }), ::testing::HasSubstr("multiples of 8"));
  EXPECT_NE(fault([](DenoiserShape& s) { s.dims = {}; }), "");
  EXPECT_NE(fault([](DenoiserShape& s) { s.observation = 1 << 30; }), "");
  EXPECT_NE(fault([](DenoiserShape& s) { s.step_code = 5; }), "");
}

TEST(Policy, IsReadAsItWasWrittenAndWrittenAgainTheSame) {
  const stream::testing::ScratchFolder folder;
  const std::string first = (folder / "first.h5").string(), second = (folder / "second.h5").string();
  save_policy(first, small_policy());
  const Policy read = load_policy(first);
  EXPECT_EQ(read.objective, Objective::kStreaming);
  EXPECT_EQ(read.executed, 4);
  save_policy(second, read);
  EXPECT_EQ(stream::testing::contents(first), stream::testing::contents(second));
}

TEST(Policy, FilesThatAreNoPolicyAreNamed) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "policy.h5").string();
  EXPECT_THROW(load_policy(path), Error);
  save_policy(path, small_policy());
  std::string bytes = stream::testing::contents(path);
  bytes[bytes.size() / 2] ^= 1;
  stream::testing::write_contents(path, bytes);
  try {
    load_policy(path);
    FAIL() << "a damaged file was read";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), ::testing::StartsWith(path));
    EXPECT_EQ(e.code(), ExitCode::kBadData);
  }
}

}  // namespace
}  // namespace stream::diffusion_policy
