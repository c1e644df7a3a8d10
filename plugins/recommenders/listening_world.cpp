#include "recommenders/listening_world.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

/// Index drawn with probability proportional to its weight; the last where all are zero.
std::size_t drawn(const std::vector<double>& weights, Random& random) {
  double sum = 0;
  for (const double w : weights) sum += w;
  double u = random.uniform() * sum;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    u -= weights[i];
    if (u < 0) return i;
  }
  return weights.size() - 1;
}

bool contains(const std::vector<std::int32_t>& list, std::int32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

constexpr double kHour = 3600;

}  // namespace

/// What changes within a session.
struct ListeningWorld::Mood {
  std::vector<std::int32_t> interests;   ///< genres
  std::int32_t genre = 0;                ///< of the session
  std::vector<std::int32_t> discovered;  ///< the newest last
};

struct ListeningWorld::Listener {
  PlayHistory history;
  std::vector<double> taste;  ///< latent
  double repeats = 0;
  Mood mood;
};

ListeningWorld::ListeningWorld(WorldOptions options) : options_(options) {
  if (options_.genres < 1 || options_.tracks < 10 * options_.genres || options_.users < 1 ||
      options_.sessions < 1)
    throw bad_recipe("a world needs users, sessions, genres, and ten tracks for each genre");
  Random random(stable_hash("tracks " + std::to_string(options_.seed)));
  const auto tracks = static_cast<std::size_t>(options_.tracks);
  genre_.assign(tracks + 1, -1), group_.assign(tracks + 1, -1);
  latent_.assign(tracks + 1, {}), popularity_.assign(tracks + 1, 0);
  in_genre_.resize(static_cast<std::size_t>(options_.genres));
  std::vector<std::vector<double>> centres(in_genre_.size(), std::vector<double>(kLatent));
  for (auto& centre : centres)
    for (double& v : centre) v = random.normal();
  std::size_t left = 0;
  for (std::size_t t = 1; t <= tracks; ++t) {
    const std::size_t g = (t - 1) * in_genre_.size() / tracks;
    const bool new_genre = genre_[t - 1] != static_cast<std::int32_t>(g);
    genre_[t] = static_cast<std::int32_t>(g);
    in_genre_[g].push_back(static_cast<std::int32_t>(t));
    if (left == 0 || new_genre) {
      left = 6 + random.below(5);
      in_group_.emplace_back();
    }
    --left;
    group_[t] = static_cast<std::int32_t>(in_group_.size()) - 1;
    in_group_.back().push_back(static_cast<std::int32_t>(t));
    latent_[t].resize(kLatent);
    for (std::size_t k = 0; k < kLatent; ++k) latent_[t][k] = centres[g][k] + 0.7 * random.normal();
    popularity_[t] = 0.6 * random.normal();
  }
}

std::int32_t ListeningWorld::repeat(const Mood& mood, std::span<const Activation> known,
                                    const std::vector<std::int32_t>& session, Random& random) const {
  std::vector<double> weights;
  for (const Activation& a : known) {
    if (contains(session, a.item)) {
      weights.push_back(0);
      continue;
    }
    double together = genre_[static_cast<std::size_t>(a.item)] == mood.genre ? 1 : 0.15;
    for (const std::int32_t other : session)
      if (group(other) == group(a.item)) together += 1;
    weights.push_back((options_.memory ? a.strength : 1.0) * together);
  }
  const std::size_t at = drawn(weights, random);
  return weights[at] > 0 ? known[at].item : 0;
}

std::int32_t ListeningWorld::discover(const Listener& listener, Mood& mood,
                                      const std::vector<std::int32_t>& session, Random& random) const {
  const auto unheard = [&](const std::vector<std::int32_t>& among) {
    std::vector<std::int32_t> out;
    for (const std::int32_t t : among)
      if (!listener.history.knows(t) && !contains(session, t)) out.push_back(t);
    return out;
  };
  std::vector<std::int32_t> candidates;
  // On with what goes together with this session, or with what was discovered of late.
  const double u = random.uniform();
  if (u < 0.25 && !session.empty())
    candidates = unheard(in_group_[static_cast<std::size_t>(group(session.back()))]);
  else if (u < 0.85 && !mood.discovered.empty())
    candidates = unheard(in_group_[static_cast<std::size_t>(
        group(mood.discovered[mood.discovered.size() - 1 -
                              random.below(std::min<std::size_t>(3, mood.discovered.size()))]))]);
  if (candidates.empty()) candidates = unheard(in_genre_[static_cast<std::size_t>(mood.genre)]);
  if (candidates.empty()) candidates = unheard(in_genre_[random.below(in_genre_.size())]);
  if (candidates.empty()) return 0;
  std::vector<double> weights;
  for (const std::int32_t t : candidates) {
    double near = 0;
    for (std::size_t k = 0; k < kLatent; ++k)
      near += latent_[static_cast<std::size_t>(t)][k] * listener.taste[k];
    weights.push_back(std::exp(std::min(20.0, 0.8 * near) + popularity_[static_cast<std::size_t>(t)]));
  }
  mood.discovered.push_back(candidates[drawn(weights, random)]);
  return mood.discovered.back();
}

