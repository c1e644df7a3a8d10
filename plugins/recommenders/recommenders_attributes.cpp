#include "recommenders/recommenders_attributes.hpp"

#include <algorithm>
#include <cmath>

#include "events/event_gate.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

Spec AttributesOperator::spec() {
  return Spec("recommenders.attributes", "Say what a listener's public playlists give away.")
      .input<Record>(
          "in",
          "{\"item\": playlist, \"event\": \"playlist_add\", \"playlist_update\" or \"playlist_remove\", "
          "\"name\", \"tracks\": all, \"added\": further ones, \"line\"} keyed by the listener: what "
          "events.read brings")
      .output<Record>("out",
                      "after each event {\"user\", \"event\", \"playlist\", \"playlists\": how many, "
                      "\"attributes\": {name: "
                      "{\"classes\": {class: probability}, \"chance\", \"balanced_accuracy\", "
                      "\"calibration\", \"moved\": "
                      "[[playlist, change], ...]}}}")
      .output<Record>("faults",
                      "{\"line\", \"item\", \"fault\": \"unknown-playlist\", \"playlist-twice\", \"tracks\", "
                      "\"event\", \"type\", \"time\" or \"missing\", \"detail\"}")
      .path("model", nullptr, "HDF5 file that recommenders.attributes_train wrote")
      .param("item", "item", "member with the playlist's id, a string or an integer")
      .param(
          "why", std::int64_t{3},
          "playlists named that move an attribute most: by how much the probability of its likeliest class "
          "would change without them",
          range(0, 1000))
      .contract({.state = Growth::kLinear,
                 .grows_with = "playlists",
                 .order = Order::kStateful,
                 .cost = Cost::kHeavy,
                 .keyed = true})
      .about(
          "A playlist is 111 numbers about its songs, artists and itself, from running sums; a network turns "
          "them into 64, of which the mean and the maximum over the listener's playlists, with their number, "
          "make the prediction. An event recomputes its own playlist alone.\n\n"
          "These attributes are sensitive. So that nobody takes a guess for knowledge, every line says for "
          "each attribute the balanced accuracy and the expected calibration error on listeners that "
          "training "
          "never saw, and the level of chance. Events that are wrong are named on the port \"faults\" and "
          "change "
          "nothing.")
      .paper(
          "Tricomi, Pajola, Pasa, Conti, 'All of Me': Mining Users' Attributes from their Public Spotify "
          "Playlists, arXiv 2401.14296, 2024; Zaheer et al., Deep Sets, NIPS 2017")
      .example("What playlists give away", R"([nodes.log]
use     = "events.read"
path    = "examples/playlists.jsonl"
dialect = "playlists"

[nodes.attributes]
use   = "recommenders.attributes"
from  = "log.out"
model = "models/playlist-attributes.h5"

[nodes.out]
use  = "jsonl.write"
from = "attributes.out"
)");
}

AttributesOperator::AttributesOperator(const Params& p)
    : model_(DeepSetModel::read(p.input_path("model"))),
      playlist_(p.get<std::string>("item")),
      why_(p.get<std::size_t>("why")) {}

void AttributesOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const Value& id = record.at(playlist_);
  if (!id.is_string() && !id.is_integer())
    throw bad_data("member '" + playlist_ + "' is of type " + id.kind() +
                   ", expected a string or an integer");
  const std::string playlist = id.is_string() ? id.as_string() : std::to_string(id.as_integer());
  try {
    if (book_.apply(playlist, record.object()) == PlaylistBook::Change::kRemoved)
      set_.remove(playlist);
    else
      set_.put(playlist,
               model_->playlist(book_.features(playlist, static_cast<double>(in.time.count()) / 1e9)));
  } catch (const events::EventFault& wrong) {
    Object fault{{"fault", wrong.name()}, {"item", playlist}, {"detail", wrong.what()}};
    if (const Value* line = record.find("line")) fault.set("line", *line);
    out.emit(1, in.with<Record>(std::move(fault)));
    return;
  }
  out.emit(0, in.with<Record>(Object{{"user", in.key.str()},
                                     {"event", record.at("event")},
                                     {"playlist", playlist},
                                     {"playlists", static_cast<std::int64_t>(set_.size())},
                                     {"attributes", prediction()}}));
}

Object AttributesOperator::prediction() const {
  Object out;
  if (set_.size() == 0) return out;
  const auto now = model_->attributes_of(set_.mean(), set_.most(), set_.size());
  // Without each of them in turn.
  std::vector<std::pair<const std::string*, AttributeProbabilities>> without;
  if (why_ > 0 && set_.size() > 1)
    for (const auto& [playlist, h] : set_.units()) {
      const auto [mean, most] = set_.without(playlist);
      without.emplace_back(&playlist, model_->attributes_of(mean, most, set_.size() - 1));
    }
  for (std::size_t a = 0; a < now.size(); ++a) {
    const AttributeClasses& attribute = model_->attributes()[a];
    const AttributeQuality& quality = model_->quality()[a];
    Object classes;
    for (std::size_t c = 0; c < now[a].size(); ++c) classes.set(attribute.classes[c], now[a][c]);
    const auto likeliest =
        static_cast<std::size_t>(std::max_element(now[a].begin(), now[a].end()) - now[a].begin());
    std::vector<std::pair<double, const std::string*>> moved;
    moved.reserve(without.size());
    for (const auto& [playlist, p] : without)
      moved.emplace_back(p[a][likeliest] - now[a][likeliest], playlist);
    const std::size_t n = std::min(why_, moved.size());
    std::partial_sort(moved.begin(), moved.begin() + static_cast<std::ptrdiff_t>(n), moved.end(),
                      [](const auto& x, const auto& y) {
                        return std::abs(x.first) != std::abs(y.first) ? std::abs(x.first) > std::abs(y.first)
                                                                      : *x.second < *y.second;
                      });
    Array why;
    for (std::size_t i = 0; i < n; ++i) why.emplace_back(Array{*moved[i].second, moved[i].first});
    out.set(attribute.name, Object{{"classes", std::move(classes)},
                                   {"chance", 1.0 / static_cast<double>(now[a].size())},
                                   {"balanced_accuracy", quality.balanced_accuracy},
                                   {"calibration", quality.calibration},
                                   {"moved", std::move(why)}});
  }
  return out;
}

void AttributesOperator::save(Archive& state) const {
  book_.save(state.group("book"));
  set_.save(state.group("set"));
}

void AttributesOperator::load(const Archive& state) {
  book_.load(state.group("book"));
  set_.load(state.group("set"));
  if (set_.size() != book_.size()) throw bad_data("the checkpoint's playlists do not belong together");
}

std::size_t AttributesOperator::state_bytes() const {
  return book_.bytes() + set_.size() * kDeepSetUnits * sizeof(float) + 3 * kDeepSetUnits * sizeof(double);
}

}  // namespace stream::recommenders
