/// Listeners as sets of playlists' features, with what is known about them: splits by listener, classes and
/// standardisation by those for training alone.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "recommenders/playlist_features.hpp"
#include "stream/random.hpp"

namespace stream::recommenders {

class PlaylistWorld;

struct Listener {
  std::string name;
  std::vector<std::vector<float>> playlists;  ///< [kPlaylistFeatures] each; NaN: not known
  std::vector<Value> attributes;              ///< in the table's order; null: not known
};

struct ListenerTable {
  std::vector<std::string> attributes;
  std::vector<Listener> listeners;
};

ListenerTable table_of_world(const PlaylistWorld& world);

/// Training, validation and test by listener: nobody is in two of them.
struct ListenerSplit {
  std::vector<std::size_t> training, validation, test;
};
ListenerSplit split_listeners(std::size_t listeners, double validation, double test, Random random);

/// The classes of an attribute: names, or ranges of a number between cut points.
struct AttributeClasses {
  std::string name;
  std::vector<std::string> classes;  ///< "high", "low"; or "<= 30", "> 30"
  std::vector<double> cuts;          ///< ascending; empty where classes are names

  /// -1: not known, or a name that training has not seen. Throws Error(kBadData) for another kind of value.
  int of(const Value& value) const;
  void save(Archive& group) const;
  static AttributeClasses load(const Archive& group);
};
/// `bins` classes of equal share where values are numbers, by the listeners named alone. Throws
/// Error(kBadData) when there are fewer than two classes, or names and numbers are mixed.
AttributeClasses classes_of(const ListenerTable& table, std::size_t attribute,
                            std::span<const std::size_t> listeners, std::size_t bins);

/// x -> (x - mean) / deviation over the playlists of the listeners named; what is not known becomes 0.
struct Standardiser {
  std::vector<float> mean, deviation;
  std::vector<float> operator()(std::span<const float> x) const;
  std::vector<float> operator()(std::span<const double> x) const;
};
Standardiser standardiser_of(const ListenerTable& table, std::span<const std::size_t> listeners);

}  // namespace stream::recommenders
