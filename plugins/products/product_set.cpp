#include "products/product_set.hpp"

#include <algorithm>

namespace stream::products {

const char* name_of(Domain domain) {
  return domain == Domain::kPage ? "page" : domain == Domain::kVideo ? "video" : "live";
}

std::size_t ProductSet::bytes() const {
  std::size_t sum = 0;
  for (const Product& product : products)
    for (const auto& clips : product.clips)
      for (const Clip& clip : clips) sum += clip.frames.size() + clip.text.size();
  return sum;
}

std::vector<int> spread(int count, int wanted) {
  std::vector<int> out;
  out.reserve(static_cast<std::size_t>(std::max(wanted, 0)));
  for (int i = 0; i < wanted; ++i)
    out.push_back(static_cast<int>((2 * std::int64_t{i} + 1) * count / (2 * std::int64_t{wanted})));
  return out;
}

}  // namespace stream::products
