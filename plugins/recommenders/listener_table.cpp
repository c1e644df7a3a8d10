#include "recommenders/listener_table.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "recommenders/playlist_world.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

ListenerTable table_of_world(const PlaylistWorld& world) {
  ListenerTable table;
  table.attributes = PlaylistWorld::attributes();
  for (std::int32_t u = 0; u < world.options().users; ++u) {
    const MadeListener made = world.listener(u);
    Listener listener;
    listener.name = made.name;
    for (const auto& [name, value] : made.attributes) listener.attributes.push_back(value);
    for (const MadePlaylist& playlist : made.playlists) {
      PlaylistSums sums;
      for (const Track& track : playlist.tracks) sums.add(track);
      const auto x = sums.features(playlist.facts, PlaylistWorld::kNow);
      listener.playlists.emplace_back(x.begin(), x.end());
    }
    table.listeners.push_back(std::move(listener));
  }
  return table;
}

ListenerSplit split_listeners(std::size_t listeners, double validation, double test, Random random) {
  std::vector<std::size_t> order(listeners);
  for (std::size_t i = 0; i < listeners; ++i) order[i] = i;
  for (std::size_t i = listeners; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  const auto share = [&](double of) {
    return static_cast<std::ptrdiff_t>(std::llround(of * static_cast<double>(listeners)));
  };
  const auto first = order.begin() + share(test), second = first + share(validation);
  return {{second, order.end()}, {first, second}, {order.begin(), first}};
}

int AttributeClasses::of(const Value& value) const {
  if (value.is_null()) return -1;
  if (!cuts.empty()) {
    if (!value.is_number())
      throw bad_data("attribute '" + name + "' is of type " + value.kind() + " here and was a number before");
    return static_cast<int>(std::lower_bound(cuts.begin(), cuts.end(), value.as_double()) - cuts.begin());
  }
  if (value.is_number()) throw bad_data("attribute '" + name + "' is a number here and was a name before");
  const std::string text = value.is_string() ? value.as_string() : value.dump();
  const auto at = std::find(classes.begin(), classes.end(), text);
  return at == classes.end() ? -1 : static_cast<int>(at - classes.begin());
}

void AttributeClasses::save(Archive& group) const {
  group.set("name", name);
  group.set("classes", static_cast<std::int64_t>(classes.size()));
  for (std::size_t c = 0; c < classes.size(); ++c) group.set("class_" + std::to_string(c), classes[c]);
  group.set("cuts", cuts);
}

AttributeClasses AttributeClasses::load(const Archive& group) {
  AttributeClasses out;
  out.name = group.get<std::string>("name");
  const auto count = group.get<std::int64_t>("classes");
  if (count < 2 || count > 1000)
    throw bad_data("attribute '" + out.name + "' has " + std::to_string(count) + " classes");
  for (std::int64_t c = 0; c < count; ++c)
    out.classes.push_back(group.get<std::string>("class_" + std::to_string(c)));
  out.cuts = group.get<std::vector<double>>("cuts");
  if (!out.cuts.empty() && out.cuts.size() + 1 != out.classes.size())
    throw bad_data("the cut points of '" + out.name + "' are not those of its classes");
  return out;
}

AttributeClasses classes_of(const ListenerTable& table, std::size_t attribute,
                            std::span<const std::size_t> listeners, std::size_t bins) {
  AttributeClasses out;
  out.name = table.attributes[attribute];
  std::vector<double> numbers;
  std::set<std::string> names;
  for (const std::size_t i : listeners) {
    const Value& value = table.listeners[i].attributes[attribute];
    if (value.is_null()) continue;
    if (value.is_number())
      numbers.push_back(value.as_double());
    else
      names.insert(value.is_string() ? value.as_string() : value.dump());
  }
  if (!numbers.empty() && !names.empty())
    throw bad_data("attribute '" + out.name + "' is a number for some listeners and a name for others ('" +
                   *names.begin() + "')");
  if (!numbers.empty()) {
    std::sort(numbers.begin(), numbers.end());
    for (std::size_t b = 1; b < bins; ++b) {
      const double cut = numbers[b * numbers.size() / bins];
      if (cut < numbers.back() && (out.cuts.empty() || cut > out.cuts.back())) out.cuts.push_back(cut);
    }
    for (const double cut : out.cuts) out.classes.push_back("<= " + Value(cut).dump());
    if (!out.cuts.empty()) out.classes.push_back("> " + Value(out.cuts.back()).dump());
  }
  out.classes.insert(out.classes.end(), names.begin(), names.end());
  if (out.classes.size() < 2)
    throw bad_data("attribute '" + out.name +
                   "' has fewer than two classes among the listeners for training");
  return out;
}

namespace {

template <typename T>
std::vector<float> standardised(const Standardiser& s, std::span<const T> x) {
  std::vector<float> out(x.size());
  for (std::size_t f = 0; f < x.size(); ++f)
    if (!std::isnan(x[f])) out[f] = (static_cast<float>(x[f]) - s.mean[f]) / s.deviation[f];
  return out;
}

}  // namespace

std::vector<float> Standardiser::operator()(std::span<const float> x) const { return standardised(*this, x); }
std::vector<float> Standardiser::operator()(std::span<const double> x) const {
  return standardised(*this, x);
}

Standardiser standardiser_of(const ListenerTable& table, std::span<const std::size_t> listeners) {
  std::vector<double> n(kPlaylistFeatures), sum(kPlaylistFeatures), squares(kPlaylistFeatures);
  for (const std::size_t i : listeners)
    for (const auto& x : table.listeners[i].playlists)
      for (std::size_t f = 0; f < kPlaylistFeatures; ++f) {
        const auto v = static_cast<double>(x[f]);
        if (std::isnan(v)) continue;
        n[f] += 1, sum[f] += v, squares[f] += v * v;
      }
  Standardiser out{std::vector<float>(kPlaylistFeatures, 0.0f), std::vector<float>(kPlaylistFeatures, 1.0f)};
  for (std::size_t f = 0; f < kPlaylistFeatures; ++f) {
    if (n[f] == 0) continue;
    const double mean = sum[f] / n[f], variance = squares[f] / n[f] - mean * mean;
    out.mean[f] = static_cast<float>(mean);
    if (variance > 1e-12 * (1 + mean * mean)) out.deviation[f] = static_cast<float>(std::sqrt(variance));
  }
  return out;
}

}  // namespace stream::recommenders
