#include "recommenders/playlist_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "events/event_mapping.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kDay = 86400;

constexpr std::array<const char*, kSongFields> kFields{
    "popularity", "explicit", "year",        "duration",     "danceability",
    "energy",     "loudness", "speechiness", "acousticness", "instrumentalness",
    "liveness",   "valence",  "tempo"};

/// The number at a path of members, or NaN. Truth values are 0 and 1.
double number_at(const Object& members, const char* path) {
  const Value* value = events::find_path(members, path);
  if (!value || value->is_null()) return kNone;
  if (value->is_bool()) return value->as_bool() ? 1 : 0;
  if (!value->is_number())
    throw bad_data(std::string("member '") + path + "' of a track is of type " + value->kind() +
                   ", expected a number");
  return value->as_double();
}

const std::string* text_at(const Object& members, const char* path) {
  const Value* value = events::find_path(members, path);
  return value && value->is_string() ? &value->as_string() : nullptr;
}

/// "1999-03-30", "1999-03" or "1999".
double year_of(const Object& members) {
  if (const double year = number_at(members, "year"); !std::isnan(year)) return year;
  const std::string* date = text_at(members, "album.release_date");
  if (!date) return kNone;
  int year = 0;
  if (date->size() < 4 ||
      !std::all_of(date->begin(), date->begin() + 4, [](char c) { return c >= '0' && c <= '9'; }))
    return kNone;
  for (int i = 0; i < 4; ++i) year = 10 * year + ((*date)[static_cast<std::size_t>(i)] - '0');
  return year > 0 ? year : kNone;
}

int small_integer(double value, int low, int high) {
  return value >= low && value <= high ? static_cast<int>(value) : -1;
}

Artist artist_of(const Value& value) {
  if (value.is_string()) return {value.as_string(), kNone, kNone, {}};
  if (!value.is_object())
    throw bad_data(std::string("an artist is of type ") + value.kind() + ", expected an object or a name");
  const Object& members = value.as_object();
  const std::string* id = text_at(members, "id");
  if (!id) id = text_at(members, "name");
  if (!id) throw bad_data("an artist has neither id nor name");
  const bool nested = events::find_path(members, "followers.total") != nullptr;
  Artist artist{*id,
                number_at(members, "popularity"),
                number_at(members, nested ? "followers.total" : "followers"),
                {}};
  if (const Value* genres = members.find("genres"); genres && genres->is_array())
    for (const Value& genre : genres->as_array())
      if (genre.is_string()) artist.genres.push_back(genre.as_string());
  return artist;
}

double entropy(const auto& counts) {
  double sum = 0, out = 0;
  for (const double n : counts) sum += n;
  for (const double n : counts)
    if (n > 0) out -= n / sum * std::log(n / sum);
  return out;
}

std::vector<double> values_of(const std::map<std::int64_t, std::int64_t>& counts) {
  std::vector<double> out;
  out.reserve(counts.size());
  for (const auto& [at, n] : counts) out.push_back(static_cast<double>(n));
  return out;
}

/// Characters, and whether one of them is a pictograph, of UTF-8.
std::pair<double, bool> characters_of(const std::string& name) {
  double count = 0;
  bool emoji = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if ((byte & 0xc0) != 0x80) ++count;
    // U+1F000 to U+1FAFF begin with f0 9f; U+2600 to U+27BF with e2 98 to e2 9e.
    const auto next = i + 1 < name.size() ? static_cast<unsigned char>(name[i + 1]) : 0;
    emoji = emoji || (byte == 0xf0 && next == 0x9f) || (byte == 0xe2 && next >= 0x98 && next <= 0x9e);
  }
  return {count, emoji};
}

}  // namespace

