#include "events/events_prompt_tpp_train.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "events/event_log.hpp"
#include "events/tpp_model.hpp"
#include "stream/log.hpp"

namespace stream::events {

Spec PromptTppTrainSource::spec() {
  const TppOptions o;
  return with_log_params(
             Spec("events.prompt_tpp_train",
                  "Train a point process on a log of typed events, slice of time by slice.")
                 .output<Record>(
                     "progress",
                     "after each slice {\"slice\", \"sequences\", \"steps\", \"log_likelihood\": [nats an "
                     "event on what was held out of each slice so far], \"type_error\": [...]}")
                 .path("log", nullptr, "the log, in order of time")
                 .path("model", nullptr, "the HDF5 file to write"),
             "events")
      .param("slices", std::int64_t{4}, "that the log's time is cut into, learnt one after the other",
             range(1, 10000))
      .param("length", std::int64_t{40},
             "events of a sequence: longer ones are cut, what is left over is not used", range(2, 1000))
      .param("prompts", true, "false: the plain process, fine-tuned")
      .param("pool", o.shape.prompts, "prompts in each pool", range(1, 1024))
      .param("batch", o.batch, "sequences in an update", range(1, 4096))
      .param("first_epochs", o.first_epochs, "of the first slice", range(1, 1e6))
      .param("epochs", o.epochs, "of every other slice", range(1, 1e6))
      .param("first_rate", o.first_rate, "learning rate of the base on the first slice", range(0, 1))
      .param("rate", o.rate, "and afterwards: the slower, the less is forgotten", range(0, 1))
      .param("prompt_rate", o.prompt_rate, "of prompts and keys", range(0, 10))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Each slice is learnt from its own sequences alone: nothing of earlier ones is replayed; what is "
          "held out of "
          "them (every fifth sequence) is looked at to measure, and for nothing else. In an update the "
          "prompt of each "
          "pool that most sequences of the batch choose serves all of them and is the only one to move.")
      .paper(
          "Xue, Wang, Chu, Shi, Jiang et al., Prompt-augmented Temporal Point Process for Streaming Event "
          "Sequence, "
          "NeurIPS 2023, arXiv 2310.04993")
      .example("Two slices", R"([nodes.train]
use    = "events.prompt_tpp_train"
log    = "examples/regimes.jsonl"
model  = "tpp.h5"
slices = 2
first_epochs = 1
epochs = 1

[nodes.progress]
use  = "jsonl.write"
from = "train"
)");
}

PromptTppTrainSource::PromptTppTrainSource(const Params& p)
    : path_(p.get<std::string>("model")), length_(p.get<std::int64_t>("length")) {
  std::string faults;
  const std::string path = p.input_path("log");
  const auto events = read_log(path, log_options(p), &faults);
  if (!faults.empty()) log_warning(p.context().node, path + ": refused: " + faults);
  std::set<std::string> types;
  for (const Event& e : events) types.insert(e.item);
  names_.assign(types.begin(), types.end());
  const auto slices = p.get<std::size_t>("slices");
  train_.resize(slices), held_out_.resize(slices);
  std::map<std::string, std::vector<const Event*>> open;
  std::vector<std::size_t> seen(slices);
  for (const Event& e : events) {
    auto& chunk = open[e.key];
    chunk.push_back(&e);
    if (static_cast<std::int64_t>(chunk.size()) < length_) continue;
    Sequence sequence;
    const Time start = chunk.front()->time, first = events.front().time, last = events.back().time;
    for (const Event* one : chunk)
      sequence.push_back({static_cast<double>((one->time - start).count()) / 1e9,
                          static_cast<std::int32_t>(
                              std::lower_bound(names_.begin(), names_.end(), one->item) - names_.begin())});
    chunk.clear();
    const double where = last > first ? static_cast<double>((start - first).count()) /
                                            static_cast<double>((last - first).count())
                                      : 0;
    const std::size_t slice =
        std::min(slices - 1, static_cast<std::size_t>(where * static_cast<double>(slices)));
    (seen[slice]++ % 5 == 4 ? held_out_ : train_)[slice].push_back(std::move(sequence));
  }
  for (std::size_t s = 0; s < slices; ++s)
    if (train_[s].empty())
      throw bad_data(path + ": slice " + std::to_string(s + 1) + " of " + std::to_string(slices) +
                     " has no sequence of " + std::to_string(length_) + " events");
  TppOptions o;
  o.shape.types = static_cast<std::int64_t>(names_.size());
  o.shape.prompts = p.get<std::int64_t>("pool");
  o.shape.retrieval = p.get<bool>("prompts") ? Retrieval::kSimilarity : Retrieval::kNone;
  o.batch = p.get<std::int64_t>("batch");
  o.first_epochs = p.get<std::int64_t>("first_epochs"), o.epochs = p.get<std::int64_t>("epochs");
  o.first_rate = p.get<double>("first_rate"), o.rate = p.get<double>("rate");
  o.prompt_rate = p.get<double>("prompt_rate");
  trainer_ = std::make_unique<TppTrainer>(o, p.random("training")());
  begin();
}

void PromptTppTrainSource::begin() { trainer_->begin(train_[task_]); }

bool PromptTppTrainSource::read(Output& out) {
  if (written_) return false;
  if (trainer_->step()) return true;
  Array likelihoods, errors;
  for (std::size_t s = 0; s <= task_; ++s) {
    if (held_out_[s].empty()) {
      likelihoods.emplace_back(), errors.emplace_back();
      continue;
    }
    const auto score = trainer_->score(held_out_[s]);
    likelihoods.emplace_back(score.log_likelihood), errors.emplace_back(score.type_error);
  }
  out.emit(Packet::of<Record>(Time{trainer_->steps()},
                              Object{{"slice", static_cast<std::int64_t>(task_) + 1},
                                     {"sequences", static_cast<std::int64_t>(train_[task_].size())},
                                     {"steps", trainer_->steps()},
                                     {"log_likelihood", std::move(likelihoods)},
                                     {"type_error", std::move(errors)}}));
  if (++task_ < train_.size()) {
    begin();
    return true;
  }
  write_tpp(path_, trainer_->network(), names_, length_);
  written_ = true;
  return false;
}

double PromptTppTrainSource::fraction() const {
  return static_cast<double>(task_) / static_cast<double>(train_.size());
}

void PromptTppTrainSource::save(Archive& state) const {
  state.set("slice", static_cast<std::int64_t>(task_));
  state.set("written", written_);
  trainer_->save(state.group("trainer"));
}

void PromptTppTrainSource::load(const Archive& state) {
  const auto task = state.get<std::int64_t>("slice");
  written_ = state.get<bool>("written");
  if (task < 0 || task > static_cast<std::int64_t>(train_.size()) ||
      (task == static_cast<std::int64_t>(train_.size())) != written_)
    throw bad_data("the checkpoint is of another log");
  task_ = static_cast<std::size_t>(task);
  if (written_) return;
  begin();
  trainer_->load(state.group("trainer"));
}

std::string PromptTppTrainSource::progress() const {
  char text[96];
  std::snprintf(text, sizeof text, "slice %zu of %zu, step %lld, loss %.4f", task_ + 1, train_.size(),
                static_cast<long long>(trainer_->steps()), trainer_->loss());
  return text;
}

}  // namespace stream::events
