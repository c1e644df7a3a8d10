#include "rl/rl_control.hpp"

#include "rl/dialogue.hpp"
#include "rl/event_record.hpp"
#include "stream/error.hpp"

namespace stream::rl {

Spec ControlOperator::spec() {
  return declare_spaces(Settings::declare_control(
                            Spec("rl.control",
                                 "Choose an action for each observation and learn from the reward that comes "
                                 "back: stream Q(lambda), SARSA(lambda) or AC(lambda).")
                                .input<Record>("in", kObservationDoc)
                                .output<Record>("out", kActionDoc)))
      .about(
          "Each record is answered by one: the world sends what it observes, this operator the action that "
          "it "
          "is to take, and so on. \"r\" is the reward of the action before. The first record of an episode "
          "has "
          "nothing to be rewarded for; its \"r\" is passed over. A record with \"end\": 1 brings the last "
          "reward and observation of an episode, whether it was decided or cut off; it is answered by \"a\": "
          "null, and the record after it begins the next episode. Where the world did something else than it "
          "was told, it says so in \"a\".\n\n"
          "One record makes one update and is thrown away; memory is constant for ever. With a key each "
          "stream "
          "has a learner of its own.\n\n"
          "A record with another number of numbers than the first, a reward that is no number, anything "
          "beyond +-1e100, or an action that there is not, is an error that leaves the learner as it was "
          "(`on_error` decides what follows). `rl.run` starts a world by itself.")
      .paper("Elsayed, Vasan, Mahmood, Streaming Deep Reinforcement Learning Finally Works, arXiv 2410.14606")
      .contract({.order = Order::kStateful, .keyed = true})
      .example("A controller in a pipe",
               "[nodes.world]\nuse = \"jsonl.read\"\n\n[nodes.agent]\nuse     = \"rl.control\"\nfrom    = "
               "\"world\"\nactions = 2\n\n[nodes.actions]\nuse  = \"jsonl.write\"\nfrom = \"agent\"\n");
}

ControlOperator::ControlOperator(const Params& p)
    : algorithm_(algorithm_of(p.get<std::string>("learner"))),
      settings_(Settings::control_from(p)),
      actions_(spaces_from(p, settings_)),
      seed_(p.random()()) {
  // Refuses now what could not act later, whatever is observed.
  Settings smallest = settings_;
  smallest.hidden.clear();
  smallest.filters = 0;
  Controller(algorithm_, smallest, 1, actions_, Random());
}

Controller ControlOperator::make(std::size_t observation) const {
  check_grid(settings_, observation);
  return Controller(algorithm_, settings_, observation, actions_, Random(stable_hash(key_, seed_)));
}

void ControlOperator::process(Packet in, Output& out) {
  if (controller_) {
    out.emit(in.with<Record>(answer(*controller_, in.as<Record>(), actions_)));
    return;
  }
  thread_local std::vector<double> x;
  read_observation(in.as<Record>(), x);
  if (x.empty()) throw bad_data("'x' is empty, expected at least one number");
  key_ = in.key.str();
  Controller fresh = make(x.size());
  Object made = answer(fresh, in.as<Record>(), actions_);
  observation_ = x.size();
  controller_.emplace(std::move(fresh));
  out.emit(in.with<Record>(std::move(made)));
}

void ControlOperator::save(Archive& state) const {
  state.set("observation", static_cast<std::int64_t>(observation_));
  if (!controller_) return;
  state.set("key", key_);
  controller_->save(state.group("learner"));
}

void ControlOperator::load(const Archive& state) {
  const auto size = state.get<std::int64_t>("observation");
  if (size == 0) return;
  if (size < 0 || static_cast<std::uint64_t>(size) * sizeof(double) > state.bytes())
    throw bad_data("the saved learner's observations have " + std::to_string(size) + " numbers");
  key_ = state.get<std::string>("key");
  observation_ = static_cast<std::size_t>(size);
  controller_.emplace(make(observation_));
  controller_->load(state.group("learner"));
}

std::size_t ControlOperator::state_bytes() const {
  return sizeof *this + (controller_ ? controller_->state_bytes() - sizeof *controller_ : 0);
}

}  // namespace stream::rl
