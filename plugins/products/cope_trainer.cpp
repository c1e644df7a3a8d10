#include "products/cope_trainer.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "products/cope_retrieval.hpp"
#include "stream/error.hpp"

namespace stream::products {

namespace {

constexpr std::int64_t kValidated = 10;  ///< epochs from one validation to the next

}  // namespace

CopeTrainer::CopeTrainer(std::shared_ptr<const ProductSet> training,
                         std::shared_ptr<const ProductSet> validation, CopeTrainerOptions options,
                         Random random)
    : training_(std::move(training)),
      validation_set_(std::move(validation)),
      options_(std::move(options)),
      random_(random),
      epoch_random_(random) {
  options_.shape.size = training_->size;
  const auto needs = [&](Domain domain, View view) {
    if (view != View::kVisual) reads_[static_cast<std::size_t>(domain)] = true;
    if (view != View::kText) looks_[static_cast<std::size_t>(domain)] = true;
  };
  for (const ViewPair& pair : pairs_of(options_.objective, options_.shape.text_everywhere))
    needs(pair.first, pair.first_view), needs(pair.second, pair.second_view);
  if (options_.classification > 0)
    for (const auto& [domain, view] : classified_of(options_.objective, options_.shape.text_everywhere))
      needs(domain, view);
  for (const Domain domain : kDomains)
    if (reads_[static_cast<std::size_t>(domain)] || looks_[static_cast<std::size_t>(domain)])
      domains_.push_back(domain);
  for (std::size_t p = 0; p < training_->products.size(); ++p)
    if (std::none_of(domains_.begin(), domains_.end(),
                     [&](Domain d) { return training_->products[p].of(d).empty(); }))
      usable_.push_back(p);
  if (usable_.size() < 2) {
    std::string names;
    for (const Domain domain : domains_) names += std::string(names.empty() ? "" : ", ") + name_of(domain);
    throw bad_data("nothing can be learnt: of " + std::to_string(training_->products.size()) + " products, " +
                   std::to_string(usable_.size()) + " have clips of all of " + names + "; expected two");
  }
  options_.batch = std::min<std::int64_t>(options_.batch, static_cast<std::int64_t>(usable_.size()));
  const at::Generator g = nn::generator(random_());
  network_ = std::make_shared<CopeNetwork>(options_.shape, g);
  network_->set_vocabulary(options_.vocabulary);
  if (options_.bert) load_bert(*options_.bert, network_->text(), options_.shape);
  if (options_.xclip) load_xclip(*options_.xclip, network_->visual(), options_.shape);
  rest_ = std::make_shared<Rest>();
  rest_->centres = rest_->register_parameter(
      "centres",
      torch::empty({static_cast<std::int64_t>(training_->products.size()), options_.shape.embedding})
          .normal_(0, 0.01, g));
  const nn::AdamW::Options adamw{.beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .epsilon = 1e-8,
                                 .weight_decay = options_.weight_decay,
                                 .clip = std::numeric_limits<double>::infinity()};
  for (torch::nn::Module* module : std::initializer_list<torch::nn::Module*>{
           &network_->text(), &network_->visual(), &network_->head(), rest_.get()})
    optimisers_.push_back(std::make_unique<nn::AdamW>(*module, adamw));
  begin_epoch();
}

void CopeTrainer::begin_epoch() {
  epoch_random_ = random_;
  order_ = usable_;
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
}

std::int64_t CopeTrainer::steps_in_epoch() const {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(usable_.size()) / options_.batch);
}

double CopeTrainer::fraction() const {
  return finished() ? 1.0
                    : static_cast<double>(epoch_ * steps_in_epoch() + at_) /
                          static_cast<double>(options_.epochs * steps_in_epoch());
}

std::int64_t CopeTrainer::parameters() const {
  std::int64_t sum = 0;
  for (const auto& optimiser : optimisers_) sum += optimiser->parameters();
  return sum;
}

at::Tensor CopeTrainer::augmented(const at::Tensor& frames) {
  const std::int64_t b = frames.size(0), t = frames.size(1), s = frames.size(3);
  // RandomResizedCrop of the same place in all frames of a clip, and a flip.
  at::Tensor theta = torch::zeros({b, 2, 3});
  auto* to = theta.data_ptr<float>();
  for (std::int64_t i = 0; i < b; ++i, to += 6) {
    const double side = std::sqrt(options_.crop + (1 - options_.crop) * random_.uniform());
    const double x = (1 - side) * (2 * random_.uniform() - 1), y = (1 - side) * (2 * random_.uniform() - 1);
    const bool flipped = options_.flip && random_.below(2) == 0;
    to[0] = static_cast<float>(flipped ? -side : side), to[2] = static_cast<float>(x);
    to[4] = static_cast<float>(side), to[5] = static_cast<float>(y);
  }
  const at::Tensor grid = at::affine_grid_generator(theta, {b, 3, s, s}, false);
  // Frames as channels: all of a clip's are sampled at the same places.
  return at::grid_sampler_2d(frames.reshape({b, t * 3, s, s}).to(at::kFloat), grid, 0, 1, false)
      .view({b, t, 3, s, s});
}