Track track_of(const Value& value) {
  if (!value.is_object())
    throw bad_data(std::string("a track is of type ") + value.kind() + ", expected an object");
  const Object* outer = &value.as_object();
  const Value* inner = outer->find("track");
  const Object& members = inner && inner->is_object() ? inner->as_object() : *outer;
  const Value* audio = members.find("audio_features");
  const Object& features = audio && audio->is_object() ? audio->as_object() : members;
  Track track;
  track.fields.fill(kNone);
  track.fields[0] = number_at(members, "popularity");
  track.fields[1] = number_at(members, "explicit");
  track.fields[2] = year_of(members);
  track.fields[3] = number_at(members, "duration_ms") / 1000;
  for (std::size_t f = 4; f < kSongFields; ++f) track.fields[f] = number_at(features, kFields[f]);
  track.key = small_integer(number_at(features, "key"), 0, 11);
  track.mode = small_integer(number_at(features, "mode"), 0, 1);
  track.time_signature = small_integer(number_at(features, "time_signature"), 1, 100);
  if (const Value* artists = members.find("artists")) {
    if (!artists->is_array())
      throw bad_data(std::string("member 'artists' of a track is of type ") + artists->kind() +
                     ", expected an array");
    for (const Value& artist : artists->as_array()) track.artists.push_back(artist_of(artist));
  }
  for (const char* name : {"artistName", "artist_name"})
    if (const std::string* artist = text_at(members, name); artist && track.artists.empty())
      track.artists.push_back({*artist, kNone, kNone, {}});
  track.added = kNone;
  for (const char* name : {"added_at", "addedDate"}) {
    const Value* added = outer->find(name);
    if (!added) added = members.find(name);
    if (added && !added->is_null())
      track.added = static_cast<double>(events::time_of(*added, 1).count()) / 1e9;
  }
  return track;
}

const std::array<const char*, kGenres>& coarse_genres() {
  static constexpr std::array<const char*, kGenres> kNames{
      "pop",     "k-pop",      "rock",   "metal",  "punk",    "indie",      "alternative", "hip-hop",
      "r&b",     "electronic", "house",  "techno", "dance",   "jazz",       "blues",       "classical",
      "country", "folk",       "reggae", "latin",  "ambient", "soundtrack", "soul",        "gospel"};
  return kNames;
}

int coarse_genre(const std::string& genre) {
  // The more telling words first: "k-pop" is no pop, "indie rock" is indie, "latin pop" latin.
  static constexpr std::pair<const char*, const char*> kWords[] = {{"k-pop", "k-pop"},
                                                                   {"indie", "indie"},
                                                                   {"alternative", "alternative"},
                                                                   {"metal", "metal"},
                                                                   {"punk", "punk"},
                                                                   {"hip-hop", "hip-hop"},
                                                                   {"hip hop", "hip-hop"},
                                                                   {"rap", "hip-hop"},
                                                                   {"trap", "hip-hop"},
                                                                   {"r&b", "r&b"},
                                                                   {"latin", "latin"},
                                                                   {"reggaeton", "latin"},
                                                                   {"reggae", "reggae"},
                                                                   {"techno", "techno"},
                                                                   {"house", "house"},
                                                                   {"ambient", "ambient"},
                                                                   {"classical", "classical"},
                                                                   {"jazz", "jazz"},
                                                                   {"blues", "blues"},
                                                                   {"country", "country"},
                                                                   {"folk", "folk"},
                                                                   {"soundtrack", "soundtrack"},
                                                                   {"score", "soundtrack"},
                                                                   {"gospel", "gospel"},
                                                                   {"soul", "soul"},
                                                                   {"dance", "dance"},
                                                                   {"edm", "electronic"},
                                                                   {"electro", "electronic"},
                                                                   {"pop", "pop"},
                                                                   {"rock", "rock"}};
  const auto& names = coarse_genres();
  for (const auto& [word, coarse] : kWords)
    if (genre.find(word) != std::string::npos)
      return static_cast<int>(std::find_if(names.begin(), names.end(),
                                           [c = coarse](const char* n) { return std::string(n) == c; }) -
                              names.begin());
  return -1;
}

const std::vector<std::string>& playlist_feature_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const char* field : kFields)
      for (const char* of : {"_mean", "_std", "_min", "_max"}) out.push_back(std::string(field) + of);
    for (int key = 0; key < 12; ++key) out.push_back("key_" + std::to_string(key));
    for (const char* name : {"major", "four_four", "artists", "artists_distinct", "artist_popularity_mean",
                             "artist_popularity_std", "artist_followers_mean", "artist_followers_std",
                             "artist_genres", "top_artist"})
      out.emplace_back(name);
    for (const char* genre : coarse_genres()) out.push_back(std::string("genre_") + genre);
    for (const char* name :
         {"genre_entropy", "tracks", "name_length", "name_emoji", "described", "followers", "collaborative",
          "age_days", "additions_per_month", "added_in_one_day", "hours", "decade_entropy", "artist_runs"})
      out.emplace_back(name);
    return out;
  }();
  return names;
}

