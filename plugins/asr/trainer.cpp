#include "asr/trainer.hpp"

#include "nn/device.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr float kMelsPerFrame = 8;
/// Weight of the head for word times beside the CTC loss.
constexpr double kTimesWeight = 0.1;
/// For this share of the steps a frame-wise loss on the synthesiser's own alignment helps CTC off its
/// plateau, fading to nothing: words of 80 ms frames and few utterances leave CTC alone at the labels'
/// entropy for long.
constexpr double kAlignedShare = 0.4;
/// This share of a batch's rows are two utterances, one after the other: a stream goes on, so that what is in
/// the caches when somebody begins to speak is somebody else's speech, at another level and in other noise.
constexpr double kJoinedShare = 0.4;
}  // namespace

Trainer::Trainer(const ConformerShape& shape, std::vector<std::string> pieces, TrainerOptions options,
                 Random random)
    : options_(options), pieces_(std::move(pieces)), random_(random) {
  for (std::size_t i = 0; i < pieces_.size(); ++i) ids_[pieces_[i]] = static_cast<std::int64_t>(i);
  ConformerShape complete = shape;
  complete.vocabulary = static_cast<std::int64_t>(pieces_.size());
  model_ = std::make_shared<Conformer>(complete, nn::generator(random_()));
  optimizer_ = std::make_unique<nn::AdamW>(*model_, nn::AdamW::Options{});
}

Trainer::Example Trainer::example(std::span<const float> samples,
                                  const std::vector<SpokenWord>& words) const {
  const torch::NoGradGuard no_grad;
  Example out;
  const at::Tensor wave = at::from_blob(const_cast<float*>(samples.data()),
                                        {static_cast<std::int64_t>(samples.size())}, at::kFloat);
  out.mels = front_end_.offline(wave).to(at::kHalf);
  for (const auto& word : words) {
    const auto found = ids_.find("\u2581" + word.text);
    out.labels.push_back(found != ids_.end() ? found->second : ids_.at(kUnknown));
    out.spans.push_back(
        {static_cast<float>(word.start / kFrameSeconds), static_cast<float>(word.end / kFrameSeconds)});
  }
  return out;
}

void Trainer::add(Example example) {
  if (pool_.size() < static_cast<std::size_t>(options_.pool)) {
    pool_.push_back(std::move(example));
  } else {
    pool_[oldest_] = std::move(example);
    oldest_ = (oldest_ + 1) % pool_.size();
  }
}

void Trainer::augment(at::Tensor& mels, std::int64_t frames) {
  // SpecAugment: what is masked becomes the mean, so that a mask is neither silence nor loud.
  const double mean = mels.narrow(0, 0, frames).mean().item<double>();
  for (int i = 0; i < 2; ++i) {
    const auto width = static_cast<std::int64_t>(random_.below(20));
    mels.narrow(1, static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(kMels - width))), width)
        .fill_(mean);
  }
  for (int i = 0; i < 4; ++i) {
    const auto width = static_cast<std::int64_t>(
        random_.below(static_cast<std::uint64_t>(std::max<std::int64_t>(1, frames / 20))));
    mels.narrow(0, static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(frames - width))),
                width)
        .fill_(mean);
  }
}

Trainer::Example Trainer::draw() {
  const auto any = [&]() -> const Example& { return pool_[random_.below(pool_.size())]; };
  const Example& last = any();
  if (random_.uniform() >= kJoinedShare) return last;
  const Example& first = any();
  Example joined{torch::cat({first.mels, last.mels}), first.labels, first.spans};
  joined.labels.insert(joined.labels.end(), last.labels.begin(), last.labels.end());
  const float offset = static_cast<float>(first.mels.size(0)) / kMelsPerFrame;
  for (const auto [start, end] : last.spans) joined.spans.push_back({start + offset, end + offset});
  return joined;
}

