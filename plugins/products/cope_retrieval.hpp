/// How well products are found across domains: retrieval in six directions and one-shot classification.
#pragma once

#include <string>

#include "products/cope_losses.hpp"

namespace stream::products {

struct Direction {
  Domain query, gallery;
};
/// P2V, V2P, P2L, L2P, V2L, L2V.
inline constexpr std::array<Direction, 6> kDirections{{{Domain::kPage, Domain::kVideo},
                                                       {Domain::kVideo, Domain::kPage},
                                                       {Domain::kPage, Domain::kLive},
                                                       {Domain::kLive, Domain::kPage},
                                                       {Domain::kVideo, Domain::kLive},
                                                       {Domain::kLive, Domain::kVideo}}};
std::string name_of(Direction direction);

/// Vectors of all clips of a domain, and whose they are.
struct DomainVectors {
  std::size_t features = 0;
  std::vector<float> vectors;         ///< [clips, features], rows of length 1
  std::vector<std::int32_t> product;  ///< [clips]
};
/// What is searched with. kMean: of text's and pictures' vectors, normalised.
enum class Searched : std::uint8_t { kFused, kVisual, kText, kMean };
/// The vectors that an objective trains.
Searched searched_of(Objective objective);
using AllVectors = std::array<DomainVectors, 3>;
AllVectors vectors_of(const CopeNetwork& network, const ProductSet& set,
                      Searched searched = Searched::kFused);

struct RetrievalQuality {
  std::array<double, 6> rank1{};      ///< by kDirections: share of queries whose best match is right
  std::array<double, 6> precision{};  ///< mean average precision
  std::array<double, 6> one_shot{};  ///< accuracy, one vector of the gallery's domain standing for each class
  double mean_rank1() const;
  double mean_precision() const;
  double mean_one_shot() const;
  /// Over the directions in which a live stream is query or gallery.
  double live_rank1() const;
};
RetrievalQuality retrieval(const AllVectors& vectors);
RetrievalQuality retrieval(const CopeNetwork& network, const ProductSet& set,
                           Searched searched = Searched::kFused);

/// Of queries for products that have near twins, over the six directions: the share for which a twin is
/// nearer than anything of the product itself. `twins`: group of each product, or -1. 0 when there are none.
double twin_confusion(const AllVectors& vectors, const std::vector<int>& twins);

}  // namespace stream::products
