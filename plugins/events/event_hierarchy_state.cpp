/// What an EventHierarchy remembers, as a checkpoint holds it: one group for each level, with parallel
/// arrays.
#include <algorithm>
#include <cmath>

#include "events/event_hierarchy.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

using Integers = std::vector<std::int64_t>;
using Numbers = std::vector<double>;
using Floats = std::vector<float>;

[[noreturn]] void foreign() {
  throw bad_data("the checkpoint is of another model, or its arrays do not belong together");
}

/// Reads an array front to back, and never beyond its end.
template <typename T>
class Reader {
 public:
  Reader(const Archive& group, const char* name) : values_(group.get<std::vector<T>>(name)) {}
  T next() {
    if (at_ >= values_.size()) foreign();
    return values_[at_++];
  }
  std::vector<T> next(std::size_t count) {
    if (count > values_.size() - at_) foreign();
    const auto begin = values_.begin() + static_cast<std::ptrdiff_t>(at_);
    at_ += count;
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }
  std::size_t size() const { return values_.size(); }
  ~Reader() = default;
  void end() const {
    if (at_ != values_.size()) foreign();
  }

 private:
  std::vector<T> values_;
  std::size_t at_ = 0;
};

void append(Floats& all, const Floats& some) { all.insert(all.end(), some.begin(), some.end()); }

std::string text(const std::vector<std::string>& names) {
  Array list;
  for (const std::string& name : names) list.emplace_back(name);
  return Value(std::move(list)).dump();
}

}  // namespace

void EventHierarchy::save_level(const Level& level, Archive& group) const {
  Integers number, entity, step, before, parent, nodes, degree, links, relation, other, outgoing;
  Numbers start, end;
  Floats affinity, features, embedding;
  std::vector<std::string> names;
  for (const auto& [id, e] : level.events) {
    names.push_back(e.id);
    number.push_back(id), entity.push_back(e.entity), step.push_back(e.step), before.push_back(e.before);
    parent.push_back(e.parent), nodes.push_back(e.nodes), degree.push_back(e.degree);
    start.push_back(e.start), end.push_back(e.end), affinity.push_back(e.affinity);
    append(features, e.features), append(embedding, e.embedding);
    links.push_back(static_cast<std::int64_t>(e.links.size()));
    for (const Link& l : e.links)
      relation.push_back(l.relation), other.push_back(l.other), outgoing.push_back(l.outgoing ? 1 : 0);
  }
  group.set("next", level.next);
  group.set("names", text(names));
  group.set("id", number), group.set("entity", entity), group.set("step", step);
  group.set("before", before), group.set("parent", parent), group.set("nodes", nodes);
  group.set("degree", degree), group.set("t0", start), group.set("t1", end);
  group.set("affinity", affinity), group.set("h", features), group.set("embedding", embedding);
  group.set("links", links), group.set("link_relation", relation), group.set("link_other", other);
  group.set("link_outgoing", outgoing);
}

void EventHierarchy::load_level(Level& level, const Archive& group, std::size_t embedded) const {
  Reader<std::int64_t> number(group, "id"), entity(group, "entity"), step(group, "step"),
      before(group, "before"), parent(group, "parent"), nodes(group, "nodes"), degree(group, "degree"),
      links(group, "links"), relation(group, "link_relation"), other(group, "link_other"),
      outgoing(group, "link_outgoing");
  Reader<double> start(group, "t0"), end(group, "t1");
  Reader<float> affinity(group, "affinity"), features(group, "h"), embedding(group, "embedding");
  const Value names = Value::parse(group.get<std::string>("names"));
  level = {};
  level.next = group.get<std::int64_t>("next");
  if (names.as_array().size() != number.size()) foreign();
  const auto relations = static_cast<std::int64_t>(model_->vocabulary.relations.size());
  for (std::size_t i = 0; i < number.size(); ++i) {
    Event e;
    const std::int64_t id = number.next();
    e.id = names.as_array()[i].as_string();
    e.entity = static_cast<std::int32_t>(entity.next()), e.step = step.next(), e.before = before.next();
    e.parent = parent.next(), e.nodes = nodes.next();
    e.degree = static_cast<std::int32_t>(degree.next());
    e.start = start.next(), e.end = end.next(), e.affinity = affinity.next();
    e.features = features.next(model_->features());
    e.embedding = embedding.next(embedded);
    const std::int64_t count = links.next();
    if (id < 0 || id >= level.next || e.degree < 1 || count < 0) foreign();
    for (std::int64_t k = 0; k < count; ++k) {
      const std::int64_t r = relation.next();
      if (r < 0 || r >= relations) foreign();
      e.links.push_back({static_cast<std::int32_t>(r), other.next(), outgoing.next() != 0});
    }
    if (!level.events.emplace(id, std::move(e)).second) foreign();
  }
  embedding.end(), features.end(), relation.end();
}

