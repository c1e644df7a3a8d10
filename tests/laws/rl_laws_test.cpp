/// The laws for the operators of plugins/rl.
#include <gmock/gmock.h>

#include <cmath>

#include "laws.hpp"
#include "rl/rl_control.hpp"
#include "rl/rl_environment.hpp"
#include "rl/rl_predict.hpp"
#include "rl/rl_run.hpp"
#include "rl/study_stream_x.hpp"

namespace stream::rl {
namespace {

/// Observations of two numbers, rewards, cumulants, and an episode that ends every eleven records.
std::vector<Packet> events() {
  std::vector<Packet> packets;
  for (int i = 0; i < 70; ++i) {
    Object event{{"x", Array{std::sin(i / 3.0), 1.0 * (i % 5)}}, {"c", std::sin(i / 3.0)}, {"r", i % 3 - 1}};
    if (i % 11 == 10) event.set("end", 1);
    packets.push_back(Packet::of<Record>(Time{10 * i}, std::move(event)));
  }
  return packets;
}

TEST(Laws, RlPredict) {
  for (const char* optimizer : {"obgd", "adaptive-obgd", "sgd", "adam"})
    laws::check_all(
        laws::subject<PredictOperator>(
            {{"hidden", Array{8, 5}}, {"optimizer", optimizer}, {"rate", 0.01}, {"input_trace", 0.9}}),
        events());
}

TEST(Laws, RlPredictFromRowsOfATable) {
  std::vector<Packet> rows;
  for (int i = 0; i < 40; ++i)
    rows.push_back(Packet::of<Record>(
        Time{i}, Object{{"hall", std::sin(i / 3.0)}, {"attic", 1.0 * (i % 5)}, {"date", "2026-11-28"}}));
  laws::check_all(laws::subject<PredictOperator>(
                      {{"hidden", Array{8}}, {"members", Array{"attic", "hall"}}, {"cumulant", "hall"}}),
                  rows);
}

TEST(Laws, RlControl) {
  for (const char* learner : {"q", "sarsa", "ac"})
    laws::check_all(laws::subject<ControlOperator>({{"hidden", Array{8}},
                                                    {"learner", learner},
                                                    {"actions", 3},
                                                    {"epsilon_steps", 40},
                                                    {"time_limit", 10}}),
                    events());
  laws::check_all(laws::subject<ControlOperator>(
                      {{"hidden", Array{8}}, {"learner", "ac"}, {"actions", 0}, {"dimensions", 2}}),
                  events());
}

TEST(Laws, RlEnvironment) {
  std::vector<Packet> actions;
  for (int i = 0; i < 70; ++i)
    actions.push_back(Packet::of<Record>(Time{i}, Object{{"a", i % 8 == 0 ? Value() : Value(i % 2)}}));
  laws::check_all(laws::subject<EnvironmentOperator>({{"environment", "cartpole"}}), actions);
}

TEST(Laws, RlRun) {
  for (const auto& [environment, learner] :
       {std::pair{"cartpole limit=50", "q"}, std::pair{"acrobot limit=300", "sarsa"},
        std::pair{"pendulum", "ac"}}) {
    const Object params{
        {"environment", environment}, {"learner", learner}, {"hidden", Array{8}}, {"steps", 5000}};
    const auto source = [&params] {
      auto op = testing::make<RunOperator>(params, {.node = "agent", .seed = 3});
      return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
    };
    laws::resuming_a_source_is_exact(source);
    const auto made = source();
    testing::Collector out;
    made->read(out);
    const std::size_t bytes = made->state_bytes() + testing::saved(*made).bytes();
    // An environment between two episodes has less to save.
    while (made->read(out)) EXPECT_LE(made->state_bytes() + testing::saved(*made).bytes(), bytes + 256);
    EXPECT_FALSE(out.packets[0].empty());
  }
}

TEST(Laws, RlStudyStreamX) {
  // What it says of resident memory is measured anew by every run; the rest is not.
  laws::resuming_a_source_is_exact([] {
    auto op = testing::make<StreamXStudy>(
        Object{{"parts", Array{"acrobot", "series"}}, {"seeds", 1}, {"acrobot_steps", 1000}, {"rows", 1000}});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  });
}

}  // namespace
}  // namespace stream::rl