ListeningWorld::Listener ListeningWorld::listener(Random& random) const {
  Listener out{PlayHistory(), std::vector<double>(kLatent), 0, {}};
  for (double& v : out.taste) v = random.normal() / 4;
  for (int i = 0; i < 3; ++i)
    out.mood.interests.push_back(static_cast<std::int32_t>(random.below(in_genre_.size())));
  out.repeats = random.uniform(0.3, 0.8);
  return out;
}

std::vector<std::int32_t> ListeningWorld::session(const Listener& listener, Mood& mood,
                                                  std::span<const Activation> known, bool first,
                                                  Random& random) const {
  if (random.uniform() < 0.03)  // interests drift
    mood.interests[random.below(3)] = static_cast<std::int32_t>(random.below(in_genre_.size()));
  if (first || random.uniform() < 0.4) mood.genre = mood.interests[random.below(3)];
  const std::size_t length = 5 + random.below(6);
  std::vector<std::int32_t> out;
  for (int tries = 0; out.size() < length && tries < 40; ++tries) {
    std::int32_t track = 0;
    if (listener.history.size() > 10 && random.uniform() < listener.repeats)
      track = repeat(mood, known, out, random);
    if (track == 0) track = discover(listener, mood, out, random);
    if (track != 0) out.push_back(track);
  }
  return out;
}

template <typename F>
void ListeningWorld::live(std::int32_t user, F&& f) const {
  Random random(stable_hash("user " + std::to_string(options_.seed) + " " + std::to_string(user)));
  Listener who = listener(random);
  double now = 1.6e9 + random.uniform(0, 7 * 24 * kHour);
  for (std::int32_t s = 0; s < options_.sessions; ++s) {
    const auto known = who.history.activations(now);
    const Mood before = who.mood;
    const auto tracks = session(who, who.mood, known, s == 0, random);
    f(s, now, tracks, who, before, known);
    for (const std::int32_t track : tracks) who.history.play(track, now);
    double gap = std::exp(std::log(20 * kHour) + 0.9 * random.normal());
    if (random.uniform() < 0.02) gap += random.uniform(7, 21) * 24 * kHour;
    now += std::max(gap, 1.5 * kHour);
  }
}

std::vector<Play> ListeningWorld::plays(std::int32_t user) const {
  std::vector<Play> out;
  live(user, [&](std::int32_t s, double now, const std::vector<std::int32_t>& tracks, const Listener&,
                 const Mood&, std::span<const Activation>) {
    for (std::size_t i = 0; i < tracks.size(); ++i)
      out.push_back({user, tracks[i], s, now + 200.0 * static_cast<double>(i)});
  });
  return out;
}

std::vector<std::vector<float>> ListeningWorld::chances(std::int32_t user, std::int32_t first,
                                                        std::int64_t draws) const {
  std::vector<std::vector<float>> out;
  live(user, [&](std::int32_t s, double, const std::vector<std::int32_t>&, const Listener& who,
                 const Mood& before, std::span<const Activation> known) {
    if (s < first) return;
    std::vector<float>& of = out.emplace_back(static_cast<std::size_t>(options_.tracks) + 1);
    Random random(stable_hash("instead " + std::to_string(user) + " " + std::to_string(s), options_.seed));
    for (std::int64_t i = 0; i < draws; ++i) {
      Mood mood = before;
      for (const std::int32_t track : session(who, mood, known, s == 0, random))
        of[static_cast<std::size_t>(track)] += 1 / static_cast<float>(draws);
    }
  });
  return out;
}

}  // namespace stream::recommenders
