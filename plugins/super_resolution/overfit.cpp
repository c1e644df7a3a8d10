#include "super_resolution/overfit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::super_resolution {
namespace {

constexpr const char* kMethods[] = {"stdo", "joint", "whole", "time", "cafm", "random"};

at::Tensor flat(const torch::nn::Module& module) {
  std::vector<at::Tensor> parts;
  for (const auto& p : module.parameters()) parts.push_back(p.detach().reshape({-1}));
  return torch::cat(parts);
}

void restore(torch::nn::Module& module, const at::Tensor& values) {
  const torch::NoGradGuard no_grad;
  std::int64_t at = 0;
  for (auto& p : module.parameters()) {
    p.copy_(values.narrow(0, at, p.numel()).view_as(p));
    at += p.numel();
  }
}

/// Fisher and Yates.
void shuffle(std::vector<PatchIndex>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

std::vector<std::int64_t> words(const std::vector<PatchIndex>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

const char* name_of(Method method) { return kMethods[static_cast<int>(method)]; }
Method method_of(const std::string& name) {
  for (int i = 0; i < 6; ++i)
    if (name == kMethods[i]) return static_cast<Method>(i);
  throw bad_recipe("method = \"" + name + "\"" +
                   did_you_mean(name, {std::begin(kMethods), std::end(kMethods)}));
}

Overfit::Overfit(const TrainingClip& clip, OverfitOptions options, const Wdsr* general, Random random)
    : clip_(clip), options_(std::move(options)), random_(random) {
  if (clip.frames() == 0) throw bad_data("the video has no frame: there is nothing to learn");
  if (options_.models < 1 || options_.models > 255 || options_.models > clip.patches())
    throw bad_recipe("models = " + std::to_string(options_.models) + " for " +
                     std::to_string(clip.patches()) + " patches");
  if ((options_.method == Method::kTime || options_.method == Method::kCafm) &&
      options_.models > clip.frames())
    throw bad_recipe("models = " + std::to_string(options_.models) + " for " + std::to_string(clip.frames()) +
                     " frames");
  if (options_.shape.scale != clip.scale())
    throw std::logic_error("a network of another scale than the clip's");
  if (general != nullptr && general->shape().scale != clip.scale())
    throw bad_recipe("a general model for a scale of " + std::to_string(general->shape().scale) +
                     ", expected " + std::to_string(clip.scale()));
  assign_labels(general);
  make_pupils(general);
}

void Overfit::assign_labels(const Wdsr* general) {
  const bool sorts = options_.method == Method::kStdo || options_.method == Method::kJoint;
  if (sorts && general == nullptr)
    throw bad_recipe("a general model is needed to tell hard patches from easy ones");
  if (general != nullptr) difficulties_ = difficulty(clip_, Network(general->folded()));
  const auto patches = static_cast<std::size_t>(clip_.patches());
  switch (options_.method) {
    case Method::kStdo:
    case Method::kJoint:
      parts_ = by_difficulty(difficulties_, options_.models);
      break;
    case Method::kTime:
    case Method::kCafm:
      parts_ = by_time(clip_, options_.models);
      break;
    case Method::kRandom: {
      std::vector<PatchIndex> order(patches);
      std::iota(order.begin(), order.end(), 0);
      shuffle(order, random_);
      parts_.resize(patches);
      for (std::size_t i = 0; i < patches; ++i)
        parts_[static_cast<std::size_t>(order[i])] =
            static_cast<std::uint8_t>(i * static_cast<std::size_t>(options_.models) / patches);
      break;
    }
    case Method::kWhole:
      parts_.assign(patches, 0);
  }
  const bool one = options_.method == Method::kJoint || options_.method == Method::kWhole;
  models_ = one ? 1 : options_.models;
  const auto each = static_cast<std::size_t>(clip_.grid().patches());
  for (int f = 0; f < clip_.frames(); ++f) {
    const auto first = parts_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(f) * each);
    labels_.push_back(one ? Labels(each, 0) : Labels(first, first + static_cast<std::ptrdiff_t>(each)));
  }
}

void Overfit::make_pupils(const Wdsr* general) {
  const bool shared = options_.method == Method::kCafm;
  const int count = shared || models_ == 1 ? 1 : models_;
  pupils_.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Pupil& p = pupils_[static_cast<std::size_t>(i)];
    p.network =
        std::make_shared<Wdsr>(options_.shape, nn::generator(random_()), shared ? options_.models : 0);
    if (general != nullptr && general->shape() == options_.shape) assign(*p.network, *general);
    p.optimizer = std::make_unique<nn::AdamW>(
        *p.network,
        nn::AdamW::Options{.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0, .clip = 1e9});
    p.steps = options_.steps * (i + 1) / count - options_.steps * i / count;
    for (std::size_t k = 0; k < parts_.size(); ++k)
      if (count == 1 || parts_[k] == i) p.patches.push_back(static_cast<PatchIndex>(k));
    p.best = flat(*p.network);
  }
}

/// All of its patches, in another order; J-STDO: all of the hardest part, and ever less of the easier ones.
void Overfit::begin_epoch(Pupil& pupil) {
  pupil.order = pupil.patches;
  shuffle(pupil.order, random_);
  if (options_.method == Method::kJoint) {
    std::vector<std::size_t> there(static_cast<std::size_t>(options_.models)), taken(there.size());
    for (const PatchIndex p : pupil.order) ++there[parts_[static_cast<std::size_t>(p)]];
    std::erase_if(pupil.order, [&](PatchIndex p) {
      const std::size_t part = parts_[static_cast<std::size_t>(p)];
      const double share = std::pow(options_.share, static_cast<double>(part));
      return taken[part]++ >= static_cast<std::size_t>(std::ceil(share * static_cast<double>(there[part])));
    });
  }
  if (options_.method == Method::kCafm) {
    // A batch is of one chunk: batches of chunks in turn, each in its random order.
    std::stable_sort(pupil.order.begin(), pupil.order.end(), [&](PatchIndex a, PatchIndex b) {
      return parts_[static_cast<std::size_t>(a)] < parts_[static_cast<std::size_t>(b)];
    });
    std::vector<std::vector<PatchIndex>> batches;
    for (const PatchIndex p : pupil.order) {
      if (batches.empty() || batches.back().size() == static_cast<std::size_t>(options_.batch) ||
          parts_[static_cast<std::size_t>(batches.back().front())] != parts_[static_cast<std::size_t>(p)])
        batches.emplace_back();
      batches.back().push_back(p);
    }
    // Whole batches only, so that all updates see as many patches.
    std::erase_if(batches,
                  [&](const auto& b) { return b.size() < static_cast<std::size_t>(options_.batch); });
    std::vector<PatchIndex> turn(batches.size());
    std::iota(turn.begin(), turn.end(), 0);
    shuffle(turn, random_);
    std::vector<PatchIndex> order;
    for (const PatchIndex t : turn) {
      const auto& batch = batches[static_cast<std::size_t>(t)];
      order.insert(order.end(), batch.begin(), batch.end());
    }
    if (!order.empty()) pupil.order = std::move(order);
  }
  pupil.next = 0;
  pupil.epoch_loss = 0;
  pupil.epoch_steps = 0;
}

void Overfit::end_epoch(Pupil& pupil) {
  ++pupil.epochs;
  const double loss = pupil.epoch_loss / static_cast<double>(std::max<std::int64_t>(1, pupil.epoch_steps));
  if (pupil.best_loss < 0 || loss <= pupil.best_loss) {
    pupil.best_loss = loss;
    pupil.best = flat(*pupil.network);
  }
}

Overfit::Pupil& Overfit::current() {
  const auto found =
      std::find_if(pupils_.begin(), pupils_.end(), [](const Pupil& p) { return p.done < p.steps; });
  return found == pupils_.end() ? pupils_.back() : *found;
}

std::int64_t Overfit::epoch() const { return const_cast<Overfit*>(this)->current().epochs; }

std::int64_t Overfit::chunk_of(const std::vector<PatchIndex>& batch) const {
  return options_.method == Method::kCafm ? parts_[static_cast<std::size_t>(batch.front())] : 0;
}

void Overfit::step() {
  Pupil& p = current();
  if (p.next >= p.order.size()) begin_epoch(p);
  const std::size_t size = std::min(p.order.size() - p.next, static_cast<std::size_t>(options_.batch));
  const auto first = p.order.begin() + static_cast<std::ptrdiff_t>(p.next);
  const std::vector<PatchIndex> batch(first, first + static_cast<std::ptrdiff_t>(size));
  p.next += size;
  const at::Tensor lr = clip_.lr_batch(batch, options_.halo), hr = clip_.hr_batch(batch);
  p.optimizer->zero_grad();
  at::Tensor out = p.network->forward(lr, chunk_of(batch));
  if (options_.halo > 0) {
    const std::int64_t cut = std::int64_t{options_.halo} * clip_.scale();
    out = out.narrow(2, cut, hr.size(2)).narrow(3, cut, hr.size(3));
  }
  const at::Tensor loss = at::l1_loss(out, hr);
  loss.backward();
  const double x = static_cast<double>(p.done) / static_cast<double>(std::max<std::int64_t>(1, p.steps));
  p.optimizer->step(options_.final_rate +
                    (options_.learning_rate - options_.final_rate) * 0.5 * (1 + std::cos(M_PI * x)));
  const double value = loss.item<double>();
  p.epoch_loss += value;
  ++p.epoch_steps;
  ++p.done;
  ++done_;
  pixels_ += lr.size(0) * lr.size(2) * lr.size(3);
  const double keep = done_ == 1 ? 0.0 : 0.98;
  loss_ = keep * loss_ + (1 - keep) * value;
  if (p.next >= p.order.size() || p.done == p.steps) end_epoch(p);
}

std::vector<Weights> Overfit::weights() const {
  std::vector<Weights> out;
  for (const Pupil& p : pupils_) {
    Wdsr best(options_.shape, nn::generator(0), options_.method == Method::kCafm ? options_.models : 0);
    restore(best, p.best_loss < 0 ? flat(*p.network) : p.best);
    const int chunks = options_.method == Method::kCafm ? options_.models : 1;
    for (int c = 0; c < chunks; ++c) out.push_back(best.folded(c));
  }
  return out;
}

std::shared_ptr<Wdsr> Overfit::network() const {
  auto best = std::make_shared<Wdsr>(options_.shape, nn::generator(0),
                                     options_.method == Method::kCafm ? options_.models : 0);
  const Pupil& p = pupils_.front();
  restore(*best, p.best_loss < 0 ? flat(*p.network) : p.best);
  return best;
}

std::size_t Overfit::bytes(Precision precision) const {
  const std::size_t one = Weights::size(options_.shape, precision);
  if (options_.method != Method::kCafm) return one * pupils_.size();
  // The body once; factors and shifts of each chunk in two bytes.
  return one + 2 * static_cast<std::size_t>(options_.models * pupils_.front().network->modulation());
}

void Overfit::save(Archive& state) const {
  state.set("done", done_);
  state.set("pixels", pixels_);
  state.set("loss", loss_);
  state.set("random", random_.state());
  state.set("parts", parts_);
  for (std::size_t i = 0; i < pupils_.size(); ++i) {
    const Pupil& p = pupils_[i];
    Archive& group = state.group("model" + std::to_string(i));
    p.optimizer->save(group.group("optimizer"));
    group.set("done", p.done);
    group.set("order", words(p.order));
    group.set("next", static_cast<std::uint64_t>(p.next));
    group.set("epochs", p.epochs);
    group.set("epoch_loss", p.epoch_loss);
    group.set("epoch_steps", p.epoch_steps);
    group.set("best_loss", p.best_loss);
    group.set("best", nn::snapshot(p.best));
  }
}

void Overfit::load(const Archive& state) {
  const auto damaged = [] { return bad_data("the training state is damaged, or of another video"); };
  done_ = state.get<std::int64_t>("done");
  pixels_ = state.get<std::int64_t>("pixels");
  loss_ = state.get<double>("loss");
  const auto random = state.get<std::vector<std::int64_t>>("random");
  if (random.size() != 4 || state.get<std::vector<std::uint8_t>>("parts") != parts_) throw damaged();
  random_.restore(random);
  for (std::size_t i = 0; i < pupils_.size(); ++i) {
    Pupil& p = pupils_[i];
    const Archive& group = state.group("model" + std::to_string(i));
    p.optimizer->load(group.group("optimizer"));
    p.done = group.get<std::int64_t>("done");
    const auto order = group.get<std::vector<std::int64_t>>("order");
    for (const std::int64_t index : order)
      if (index < 0 || index >= clip_.patches()) throw damaged();
    p.order.assign(order.begin(), order.end());
    p.next = group.get<std::uint64_t>("next");
    p.epochs = group.get<std::int64_t>("epochs");
    p.epoch_loss = group.get<double>("epoch_loss");
    p.epoch_steps = group.get<std::int64_t>("epoch_steps");
    p.best_loss = group.get<double>("best_loss");
    const at::Tensor best = nn::view(group.tensor("best"));
    if (best.sizes() != p.best.sizes() || best.scalar_type() != at::kFloat) throw damaged();
    p.best.copy_(best);
  }
}

std::size_t Overfit::state_bytes() const {
  std::size_t bytes = parts_.size() + sizeof *this;
  for (const Pupil& p : pupils_)
    bytes += p.optimizer->state_bytes() + sizeof(float) * static_cast<std::size_t>(p.best.numel()) +
             8 * p.order.size();
  return bytes;
}

Playback play(const TrainingClip& clip, const std::vector<Weights>& models, const std::vector<Labels>& labels,
              Precision precision, Halo halo) {
  Upscaler upscaler(clip.grid(), clip.scale(), halo, 1);
  std::vector<std::shared_ptr<const Network>> networks;
  networks.reserve(models.size());
  for (const Weights& w : models)
    networks.push_back(
        std::make_shared<const Network>(Weights::read(w.shape, precision, w.bytes(precision))));
  upscaler.set_models(networks);
  const int scale = clip.scale(), shave = scale + 4;
  Playback out;
  for (int f = 0; f < clip.frames(); ++f) {
    const Pixels got = upscaler.run(clip.lr(f), labels[static_cast<std::size_t>(f)]);
    const Pixels& wanted = clip.hr(f);
    const double error = squared_error(got, wanted);
    out.psnr.push_back(psnr_of(error, static_cast<double>(wanted.samples.size())));
    out.squared_error += error;
    out.samples += static_cast<double>(wanted.samples.size());
    out.multiply_adds += upscaler.multiply_adds();
    for (int p = 0; p < clip.grid().patches(); ++p) {
      const auto box = clip.grid().box(p);
      for (std::size_t c = 0; c < 3; ++c)
        for (int y = box.y * scale + shave; y < (box.y + box.height) * scale - shave; ++y)
          for (int x = box.x * scale + shave; x < (box.x + box.width) * scale - shave; ++x) {
            const std::size_t at = c * wanted.plane() +
                                   static_cast<std::size_t>(y) * static_cast<std::size_t>(wanted.width) +
                                   static_cast<std::size_t>(x);
            const int d = int{got.samples[at]} - wanted.samples[at];
            out.shaved_error += d * d;
            out.shaved_samples += 1;
          }
    }
  }
  return out;
}

}  // namespace stream::super_resolution