void PlaylistSums::Moments::add(double value) {
  if (std::isnan(value)) return;
  least = n == 0 ? value : std::min(least, value), most = n == 0 ? value : std::max(most, value);
  n += 1, sum += value, squares += value * value;
}
double PlaylistSums::Moments::mean() const { return n > 0 ? sum / n : kNone; }
double PlaylistSums::Moments::deviation() const {
  return n > 0 ? std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n))) : kNone;
}

void PlaylistSums::add(const Track& track) {
  ++tracks_;
  for (std::size_t f = 0; f < kSongFields; ++f) fields_[f].add(track.fields[f]);
  if (track.key >= 0) keys_[static_cast<std::size_t>(track.key)] += 1, keyed_ += 1;
  if (track.mode >= 0) major_ += track.mode, moded_ += 1;
  if (track.time_signature >= 0) common_time_ += track.time_signature == 4 ? 1 : 0, timed_ += 1;
  for (const Artist& artist : track.artists) {
    ++artists_[artist.name], ++credits_;
    artist_popularity_.add(artist.popularity);
    artist_followers_.add(std::log1p(artist.followers));
    artist_genres_.add(static_cast<double>(artist.genres.size()));
    for (const std::string& genre : artist.genres)
      if (const int g = coarse_genre(genre); g >= 0) genres_[static_cast<std::size_t>(g)] += 1;
  }
  if (!track.artists.empty()) {
    if (track.artists[0].name == last_artist_) ++runs_;
    last_artist_ = track.artists[0].name;
  }
  if (!std::isnan(track.fields[2])) ++decades_[static_cast<std::int64_t>(std::floor(track.fields[2] / 10))];
  if (!std::isnan(track.added)) {
    ++days_[static_cast<std::int64_t>(std::floor(track.added / kDay))];
    first_added_ = added_ == 0 ? track.added : std::min(first_added_, track.added);
    last_added_ = added_ == 0 ? track.added : std::max(last_added_, track.added);
    added_ += 1;
  }
}

std::vector<double> PlaylistSums::features(const PlaylistFacts& facts, double now) const {
  std::vector<double> x;
  x.reserve(kPlaylistFeatures);
  for (const Moments& m : fields_)
    x.insert(x.end(), {m.mean(), m.deviation(), m.n > 0 ? m.least : kNone, m.n > 0 ? m.most : kNone});
  for (const double n : keys_) x.push_back(keyed_ > 0 ? n / keyed_ : kNone);
  x.push_back(moded_ > 0 ? major_ / moded_ : kNone);
  x.push_back(timed_ > 0 ? common_time_ / timed_ : kNone);
  const auto distinct = static_cast<double>(artists_.size()), credits = static_cast<double>(credits_);
  double top = 0;
  for (const auto& [name, n] : artists_) top = std::max(top, static_cast<double>(n));
  x.push_back(distinct);
  x.push_back(credits_ > 0 ? distinct / credits : kNone);
  x.push_back(artist_popularity_.mean()), x.push_back(artist_popularity_.deviation());
  x.push_back(artist_followers_.mean()), x.push_back(artist_followers_.deviation());
  x.push_back(artist_genres_.mean());
  x.push_back(credits_ > 0 ? top / credits : kNone);
  double genres = 0;
  for (const double n : genres_) genres += n;
  for (const double n : genres_) x.push_back(genres > 0 ? n / genres : kNone);
  x.push_back(genres > 0 ? entropy(genres_) : kNone);
  const auto [length, emoji] = characters_of(facts.name);
  const double created = facts.created > 0 ? facts.created : added_ > 0 ? first_added_ : kNone;
  const double months = std::max(1.0, (last_added_ - first_added_) / (30 * kDay));
  double busiest = 0;
  for (const auto& [day, n] : days_) busiest = std::max(busiest, static_cast<double>(n));
  x.insert(x.end(),
           {std::log1p(static_cast<double>(tracks_)), length, emoji ? 1.0 : 0.0, facts.described ? 1.0 : 0.0,
            std::log1p(std::max(0.0, facts.followers)), facts.collaborative ? 1.0 : 0.0,
            std::max(0.0, now - created) / kDay, added_ > 0 ? added_ / months : kNone,
            added_ > 0 ? busiest / added_ : kNone, fields_[3].n > 0 ? fields_[3].sum / 3600 : kNone,
            decades_.empty() ? kNone : entropy(values_of(decades_)),
            tracks_ > 1 ? static_cast<double>(runs_) / static_cast<double>(tracks_ - 1) : kNone});
  if (std::isnan(created)) x[kPlaylistFeatures - 6] = kNone;
  return x;
}