void EventHierarchy::save_window(Archive& group) const {
  Integers step, nodes, edges, entity, degree, before, parent, sums, src, dst, relation;
  Numbers time;
  Floats inputs, once, features, embedding, sum;
  for (const Step& s : window_) {
    step.push_back(s.step), time.push_back(s.time);
    nodes.push_back(static_cast<std::int64_t>(s.nodes.size()));
    edges.push_back(static_cast<std::int64_t>(s.edges.size()));
    for (const Node& n : s.nodes) {
      entity.push_back(n.entity), degree.push_back(n.degree), before.push_back(n.before);
      parent.push_back(n.parent);
      append(inputs, n.inputs), append(once, n.once), append(features, n.features);
      append(embedding, n.embedding);
      sums.push_back(n.sum.empty() ? 0 : 1);
      append(sum, n.sum);
    }
    for (const SceneEdge& e : s.edges)
      src.push_back(e.src), dst.push_back(e.dst), relation.push_back(e.relation);
  }
  group.set("id", step), group.set("t", time), group.set("nodes", nodes), group.set("edges", edges);
  group.set("entity", entity), group.set("degree", degree), group.set("before", before);
  group.set("parent", parent), group.set("inputs", inputs), group.set("once", once);
  group.set("h", features), group.set("embedding", embedding), group.set("summed", sums);
  group.set("sum", sum), group.set("src", src), group.set("dst", dst), group.set("relation", relation);
}

void EventHierarchy::load_window(const Archive& group) {
  Reader<std::int64_t> step(group, "id"), nodes(group, "nodes"), edges(group, "edges"),
      entity(group, "entity"), degree(group, "degree"), before(group, "before"), parent(group, "parent"),
      sums(group, "summed"), src(group, "src"), dst(group, "dst"), relation(group, "relation");
  Reader<double> time(group, "t");
  Reader<float> inputs(group, "inputs"), once(group, "once"), features(group, "h"),
      embedding(group, "embedding"), sum(group, "sum");
  window_.clear();
  const auto relations = static_cast<std::int64_t>(model_->vocabulary.relations.size());
  for (std::size_t i = 0; i < step.size(); ++i) {
    Step s;
    s.step = step.next(), s.time = time.next();
    if (!window_.empty() && s.step != window_.back().step + 1) foreign();
    const std::int64_t count = nodes.next(), joined = edges.next();
    if (count < 0 || joined < 0) foreign();
    for (std::int64_t k = 0; k < count; ++k) {
      Node n;
      n.entity = static_cast<std::int32_t>(entity.next()),
      n.degree = static_cast<std::int32_t>(degree.next());
      n.before = before.next(), n.parent = parent.next();
      n.inputs = inputs.next(model_->inputs()), n.once = once.next(model_->convolution[0].self.out);
      n.features = features.next(model_->features()), n.embedding = embedding.next(model_->embedded());
      if (sums.next() != 0) n.sum = sum.next(model_->embedded());
      if (!entities_.contains(n.entity) || n.degree < 1) foreign();
      s.order.emplace_back(n.entity, static_cast<std::int32_t>(k));
      s.nodes.push_back(std::move(n));
    }
    std::sort(s.order.begin(), s.order.end());
    s.beside.resize(s.nodes.size());
    for (std::int64_t k = 0; k < joined; ++k) {
      const std::int64_t from = src.next(), to = dst.next(), r = relation.next();
      if (from < 0 || from >= count || to < 0 || to >= count || r < 0 || r >= relations) foreign();
      s.edges.push_back(
          {static_cast<std::int32_t>(from), static_cast<std::int32_t>(to), static_cast<std::int32_t>(r)});
      if (from == to) continue;
      s.beside[static_cast<std::size_t>(from)].push_back(static_cast<std::int32_t>(to));
      s.beside[static_cast<std::size_t>(to)].push_back(static_cast<std::int32_t>(from));
    }
    window_.push_back(std::move(s));
  }
  entity.end(), sum.end(), src.end();
  // Neighbourhoods are complete but for the newest step's, where there is a delay.
  for (const Step& s : window_)
    if (s.step < step_ - (model_->delay > 0 ? 1 : 0))
      for (const Node& n : s.nodes)
        if (n.sum.size() != model_->embedded()) foreign();
  if ((step_ == 0) != window_.empty() || (!window_.empty() && window_.back().step != step_ - 1)) foreign();
}

