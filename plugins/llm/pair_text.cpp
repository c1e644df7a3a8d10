#include "llm/pair_text.hpp"

#include "stream/error.hpp"

namespace stream::llm {

std::string PairTextShape::fault() const {
  if (keys < 1 || keys > 100'000 || values < 1 || values > 100'000 || fillers < 0 || fillers > 100'000)
    return "pair text needs 1 to 100000 keys and values, and at most as many filler symbols";
  if (gap < 0 || gap > 1000 || (gap > 0 && fillers < 3))
    return "a gap of filler needs at least 3 filler symbols";
  if (recent < 1 || recent > 1'000'000 || memory < 1 || memory > 1'000'000'000)
    return "recent pairs must be 1 to a million, and memory at least 1";
  return {};
}

PairTextShape streaming_text() { return {}; }
PairTextShape filler_text() {
  return {.keys = 60, .values = 24, .fillers = 40, .gap = 3, .recent = 16, .memory = 90};
}
PairTextShape rare_value_text() {
  return {.keys = 24, .values = 150, .fillers = 40, .gap = 3, .recent = 16, .memory = 90};
}

PairText::PairText(PairTextShape shape, double repeat, Random random)
    : shape_(shape),
      repeat_(repeat),
      random_(random),
      value_of_(static_cast<std::size_t>(shape.keys), 0),
      last_at_(static_cast<std::size_t>(shape.keys), -1) {
  if (const std::string wrong = shape_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  if (shape_.gap > 0)
    gap_left_ = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(shape_.gap + 1)));
}

std::int64_t PairText::next_filler(const PairTextShape& shape, std::int64_t last, Random& random) {
  const auto n = static_cast<std::uint64_t>(shape.fillers);
  if (last < 0) return static_cast<std::int64_t>(random.below(n));
  // The successors belong to the language: they are the same whatever the seed of a text.
  Random language(stable_hash("successors", static_cast<std::uint64_t>(last) * 1000003 + n));
  std::int64_t successors[3];
  for (int i = 0; i < 3;) {
    successors[i] = static_cast<std::int64_t>(language.below(n));
    bool fresh = true;
    for (int j = 0; j < i; ++j) fresh = fresh && successors[j] != successors[i];
    i += fresh;
  }
  return successors[random.below(3)];
}

PairText::Token PairText::next() {
  if (key_ >= 0) {
    const auto k = static_cast<std::size_t>(key_);
    Token out{0};
    if (last_at_[k] >= 0 && position_ - last_at_[k] <= shape_.memory) {
      out.repeated = true;
      out.distance = position_ - last_at_[k];
    } else {
      value_of_[k] = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(shape_.values)));
    }
    out.id = shape_.value(value_of_[k]);
    last_at_[k] = position_;
    recent_.push_back(key_);
    if (static_cast<std::int64_t>(recent_.size()) > shape_.recent) recent_.pop_front();
    key_ = -1;
    if (shape_.gap > 0)
      gap_left_ = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(shape_.gap + 1)));
    ++position_;
    return out;
  }
  ++position_;
  if (gap_left_ > 0) {
    --gap_left_;
    filler_ = next_filler(shape_, filler_, random_);
    return {shape_.filler(filler_)};
  }
  const bool repeats = random_.uniform() < repeat_ && !recent_.empty();
  key_ = repeats ? recent_[random_.below(recent_.size())]
                 : static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(shape_.keys)));
  return {shape_.key(key_)};
}

std::vector<std::int32_t> PairText::take(std::int64_t count) {
  std::vector<std::int32_t> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) out.push_back(next().id);
  return out;
}

void PairText::save(Archive& g) const {
  g.set("random", random_.state());
  g.set("recent", std::vector<std::int64_t>(recent_.begin(), recent_.end()));
  g.set("value_of", value_of_);
  g.set("last_at", last_at_);
  g.set("position", position_);
  g.set("gap_left", gap_left_);
  g.set("filler", filler_);
  g.set("key", key_);
}

void PairText::load(const Archive& g) {
  random_.restore(g.get<std::vector<std::int64_t>>("random"));
  const auto recent = g.get<std::vector<std::int64_t>>("recent");
  recent_.assign(recent.begin(), recent.end());
  value_of_ = g.get<std::vector<std::int64_t>>("value_of");
  last_at_ = g.get<std::vector<std::int64_t>>("last_at");
  position_ = g.get<std::int64_t>("position");
  gap_left_ = g.get<std::int64_t>("gap_left");
  filler_ = g.get<std::int64_t>("filler");
  key_ = g.get<std::int64_t>("key");
  if (value_of_.size() != static_cast<std::size_t>(shape_.keys) || last_at_.size() != value_of_.size() ||
      key_ >= shape_.keys || filler_ >= shape_.fillers)
    throw bad_data("the saved text is of another shape");
}

}  // namespace stream::llm
