#include "recommenders/playlist_world.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr double kDay = 86400;
constexpr int kSad = 0, kParty = 1, kDiscovery = 3;  // 2: their own

/// Knuth's method: the means here are small.
int poisson(double mean, Random& random) {
  int n = 0;
  for (double product = random.uniform(), limit = std::exp(-mean); product > limit;
       product *= random.uniform())
    ++n;
  return n;
}

std::size_t drawn(const std::vector<double>& weights, Random& random) {
  double sum = 0;
  for (const double w : weights) sum += w;
  double u = random.uniform() * sum;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i)
    if ((u -= weights[i]) < 0) return i;
  return weights.size() - 1;
}

double share(double x) { return std::clamp(x, 0.0, 1.0); }

}  // namespace

struct PlaylistWorld::Profile {
  bool woman, open, extravert, sporty, neurotic;
  std::vector<double> genres;        ///< weights
  std::vector<std::size_t> artists;  ///< the pool
};

const std::vector<std::string>& PlaylistWorld::attributes() {
  static const std::vector<std::string> names{"gender", "age",         "openness", "extraversion",
                                              "sport",  "neuroticism", "null_a",   "null_b"};
  return names;
}

PlaylistWorld::PlaylistWorld(PlaylistWorldOptions options) : options_(options) {
  if (options_.users < 1) throw bad_recipe("a world of playlists needs users");
  Random random(stable_hash("playlists " + std::to_string(options_.seed)));
  for (std::size_t g = 0; g < kMadeGenres; ++g) {
    auto& mean = genres_.emplace_back();
    // popularity, explicit, year, duration; the rest in the order of Track::fields.
    mean = {random.uniform(35, 65),   random.uniform(0.02, 0.3),  random.uniform(2004, 2014),
            random.uniform(190, 260), random.uniform(0.45, 0.7),  random.uniform(0.45, 0.75),
            random.uniform(-10, -6),  random.uniform(0.04, 0.15), random.uniform(0.1, 0.5),
            random.uniform(0, 0.25),  random.uniform(0.12, 0.22), random.uniform(0.35, 0.6),
            random.uniform(105, 135)};
    for (std::size_t a = 0; a < kArtistsOfGenre; ++a) {
      Artist artist{"a" + std::to_string(g) + "-" + std::to_string(a),
                    std::clamp(mean[0] + 12 * random.normal(), 0.0, 100.0),
                    std::round(std::exp(11 + 1.5 * random.normal())),
                    {coarse_genres()[g]}};
      if (random.uniform() < 0.3) artist.genres.emplace_back(coarse_genres()[random.below(kMadeGenres)]);
      artists_.push_back(std::move(artist));
    }
  }
}

Track PlaylistWorld::track(const Profile& profile, int context, bool workout, double year,
                           Random& random) const {
  std::size_t artist = profile.artists[random.below(profile.artists.size())];
  if (context == kDiscovery) artist = random.below(artists_.size());
  Track track;
  track.artists.push_back(artists_[artist]);
  if (random.uniform() < 0.12)
    track.artists.push_back(artists_[profile.artists[random.below(profile.artists.size())]]);
  const auto& mean = genres_[artist / kArtistsOfGenre];
  const double sad = context == kSad ? 1 : 0, party = context == kParty ? 1 : 0;
  const double outgoing = profile.extravert ? 1 : -1, anxious = profile.neurotic ? 1 : -1;
  double energy = mean[5] + 0.14 * (party - sad) + 0.05 * outgoing * (party - sad);
  double tempo = mean[12] + 10 * (party - sad);
  double valence = mean[11] + 0.06 * (party - sad) + 0.05 * anxious * (party - sad);
  if (workout) energy += 0.22, tempo += 25;
  auto& f = track.fields;
  f[0] = std::clamp(mean[0] + 14 * random.normal() - (context == kDiscovery ? 12 : 0), 0.0, 100.0);
  f[1] = random.uniform() < mean[1] ? 1 : 0;
  f[2] = std::clamp(std::round(year > 0 ? year + 2 * random.normal() : mean[2] + 9 * random.normal()), 1950.0,
                    2023.0);
  f[3] = std::max(60.0, mean[3] + 40 * random.normal());
  f[4] = share(mean[4] + 0.12 * (party - 0.5 * sad) + 0.12 * random.normal());
  f[5] = share(energy + 0.15 * random.normal());
  f[6] = mean[6] + 8 * (energy - mean[5]) + 2 * random.normal();
  f[7] = share(mean[7] + 0.05 * random.normal());
  f[8] = share(mean[8] + 0.2 * sad - 0.1 * party + 0.2 * random.normal());
  f[9] = share(mean[9] + 0.15 * random.normal());
  f[10] = share(mean[10] + 0.08 * random.normal());
  f[11] = share(valence + 0.18 * random.normal());
  f[12] = std::clamp(tempo + 22 * random.normal(), 50.0, 220.0);
  track.key = static_cast<int>(random.below(12));
  track.mode = random.uniform() < 0.6 - 0.2 * sad ? 1 : 0;
  track.time_signature = random.uniform() < 0.9 ? 4 : 3;
  return track;
}

