#include "evaluate/score_lines.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::evaluate {

Spec ScoreLines::with_params(Spec spec) {
  return std::move(spec)
      .param(
          "unit", std::string(),
          "member that names what is resampled as a whole, such as a user; empty: the stream's key, or the "
          "single event where there is none")
      .param("split", std::vector<double>{},
             "event times at which a new period begins, which is scored on its own, in ascending order",
             unit("s"))
      .param("replicates", std::int64_t{200}, "resamplings for the interval", range(2, 10000))
      .param("level", 0.95, "share of the resamplings that the interval holds", range(0.5, 0.999))
      .param("first", std::int64_t{1}, "scored events of a period until its first line", range(1, 1e15),
             unit("events"))
      .param("factor", 2.0, "each line comes after so many times the events of the one before",
             range(1.001, 1e6));
}

ScoreLines::ScoreLines(const Params& p)
    : replicates_(p.get<std::size_t>("replicates")),
      level_(p.get<double>("level")),
      seed_(p.random("bootstrap")()),
      unit_(p.get<std::string>("unit")),
      first_(p.get<std::int64_t>("first")),
      factor_(p.get<double>("factor")),
      split_(p.get<std::vector<double>>("split")),
      next_(first_) {
  if (!std::is_sorted(split_.begin(), split_.end()) ||
      std::adjacent_find(split_.begin(), split_.end()) != split_.end())
    throw bad_recipe("the times of split must ascend");
}

void ScoreLines::process(Packet in, Output& out) {
  std::uint64_t named = stable_hash(std::to_string(all_));
  if (!unit_.empty())
    named = stable_hash(in.as<Record>().at(unit_).dump());
  else if (!in.key.empty())
    named = stable_hash(in.key.str());
  const double now = static_cast<double>(in.time.count()) / 1e9;
  while (period_ < static_cast<std::int64_t>(split_.size()) &&
         split_[static_cast<std::size_t>(period_)] <= now) {
    say(in.time, true, out);
    clear();
    events_ = 0, next_ = first_;
    ++period_;
  }
  if (!score(in, named)) return;
  ++all_;
  if (++events_ < next_) return;
  say(in.time, false, out);
  const double wanted = std::ceil(static_cast<double>(events_) * factor_);
  next_ = std::max(events_ + 1, wanted < 9e15 ? static_cast<std::int64_t>(wanted) : 2 * events_);
}

/// That no event follows is known at the end of time only.
void ScoreLines::finish(Output& out) { say(kTimeMax, true, out); }

void ScoreLines::say(Time time, bool final, Output& out) {
  Object line;
  if (!split_.empty()) line.set("period", period_);
  line.set("events", events_);
  report(line);
  if (final) line.set("final", true);
  out.emit(Packet::of<Record>(time, std::move(line)));
}

void ScoreLines::put(Object& line, const std::string& name, double value, double low, double high) {
  if (std::isnan(value)) return void(line.set(name, Value()));
  line.set(name, value);
  line.set(name + "_interval", Array{low, high});
}

void ScoreLines::save(Archive& state) const {
  state.set("events", events_);
  state.set("all", all_);
  state.set("next", next_);
  state.set("period", period_);
  save_score(state.group("score"));
}

void ScoreLines::load(const Archive& state) {
  events_ = state.get<std::int64_t>("events");
  all_ = state.get<std::int64_t>("all");
  next_ = state.get<std::int64_t>("next");
  period_ = state.get<std::int64_t>("period");
  load_score(state.group("score"));
}

}  // namespace stream::evaluate
