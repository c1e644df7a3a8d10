#include "products/cope_losses.hpp"

#include "stream/error.hpp"

namespace stream::products {

namespace {

struct Named {
  const char* name;
  Objective objective;
};
constexpr Named kObjectives[] = {{"cope", Objective::kCope},    {"released", Objective::kReleased},
                                 {"paper", Objective::kPaper},  {"visual", Objective::kVisual},
                                 {"text", Objective::kText},    {"pages", Objective::kPages},
                                 {"within", Objective::kWithin}};

}  // namespace

Objective objective_of(const std::string& name) {
  for (const Named& n : kObjectives)
    if (name == n.name) return n.objective;
  throw bad_recipe("objective = \"" + name + "\"" + did_you_mean(name, objective_names()));
}
const char* name_of(Objective objective) {
  for (const Named& n : kObjectives)
    if (objective == n.objective) return n.name;
  return "";
}
std::vector<std::string> objective_names() {
  std::vector<std::string> out;
  for (const Named& n : kObjectives) out.emplace_back(n.name);
  return out;
}

at::Tensor contrast(const at::Tensor& a, const at::Tensor& b, double temperature, double smoothing) {
  const at::Tensor logits = at::matmul(a, b.t()) / temperature;
  const at::Tensor diagonal = torch::arange(a.size(0), at::kLong);
  const auto one_way = [&](const at::Tensor& x) {
    return at::cross_entropy_loss(x, diagonal, {}, at::Reduction::Mean, -100, smoothing);
  };
  return (one_way(logits) + one_way(logits.t())) / 2;
}

at::Tensor cos_face(const at::Tensor& e, const at::Tensor& centres, const at::Tensor& labels, double scale,
                    double margin) {
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, -1, true).clamp_min(1e-12); };
  const at::Tensor cosines = at::matmul(unit(e), unit(centres).t());
  const at::Tensor margins = torch::zeros_like(cosines).scatter_(1, labels.unsqueeze(1), margin);
  return at::cross_entropy_loss(scale * (cosines - margins), labels);
}

std::vector<ViewPair> pairs_of(Objective objective, bool text_everywhere) {
  constexpr auto kPage = Domain::kPage, kVideo = Domain::kVideo, kLive = Domain::kLive;
  constexpr auto kT = View::kText, kV = View::kVisual, kE = View::kFused;
  std::vector<ViewPair> released{{kPage, kV, kVideo, kV}, {kPage, kV, kLive, kV}, {kVideo, kV, kLive, kV},
                                 {kPage, kE, kVideo, kV}, {kPage, kE, kLive, kV}, {kPage, kT, kVideo, kV},
                                 {kPage, kT, kLive, kV}};
  std::vector<ViewPair> fused{{kPage, kE, kVideo, kE}, {kPage, kE, kLive, kE}, {kVideo, kE, kLive, kE}};
  switch (objective) {
    case Objective::kReleased:
      return released;
    case Objective::kPaper:
      return fused;
    case Objective::kVisual:
      return {released.begin(), released.begin() + 3};
    case Objective::kText:
      if (!text_everywhere) throw bad_recipe("objective = \"text\" is for text in all domains");
      return {{kPage, kT, kVideo, kT}, {kPage, kT, kLive, kT}, {kVideo, kT, kLive, kT}};
    case Objective::kPages:
      return {{kPage, kE, kPage, kE, true}, {kPage, kV, kPage, kV, true}, {kPage, kT, kPage, kT, true}};
    case Objective::kWithin:
      if (!text_everywhere) return {{kPage, kT, kPage, kV}};
      return {{kPage, kT, kPage, kV}, {kVideo, kT, kVideo, kV}, {kLive, kT, kLive, kV}};
    case Objective::kCope:
      break;
  }
  std::vector<ViewPair> all = released;
  all.insert(all.end(), fused.begin(), fused.end());
  return all;
}

std::vector<std::pair<Domain, View>> classified_of(Objective objective, bool text_everywhere) {
  const auto everywhere = [](View view) {
    std::vector<std::pair<Domain, View>> out;
    out.reserve(kDomains.size());
    for (const Domain domain : kDomains) out.emplace_back(domain, view);
    return out;
  };
  switch (objective) {
    case Objective::kCope:
    case Objective::kPaper:
      return everywhere(View::kFused);
    case Objective::kVisual:
      return everywhere(View::kVisual);
    case Objective::kText:
      return text_everywhere ? everywhere(View::kText) : everywhere(View::kFused);
    case Objective::kPages:
      return {{Domain::kPage, View::kFused}};
    case Objective::kReleased:
    case Objective::kWithin:
      break;
  }
  return {};
}

const at::Tensor& view_of(const CopeViews& views, View view) {
  return view == View::kText ? views.t : view == View::kVisual ? views.v : views.e;
}

}  // namespace stream::products