void Trainer::step() {
  // Neighbours in length out of four times as many: little of the batch is padding.
  std::vector<Example> drawn;
  for (std::int64_t i = 0; i < 4 * options_.batch; ++i) drawn.push_back(draw());
  std::stable_sort(drawn.begin(), drawn.end(),
                   [](const Example& a, const Example& b) { return a.mels.size(0) < b.mels.size(0); });
  const auto first =
      static_cast<std::ptrdiff_t>(random_.below(static_cast<std::uint64_t>(3 * options_.batch + 1)));
  const std::vector<Example> batch(drawn.begin() + first, drawn.begin() + first + options_.batch);
  const std::int64_t longest = batch.back().mels.size(0);
  const auto& lookaheads = model_->shape().lookaheads;
  const auto lookahead = lookaheads[random_.below(lookaheads.size())];
  const at::Tensor mels = torch::zeros({options_.batch, longest, kMels});
  std::vector<std::int64_t> lengths, targets, target_lengths;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::int64_t frames = batch[i].mels.size(0);
    at::Tensor row = mels[static_cast<std::int64_t>(i)];
    row.narrow(0, 0, frames).copy_(batch[i].mels);
    augment(row, frames);
    lengths.push_back(Subsampling::output_length(frames));
    targets.insert(targets.end(), batch[i].labels.begin(), batch[i].labels.end());
    target_lengths.push_back(static_cast<std::int64_t>(batch[i].labels.size()));
  }
  optimizer_->zero_grad();
  const Conformer::Heads heads = model_->heads(model_->encode(mels, lengths, lookahead));
  const at::Tensor log_probs = heads.logits.log_softmax(-1).transpose(0, 1);
  const at::Tensor ctc =
      at::ctc_loss(log_probs, torch::tensor(targets), lengths, target_lengths, model_->shape().vocabulary,
                   at::Reduction::Mean, /*zero_infinity=*/true);
  at::Tensor loss = ctc + kTimesWeight * times_loss(heads, lengths, batch);
  const double weight =
      1.0 - static_cast<double>(step_) / (kAlignedShare * static_cast<double>(options_.steps));
  if (weight > 0) loss = loss + weight * aligned_loss(heads, lengths, batch);
  loss.backward();
  optimizer_->step(options_.learning_rate * nn::warmup_cosine(step_, options_.warmup, options_.steps));
  const double value = ctc.item<double>(), keep = step_ == 0 ? 0.0 : 0.98;
  loss_ = keep * loss_ + (1 - keep) * value;
  ++step_;
}

at::Tensor Trainer::aligned_loss(const Conformer::Heads& heads, const std::vector<std::int64_t>& lengths,
                                 const std::vector<Example>& batch) const {
  const std::int64_t frames = heads.logits.size(1), blank = model_->shape().vocabulary;
  constexpr std::int64_t kPadding = -100;
  std::vector<std::int64_t> targets(batch.size() * static_cast<std::size_t>(frames), kPadding);
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const auto row = targets.begin() + static_cast<std::ptrdiff_t>(b) * frames;
    std::fill(row, row + lengths[b], blank);
    for (std::size_t k = 0; k < batch[b].labels.size(); ++k) {
      const auto [start, end] = batch[b].spans[k];
      const auto last = std::clamp<std::int64_t>(std::llround(end), 0, lengths[b] - 1);
      const auto first = std::clamp<std::int64_t>(std::llround((start + end) / 2), 0, last);
      std::fill(row + first, row + last + 1, batch[b].labels[k]);
    }
  }
  return at::cross_entropy_loss(heads.logits.flatten(0, 1), torch::tensor(targets), {}, at::Reduction::Mean,
                                kPadding);
}

