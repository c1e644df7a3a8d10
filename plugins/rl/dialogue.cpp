#include "rl/dialogue.hpp"

#include "rl/event_record.hpp"
#include "stream/error.hpp"

namespace stream::rl {

Spec declare_spaces(Spec spec) {
  return std::move(spec)
      .param("actions", std::int64_t{2}, "actions to choose from; 0: actions are numbers (learner = \"ac\")",
             range(0, 100'000))
      .param("dimensions", std::int64_t{1}, "numbers in an action, where actions = 0", range(1, 100'000))
      .param("grid", std::vector<std::int64_t>{},
             "rows, columns and channels of an observation that is a picture, channel last", range(1, 4096))
      .param(
          "time_limit", std::int64_t{0},
          "steps after which the world cuts an episode off; the learner then sees how far it has come; 0: no "
          "limit",
          at_least(0), unit("steps"));
}

Actions spaces_from(const Params& p, Settings& settings) {
  const auto grid = p.get<std::vector<std::int64_t>>("grid");
  if (grid.empty()) {
    settings.filters = 0;
  } else if (grid.size() != 3 || grid[0] < 3 || grid[1] < 3 || grid[0] * grid[1] * grid[2] > 1'000'000) {
    throw bad_recipe(
        "grid: expected rows and columns of at least 3, and channels; a million numbers at most");
  } else {
    settings.grid = {static_cast<std::size_t>(grid[0]), static_cast<std::size_t>(grid[1]),
                     static_cast<std::size_t>(grid[2])};
  }
  settings.time_limit = p.get<double>("time_limit");
  return {p.get<std::size_t>("actions"), p.get<std::size_t>("dimensions")};
}

void check_grid(const Settings& settings, std::size_t observation) {
  const Grid& g = settings.grid;
  if (settings.filters > 0 && g.rows * g.columns * g.channels != observation)
    throw bad_data("the observation has " + std::to_string(observation) + " numbers, expected " +
                   std::to_string(g.rows) + " x " + std::to_string(g.columns) + " x " +
                   std::to_string(g.channels));
}

Object answer(Controller& controller, const Record& event, const Actions& actions) {
  thread_local std::vector<double> x, taken;
  read_observation(event, x);
  const bool end = read_end(event);
  Object made;
  if (!controller.acting()) {
    if (end) throw bad_data("an episode ends here that has not begun");
    controller.begin(x);
    made.set("a", action_value(controller.action(), actions.choices > 0));
    for (const char* name : {"delta", "step_size", "return"}) made.set(name, Value());
    return made;
  }
  const double reward = read_number(event, "r");
  Controller::Update update{};
  if (read_action(event, taken)) {
    const std::vector<double> chosen(controller.action().begin(), controller.action().end());
    controller.executed(taken);
    try {
      update = controller.step(reward, x, end);
    } catch (...) {
      controller.executed(chosen);
      throw;
    }
  } else {
    update = controller.step(reward, x, end);
  }
  made.set("a", end ? Value() : action_value(controller.action(), actions.choices > 0));
  made.set("delta", update.delta);
  made.set("step_size", update.step);
  made.set("return", update.normalised_return);
  return made;
}

}  // namespace stream::rl
