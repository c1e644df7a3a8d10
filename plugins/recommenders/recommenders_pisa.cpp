#include "recommenders/recommenders_pisa.hpp"

#include <algorithm>

#include "stream/error.hpp"

namespace stream::recommenders {

Spec PisaOperator::spec() {
  return Spec("recommenders.pisa", "Recommend for each user's next session, repeats and discoveries alike.")
      .input<Record>("in", "{\"item\": id, \"line\"} at its time, keyed by the user: what events.read brings")
      .output<Record>(
          "out",
          "{\"user\", \"items\": [[id, score, \"rep\" or \"new\"], ...], \"why\": [[id, weight, base "
          "level, spreading, matching], ...] of the session before}")
      .output<Record>(
          "sessions",
          "of each session that ended {\"user\", \"items\": listed for it, \"targets\": what it held, "
          "\"known\": of those, what was heard before}: for evaluate.ranking")
      .output<Record>("faults", "{\"line\", \"item\", \"fault\": \"unknown-item\"}")
      .path("model", nullptr, "HDF5 file that recommenders.pisa_train wrote")
      .param("item", "item", "member with the item's id, a string or an integer")
      .param("k", std::int64_t{10}, "items in a list", range(1, 1000))
      .param("idle", Duration(std::chrono::minutes(30)), "a session ends when nothing comes for so long")
      .param("emit", "session",
             "a list when a session begins, before it is learnt from, and at the end of the stream; or after "
             "every event",
             choices({"session", "event"}))
      .param("why", true, "say what weighed how much in the session before")
      .param("times", std::int64_t{0},
             "plays kept for each item, older ones being approximated; 0: all, exactly", range(0, 1e6))
      .param("remembered", std::int64_t{0},
             "items kept for each user, the one not heard for longest being forgotten; 0: all", range(0, 1e7))
      .param("exact_up_to", std::int64_t{20000},
             "items up to which the search is exact; larger catalogues are searched through a graph (HNSW)",
             range(0, 1e9))
      .param("searched", std::int64_t{100}, "candidates that the search through the graph keeps",
             range(10, 100000))
      .contract([](const Params& p) {
        const bool bounded = p.get<std::int64_t>("remembered") > 0 && p.get<std::int64_t>("times") > 0;
        return Contract{.state = bounded ? Growth::kConstant : Growth::kLinear,
                        .grows_with = bounded ? "" : "plays",
                        .order = Order::kStateful,
                        .cost = Cost::kHeavy,
                        .keyed = true};
      })
      .about(
          "A session is the first ten distinct items of one sitting. Its vector is the mean of its items' "
          "vectors, "
          "weighted by ACT-R activation: how recently and often each was played (base level, a power law "
          "over the "
          "times of all plays), how it goes together with the others (spreading) and with the session before "
          "(matching). A causal transformer reads the last sessions; a long-term vector of the most active "
          "items "
          "is added. Lists hold whatever scores best: nothing that was heard is filtered out.\n\n"
          "A list for a session is made at the time of its first event and before that event is learnt from, "
          "so "
          "the port \"sessions\" gives an honest test. That a session has ended is seen by the next event of "
          "the "
          "same user. Items that the model does not know are counted on the port \"faults\" and change "
          "nothing.")
      .paper(
          "Tran, Salha-Galvan, Sguerra, Hennequin, Transformers Meet ACT-R: Repeat-Aware and Sequential "
          "Listening "
          "Session Recommendation, RecSys 2024, arXiv 2408.16578")
      .example("Lists for listeners", R"([nodes.log]
use  = "events.read"
path = "examples/listening.jsonl"

[nodes.pisa]
use   = "recommenders.pisa"
from  = "log.out"
model = "models/pisa-listening.h5"

[nodes.out]
use  = "jsonl.write"
from = "pisa.out"
)");
}

PisaOperator::PisaOperator(const Params& p)
    : model_(PisaModel::shared(p.input_path("model"), {.exact_up_to = p.get<std::size_t>("exact_up_to"),
                                                       .searched = p.get<std::size_t>("searched")})),
      item_(p.get<std::string>("item")),
      idle_(static_cast<double>(p.get<Duration>("idle").count()) / 1e9),
      k_(p.get<std::size_t>("k")),
      every_event_(p.get<std::string>("emit") == "event"),
      why_(p.get<bool>("why")),
      history_({.times = p.get<std::size_t>("times"), .items = p.get<std::size_t>("remembered")}) {}

void PisaOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const Value& id = record.at(item_);
  if (!id.is_string() && !id.is_integer())
    throw bad_data("member '" + item_ + "' is of type " + id.kind() + ", expected a string or an integer");
  const std::string name = id.is_string() ? id.as_string() : std::to_string(id.as_integer());
  const std::int32_t item = model_->catalogue().number(name);
  if (item == 0) {
    Object fault{{"fault", "unknown-item"}, {"item", name}};
    if (const Value* line = record.find("line")) fault.set("line", *line);
    out.emit(2, in.with<Record>(std::move(fault)));
    return;
  }
  const double now = seconds(in.time);
  if (!open_.items.empty() && now - seconds(newest_) > idle_) close(in, out);
  if (open_.items.empty()) {
    open_.time = now;
    if (!every_event_) list(in, now, out);
  }
  newest_ = in.time;
  user_ = in.key;
  if (std::find(open_.items.begin(), open_.items.end(), item) == open_.items.end() &&
      open_.items.size() < kSlots) {
    if (history_.knows(item)) known_.push_back(item);
    open_.items.push_back(item);
  }
  if (every_event_) list(in, now, out);
}

