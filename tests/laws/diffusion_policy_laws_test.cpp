/// The laws for the operators of plugins/diffusion_policy.
#include <gmock/gmock.h>

#include <cmath>

#include "diffusion_policy/act.hpp"
#include "diffusion_policy/demonstrate.hpp"
#include "diffusion_policy/record.hpp"
#include "diffusion_policy/study.hpp"
#include "diffusion_policy/train.hpp"
#include "laws.hpp"
#include "plugins/diffusion_policy/policies.hpp"
#include "program/program.hpp"

namespace stream::diffusion_policy {
namespace {

using stream::testing::ScratchFolder;
using testing::small_policy;

/// Ticks of a robot, with a new episode after every seven.
std::vector<Packet> ticks() {
  std::vector<Packet> packets;
  for (int i = 0; i < 17; ++i) {
    Array seen;
    for (int k = 0; k < 9; ++k) seen.emplace_back(std::sin(i + k));
    Object record{{"obs", std::move(seen)}};
    if (i % 7 == 6) record.set("reset", true);
    packets.push_back(Packet::of<Record>(Time{10 * i}, std::move(record)));
  }
  return packets;
}

template <typename Op>
void expect_resumable(const Object& params) {
  laws::resuming_a_source_is_exact([&params] {
    auto made = stream::testing::make<Op>(params, Context{.node = "source", .seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
  });
}

TEST(Laws, DiffusionPolicyAct) {
  const ScratchFolder folder;
  const std::string path = (folder / "policy.h5").string();
  save_policy(path, small_policy({.noise_steps = 8}));
  const auto expect_lawful = [&](const char* sampling, const char* start) {
    laws::check_all(laws::subject<ActOperator>(
                        {{"model", path}, {"sampling", sampling}, {"start", start}, {"implicit_steps", 3}}),
                    ticks());
  };
  for (const char* start : {"zero", "constant", "denoised"}) expect_lawful("streaming", start);
  expect_lawful("full", "zero");
  expect_lawful("implicit", "zero");
}

TEST(Laws, DiffusionPolicyDemonstrate) {
  const ScratchFolder folder;
  expect_resumable<DemonstrateSource>({{"episodes", 6}, {"file", (folder / "episodes.h5").string()}});
}

TEST(Laws, DiffusionPolicyRecord) {
  const ScratchFolder folder;
  std::vector<Packet> packets;
  for (int i = 0; i < 17; ++i)
    packets.push_back(Packet::of<Record>(Time{10 * i}, Object{{"obs", Array{std::sin(i), 1.0 * i}},
                                                              {"action", Array{0.5 * i}},
                                                              {"end", i % 7 == 6 ? 1 : 0}}));
  laws::check_all(laws::subject<RecordOperator>({{"file", (folder / "own.h5").string()}}), packets);
  const Episodes written = read_episodes((folder / "own.h5").string());
  ASSERT_EQ(written.list.size(), 3u);
  EXPECT_EQ(written.list[1].actions, (std::vector<float>{3.5, 4, 4.5, 5, 5.5, 6, 6.5}));
  EXPECT_EQ(written.list[2].observations[1], 14);
}

TEST(Laws, DiffusionPolicyTrain) {
  const ScratchFolder folder;
  const std::string episodes = (folder / "episodes.h5").string();
  Demonstrator demonstrator({.environment = "gate-world", .seed = 1}, Context{});
  Episodes shown{9, 2, {demonstrator.episode(0), demonstrator.episode(1)}};
  write_episodes(episodes, shown);
  for (const char* objective : {"streaming", "diffusion", "cloning"})
    expect_resumable<TrainSource>({{"episodes", episodes},
                                   {"model", (folder / "policy.h5").string()},
                                   {"objective", objective},
                                   {"steps", 5},
                                   {"batch", 4},
                                   {"report", 1},
                                   {"dims", Array{8, 8}}});
}

TEST(Laws, DiffusionPolicyStudy) {
  const ScratchFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  save_policy(path("gate-streaming-0.h5"), small_policy());
  save_policy(path("gate-diffusion-0.h5"), small_policy({.objective = Objective::kDiffusion}));
  // Times differ from run to run.
  expect_resumable<DiffusionPolicyStudy>({{"model", path("gate-streaming-0.h5")}, {"parts", Array{"exact"}}});
}

}  // namespace
}  // namespace stream::diffusion_policy