at::Tensor Trainer::times_loss(const Conformer::Heads& heads, const std::vector<std::int64_t>& lengths,
                               const std::vector<Example>& batch) {
  // Word times are learnt where the model itself has its spikes, and only in utterances that it reads right:
  // there the n-th spike is the n-th word.
  const at::Tensor best = heads.logits.detach().argmax(-1);
  const auto label = best.accessor<std::int64_t, 2>();
  const std::int64_t blank = model_->shape().vocabulary;
  std::vector<std::int64_t> where;
  std::vector<float> wanted;
  const std::int64_t frames = heads.logits.size(1);
  for (std::size_t b = 0; b < batch.size(); ++b) {
    std::vector<std::int64_t> spikes, labels;
    std::int64_t last = blank;
    for (std::int64_t t = 0; t < lengths[b]; ++t) {
      const auto l = label[static_cast<std::int64_t>(b)][t];
      if (l != blank && l != last) spikes.push_back(t), labels.push_back(l);
      last = l;
    }
    if (labels != batch[b].labels) continue;
    for (std::size_t i = 0; i < spikes.size(); ++i) {
      where.push_back(static_cast<std::int64_t>(b) * frames + spikes[i]);
      for (const float edge : batch[b].spans[i]) wanted.push_back(edge - static_cast<float>(spikes[i]));
    }
  }
  if (where.empty()) return torch::zeros({});
  const at::Tensor said = heads.times.flatten(0, 1).index_select(0, torch::tensor(where));
  at::Tensor loss = (said - torch::tensor(wanted).view({-1, 2})).abs().mean();
  const double seconds = loss.item<double>() * kFrameSeconds;
  time_error_ = time_error_ == 0 ? seconds : 0.98 * time_error_ + 0.02 * seconds;
  return loss;
}

void Trainer::save(Archive& state) const {
  optimizer_->save(state.group("optimizer"));
  state.set("step", step_);
  state.set("loss", loss_);
  state.set("time_error", time_error_);
  state.set("random", random_.state());
  state.set("oldest", static_cast<std::int64_t>(oldest_));
  state.set("pool_size", static_cast<std::int64_t>(pool_.size()));
  Archive& pool = state.group("pool");
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    Archive& item = pool.group(std::to_string(i));
    item.set("mels", nn::payload(pool_[i].mels));
    item.set("labels", pool_[i].labels);
    std::vector<float> spans;
    for (const auto& s : pool_[i].spans) spans.insert(spans.end(), s.begin(), s.end());
    item.set("spans", spans);
  }
}

void Trainer::load(const Archive& state) {
  optimizer_->load(state.group("optimizer"));
  step_ = state.get<std::int64_t>("step");
  loss_ = state.get<double>("loss");
  time_error_ = state.get<double>("time_error");
  random_.restore(state.get<std::vector<std::int64_t>>("random"));
  const auto size = state.get<std::int64_t>("pool_size");
  const auto oldest = state.get<std::int64_t>("oldest");
  if (size < 0 || size > options_.pool || oldest < 0 || (size > 0 && oldest >= size))
    throw bad_data("the training state holds " + std::to_string(size) + " utterances, expected at most " +
                   std::to_string(options_.pool));
  oldest_ = static_cast<std::size_t>(oldest);
  pool_.clear();
  const Archive& pool = state.group("pool");
  for (std::int64_t i = 0; i < size; ++i) {
    const Archive& item = pool.group(std::to_string(i));
    Example e;
    e.mels = nn::view(item.tensor("mels"));
    e.labels = item.get<std::vector<std::int64_t>>("labels");
    const auto spans = item.get<std::vector<float>>("spans");
    if (e.mels.dim() != 2 || e.mels.size(1) != kMels || spans.size() != 2 * e.labels.size())
      throw bad_data("the training state's utterance " + std::to_string(i) + " is damaged");
    for (std::size_t k = 0; k < spans.size(); k += 2) e.spans.push_back({spans[k], spans[k + 1]});
    pool_.push_back(std::move(e));
  }
}

std::size_t Trainer::state_bytes() const {
  std::size_t bytes = optimizer_->state_bytes();
  for (const auto& e : pool_)
    bytes += e.mels.nbytes() + e.labels.size() * (sizeof(std::int64_t) + 2 * sizeof(float));
  return bytes;
}

}  // namespace stream::asr
