#include <algorithm>
#include <cmath>

#include "nn/device.hpp"
#include "products/cope_model.hpp"
#include "products/study_cope_parts.hpp"

namespace stream::products {

namespace {

CopeShape small_shape() {
  CopeShape shape;
  shape.size = 16, shape.width = 16, shape.heads = 2, shape.blocks = 2, shape.features = 16;
  shape.integration = 2, shape.vocabulary = 256, shape.text_width = 16, shape.text_heads = 2;
  shape.embedding = 16;
  return shape;
}

double apart(std::span<const float> a, std::span<const float> b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return most;
}

}  // namespace

void CopeExactPart::measure() {
  const MadeProducts world(
      {.products = 40, .unseen = 20, .twin_groups = 2, .twins = 3, .size = 16, .seed = seed_});
  const ProductSet set = world.set(0, 40, 1);
  const CopeNetwork network(small_shape(), nn::generator(seed_));
  const auto add = [&](const std::string& what, double measured, const std::string& bar, bool held) {
    records_.push_back(claim(what, Value(), Value(), measured, bar, held));
  };

  // Alone, and among 40.
  const AllVectors together = vectors_of(network, set);
  double mates = 0;
  for (const Domain domain : kDomains) {
    const DomainVectors& v = together[static_cast<std::size_t>(domain)];
    for (std::size_t p = 0; p < set.products.size(); ++p)
      mates = std::max(mates, apart(network.embed(set.products[p].of(domain)[0], domain),
                                    std::span(v.vectors).subspan(p * v.features, v.features)));
  }
  add("a clip's vector alone against that among other clips, greatest difference", mates, "<= 1e-6",
      mates <= 1e-6);

  // The search, against sorting.
  const DomainVectors &pages = together[0], &lives = together[2];
  const auto index = item_index(pages.vectors, pages.features, {});
  std::size_t others = 0;
  for (std::size_t q = 0; q < lives.product.size(); ++q) {
    const std::span<const float> query = std::span(lives.vectors).subspan(q * lives.features, lives.features);
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::size_t p = 0; p < pages.product.size(); ++p) {
      double sum = 0;
      for (std::size_t f = 0; f < query.size(); ++f)
        sum += static_cast<double>(query[f]) * static_cast<double>(pages.vectors[p * pages.features + f]);
      all.emplace_back(-sum, static_cast<std::int32_t>(p) + 1);
    }
    std::sort(all.begin(), all.end());
    const auto found = index->best(query, 10);
    for (std::size_t k = 0; k < found.size(); ++k)
      // Scores that agree to the last digits of a float may stand in either order.
      others += found[k].item != all[k].second &&
                        std::abs(static_cast<double>(found[k].score) + all[k].first) > 1e-6
                    ? 1
                    : 0;
  }
  add("search against brute force: places of the ten best that differ", static_cast<double>(others), "0",
      others == 0);

  // CosFace without margin, every class with one positive, is the plain softmax.
  const at::Generator g = nn::generator(seed_ + 1);
  const at::Tensor a = torch::empty({24, 16}).normal_(0, 1, g), b = torch::empty({24, 16}).normal_(0, 1, g);
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, -1, true); };
  const at::Tensor labels = torch::arange(24, at::kLong);
  const double cos = cos_face(a, b, labels, 1 / 0.05, 0).item<double>();
  const double plain = at::cross_entropy_loss(at::matmul(unit(a), unit(b).t()) / 0.05, labels).item<double>();
  add("CosFace with m = 0, s = 1/.05 and one positive for each class, less the plain softmax",
      std::abs(cos - plain), "<= 1e-5", std::abs(cos - plain) <= 1e-5);
  // With the margin, by the formula.
  const at::Tensor c = at::matmul(unit(a), unit(b).t()).to(at::kDouble);
  double formula = 0;
  for (std::int64_t i = 0; i < 24; ++i) {
    double sum = 0;
    const double mine = 64 * (c[i][i].item<double>() - 0.4);
    for (std::int64_t j = 0; j < 24; ++j)
      sum += std::exp((j == i ? mine : 64 * c[i][j].item<double>()) - mine);
    formula += std::log(sum) / 24;
  }
  const double margin = cos_face(a, b, labels, 64, 0.4).item<double>();
  add("CosFace with m = .4, s = 64, less equation 4 in double precision", std::abs(margin - formula),
      "<= 1e-3", std::abs(margin - formula) <= 1e-3);

  // Test products are none of the training's, and no clip is in both.
  const ProductSet seen = world.set(0, 20, 2), unseen = world.set(20, 40, 2, 1000);
  std::size_t shared = 0;
  for (const Product& s : seen.products)
    for (const Product& u : unseen.products) {
      shared += s.id == u.id ? 1 : 0;
      for (const auto& x : s.clips)
        for (const auto& y : u.clips)
          for (const Clip& i : x)
            for (const Clip& j : y) shared += i.frames == j.frames || i.text == j.text ? 1 : 0;
    }
  add("products, pictures and texts that training and test share", static_cast<double>(shared), "0",
      shared == 0);

  // A product's frames count one by one, in their order: no average of pictures.
  const Clip& live = set.products[0].of(Domain::kLive)[0];
  Clip mean = live;
  const std::vector<int> used = spread(live.count(), 4);
  std::vector<double> sums(live.frame_bytes());
  for (const int f : used)
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += live.frame(f)[i] / 4.0;
  for (int f = 0; f < live.count(); ++f)
    for (std::size_t i = 0; i < sums.size(); ++i)
      mean.frames[static_cast<std::size_t>(f) * sums.size() + i] = static_cast<std::uint8_t>(sums[i]);
  const double moved = apart(network.embed(live, Domain::kLive), network.embed(mean, Domain::kLive));
  add("vector of four frames less that of their mean picture, greatest difference", moved, "> 1e-3",
      moved > 1e-3);
}

}  // namespace stream::products
