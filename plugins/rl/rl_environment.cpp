#include "rl/rl_environment.hpp"

#include "rl/event_record.hpp"
#include "stream/error.hpp"

namespace stream::rl {

Spec EnvironmentOperator::spec() {
  return Spec("rl.environment", "Serve an environment: actions in, observations and rewards out.")
      .input<Record>("in", "{\"a\": action}; null begins an episode")
      .output<Record>(
          "out",
          "{\"x\": [observation], \"r\": reward (null at the beginning), \"end\": 1 where the episode "
          "is over}")
      .required<std::string>("environment",
                             "its name, and parameters behind it: \"cartpole limit=200\"; `stream list "
                             "environments` shows which there are")
      .about(
          "The other side of `rl.control` and of `rl.run`: each record is answered by one. Episodes are "
          "seeded "
          "from the run's seed, and from the key, of which each has a world of its own. An action that the "
          "environment does not know, or one after the end of an episode, is an error that leaves the world "
          "as "
          "it was.\n\n"
          "Two programs make a dialogue when each reads what the other writes:\n\n"
          "    stream run rl-control --set params.world='stream run rl-world'")
      .contract({.order = Order::kStateful, .keyed = true})
      .example("CartPole over JSON lines",
               "[nodes.actions]\nuse = \"jsonl.read\"\n\n[nodes.world]\nuse         = "
               "\"rl.environment\"\nfrom        = \"actions\"\nenvironment = "
               "\"cartpole\"\n\n[nodes.observations]\nuse  = \"jsonl.write\"\nfrom = \"world\"\n");
}

EnvironmentOperator::EnvironmentOperator(const Params& p)
    : environment_(make_environment(p.get<std::string>("environment"), p.context())), seeds_(p.random()) {}

void EnvironmentOperator::process(Packet in, Output& out) {
  thread_local std::vector<double> action;
  in.as<Record>().at("a");  // must be there: a misspelt action is no wish for a new episode
  if (!read_action(in.as<Record>(), action)) {
    if (!seeded_) seeds_ = Random(stable_hash(in.key.str(), seeds_()));
    seeded_ = true;
    const auto x = environment_->reset(seeds_());
    running_ = true;
    out.emit(in.with<Record>(Object{{"x", observation_value(x)}, {"r", Value()}, {"end", 0}}));
    return;
  }
  if (!running_) throw bad_data("an action outside an episode; {\"a\": null} begins one");
  const Transition t = environment_->step(action);
  running_ = !t.over();
  out.emit(in.with<Record>(
      Object{{"x", observation_value(t.observation)}, {"r", t.reward}, {"end", t.over() ? 1 : 0}}));
}

void EnvironmentOperator::save(Archive& state) const {
  environment_->save(state.group("environment"));
  state.set("seeds", seeds_.state());
  state.set("seeded", seeded_);
  state.set("running", running_);
}

void EnvironmentOperator::load(const Archive& state) {
  environment_->load(state.group("environment"));
  seeds_.restore(state.get<std::vector<std::int64_t>>("seeds"));
  seeded_ = state.get<bool>("seeded");
  running_ = state.get<bool>("running");
}

std::size_t EnvironmentOperator::state_bytes() const {
  Archive state;
  save(state);
  return state.bytes();
}

}  // namespace stream::rl