void EventHierarchy::save(Archive& state) const {
  state.set("steps", step_);
  state.set("time", time_);
  state.set("next_entity", next_entity_);
  state.set("thresholds", Floats(threshold_.begin(), threshold_.end()));
  state.set("spreads", Numbers(spread_.begin(), spread_.end()));
  Archive& entities = state.group("entities");
  Integers number, type, seen, first, second;
  Numbers time;
  Floats x;
  std::vector<std::string> ids;
  for (const auto& [id, e] : entities_) {
    number.push_back(id), type.push_back(e.type), seen.push_back(e.seen), time.push_back(e.time);
    first.push_back(e.latest[0]), second.push_back(e.latest[1]);
    append(x, e.x);
    ids.push_back(e.id);
  }
  entities.set("id", number), entities.set("type", type), entities.set("seen", seen);
  entities.set("t", time), entities.set("x", x), entities.set("latest_1", first);
  entities.set("latest_2", second), entities.set("names", text(ids));
  save_window(state.group("level_0"));
  save_level(levels_[0], state.group("level_1"));
  save_level(levels_[1], state.group("level_2"));
}

void EventHierarchy::load(const Archive& state) {
  step_ = state.get<std::int64_t>("steps");
  time_ = state.get<double>("time");
  next_entity_ = state.get<std::int32_t>("next_entity");
  const auto thresholds = state.get<Floats>("thresholds");
  const auto spreads = state.get<Numbers>("spreads");
  if (thresholds.size() != 2 || spreads.size() != 2 || step_ < 0 || !std::isfinite(time_)) foreign();
  std::copy(thresholds.begin(), thresholds.end(), threshold_.begin());
  std::copy(spreads.begin(), spreads.end(), spread_.begin());
  const Archive& entities = state.group("entities");
  Reader<std::int64_t> number(entities, "id"), type(entities, "type"), seen(entities, "seen"),
      first(entities, "latest_1"), second(entities, "latest_2");
  Reader<double> time(entities, "t");
  Reader<float> x(entities, "x");
  const Value names = Value::parse(entities.get<std::string>("names"));
  entities_.clear(), ids_.clear(), ended_.clear();
  for (const Value& name : names.as_array()) {
    Entity e;
    const std::int64_t id = number.next();
    e.id = name.as_string(), e.type = static_cast<std::int32_t>(type.next()), e.seen = seen.next();
    e.time = time.next(), e.latest = {first.next(), second.next()};
    e.x = x.next(static_cast<std::size_t>(model_->vocabulary.features));
    if (id < 0 || id >= next_entity_ || e.type < 0 ||
        e.type >= static_cast<std::int32_t>(model_->vocabulary.types.size()) ||
        !ids_.emplace(e.id, static_cast<std::int32_t>(id)).second)
      foreign();
    entities_.emplace(static_cast<std::int32_t>(id), std::move(e));
  }
  number.end();
  load_window(state.group("level_0"));
  load_level(levels_[0], state.group("level_1"), model_->embedded());
  load_level(levels_[1], state.group("level_2"), 0);
  for (const auto& level : levels_)
    for (const auto& [id, e] : level.events)
      if (&level == &levels_[0] && e.entity >= next_entity_) foreign();
}

std::size_t EventHierarchy::bytes() const {
  const std::size_t floats = 4 * (2 * model_->features() + 2 * model_->embedded());
  std::size_t sum = entities_.size() * 160 +
                    (levels_[0].events.size() + levels_[1].events.size()) * (sizeof(Event) + floats);
  for (const Step& step : window_)
    sum += step.nodes.size() * (sizeof(Node) + floats) + step.edges.size() * 24;
  for (const auto& level : levels_)
    for (const auto& [number, event] : level.events) sum += event.links.size() * sizeof(Link);
  return sum;
}

}  // namespace stream::events
