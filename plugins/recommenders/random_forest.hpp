/// A random forest: OpenCV's, behind two calls.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace stream::recommenders {

class RandomForest {
 public:
  /// 200 trees on rows [n, columns] with classes 0 .. classes - 1, each as likely beforehand; the square root
  /// of the columns is tried at each split (Breiman, "Random Forests", Machine Learning 45, 2001).
  RandomForest(std::span<const float> rows, std::span<const int> truth, std::size_t columns,
               std::size_t classes, std::uint64_t seed);
  ~RandomForest();
  RandomForest(const RandomForest&) = delete;
  RandomForest& operator=(const RandomForest&) = delete;
  /// The class that most trees vote for.
  int operator()(std::span<const float> row) const;

 private:
  struct Trees;
  std::unique_ptr<Trees> trees_;
};

}  // namespace stream::recommenders