void PisaOperator::list(const Packet& at, double now, Output& out) {
  std::vector<Session> sessions(past_.begin(), past_.end());
  if (!open_.items.empty()) {
    sessions.push_back(open_);
    model_->cooccurrence().fill(sessions.back());
  }
  const PisaModel::Answer answer =
      model_->answer(sessions, BaseLevels(history_.activations_with(open_.items, open_.time, now)));
  const auto found = model_->index().best(answer.query, k_);
  listed_.clear();
  Array items, why;
  for (const FoundItem& f : found) {
    listed_.push_back(f.item);
    const bool heard = history_.knows(f.item) ||
                       std::find(open_.items.begin(), open_.items.end(), f.item) != open_.items.end();
    items.emplace_back(Array{model_->catalogue().name(f.item), f.score, heard ? "rep" : "new"});
  }
  Object record{{"user", at.key.str()}, {"items", std::move(items)}};
  if (why_ && !sessions.empty()) {
    for (std::size_t i = 0; i < answer.weights.size(); ++i)
      why.emplace_back(Array{model_->catalogue().name(sessions.back().items[i]), answer.weights[i],
                             answer.parts[i][0], answer.parts[i][1], answer.parts[i][2]});
    record.set("why", std::move(why));
  }
  out.emit(0, at.with<Record>(std::move(record)));
}

void PisaOperator::close(const Packet& at, Output& out) {
  if (!out.unused(1) && !listed_.empty()) {
    Array items, targets, known;
    for (const std::int32_t item : listed_) items.emplace_back(model_->catalogue().name(item));
    for (const std::int32_t item : open_.items) targets.emplace_back(model_->catalogue().name(item));
    for (const std::int32_t item : known_) known.emplace_back(model_->catalogue().name(item));
    out.emit(1, at.with<Record>(Object{{"user", at.key.str()},
                                       {"items", std::move(items)},
                                       {"targets", std::move(targets)},
                                       {"known", std::move(known)}}));
  }
  for (const std::int32_t item : open_.items) history_.play(item, open_.time);
  model_->cooccurrence().fill(open_);
  if (past_.size() == model_->length()) past_.erase(past_.begin());
  past_.push_back(std::move(open_));
  open_ = {}, known_.clear(), listed_.clear();
}

void PisaOperator::finish(Output& out) {
  if (open_.items.empty()) return;
  Packet end;
  end.time = kTimeMax;  // when it is certain that nothing follows
  end.key = user_;
  close(end, out);
  if (!every_event_) list(end, seconds(newest_) + idle_, out);
}

void PisaOperator::save(Archive& state) const {
  history_.save(state.group("history"));
  std::vector<std::int32_t> items, counts;
  std::vector<double> times;
  const auto add = [&](const Session& s) {
    counts.push_back(static_cast<std::int32_t>(s.items.size()));
    items.insert(items.end(), s.items.begin(), s.items.end());
    times.push_back(s.time);
  };
  for (const Session& s : past_) add(s);
  add(open_);
  state.set("items", items);
  state.set("counts", counts);
  state.set("times", times);
  state.set("listed", listed_);
  state.set("known", known_);
  state.set("time", newest_);
  state.set("key", user_.str());
}

void PisaOperator::load(const Archive& state) {
  history_.load(state.group("history"));
  const auto items = state.get<std::vector<std::int32_t>>("items"),
             counts = state.get<std::vector<std::int32_t>>("counts");
  const auto times = state.get<std::vector<double>>("times");
  const auto of_model = [&](const std::vector<std::int32_t>& list) {
    return std::all_of(list.begin(), list.end(), [&](std::int32_t i) {
      return i >= 1 && static_cast<std::size_t>(i) <= model_->catalogue().size();
    });
  };
  listed_ = state.get<std::vector<std::int32_t>>("listed");
  known_ = state.get<std::vector<std::int32_t>>("known");
  if (counts.size() != times.size() || counts.empty() || !of_model(items) || !of_model(listed_) ||
      !of_model(known_))
    throw bad_data("the checkpoint is of another model");
  past_.clear();
  std::size_t at = 0;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    const auto count = static_cast<std::size_t>(counts[s]);
    if (counts[s] < 0 || count > kSlots || count > items.size() - at)
      throw bad_data("the checkpoint's sessions do not belong together");
    const auto begin = items.begin() + static_cast<std::ptrdiff_t>(at);
    Session session{times[s], {begin, begin + static_cast<std::ptrdiff_t>(count)}, {}};
    at += count;
    if (s + 1 == counts.size()) {
      open_ = std::move(session);
    } else {
      model_->cooccurrence().fill(session);
      past_.push_back(std::move(session));
    }
  }
  newest_ = state.get<Duration>("time");
  user_ = Key(state.get<std::string>("key"));
}

std::size_t PisaOperator::state_bytes() const {
  const auto of_session = [](const Session& s) { return heap_bytes(s.items) + heap_bytes(s.spreading); };
  std::size_t bytes = sizeof *this + history_.bytes() + heap_bytes(past_) + of_session(open_) +
                      heap_bytes(known_) + heap_bytes(listed_);
  for (const Session& session : past_) bytes += of_session(session);
  return bytes;
}

}  // namespace stream::recommenders
