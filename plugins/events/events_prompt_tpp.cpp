#include "events/events_prompt_tpp.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::events {

Spec PromptTppOperator::spec() {
  return Spec("events.prompt_tpp", "Say how likely each event of a sequence was, and what comes next.")
      .input<Record>("in",
                     "{\"item\": type, \"line\"} at its time, keyed by the sequence: what events.read brings")
      .output<Record>(
          "out",
          "{\"type\", \"log_likelihood\": of this event at this time, in nats, \"surprise\": -ln of its "
          "type's share of the intensity, \"intensity\": [of each type, just before], \"prompts\": [of "
          "each pool], \"next\": {\"gap\": seconds, \"type\"}}; of the first event of a sequence the last "
          "two alone")
      .output<Record>("faults", "{\"line\", \"item\", \"fault\": \"unknown-type\" or \"late\"}")
      .path("model", nullptr, "HDF5 file that events.prompt_tpp_train wrote")
      .param("item", "item", "member with the type, a string or an integer")
      .param("forecast", true, "say what comes next: most of the work")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy, .keyed = true})
      .about(
          "An attentive neural Hawkes process. Prompts are chosen at every fifth event by the types seen so "
          "far in "
          "the sequence, and shift what the attention sees. A sequence is as long as those of the training; "
          "the event "
          "after begins the next one, so that memory is bounded. Types that the model does not know, and "
          "events "
          "before the newest of their sequence, are said on the port \"faults\" and change nothing.")
      .paper(
          "Xue, Wang, Chu, Shi, Jiang et al., Prompt-augmented Temporal Point Process for Streaming Event "
          "Sequence, "
          "NeurIPS 2023, arXiv 2310.04993")
      .example("Events scored as they come", R"([nodes.log]
use     = "events.read"
path    = "examples/regimes.jsonl"
dialect = "events"

[nodes.process]
use   = "events.prompt_tpp"
from  = "log.out"
model = "models/prompt-tpp-regimes.h5"

[nodes.out]
use  = "jsonl.write"
from = "process.out"
)");
}

PromptTppOperator::PromptTppOperator(const Params& p)
    : model_(TppModel::shared(p.input_path("model"))),
      item_(p.get<std::string>("item")),
      forecast_(p.get<bool>("forecast")) {}

void PromptTppOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const Value& id = record.at(item_);
  if (!id.is_string() && !id.is_integer())
    throw bad_data("member '" + item_ + "' is of type " + id.kind() + ", expected a string or an integer");
  const std::string name = id.is_string() ? id.as_string() : std::to_string(id.as_integer());
  const std::int64_t type = model_->type(name);
  const double now = static_cast<double>(in.time.count()) / 1e9;
  const bool late = !state_.times.empty() && now - start_ < state_.times.back();
  if (type < 0 || late) {
    Object fault{{"fault", type < 0 ? "unknown-type" : "late"}, {"item", name}};
    if (const Value* line = record.find("line")) fault.set("line", *line);
    return out.emit(1, in.with<Record>(std::move(fault)));
  }
  Object said{{"type", name}};
  double time = std::max(0.0, now - start_);
  if (!state_.times.empty()) {
    const auto rates = model_->intensity(state_, time);
    double total = 0;
    Array intensity;
    for (const double rate : rates) total += rate, intensity.emplace_back(rate);
    const double rate = rates[static_cast<std::size_t>(type)];
    said.set("log_likelihood", std::log(rate) - model_->integral(state_, state_.times.back(), time));
    said.set("surprise", -std::log(rate / total));
    said.set("intensity", std::move(intensity));
  }
  if (state_.times.empty() || state_.times.size() >= model_->length()) {
    state_ = {}, types_.clear();
    start_ = now, time = 0;
  }
  model_->append(state_, time, type);
  types_.push_back(type);
  if (!state_.chosen.empty()) {
    Array prompts;
    for (const std::int64_t p : state_.chosen) prompts.emplace_back(p);
    said.set("prompts", std::move(prompts));
  }
  if (forecast_) {
    double total = 0;
    for (const double rate : model_->intensity(state_, time)) total += rate;
    const auto next = model_->forecast(state_, 10 / total);
    said.set("next",
             Object{{"gap", next.gap}, {"type", model_->names()[static_cast<std::size_t>(next.type)]}});
  }
  out.emit(0, in.with<Record>(std::move(said)));
}

/// What is kept of the events is made of their times and types: so are the caches, to the last bit.
void PromptTppOperator::save(Archive& state) const {
  state.set("start", start_);
  state.set("times", state_.times);
  state.set("types", types_);
}

void PromptTppOperator::load(const Archive& state) {
  start_ = state.get<double>("start");
  const auto times = state.get<std::vector<double>>("times");
  const auto types = state.get<std::vector<std::int64_t>>("types");
  if (times.size() != types.size() || times.size() > model_->length())
    throw bad_data("the checkpoint is of another model");
  state_ = {}, types_.clear();
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (types[i] < 0 || types[i] >= static_cast<std::int64_t>(model_->names().size()))
      throw bad_data("the checkpoint is of another model");
    model_->append(state_, times[i], types[i]);
    types_.push_back(types[i]);
  }
}

std::size_t PromptTppOperator::state_bytes() const {
  // Declared constant: a sequence at its longest.
  const auto& s = model_->shape();
  const auto features = static_cast<std::size_t>(s.heads * s.type_features);
  return model_->length() * (16 + 8 * features) + static_cast<std::size_t>(s.prompt_rows) * 8 * features;
}

}  // namespace stream::events
