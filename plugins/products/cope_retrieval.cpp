#include "products/cope_retrieval.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "nn/device.hpp"

namespace stream::products {

std::string name_of(Direction direction) {
  const auto letter = [](Domain d) { return d == Domain::kPage ? 'P' : d == Domain::kVideo ? 'V' : 'L'; };
  return {letter(direction.query), '2', letter(direction.gallery)};
}

Searched searched_of(Objective objective) {
  switch (objective) {
    case Objective::kVisual:
      return Searched::kVisual;
    case Objective::kText:
      return Searched::kText;
    case Objective::kWithin:
      return Searched::kMean;
    default:
      return Searched::kFused;
  }
}

AllVectors vectors_of(const CopeNetwork& network, const ProductSet& set, Searched searched) {
  AllVectors out;
  constexpr std::size_t kBatch = 32;
  for (const Domain domain : kDomains) {
    DomainVectors& into = out[static_cast<std::size_t>(domain)];
    into.features = static_cast<std::size_t>(network.shape().embedding);
    std::vector<const Clip*> clips;
    for (std::size_t p = 0; p < set.products.size(); ++p)
      for (const Clip& clip : set.products[p].of(domain)) {
        clips.push_back(&clip);
        into.product.push_back(static_cast<std::int32_t>(p));
      }
    for (std::size_t at = 0; at < clips.size(); at += kBatch) {
      const std::vector<const Clip*> batch(
          clips.begin() + static_cast<std::ptrdiff_t>(at),
          clips.begin() + static_cast<std::ptrdiff_t>(std::min(clips.size(), at + kBatch)));
      const CopeViews views = network.views(batch, domain);
      const at::Tensor chosen = nn::inference([&]() -> at::Tensor {
        if (searched == Searched::kText && views.t.defined()) return views.t.contiguous();
        if (searched == Searched::kVisual) return views.v.contiguous();
        if (searched == Searched::kMean && views.t.defined()) {
          const at::Tensor sum = views.t + views.v;
          return (sum / sum.norm(2, -1, true).clamp_min(1e-12)).contiguous();
        }
        return (searched == Searched::kFused ? views.e : views.v).contiguous();
      });
      into.vectors.insert(into.vectors.end(), chosen.data_ptr<float>(),
                          chosen.data_ptr<float>() + chosen.numel());
    }
  }
  return out;
}

namespace {

/// Rows of the gallery by falling inner product with a query, then by row.
std::vector<std::size_t> ranking(const DomainVectors& gallery, const float* query) {
  std::vector<float> scores(gallery.product.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    scores[i] = std::inner_product(query, query + gallery.features,
                                   gallery.vectors.data() + i * gallery.features, 0.0f);
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

double mean(const std::array<double, 6>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / 6;
}

}  // namespace

RetrievalQuality retrieval(const AllVectors& vectors) {
  RetrievalQuality out;
  for (std::size_t k = 0; k < kDirections.size(); ++k) {
    const DomainVectors &queries = vectors[static_cast<std::size_t>(kDirections[k].query)],
                        &gallery = vectors[static_cast<std::size_t>(kDirections[k].gallery)];
    double first = 0, precision = 0, shot = 0, asked = 0;
    for (std::size_t q = 0; q < queries.product.size(); ++q) {
      const std::int32_t wanted = queries.product[q];
      const auto relevant = std::count(gallery.product.begin(), gallery.product.end(), wanted);
      if (relevant == 0) continue;
      ++asked;
      const auto order = ranking(gallery, queries.vectors.data() + q * queries.features);
      first += gallery.product[order[0]] == wanted ? 1 : 0;
      double found = 0, sum = 0;
      std::size_t best_example = order.size();
      for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const std::size_t row = order[rank];
        if (gallery.product[row] == wanted) sum += ++found / static_cast<double>(rank + 1);
        // The first clip of each product is its one example.
        const bool example = row == 0 || gallery.product[row - 1] != gallery.product[row];
        if (example && best_example == order.size()) best_example = row;
      }
      precision += sum / static_cast<double>(relevant);
      shot += gallery.product[best_example] == wanted ? 1 : 0;
    }
    if (asked == 0) continue;
    out.rank1[k] = first / asked, out.precision[k] = precision / asked, out.one_shot[k] = shot / asked;
  }
  return out;
}

RetrievalQuality retrieval(const CopeNetwork& network, const ProductSet& set, Searched searched) {
  return retrieval(vectors_of(network, set, searched));
}

double RetrievalQuality::mean_rank1() const { return mean(rank1); }
double RetrievalQuality::mean_precision() const { return mean(precision); }
double RetrievalQuality::mean_one_shot() const { return mean(one_shot); }
double RetrievalQuality::live_rank1() const { return (rank1[2] + rank1[3] + rank1[4] + rank1[5]) / 4; }

double twin_confusion(const AllVectors& vectors, const std::vector<int>& twins) {
  double confused = 0, asked = 0;
  for (const Direction& direction : kDirections) {
    const DomainVectors &queries = vectors[static_cast<std::size_t>(direction.query)],
                        &gallery = vectors[static_cast<std::size_t>(direction.gallery)];
    for (std::size_t q = 0; q < queries.product.size(); ++q) {
      const std::int32_t wanted = queries.product[q];
      const int group = twins[static_cast<std::size_t>(wanted)];
      if (group < 0) continue;
      ++asked;
      for (const std::size_t row : ranking(gallery, queries.vectors.data() + q * queries.features)) {
        const std::int32_t found = gallery.product[row];
        if (twins[static_cast<std::size_t>(found)] != group) continue;
        confused += found == wanted ? 0 : 1;
        break;
      }
    }
  }
  return asked > 0 ? confused / asked : 0;
}

}  // namespace stream::products
