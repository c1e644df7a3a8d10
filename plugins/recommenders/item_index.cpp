#include "recommenders/item_index.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wreorder"
#pragma GCC diagnostic ignored "-Wunused-variable"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

namespace stream::recommenders {

namespace {

/// Sums side by side, which the compiler keeps in vectors of the processor's.
template <std::size_t kLanes>
[[gnu::always_inline]] inline float lanes_product(const float* a, const float* b, std::size_t n) {
  float sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += a[i + j] * b[i + j];
  for (std::size_t width = kLanes / 2; width > 0; width /= 2)
    for (std::size_t j = 0; j < width; ++j) sums[j] += sums[j + width];
  float rest = 0;
  for (; i < n; ++i) rest += a[i] * b[i];
  return sums[0] + rest;
}

float product_baseline(const float* a, const float* b, std::size_t n) { return lanes_product<8>(a, b, n); }

using Product = float (*)(const float*, const float*, std::size_t);

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] float product_avx2(const float* a, const float* b, std::size_t n) {
  return lanes_product<32>(a, b, n);
}

Product best_product() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? product_avx2 : product_baseline;
}
#else
Product best_product() { return product_baseline; }
#endif

const Product product = best_product();

/// A vector in a quarter of its memory, as the graph's walks read it, which wait for memory and little else:
/// a scale, and whole numbers from -127 to 127. Errors are below 1 in 200 of the greatest number; what a walk
/// finds is scored again exactly.
class Coded {
 public:
  /// A multiple of what hnswlib keeps beside it.
  static std::size_t size(std::size_t features) { return sizeof(float) + (features + 3) / 4 * 4; }
  explicit Coded(std::size_t features) : features_(features), bytes_(size(features)) {}
  const std::byte* of(const float* vector) {
    const std::size_t n = features_;
    float greatest = 0;
    for (std::size_t i = 0; i < n; ++i) greatest = std::max(greatest, std::abs(vector[i]));
    const float scale = greatest / 127, inverse = greatest > 0 ? 127 / greatest : 0;
    std::memcpy(bytes_.data(), &scale, sizeof scale);
    for (std::size_t i = 0; i < n; ++i)
      bytes_[sizeof scale + i] = static_cast<std::byte>(std::lrint(vector[i] * inverse));
    return bytes_.data();
  }

 private:
  std::size_t features_;
  std::vector<std::byte> bytes_;
};

[[gnu::always_inline]] inline float coded_distance(const void* a, const void* b, const void* features) {
  const std::size_t n = *static_cast<const std::size_t*>(features);
  float scale_a, scale_b;
  std::memcpy(&scale_a, a, sizeof scale_a);
  std::memcpy(&scale_b, b, sizeof scale_b);
  const auto* x = static_cast<const signed char*>(a) + sizeof(float);
  const auto* y = static_cast<const signed char*>(b) + sizeof(float);
  int sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += x[i] * y[i];
  return 1 - scale_a * scale_b * static_cast<float>(sum);
}

float distance_baseline(const void* a, const void* b, const void* n) { return coded_distance(a, b, n); }

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] float distance_avx2(const void* a, const void* b, const void* n) {
  return coded_distance(a, b, n);
}
#endif

/// 1 - <a, b> of coded vectors.
class InnerProduct final : public hnswlib::SpaceInterface<float> {
 public:
  explicit InnerProduct(std::size_t features) : features_(features) {}
  std::size_t get_data_size() override { return Coded::size(features_); }
  hnswlib::DISTFUNC<float> get_dist_func() override {
#ifdef __x86_64__
    if (product == product_avx2) return distance_avx2;
#endif
    return distance_baseline;
  }
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
  Coded coded(features_);
  for (std::size_t row = 1; row < rows(); ++row)
    graph_->links.addPoint(coded.of(vectors_.data() + row * features_), row);
}

ItemIndex::~ItemIndex() = default;

std::vector<FoundItem> ItemIndex::best(std::span<const float> query, std::size_t k) const {
  if (!graph_) return best_exactly(query, k);
  Coded coded(features_);
  auto queue = graph_->links.searchKnn(coded.of(query.data()), std::min(kCandidates * k, rows() - 1));
  std::vector<FoundItem> out;
  out.reserve(queue.size());
  for (; !queue.empty(); queue.pop()) {
    out.push_back({static_cast<std::int32_t>(queue.top().second), 0});
    const auto* row = reinterpret_cast<const std::byte*>(vector(out.back().item));
    for (std::size_t at = 0; at < features_ * sizeof(float); at += 64) __builtin_prefetch(row + at);
  }
  for (FoundItem& found : out) found.score = product(vector(found.item), query.data(), features_);
  std::sort(out.begin(), out.end(), better);
  out.resize(std::min(k, out.size()));
  return out;
}

std::vector<FoundItem> ItemIndex::best_exactly(std::span<const float> query, std::size_t k) const {
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
