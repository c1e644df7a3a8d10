/// What COPE is trained by: contrasts between views of the same products, and a classification with a margin.
#pragma once

#include <string>
#include <vector>

#include "products/cope_network.hpp"

namespace stream::products {

/// (CE(A B^T / temperature, diagonal) + CE(B A^T / temperature, diagonal)) / 2. a, b [B, d], rows of length
/// 1, row k of both of the same product; `smoothing` is spread over all classes.
at::Tensor contrast(const at::Tensor& a, const at::Tensor& b, double temperature, double smoothing);

/// CosFace (Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018, equation
/// 4): cross-entropy of scale (cos - margin) for the true class and scale cos for the others. e [B, d],
/// centres [C, d], both normalised here; labels [B], int64.
at::Tensor cos_face(const at::Tensor& e, const at::Tensor& centres, const at::Tensor& labels, double scale,
                    double margin);

/// Which view of a clip: text, pictures, both fused.
enum class View : std::uint8_t { kText, kVisual, kFused };

/// What a network is trained for.
enum class Objective : std::uint8_t {
  kCope,      ///< the released pairs, the paper's fused pairs, classification
  kReleased,  ///< the seven pairs of the released script, no classification
  kPaper,     ///< fused pairs of all domains, classification
  kVisual,    ///< pictures alone, between domains, classification
  kText,      ///< text alone, between domains, classification
  kPages,     ///< two views of a page: no other domain is seen
  kWithin,    ///< text against pictures of the same clip, in each domain by itself (as CLIP)
};
Objective objective_of(const std::string& name);  ///< throws Error(kBadRecipe)
const char* name_of(Objective objective);
std::vector<std::string> objective_names();

struct ViewPair {
  Domain first;
  View first_view;
  Domain second;
  View second_view;
  bool again = false;  ///< the second one is another view of the first one's page
};
/// `text_everywhere`: videos and live streams have text.
std::vector<ViewPair> pairs_of(Objective objective, bool text_everywhere);
/// Views that are classified, one for each domain; none for objectives without classification.
std::vector<std::pair<Domain, View>> classified_of(Objective objective, bool text_everywhere);

const at::Tensor& view_of(const CopeViews& views, View view);

}  // namespace stream::products
