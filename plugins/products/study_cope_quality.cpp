#include <algorithm>

#include "products/study_cope_parts.hpp"

namespace stream::products {

namespace {

/// Frames that a clip of the training set keeps.
constexpr int kKept = 8;

ProductSet reversed(const ProductSet& set) {
  ProductSet out = set;
  for (Product& product : out.products)
    for (auto& clips : product.clips)
      for (Clip& clip : clips) {
        const Clip before = clip;
        auto to = clip.frames.begin();
        for (int f = before.count(); f-- > 0;) {
          const auto from = before.frame(f);
          to = std::copy(from.begin(), from.end(), to);
        }
      }
  return out;
}

}  // namespace

ProductSet dealt_anew(const ProductSet& set, Random random) {
  ProductSet out = set;
  for (const Domain domain : kDomains) {
    std::vector<Clip*> all;
    for (Product& product : out.products)
      for (Clip& clip : product.of(domain)) all.push_back(&clip);
    for (std::size_t i = all.size(); i > 1; --i) std::swap(*all[i - 1], *all[random.below(i)]);
  }
  return out;
}

CopeQualityPart::CopeQualityPart(Options options) : options_(std::move(options)) {
  const std::vector<Searched> any{Searched::kFused, Searched::kVisual, Searched::kText, Searched::kMean};
  arms_ = {{.name = "COPE", .objective = Objective::kCope},
           {.name = "COPE, released losses, text on pages alone",
            .objective = Objective::kReleased,
            .text_everywhere = false},
           {.name = "pages alone", .objective = Objective::kPages, .searched = any},
           {.name = "pictures alone", .objective = Objective::kVisual, .searched = {Searched::kVisual}},
           {.name = "text alone", .objective = Objective::kText, .searched = {Searched::kText}},
           {.name = "CLIP within domains", .objective = Objective::kWithin, .searched = any},
           {.name = "COPE, one frame", .objective = Objective::kCope, .frames = 1},
           {.name = "control: clips dealt anew", .objective = Objective::kCope, .shuffled = true}};
}

void CopeQualityPart::begin() {
  const MadeProducts world(options_.world);
  const std::int32_t all = options_.world.products, seen = all - options_.world.unseen;
  training_ = std::make_shared<ProductSet>(world.set(0, seen, options_.clips, 0, kKept));
  // Clips of other numbers: no query and no item of a gallery comes from a render that training saw.
  test_ = std::make_shared<ProductSet>(world.set(seen, all, 2, 1000));
  for (std::int32_t p = seen; p < all; ++p)
    twins_.push_back(world.products()[static_cast<std::size_t>(p)].twins);
  shuffled_ =
      std::make_shared<ProductSet>(dealt_anew(*training_, Random(stable_hash("dealt", options_.world.seed))));
}

bool CopeQualityPart::step() {
  if (!training_) {
    begin();
    return true;
  }
  if (at_ == arms_.size()) return false;
  const Arm& arm = arms_[at_];
  if (!trainer_) {
    CopeTrainerOptions o;
    o.objective = arm.objective;
    o.epochs = options_.epochs;
    o.shape.frames = arm.frames;
    o.shape.text_everywhere = arm.text_everywhere;
    trainer_ =
        std::make_unique<CopeTrainer>(arm.shuffled ? shuffled_ : training_, std::make_shared<ProductSet>(), o,
                                      Random(stable_hash("weights", options_.world.seed)));
    return true;
  }
  for (int i = 0; i < 8 && !trainer_->finished(); ++i) trainer_->step();
  if (trainer_->finished()) finish_arm();
  return true;
}

void CopeQualityPart::finish_arm() {
  const Arm& arm = arms_[at_];
  Result best;
  for (const Searched searched : arm.searched) {
    const AllVectors vectors = vectors_of(trainer_->network(), *test_, searched);
    Result result{.quality = retrieval(vectors), .twins = twin_confusion(vectors, twins_)};
    if (searched == arm.searched.front() || result.quality.mean_rank1() > best.quality.mean_rank1())
      best = result;
  }
  best.parameters = trainer_->parameters(), best.updates = trainer_->steps();
  if (at_ == 0) best.backwards = retrieval(trainer_->network(), reversed(*test_)).mean_rank1();
  results_.emplace_back(arm.name, best);
  trainer_.reset();
  ++at_;
}

double CopeQualityPart::fraction() const {
  return (static_cast<double>(at_) + (trainer_ ? trainer_->fraction() : 0)) /
         static_cast<double>(arms_.size());
}

std::string CopeQualityPart::progress() const {
  if (!training_) return options_.name + ", pictures";
  return options_.name + (at_ < arms_.size() ? ", " + arms_[at_].name : std::string()) +
         (trainer_ ? ", epoch " + std::to_string(trainer_->epoch()) : std::string());
}

const CopeQualityPart::Result& CopeQualityPart::of(const std::string& name) const {
  return std::find_if(results_.begin(), results_.end(), [&](const auto& r) { return r.first == name; })
      ->second;
}

void CopeQualityPart::claims(std::vector<Object>& out) const {
  const std::string seed = options_.name + ": ";
  const Result &cope = of("COPE"), &pages = of("pages alone"), &pictures = of("pictures alone"),
               &within = of("CLIP within domains"), &one = of("COPE, one frame"),
               &control = of("control: clips dealt anew");
  const double mean = cope.quality.mean_rank1(), chance = 1.0 / options_.world.unseen;
  const auto add = [&](const std::string& what, double theirs, double mine, const std::string& bar,
                       bool held) { out.push_back(claim(seed + what, Value(), theirs, mine, bar, held)); };
  add("mean rank-1 over the six directions, unseen products (beside it: chance)", chance, mean, ">= .45",
      mean >= 0.45);
  add("against training on pages alone", pages.quality.mean_rank1(), mean, ">= 2 x",
      mean >= 2 * pages.quality.mean_rank1());
  add("against CLIP within each domain", within.quality.mean_rank1(), mean, ">= 1.5 x",
      mean >= 1.5 * within.quality.mean_rank1());
  add("rank-1 of the live directions, fused against pictures alone", pictures.quality.live_rank1(),
      cope.quality.live_rank1(), ">= +.05",
      cope.quality.live_rank1() >= pictures.quality.live_rank1() + 0.05);
  add("near twins taken for each other (beside it: pages alone)", pages.twins, cope.twins, "< .5",
      cope.twins < 0.5);
  add("rank-1 of the live directions, four frames against one", one.quality.live_rank1(),
      cope.quality.live_rank1(), ">= +.05", cope.quality.live_rank1() >= one.quality.live_rank1() + 0.05);
  add("mean rank-1 with frames in reverse order", mean, cope.backwards, "within .03",
      std::abs(mean - cope.backwards) <= 0.03);
  add("control, clips dealt to products at random: mean rank-1", chance, control.quality.mean_rank1(),
      "<= .03", control.quality.mean_rank1() <= 0.03);
}

std::vector<Object> CopeQualityPart::records() const {
  std::vector<Object> out;
  claims(out);
  const double x = std::stod(options_.name.substr(options_.name.find(' ')));
  for (const auto& [name, r] : results_) {
    const RetrievalQuality& q = r.quality;
    out.push_back(point("mean rank-1 on unseen products by seed", name, x, q.mean_rank1()));
    out.push_back(point("rank-1 of the live directions by seed", name, x, q.live_rank1()));
    std::string by_direction;
    for (std::size_t k = 0; k < kDirections.size(); ++k)
      by_direction += (k ? ", " : "") + name_of(kDirections[k]) + ' ' + quantity(q.rank1[k]);
    out.push_back(
        figure(options_.name + ": " + name + ": rank-1 by direction; mean, mAP, one-shot accuracy, " +
                   "twins taken for each other; parameters, updates",
               Value(), Value(),
               by_direction + "; " + quantity(q.mean_rank1()) + ", " + quantity(q.mean_precision()) + ", " +
                   quantity(q.mean_one_shot()) + ", " + quantity(r.twins) + "; " +
                   std::to_string(r.parameters) + ", " + std::to_string(r.updates)));
  }
  return options_.quick ? unjudged(std::move(out)) : out;
}

}  // namespace stream::products
