#include "recommenders/item_index.hpp"

#include <algorithm>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wreorder"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace stream::recommenders {

namespace {

bool better(const FoundItem& a, const FoundItem& b) {
  return a.score != b.score ? a.score > b.score : a.item < b.item;
}

}  // namespace

struct ItemIndex::Graph {
  hnswlib::InnerProductSpace space;
  hnswlib::HierarchicalNSW<float> links;
  Graph(std::size_t features, std::size_t rows, const Options& options)
      : space(features), links(&space, rows, options.links, options.breadth, 100) {
    links.setEf(options.searched);
  }
};

ItemIndex::ItemIndex(std::vector<float> vectors, std::size_t features, Options options)
    : vectors_(std::move(vectors)), features_(features) {
  if (rows() <= options.exact_up_to + 1) return;
  graph_ = std::make_unique<Graph>(features, rows() - 1, options);
  for (std::size_t row = 1; row < rows(); ++row)
    graph_->links.addPoint(vectors_.data() + row * features_, row);
}

ItemIndex::~ItemIndex() = default;

std::vector<FoundItem> ItemIndex::best(std::span<const float> query, std::size_t k) const {
  if (!graph_) return best_exactly(query, k);
  auto queue = graph_->links.searchKnn(query.data(), std::min(k, rows() - 1));
  std::vector<FoundItem> out;
  for (; !queue.empty(); queue.pop())  // its distance is 1 - <a, b>
    out.push_back({static_cast<std::int32_t>(queue.top().second), 1 - queue.top().first});
  std::sort(out.begin(), out.end(), better);
  return out;
}

std::vector<FoundItem> ItemIndex::best_exactly(std::span<const float> query, std::size_t k) const {
  std::vector<FoundItem> heap;  // of the best so far, the worst of them in front
  for (std::size_t row = 1; row < rows(); ++row) {
    const float* v = vectors_.data() + row * features_;
    // Eight sums side by side: the compiler keeps them in vectors.
    float sums[8] = {};
    std::size_t i = 0;
    for (; i + 8 <= features_; i += 8)
      for (std::size_t j = 0; j < 8; ++j) sums[j] += v[i + j] * query[i + j];
    float score = 0;
    for (const float s : sums) score += s;
    for (; i < features_; ++i) score += v[i] * query[i];
    const FoundItem found{static_cast<std::int32_t>(row), score};
    if (heap.size() < k) {
      heap.push_back(found);
      std::push_heap(heap.begin(), heap.end(), better);
    } else if (k > 0 && better(found, heap.front())) {
      std::pop_heap(heap.begin(), heap.end(), better);
      heap.back() = found;
      std::push_heap(heap.begin(), heap.end(), better);
    }
  }
  std::sort_heap(heap.begin(), heap.end(), better);
  return heap;
}

double ItemIndex::recall(std::span<const float> queries, std::size_t k) const {
  std::size_t found = 0, wanted = 0;
  for (std::size_t at = 0; at + features_ <= queries.size(); at += features_) {
    const auto query = queries.subspan(at, features_);
    const auto truth = best_exactly(query, k), got = best(query, k);
    for (const FoundItem& t : truth)
      found +=
          std::any_of(got.begin(), got.end(), [&](const FoundItem& g) { return g.item == t.item; }) ? 1 : 0;
    wanted += truth.size();
  }
  return wanted > 0 ? static_cast<double>(found) / static_cast<double>(wanted) : 1.0;
}

}  // namespace stream::recommenders
