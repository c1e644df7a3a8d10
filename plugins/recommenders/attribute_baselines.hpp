/// What the DeepSet is compared with: regressions on means and on single playlists, and a forest.
#pragma once

#include "recommenders/deepset_trainer.hpp"

namespace stream::recommenders {

/// Probabilities of the classes of one attribute, for each of the listeners asked for.
using ClassProbabilities = std::vector<std::vector<double>>;

/// One logistic regression against the rest for each class, classes weighted by the inverse of their
/// frequency, `ridge` |w|^2 / 2 added. rows [n, columns] row by row, truth -1 passed over.
class ClassRegression {
 public:
  ClassRegression(std::span<const float> rows, std::span<const int> truth, std::size_t classes,
                  std::size_t columns, double ridge = 1);
  std::vector<double> operator()(std::span<const float> row) const;

 private:
  std::size_t columns_;
  std::vector<std::vector<double>> weights_;  ///< by class, the last one a constant
};

/// On the listener's mean playlist.
ClassProbabilities by_mean_regression(const ListenerData& data, std::size_t attribute,
                                      std::span<const std::size_t> listeners);
/// On single playlists, whose probabilities are averaged.
ClassProbabilities by_playlist_votes(const ListenerData& data, std::size_t attribute,
                                     std::span<const std::size_t> listeners);
/// A random forest of 200 trees (OpenCV's) on mean and standard deviation over the playlists.
ClassProbabilities by_random_forest(const ListenerData& data, std::size_t attribute,
                                    std::span<const std::size_t> listeners, std::uint64_t seed);

}  // namespace stream::recommenders
