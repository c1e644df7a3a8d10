/// evaluate.prequential: how well a learner does on the stream that it learns from.
#pragma once

#include <cmath>
#include <cstdio>

#include "stream/log.hpp"
#include "stream/plugin.hpp"

namespace stream {

class EvaluatePrequential final : public Operator {
 public:
  static Spec spec() {
    return Spec{"evaluate.prequential",
                "Keep the running score of a learner that predicts first and learns after."}
        .input<Record>("in",
                       "one record for each event, with the learner's prediction, error or reward in it")
        .output<Record>(
            "score",
            "{\"events\", \"mean\": over all of them, \"since\": over those after the line "
            "before, \"recent\": fading mean}; the last one, at the end of the stream, has \"final\": true")
        .param("measure", "mean", "what is averaged",
               choices({"mean", "accuracy", "absolute", "squared", "rms"}))
        .param("member", "value", "the number to average, or the prediction where there is a target")
        .param("target", "",
               "member with the truth that the prediction is compared with; empty: the member is the error "
               "itself")
        .param("first", std::int64_t{1}, "events until the first line", range(1, 1e15), unit("events"))
        .param("factor", 2.0, "each line comes after so many times the events of the one before",
               range(1.001, 1e6))
        .param("every", std::int64_t{0}, "events between lines at the most; 0: no such limit", at_least(0),
               unit("events"))
        .param("fading", 0.999, "factor by which an event counts less than the one after it, for \"recent\"",
               range(0, 1))
        .about(
            "A prediction that was made before its event was learnt from is a test that no split of the data "
            "could make more honest (prequential evaluation). Lines are spaced exponentially: after 1, 2, 4, "
            "8 "
            "... events, so that a stream without end fills no screen. Each is a record on the port, and a "
            "line "
            "on the terminal where somebody watches.\n\n"
            "`measure`: \"mean\" averages the member itself (a reward, a regret, a loss); \"accuracy\" "
            "counts "
            "how often the member equals the target, numbers as numbers and everything else as JSON; "
            "\"absolute\", \"squared\" and \"rms\" take the difference between the member and the target (or "
            "the member, where no target is named). Booleans count as 0 and 1. An event whose member is null "
            "has nothing to compare yet and does not count.")
        .contract({.order = Order::kStateful})
        .example("Mean reward of a controller, as it goes",
                 "[nodes.events]\nuse = \"records.generate\"\n\n[nodes.score]\nuse    = "
                 "\"evaluate.prequential\"\nfrom   = \"events\"\nmember = \"value\"\n\n"
                 "[nodes.print]\nuse  = \"jsonl.write\"\nfrom = \"score\"\n")
        .paper(
            "Dawid, Statistical theory: the prequential approach, JRSS A 147(2), 1984; Gama, Sebastiao, "
            "Rodrigues, On evaluating stream learning algorithms, Machine Learning 90(3), 2013");
  }

  explicit EvaluatePrequential(const Params& p)
      : node_(p.context().node),
        member_(p.get<std::string>("member")),
        target_(p.get<std::string>("target")),
        factor_(p.get<double>("factor")),
        fading_(p.get<double>("fading")),
        every_(p.get<std::int64_t>("every")),
        next_(p.get<std::int64_t>("first")) {
    const auto measure = p.get<std::string>("measure");
    measure_ = measure == "mean"       ? Measure::kMean
               : measure == "accuracy" ? Measure::kAccuracy
               : measure == "absolute" ? Measure::kAbsolute
               : measure == "squared"  ? Measure::kSquared
                                       : Measure::kRms;
    if (measure_ == Measure::kAccuracy && target_.empty())
      throw bad_recipe("measure = \"accuracy\" needs a target to compare the member with");
    if (measure_ == Measure::kMean && !target_.empty())
      throw bad_recipe(
          "measure = \"mean\" has no use for a target; expected accuracy, absolute, squared or rms");
  }

