#include "llm/throw_text.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

bool same_favourite(std::size_t a, std::size_t b) { return kRankings[a][0] == kRankings[b][0]; }

constexpr double kOthers = 4;  // rankings with another favourite

}  // namespace

std::string ThrowShape::fault() const {
  if (period < 1 || period > 1'000'000) return "the favourite must stay for 1 to a million rounds";
  if (!(favourite >= 0 && second >= 0 && favourite + second <= 1))
    return "the favourite's and the second throw's probabilities must be at least 0 and together at most 1";
  return {};
}

Opponent::Opponent(ThrowShape shape, Random random)
    : shape_(shape), random_(random), ranking_(random_.below(kRankings.size())) {
  if (const std::string wrong = shape_.fault(); !wrong.empty()) throw bad_recipe(wrong);
}

std::int64_t Opponent::next() {
  if (thrown_ == shape_.period) {
    std::size_t other = random_.below(kRankings.size());
    while (same_favourite(other, ranking_)) other = random_.below(kRankings.size());
    ranking_ = other;
    thrown_ = 0;
  }
  ++thrown_;
  const double u = random_.uniform();
  const std::size_t rank = u < shape_.favourite ? 0 : u < shape_.favourite + shape_.second ? 1 : 2;
  return ranking()[rank];
}

void Opponent::save(Archive& g) const {
  g.set("random", random_.state());
  g.set("ranking", static_cast<std::int64_t>(ranking_));
  g.set("thrown", thrown_);
}

void Opponent::load(const Archive& g) {
  const auto words = g.get<std::vector<std::int64_t>>("random");
  const auto ranking = g.get<std::int64_t>("ranking");
  thrown_ = g.get<std::int64_t>("thrown");
  if (words.size() != 4 || ranking < 0 || ranking >= static_cast<std::int64_t>(kRankings.size()) ||
      thrown_ < 0 || thrown_ > shape_.period)
    throw bad_data("the saved opponent is of another shape");
  random_.restore(words);
  ranking_ = static_cast<std::size_t>(ranking);
}

std::int32_t ThrowText::next() {
  called_ = shape_.call && !called_;
  return called_ ? shape_.of_call() : shape_.of_throw(opponent_.next());
}

std::vector<std::int32_t> ThrowText::take(std::int64_t count) {
  std::vector<std::int32_t> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) out.push_back(next());
  return out;
}

void ThrowText::save(Archive& g) const {
  opponent_.save(g);
  g.set("called", called_);
}

void ThrowText::load(const Archive& g) {
  opponent_.load(g);
  called_ = g.get<bool>("called");
}

ThrowBelief::ThrowBelief(ThrowShape shape, Start start) : shape_(shape) {
  if (const std::string wrong = shape_.fault(); !wrong.empty()) throw bad_recipe(wrong);
  weight_.resize(kRankings.size() * static_cast<std::size_t>(shape_.period));
  const std::int64_t ages = start == Start::kAtChange ? 1 : shape_.period;
  for (std::size_t r = 0; r < kRankings.size(); ++r)
    for (std::int64_t age = 0; age < ages; ++age)
      at(r, age) = 1 / (static_cast<double>(kRankings.size()) * static_cast<double>(ages));
}

std::array<double, kThrows> ThrowBelief::predict() const {
  const auto probabilities = shape_.probabilities();
  const auto ages = static_cast<std::ptrdiff_t>(shape_.period);
  std::array<double, kThrows> out{};
  for (std::size_t r = 0; r < kRankings.size(); ++r) {
    double belief = 0;
    const auto from = weight_.begin() + static_cast<std::ptrdiff_t>(r) * ages;
    for (auto it = from; it != from + ages; ++it) belief += *it;
    for (std::size_t rank = 0; rank < kRankings[r].size(); ++rank)
      out.at(static_cast<std::size_t>(int{kRankings[r][rank]})) += belief * probabilities[rank];
  }
  return out;
}

void ThrowBelief::observe(std::int64_t thrown) {
  const auto probabilities = shape_.probabilities();
  double sum = 0;
  for (std::size_t r = 0; r < kRankings.size(); ++r) {
    const auto rank = static_cast<std::size_t>(std::find(kRankings[r].begin(), kRankings[r].end(), thrown) -
                                               kRankings[r].begin());
    for (std::int64_t age = 0; age < shape_.period; ++age) sum += at(r, age) *= probabilities.at(rank);
  }
  std::array<double, kRankings.size()> ended{};
  for (std::size_t r = 0; r < kRankings.size(); ++r) {
    ended[r] = at(r, shape_.period - 1) / sum;
    for (std::int64_t age = shape_.period - 1; age > 0; --age) at(r, age) = at(r, age - 1) / sum;
    at(r, 0) = 0;
  }
  for (std::size_t from = 0; from < kRankings.size(); ++from)
    for (std::size_t to = 0; to < kRankings.size(); ++to)
      if (!same_favourite(from, to)) at(to, 0) += ended[from] / kOthers;
}

std::int64_t likeliest(const std::array<double, kThrows>& probabilities) {
  return std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin();
}

}  // namespace stream::llm
