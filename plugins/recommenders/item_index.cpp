#include "recommenders/item_index.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "recommenders/inner_product.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wreorder"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace stream::recommenders {

namespace {

/// 1 - <a, b> of coded vectors. hnswlib's own vector code is that of the flags it is compiled with: the
/// least.
class InnerProduct final : public hnswlib::SpaceInterface<float> {
 public:
  explicit InnerProduct(std::size_t features) : features_(features) {}
  std::size_t get_data_size() override { return CodedVector::size(features_); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return inner_products().coded_distance; }
  void* get_dist_func_param() override { return &features_; }

 private:
  std::size_t features_;
};

/// Asks for large pages, before any is touched: walks jump through all of the memory, and would wait for its
/// page tables as well. Without them nothing is lost but time.
void in_large_pages([[maybe_unused]] char* begin, [[maybe_unused]] std::size_t size) {
#ifdef MADV_HUGEPAGE
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t into = reinterpret_cast<std::uintptr_t>(begin) % page, skipped = into ? page - into : 0;
  if (size > skipped + page) madvise(begin + skipped, (size - skipped) / page * page, MADV_HUGEPAGE);
#endif
}

/// Of what a walk finds, so many times those asked for are scored again.
constexpr std::size_t kCandidates = 4;

bool better(const FoundItem& a, const FoundItem& b) {
  return a.score != b.score ? a.score > b.score : a.item < b.item;
}

}  // namespace

struct ItemIndex::Graph {
  InnerProduct space;
  hnswlib::HierarchicalNSW<float> links;
  Graph(std::size_t features, std::size_t rows, const Options& options)
      : space(features), links(&space, rows, options.links, options.breadth, 100) {
    links.setEf(options.searched);
    in_large_pages(links.data_level0_memory_, rows * links.size_data_per_element_);
  }
};

ItemIndex::ItemIndex(std::vector<float> vectors, std::size_t features, Options options)
    : vectors_(std::move(vectors)), features_(features) {
  if (rows() <= options.exact_up_to + 1) return;
  graph_ = std::make_unique<Graph>(features, rows() - 1, options);
  CodedVector coded(features_);
  for (std::size_t row = 1; row < rows(); ++row)
    graph_->links.addPoint(coded.of(vectors_.data() + row * features_), row);
}

ItemIndex::~ItemIndex() = default;

std::vector<FoundItem> ItemIndex::best(std::span<const float> query, std::size_t k) const {
  if (!graph_) return best_exactly(query, k);
  CodedVector coded(features_);
  auto queue = graph_->links.searchKnn(coded.of(query.data()), std::min(kCandidates * k, rows() - 1));
  std::vector<FoundItem> out;
  out.reserve(queue.size());
  for (; !queue.empty(); queue.pop()) {
    out.push_back({static_cast<std::int32_t>(queue.top().second), 0});
    const auto* row = reinterpret_cast<const std::byte*>(vector(out.back().item));
    for (std::size_t at = 0; at < features_ * sizeof(float); at += 64) __builtin_prefetch(row + at);
  }
  const auto product = inner_products().floats;
  for (FoundItem& found : out) found.score = product(vector(found.item), query.data(), features_);
  std::sort(out.begin(), out.end(), better);
  out.resize(std::min(k, out.size()));
  return out;
}

std::vector<FoundItem> ItemIndex::best_exactly(std::span<const float> query, std::size_t k) const {
  const auto product = inner_products().floats;
  std::vector<FoundItem> heap;  // of the best so far, the worst of them in front
  for (std::size_t row = 1; row < rows(); ++row) {
    const float* v = vectors_.data() + row * features_;
    const float score = product(v, query.data(), features_);
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
