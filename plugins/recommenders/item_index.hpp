/// The items whose vectors have the greatest inner product with a query: exactly, or through a graph of
/// neighbours.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace stream::recommenders {

struct FoundItem {
  std::int32_t item;  ///< row of the vectors
  float score;
};

class ItemIndex {
 public:
  struct Options {
    std::size_t exact_up_to = 20000;  ///< items; a larger catalogue is searched through HNSW
    std::size_t links = 16, breadth = 100, searched = 100;  ///< M, efConstruction, ef of HNSW
  };
  /// vectors [rows, features]; row 0 is padding and never found. HNSW: Malkov and Yashunin, "Efficient and
  /// robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs", TPAMI 2020;
  /// built by one thread from a fixed seed, so that the same vectors give the same index.
  ItemIndex(std::vector<float> vectors, std::size_t features, Options options);
  ~ItemIndex();
  ItemIndex(const ItemIndex&) = delete;
  ItemIndex& operator=(const ItemIndex&) = delete;
  /// The best k by falling score, then by item.
  std::vector<FoundItem> best(std::span<const float> query, std::size_t k) const;
  std::vector<FoundItem> best_exactly(std::span<const float> query, std::size_t k) const;
  bool exact() const { return !graph_; }
  /// Share of the truly best k that `best` finds, over these queries, one after the other.
  double recall(std::span<const float> queries, std::size_t k) const;
  std::size_t rows() const { return vectors_.size() / features_; }
  const float* vector(std::int32_t item) const {
    return vectors_.data() + static_cast<std::size_t>(item) * features_;
  }

 private:
  struct Graph;
  std::vector<float> vectors_;
  std::size_t features_;
  std::unique_ptr<Graph> graph_;
};

}  // namespace stream::recommenders