template <typename Self, typename Do>
void PlaylistSums::each_moment(Self& self, const Do& act) {
  for (auto& m : self.fields_) act(m);
  act(self.artist_popularity_), act(self.artist_followers_), act(self.artist_genres_);
}

void PlaylistSums::save(Archive& group) const {
  std::vector<double> numbers;
  each_moment(*this, [&](const Moments& m) {
    numbers.insert(numbers.end(), {m.n, m.sum, m.squares, m.least, m.most});
  });
  numbers.insert(numbers.end(), keys_.begin(), keys_.end());
  numbers.insert(numbers.end(), genres_.begin(), genres_.end());
  numbers.insert(numbers.end(),
                 {keyed_, major_, moded_, common_time_, timed_, first_added_, last_added_, added_});
  std::vector<std::int64_t> counts{tracks_, credits_, runs_, static_cast<std::int64_t>(decades_.size())};
  for (const auto* map : {&decades_, &days_})
    for (const auto& [at, n] : *map) counts.push_back(at), counts.push_back(n);
  std::string names;
  std::vector<std::int64_t> ends, credits;
  for (const auto& [name, n] : artists_) {
    names += name;
    ends.push_back(static_cast<std::int64_t>(names.size()));
    credits.push_back(n);
  }
  group.set("numbers", numbers);
  group.set("counts", counts);
  group.set("artists", std::vector<std::uint8_t>(names.begin(), names.end()));
  group.set("ends", ends);
  group.set("credits", credits);
  group.set("last_artist", last_artist_);
}

void PlaylistSums::load(const Archive& group) {
  *this = {};
  const auto numbers = group.get<std::vector<double>>("numbers");
  const auto counts = group.get<std::vector<std::int64_t>>("counts");
  if (numbers.size() != 5 * (kSongFields + 3) + 12 + kGenres + 8 || counts.size() < 4 ||
      counts.size() % 2 != 0 || counts[3] < 0 || 4 + 2 * static_cast<std::size_t>(counts[3]) > counts.size())
    throw bad_data("the checkpoint's sums of a playlist do not belong together");
  auto at = numbers.begin();
  each_moment(*this, [&](Moments& m) {
    m = {at[0], at[1], at[2], at[3], at[4]};
    at += 5;
  });
  std::copy_n(at, 12, keys_.begin()), at += 12;
  std::copy_n(at, kGenres, genres_.begin()), at += kGenres;
  for (double* into :
       {&keyed_, &major_, &moded_, &common_time_, &timed_, &first_added_, &last_added_, &added_})
    *into = *at++;
  tracks_ = counts[0], credits_ = counts[1], runs_ = counts[2];
  for (std::size_t i = 4; i + 1 < counts.size(); i += 2)
    (i < 4 + 2 * static_cast<std::size_t>(counts[3]) ? decades_ : days_)[counts[i]] = counts[i + 1];
  const auto names = group.get<std::vector<std::uint8_t>>("artists");
  const auto ends = group.get<std::vector<std::int64_t>>("ends"),
             credits = group.get<std::vector<std::int64_t>>("credits");
  std::int64_t begin = 0;
  if (credits.size() != ends.size()) throw bad_data("the checkpoint's artists do not belong together");
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] < begin || ends[i] > static_cast<std::int64_t>(names.size()))
      throw bad_data("the checkpoint's artists are cut short");
    artists_[std::string(names.begin() + begin, names.begin() + ends[i])] = credits[i];
    begin = ends[i];
  }
  last_artist_ = group.get<std::string>("last_artist");
}

std::size_t PlaylistSums::bytes() const {
  std::size_t sum = sizeof *this + (decades_.size() + days_.size()) * 16;
  for (const auto& [name, n] : artists_) sum += name.size() + 16;
  return sum;
}

}  // namespace stream::recommenders
