/// Inner products of floats and of coded vectors, compiled for several processors.
#pragma once

#include <cstddef>
#include <vector>

namespace stream::recommenders {

/// A vector in a quarter of its memory, as the graph's walks read it, which wait for memory and little else:
/// a scale, and whole numbers from -127 to 127. Errors are below 1 in 200 of the greatest number; what a walk
/// finds is scored again exactly.
class CodedVector {
 public:
  /// A multiple of what hnswlib keeps beside it.
  static std::size_t size(std::size_t features) { return sizeof(float) + (features + 3) / 4 * 4; }
  explicit CodedVector(std::size_t features) : features_(features), bytes_(size(features)) {}
  /// Valid until the next call.
  const std::byte* of(const float* vector);

 private:
  std::size_t features_;
  std::vector<std::byte> bytes_;
};

struct InnerProducts {
  const char* name;
  float (*floats)(const float* a, const float* b, std::size_t n);
  /// 1 - <a, b> of coded vectors; `n` points to the number of features. As hnswlib calls it.
  float (*coded_distance)(const void* a, const void* b, const void* n);
};
const InnerProducts& inner_products();                   ///< the best for this processor
std::vector<const InnerProducts*> all_inner_products();  ///< all that it can run, the best first

}  // namespace stream::recommenders
