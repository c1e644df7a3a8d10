#include "rl/rl_predict.hpp"

#include "rl/event_record.hpp"
#include "stream/error.hpp"

namespace stream::rl {

Spec PredictOperator::spec() {
  return Settings::declare(
             Spec(
                 "rl.predict",
                 "Predict what is to come of a number, discounted, from each observation: stream TD(lambda).")
                 .input<Record>("in",
                                "{\"x\": [numbers], \"c\": cumulant that came with x, \"end\": 1 where an "
                                "episode ends (0 or missing elsewhere)}, or a row of a table")
                 .output<Record>(
                     "out",
                     "{\"v\": prediction at x, \"delta\": TD error, \"step_size\": effective step "
                     "size of the update}; null where nothing could be learnt yet")
                 .param("members", std::vector<std::string>{},
                        "members whose numbers are the observation, such as columns of a table; none: \"x\"")
                 .param("cumulant", "c", "member that holds the number to predict")
                 .param("input_trace", 0.0,
                        "beta of an exponential trace (unbiased) of x that is seen in its place; 0: x itself",
                        range(0, 0.999999)))
      .about(
          "The prediction v(x) is of c1 + gamma c2 + gamma^2 c3 + ..., where c1 comes with the next record: "
          "what will follow, in the cumulant's own unit. It is told before the record is learnt from. Where "
          "\"end\" is 1 nothing follows, v is 0, and the next record begins another episode, whose first "
          "cumulant belongs to nothing and is passed over.\n\n"
          "Every record makes one update and is thrown away: memory is constant for ever. With a key each "
          "stream has a learner of its own, whose initial weights depend on the run's seed and the key.\n\n"
          "A record with another number of numbers than the first, with something that is no number, or "
          "beyond +-1e100, is an error that leaves the learner as it was (`on_error` decides what follows).")
      .paper("Elsayed, Vasan, Mahmood, Streaming Deep Reinforcement Learning Finally Works, arXiv 2410.14606")
      .contract({.order = Order::kStateful, .keyed = true})
      .example("Predict a sensor's discounted future", R"([nodes.sensors]
use = "jsonl.read"

[nodes.value]
use  = "rl.predict"
from = "sensors"

[nodes.print]
use  = "jsonl.write"
from = "value"
)");
}

PredictOperator::PredictOperator(const Params& p)
    : settings_(Settings::from(p)),
      members_(p.get<std::vector<std::string>>("members")),
      cumulant_(p.get<std::string>("cumulant")),
      input_trace_(p.get<double>("input_trace")),
      seed_(p.random()()) {}

Predictor PredictOperator::make(std::size_t observation) const {
  return Predictor(settings_, observation, input_trace_, Random(stable_hash(key_, seed_)));
}

void PredictOperator::process(Packet in, Output& out) {
  thread_local std::vector<double> x;
  const auto& record = in.as<Record>();
  if (members_.empty())
    read_observation(record, x);
  else
    read_members(record, members_, x);
  const double cumulant = read_number(record, cumulant_.c_str());
  const bool end = read_end(record);
  Predictor::Prediction said{};
  if (predictor_) {
    said = predictor_->observe(x, cumulant, end);
  } else {
    if (x.empty()) throw bad_data("'x' is empty, expected at least one number");
    key_ = in.key.str();
    Predictor fresh = make(x.size());
    said = fresh.observe(x, cumulant, end);
    predictor_.emplace(std::move(fresh));
  }
  Object made{{"v", said.value}};
  made.set("delta", said.delta ? Value(*said.delta) : Value());
  made.set("step_size", said.delta ? Value(said.step) : Value());
  out.emit(in.with<Record>(std::move(made)));
}

void PredictOperator::save(Archive& state) const {
  state.set("observation", predictor_ ? static_cast<std::int64_t>(predictor_->observation_size()) : 0);
  if (!predictor_) return;
  state.set("key", key_);
  predictor_->save(state.group("learner"));
}

void PredictOperator::load(const Archive& state) {
  const auto size = state.get<std::int64_t>("observation");
  if (size == 0) return;
  if (size < 0 || static_cast<std::uint64_t>(size) * sizeof(double) > state.bytes())
    throw bad_data("the saved learner's observations have " + std::to_string(size) + " numbers");
  key_ = state.get<std::string>("key");
  predictor_.emplace(make(static_cast<std::size_t>(size)));
  predictor_->load(state.group("learner"));
}

std::size_t PredictOperator::state_bytes() const {
  return sizeof *this + (predictor_ ? predictor_->state_bytes() - sizeof *predictor_ : 0);
}

}  // namespace stream::rl