MadeListener PlaylistWorld::listener(std::int32_t user) const {
  Random random(stable_hash("listener " + std::to_string(options_.seed) + " " + std::to_string(user)));
  const auto coin = [&] { return random.uniform() < 0.5; };
  Profile profile{coin(), coin(), coin(), coin(), coin(), {}, {}};
  const double age = 18 + std::floor(random.uniform() * 33);
  const bool null_a = coin(), null_b = coin();
  MadeListener out;
  out.name = "u" + std::to_string(user);
  out.attributes = {
      {"gender", profile.woman ? "woman" : "man"}, {"age", age},
      {"openness", profile.open ? "high" : "low"}, {"extraversion", profile.extravert ? "high" : "low"},
      {"sport", profile.sporty ? "yes" : "no"},    {"neuroticism", profile.neurotic ? "high" : "low"},
      {"null_a", null_a ? "yes" : "no"},           {"null_b", null_b ? "yes" : "no"}};
  for (std::size_t g = 0; g < kMadeGenres; ++g) {
    // Women a little more of the first two, pop and k-pop; men of the next two.
    const double shift = g < 2 ? 0.45 : g < 4 ? -0.45 : 0;
    const double spread = profile.open ? 1.0 : 1.35;
    profile.genres.push_back(std::exp(spread * random.normal() + (profile.woman ? shift : -shift)));
  }
  for (int a = 0; a < (profile.open ? 45 : 30); ++a)
    profile.artists.push_back(drawn(profile.genres, random) * kArtistsOfGenre +
                              random.below(kArtistsOfGenre));
  const int count = 2 + poisson(12, random);
  const int nostalgic = static_cast<int>(random.below(static_cast<std::uint64_t>(count)));
  int workout = -1;
  if (random.uniform() < (profile.sporty ? 0.85 : 0.25))
    workout = static_cast<int>(random.below(static_cast<std::uint64_t>(count)));
  for (int p = 0; p < count; ++p) {
    MadePlaylist playlist;
    playlist.id = out.name + "-" + std::to_string(p);
    const int context = static_cast<int>(random.below(4));
    const double year = p == nostalgic ? 2023 - age + 16 : 0;
    const double created = kNow - random.uniform(30, 2500) * kDay;
    static constexpr const char* kNames[] = {"rainy days", "party", "mine", "finds"};
    playlist.facts = {
        .name = kNames[context] + std::string(random.uniform() < 0.2 ? " \xf0\x9f\x8e\xb5" : ""),
        .described = random.uniform() < 0.15,
        .collaborative = random.uniform() < 0.05,
        .followers = std::floor(std::exp(1.5 * random.normal())),
        .created = created};
    const int tracks = 8 + poisson(25, random);
    double added = created;
    for (int t = 0; t < tracks; ++t) {
      playlist.tracks.push_back(track(profile, context, p == workout, year, random));
      if (random.uniform() < 0.3) added = std::min(kNow, added + random.uniform(0, 40) * kDay);
      playlist.tracks.back().added = std::floor(added);
    }
    out.playlists.push_back(std::move(playlist));
  }
  return out;
}

}  // namespace stream::recommenders
