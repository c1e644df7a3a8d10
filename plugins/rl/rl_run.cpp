#include "rl/rl_run.hpp"

#include <cstdio>

#include "rl/dialogue.hpp"
#include "rl/event_record.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::rl {

namespace {
constexpr int kBatch = 1024;  ///< steps of an environment in one read
}

Spec RunOperator::spec() {
  return declare_spaces(
             Settings::declare_control(
                 Spec(
                     "rl.run",
                     "Let a controller act in a world and learn as it goes: an environment of a plugin, or a "
                     "process that speaks JSON lines.")
                     .output<Record>(
                         "events",
                         "for each episode {\"step\", \"episode\", \"length\", \"return\"}; or for each step "
                         "{\"step\", \"a\", \"r\", \"end\", \"delta\", \"step_size\", \"return\": running "
                         "discounted return over its deviation}")
                     .param("environment", "",
                            "its name, and parameters behind it: \"cartpole limit=200\"; `stream list "
                            "environments` shows which there are")
                     .param("world", "",
                            "command that starts a process with the world in it, in place of an environment")
                     .param("timeout", std::chrono::seconds(10), "longest wait for an answer of the world")
                     .param("faults", "stop",
                            "an answer of the world that cannot be: ends the run, or is passed over",
                            choices({"stop", "skip"}))
                     .param("steps", std::int64_t{0}, "steps in all; 0: without end", at_least(0))
                     .param("report", "episodes", "what is reported", choices({"episodes", "steps"}))))
      .about(
          "With `environment`, its spaces and limit are known, and `actions`, `dimensions`, `grid` and "
          "`time_limit` are not used. Everything is part of a checkpoint, the environment included: a run "
          "that "
          "was stopped goes on to the bit.\n\n"
          "With `world`, the command is run by a shell. It is sent {\"a\": null}, answers with the first "
          "observation of an episode, {\"x\": [...]}, is sent an action, {\"a\": 1}, answers {\"x\": [...], "
          "\"r\": reward, \"end\": 0}, and so on; \"end\": 1 is followed by {\"a\": null} again. Its stderr "
          "is "
          "ours. The stream ends when it ends with exit code 0. One that dies otherwise, or is silent for "
          "longer than `timeout`, ends the run with the number of the step. An answer that cannot be "
          "(another "
          "number of numbers, a reward that is no number, no JSON) leaves the learner as it was; with "
          "`faults = \"skip\"` the action is sent again, beside {\"error\": why}. A process keeps its "
          "state "
          "to itself: a resumed run starts it anew and begins with an episode, and what was learnt goes on.")
      .paper("Elsayed, Vasan, Mahmood, Streaming Deep Reinforcement Learning Finally Works, arXiv 2410.14606")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .example("CartPole", R"([nodes.agent]
use         = "rl.run"
environment = "cartpole"
hidden      = [32]
steps       = 5000

[nodes.episodes]
use  = "jsonl.write"
from = "agent"
)");
}

RunOperator::RunOperator(const Params& p)
    : algorithm_(algorithm_of(p.get<std::string>("learner"))),
      settings_(Settings::control_from(p)),
      actions_(spaces_from(p, settings_)),
      random_(p.random("learner")),
      seeds_(p.random("episodes")),
      limit_(p.get<std::int64_t>("steps")),
      every_step_(p.get<std::string>("report") == "steps"),
      command_(p.get<std::string>("world")),
      timeout_(p.get<Duration>("timeout")),
      skip_bad_(p.get<std::string>("faults") == "skip"),
      node_(p.context().node) {
  const auto environment = p.get<std::string>("environment");
  if (environment.empty() == command_.empty())
    throw bad_recipe(environment.empty() ? "there is neither an environment nor a world to act in"
                                         : "environment and world are both given, expected one of them");
  if (timeout_ <= Duration::zero()) throw bad_recipe("timeout: expected more than nothing");
  if (environment.empty()) return;
  environment_ = make_environment(environment, p.context());
  const Spaces& spaces = environment_->spaces();
  actions_ = {static_cast<std::size_t>(spaces.action.choices), spaces.action.size()};
  settings_.time_limit = static_cast<double>(environment_->limit());
  const auto& shape = spaces.observation.shape;
  if (shape.size() == 3) {
    settings_.filters = p.get<std::size_t>("filters");
    settings_.grid = {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]),
                      static_cast<std::size_t>(shape[2])};
  } else {
    settings_.filters = 0;
  }
  make_controller(spaces.observation.size());
}

void RunOperator::make_controller(std::size_t observation) {
  if (observation == 0) throw bad_data("the observation is empty, expected at least one number");
  check_grid(settings_, observation);
  controller_.emplace(algorithm_, settings_, observation, actions_, random_);
  observation_ = observation;
}

bool RunOperator::read(Output& out) {
  if (limit_ > 0 && steps_ >= limit_) return false;
  return environment_ ? step_environment(out) : hear_world(out);
}

void RunOperator::learn(double reward, std::span<const double> x, bool end, Output& out) {
  // The action that is rewarded: after the step there is another one.
  Value action;
  if (every_step_) action = action_value(controller_->action(), actions_.choices > 0);
  const Controller::Update update = controller_->step(reward, x, end);
  const Time time{steps_};
  ++steps_, ++length_;
  return_ += reward;
  if (every_step_)
    out.emit(Packet::of<Record>(time, Object{{"step", steps_},
                                             {"a", std::move(action)},
                                             {"r", reward},
                                             {"end", end ? 1 : 0},
                                             {"delta", update.delta},
                                             {"step_size", update.step},
                                             {"return", update.normalised_return}}));
  if (!end) return;
  ++episodes_;
  if (!every_step_)
    out.emit(Packet::of<Record>(
        time, Object{{"step", steps_}, {"episode", episodes_}, {"length", length_}, {"return", return_}}));
  last_return_ = return_;
  length_ = 0, return_ = 0;
}