  void process(Packet in, Output& out) override {
    const auto& record = in.as<Record>();
    const Value& value = record.at(member_);
    if (value.is_null()) return;
    double score = 0;
    if (measure_ == Measure::kAccuracy) {
      const Value& truth = record.at(target_);
      if (truth.is_null()) return;
      score = equal(value, truth) ? 1 : 0;
    } else {
      double error = number(value, member_);
      if (!target_.empty()) {
        const Value& truth = record.at(target_);
        if (truth.is_null()) return;
        error -= number(truth, target_);
      }
      score = measure_ == Measure::kMean       ? error
              : measure_ == Measure::kAbsolute ? std::abs(error)
                                               : error * error;
    }
    if (!(std::abs(score) <= kMost))
      throw bad_data("member '" + member_ + "' is " + value.dump() + ": too large to be averaged");
    ++events_;
    sum_ += score, since_sum_ += score;
    recent_sum_ = fading_ * recent_sum_ + score, recent_weight_ = fading_ * recent_weight_ + 1;
    if (events_ == next_) {
      emit(out, in.time, false);
      const auto wanted = static_cast<double>(events_) * factor_;
      const std::int64_t step = wanted < 9e15 ? std::int64_t(std::ceil(wanted)) - events_ : events_;
      next_ += std::max<std::int64_t>(1, every_ > 0 ? std::min(step, every_) : step);
    }
  }

  /// That no event follows is known at the end of time only, so that is when the last record is stamped.
  void finish(Output& out) override { emit(out, kTimeMax, true); }

  void save(Archive& state) const override {
    state.set("events", events_);
    state.set("next", next_);
    state.set("before", before_);
    state.set("sum", sum_);
    state.set("since_sum", since_sum_);
    state.set("recent_sum", recent_sum_);
    state.set("recent_weight", recent_weight_);
  }
  void load(const Archive& state) override {
    events_ = state.get<std::int64_t>("events");
    next_ = state.get<std::int64_t>("next");
    before_ = state.get<std::int64_t>("before");
    sum_ = state.get<double>("sum");
    since_sum_ = state.get<double>("since_sum");
    recent_sum_ = state.get<double>("recent_sum");
    recent_weight_ = state.get<double>("recent_weight");
  }
  std::size_t state_bytes() const override { return 3 * sizeof(std::int64_t) + 4 * sizeof(double); }
  std::string progress() const override {
    return events_ == 0 ? std::string() : "score " + text(final_of(sum_, events_));
  }

 private:
  /// Sums of as many scores as a stream can bring stay finite.
  static constexpr double kMost = 1e280;

  enum class Measure : std::uint8_t { kMean, kAccuracy, kAbsolute, kSquared, kRms };

  static bool equal(const Value& a, const Value& b) {
    return a.is_number() && b.is_number() ? a.as_double() == b.as_double() : a == b;
  }
  static double number(const Value& value, const std::string& name) {
    if (!value.is_number() && !value.is_bool())
      throw bad_data("member '" + name + "' is of type " + value.kind() + ", expected a number");
    return value.is_bool() ? (value.as_bool() ? 1 : 0) : value.as_double();
  }
  static std::string text(double value) {
    char out[32];
    std::snprintf(out, sizeof out, "%.4g", value);
    return out;
  }
  double final_of(double sum, double weight) const {
    const double mean = sum / weight;
    return measure_ == Measure::kRms ? std::sqrt(mean) : mean;
  }
  double final_of(double sum, std::int64_t events) const {
    return final_of(sum, static_cast<double>(events));
  }

  void emit(Output& out, Time time, bool last) {
    Object record{{"events", events_}};
    if (events_ > 0) {
      record.set("mean", final_of(sum_, events_));
      record.set("since", events_ > before_ ? Value(final_of(since_sum_, events_ - before_)) : Value());
      record.set("recent", final_of(recent_sum_, recent_weight_));
      show_line(node_ + ": " + std::to_string(events_) + " events, score " + text(final_of(sum_, events_)) +
                (events_ > before_
                     ? ", since the line before " + text(final_of(since_sum_, events_ - before_))
                     : std::string()));
    }
    if (last) record.set("final", true);
    before_ = events_;
    since_sum_ = 0;
    out.emit(Packet::of<Record>(time, std::move(record)));
  }

  std::string node_, member_, target_;
  Measure measure_ = Measure::kMean;
  double factor_, fading_;
  std::int64_t every_, next_;
  std::int64_t events_ = 0, before_ = 0;
  double sum_ = 0, since_sum_ = 0, recent_sum_ = 0, recent_weight_ = 0;
};

}  // namespace stream