CopeViews CopeTrainer::draw(const std::vector<std::size_t>& products, Domain domain,
                            const std::vector<std::size_t>& clips) {
  const std::int64_t t = options_.shape.frames_of(domain);
  const int size = training_->size;
  std::vector<const Clip*> chosen;
  for (std::size_t i = 0; i < products.size(); ++i)
    chosen.push_back(&training_->products[products[i]].of(domain)[clips[i]]);
  std::optional<TextBatch> texts;
  if (reads_[static_cast<std::size_t>(domain)])
    texts = network_->texts(chosen, domain, [this] {
      return options_.word_dropout <= 0 || random_.uniform() >= options_.word_dropout;
    });
  const TextBatch* words = texts ? &*texts : nullptr;
  if (!looks_[static_cast<std::size_t>(domain)]) return network_->forward({}, words, domain);
  at::Tensor frames = torch::empty({static_cast<std::int64_t>(products.size()), t, 3, size, size}, at::kByte);
  auto* to = frames.data_ptr<std::uint8_t>();
  for (const Clip* clip : chosen) {
    // One of each of T equal parts of the clip.
    for (std::int64_t k = 0; k < t; ++k) {
      const double place = (static_cast<double>(k) + random_.uniform()) / static_cast<double>(t);
      const auto from = clip->frame(std::min(clip->count() - 1, static_cast<int>(place * clip->count())));
      to = std::copy(from.begin(), from.end(), to);
    }
  }
  return network_->forward(augmented(frames), words, domain);
}

at::Tensor CopeTrainer::loss_of(const std::vector<std::size_t>& products) {
  const bool everywhere = options_.shape.text_everywhere;
  std::array<CopeViews, 3> views;
  CopeViews again;
  const auto pairs = pairs_of(options_.objective, everywhere);
  for (const Domain domain : domains_) {
    std::vector<std::size_t> clips, others;
    for (const std::size_t p : products) {
      const std::size_t n = training_->products[p].of(domain).size();
      clips.push_back(random_.below(n));
      others.push_back(n > 1 ? (clips.back() + 1 + random_.below(n - 1)) % n : 0);
    }
    views[static_cast<std::size_t>(domain)] = draw(products, domain, clips);
    if (pairs.front().again && domain == Domain::kPage) again = draw(products, domain, others);
  }
  at::Tensor sum = torch::zeros({});
  for (const ViewPair& pair : pairs)
    sum = sum + contrast(view_of(views[static_cast<std::size_t>(pair.first)], pair.first_view),
                         view_of(pair.again ? again : views[static_cast<std::size_t>(pair.second)],
                                 pair.second_view),
                         options_.temperature, options_.smoothing);
  if (options_.classification > 0) {
    std::vector<std::int64_t> classes(products.begin(), products.end());
    const at::Tensor labels = torch::tensor(classes, at::kLong);
    const auto classify = [&](const at::Tensor& view) {
      sum = sum +
            options_.classification * cos_face(view, rest_->centres, labels, options_.scale, options_.margin);
    };
    for (const auto& [domain, view] : classified_of(options_.objective, everywhere)) {
      classify(view_of(views[static_cast<std::size_t>(domain)], view));
      if (pairs.front().again) classify(view_of(again, view));
    }
  }
  return sum;
}

void CopeTrainer::step() {
  const auto begin = order_.begin() + at_ * options_.batch;
  const std::vector<std::size_t> products(begin, begin + options_.batch);
  for (auto& optimiser : optimisers_) optimiser->zero_grad();
  const at::Tensor loss = loss_of(products);
  loss.backward();
  {
    const torch::NoGradGuard no_grad;
    double square = 0;
    auto parameters = network_->parameters();
    parameters.push_back(rest_->centres);
    for (const at::Tensor& p : parameters) square += p.grad().square().sum().item<double>();
    const double norm = std::sqrt(square);
    if (norm > options_.clip)
      for (at::Tensor& p : parameters) p.mutable_grad().mul_(options_.clip / norm);
  }
  const double rate = options_.learning_rate *
                      nn::warmup_cosine(steps_, options_.warm_up, options_.epochs * steps_in_epoch());
  const double factors[] = {options_.text_factor, options_.visual_factor, 1, 1};
  for (std::size_t i = 0; i < optimisers_.size(); ++i) optimisers_[i]->step(rate * factors[i]);
  loss_ = loss.item<double>();
  ++steps_;
  if (++at_ < steps_in_epoch()) return;
  at_ = 0;
  ++epoch_;
  if (!validation_set_->products.empty() && (epoch_ % kValidated == 0 || finished()))
    validation_ = retrieval(*network_, *validation_set_, searched_of(options_.objective)).mean_rank1();
  begin_epoch();
}

void CopeTrainer::save(Archive& state) const {
  state.set("rng", random_.state());
  state.set("epoch_rng", epoch_random_.state());
  state.set("steps", steps_);
  state.set("epoch", epoch_);
  state.set("at", at_);
  state.set("loss", loss_);
  state.set("validation", validation_);
  state.set("products", static_cast<std::int64_t>(training_->products.size()));
  const char* names[] = {"text", "visual", "head", "centres"};
  for (std::size_t i = 0; i < optimisers_.size(); ++i) optimisers_[i]->save(state.group(names[i]));
}

void CopeTrainer::load(const Archive& state) {
  // The epoch's order follows from where the generator stood when it began.
  random_.restore(state.get<std::vector<std::int64_t>>("epoch_rng"));
  begin_epoch();
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
  steps_ = state.get<std::int64_t>("steps");
  epoch_ = state.get<std::int64_t>("epoch");
  at_ = state.get<std::int64_t>("at");
  loss_ = state.get<double>("loss");
  validation_ = state.get<double>("validation");
  if (state.get<std::int64_t>("products") != static_cast<std::int64_t>(training_->products.size()) ||
      at_ < 0 || at_ >= steps_in_epoch())
    throw bad_data("the checkpoint is of other products");
  const char* names[] = {"text", "visual", "head", "centres"};
  for (std::size_t i = 0; i < optimisers_.size(); ++i) optimisers_[i]->load(state.group(names[i]));
}

std::size_t CopeTrainer::state_bytes() const {
  std::size_t sum = 0;
  for (const auto& optimiser : optimisers_) sum += optimiser->state_bytes();
  return sum;
}

}  // namespace stream::products