Error RunOperator::at_step(const Error& error) const {
  return error.within("step " + std::to_string(steps_ + 1));
}

bool RunOperator::step_environment(Output& out) {
  try {
    for (int i = 0; i < kBatch && (limit_ == 0 || steps_ < limit_); ++i) {
      if (!controller_->acting()) controller_->begin(environment_->reset(seeds_()));
      const Transition t = environment_->step(controller_->action());
      learn(t.reward, t.observation, t.over(), out);
    }
  } catch (const Error& e) {
    throw at_step(e);
  }
  // Silence is news, too: joins downstream must not wait for the end of an episode.
  out.advance(Time{steps_});
  return true;
}

void RunOperator::tell_world(const std::string& fault) {
  Object told;
  const bool acting = controller_ && controller_->acting();
  told.set("a", acting ? action_value(controller_->action(), actions_.choices > 0) : Value());
  if (!fault.empty()) told.set("error", fault);
  deadline_ = std::chrono::steady_clock::now() + timeout_;
  process_->say(Value(std::move(told)).dump(), deadline_);
  awaiting_ = true;
}

bool RunOperator::hear_world(Output& out) {
  if (!process_) {
    process_ = std::make_unique<LineProcess>(command_);
    // Whatever was under way before belongs to a process that is gone.
    if (controller_ && controller_->acting()) controller_->break_off();
    length_ = 0, return_ = 0;
  }
  if (!awaiting_) tell_world({});
  std::string line;
  switch (process_->hear(line, deadline_)) {
    case LineProcess::Status::kInterrupted:
      return true;
    case LineProcess::Status::kTimeout:
      throw at_step(failed("the world '" + command_ + "' has not answered for " + to_string(timeout_)));
    case LineProcess::Status::kEnd:
      if (const std::string fate = process_->fate(); !fate.empty())
        throw at_step(failed("the world '" + command_ + "' ended with " + fate));
      if (!controller_) throw no_input("the world '" + command_ + "' ended without an observation");
      return false;
    case LineProcess::Status::kLine:
      break;
  }
  awaiting_ = false;
  try {
    const Record record{Buffer::own(std::move(line))};
    read_observation(record, heard_);
    const bool end = read_end(record);
    if (!controller_) {
      if (end) throw bad_data("an episode ends here that has not begun");
      make_controller(heard_.size());
      try {
        controller_->begin(heard_);
      } catch (...) {
        controller_.reset();
        observation_ = 0;
        throw;
      }
    } else if (!controller_->acting()) {
      if (end) throw bad_data("an episode ends here that has not begun");
      controller_->begin(heard_);
    } else {
      learn(read_number(record, "r"), heard_, end, out);
    }
  } catch (const Error& e) {
    if (!skip_bad_ || e.code() != ExitCode::kBadData) throw at_step(e);
    ++skipped_;
    if ((skipped_ & (skipped_ - 1)) == 0)  // 1, 2, 4, 8 ...: not one line for each
      log_warning(node_, at_step(e).what() + (", passed over; " + std::to_string(skipped_) + " by now"));
    tell_world(e.what());
  }
  out.advance(Time{steps_});
  return true;
}

void RunOperator::interrupt() {
  if (process_) process_->interrupt();
}

double RunOperator::fraction() const {
  return limit_ > 0 ? static_cast<double>(steps_) / static_cast<double>(limit_) : -1;
}

void RunOperator::save(Archive& state) const {
  state.set("steps", steps_);
  state.set("episodes", episodes_);
  state.set("length", length_);
  state.set("return", return_);
  state.set("last_return", last_return_);
  state.set("seeds", seeds_.state());
  state.set("observation", static_cast<std::int64_t>(observation_));
  if (controller_) controller_->save(state.group("learner"));
  if (environment_) environment_->save(state.group("environment"));
}

void RunOperator::load(const Archive& state) {
  steps_ = state.get<std::int64_t>("steps");
  episodes_ = state.get<std::int64_t>("episodes");
  length_ = state.get<std::int64_t>("length");
  return_ = state.get<double>("return");
  last_return_ = state.get<double>("last_return");
  seeds_.restore(state.get<std::vector<std::int64_t>>("seeds"));
  const auto observation = state.get<std::int64_t>("observation");
  if (observation < 0 || static_cast<std::uint64_t>(observation) * sizeof(double) > state.bytes())
    throw bad_data("the saved learner's observations have " + std::to_string(observation) + " numbers");
  if (observation > 0 && !controller_) make_controller(static_cast<std::size_t>(observation));
  if (controller_) controller_->load(state.group("learner"));
  if (environment_) environment_->load(state.group("environment"));
}

std::size_t RunOperator::state_bytes() const {
  std::size_t bytes = sizeof *this + (controller_ ? controller_->state_bytes() - sizeof *controller_ : 0);
  if (environment_) {
    Archive state;
    environment_->save(state);
    bytes += state.bytes();
  }
  return bytes;
}

std::string RunOperator::progress() const {
  if (episodes_ == 0) return {};
  char text[96];
  std::snprintf(text, sizeof text, "episode %lld, return %.4g", static_cast<long long>(episodes_),
                last_return_);
  return text;
}

}  // namespace stream::rl
