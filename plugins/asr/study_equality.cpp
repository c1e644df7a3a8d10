#include "asr/study_equality.hpp"

#include <limits>

#include "nn/device.hpp"

namespace stream::asr {

namespace {
constexpr std::uint64_t kLargestPiece = 4000;  // samples
constexpr double kBar = 1e-5;

/// A whole recording, from pieces or at once: outputs [T, d] and logits [T, classes].
struct Encoded {
  at::Tensor outputs, logits;
};

template <typename Encoder>
Encoded in_pieces(Encoder& encoder, std::span<const float> samples, Random random) {
  std::vector<at::Tensor> outputs, logits;
  const auto sink = [&](std::int64_t, const Conformer::Heads& heads) {
    outputs.push_back(heads.encoded[0].clone());
    logits.push_back(heads.logits[0].clone());
  };
  while (!samples.empty()) {
    const auto n = std::min<std::size_t>(samples.size(), 1 + random.below(kLargestPiece));
    encoder.push(samples.first(n), sink);
    samples = samples.subspan(n);
  }
  encoder.finish(sink);
  return {at::cat(outputs), at::cat(logits)};
}

Encoded at_once(const Conformer& network, const at::Tensor& mels, std::int64_t lookahead) {
  const at::Tensor encoded =
      network.encode(mels.unsqueeze(0), {Subsampling::output_length(mels.size(0))}, lookahead);
  const Conformer::Heads heads = network.heads(encoded);
  return {heads.encoded[0], heads.logits[0]};
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  const double most = (a - b).abs().max().item<double>();
  return std::isnan(most) ? std::numeric_limits<double>::infinity() : most;
}

}  // namespace

std::vector<std::int64_t> greedy_tokens(const at::Tensor& logits) {
  const at::Tensor best = logits.argmax(-1).contiguous();
  const std::int64_t blank = logits.size(-1) - 1;
  std::vector<std::int64_t> tokens;
  std::int64_t last = blank;
  for (std::int64_t t = 0; t < best.size(0); ++t) {
    const std::int64_t token = best.data_ptr<std::int64_t>()[t];
    if (token != blank && token != last) tokens.push_back(token);
    last = token;
  }
  return tokens;
}

EqualityStudy::EqualityStudy(std::shared_ptr<const Conformer> network, const Options& options)
    : network_(std::move(network)),
      options_(options),
      corpus_({.seed = options.seed, .split = Split::kTest}) {
  for (const std::int64_t r : network_->shape().lookaheads)
    pairs_.push_back(std::make_unique<Pair>(
        Pair{StreamEncoder(network_, r), BufferedEncoder(network_, r + 1, options_.window), {}, {}}));
}

bool EqualityStudy::step() {
  if (done_ == options_.utterances) return false;
  const SpokenUtterance utterance = corpus_.utterance(done_);
  nn::inference([&] {
    const at::Tensor wave = at::from_blob(const_cast<float*>(utterance.samples.data()),
                                          {static_cast<std::int64_t>(utterance.samples.size())}, at::kFloat);
    const at::Tensor mels = front_end_.offline(wave);
    const auto compare = [&](const Encoded& streamed, const Encoded& whole, Agreement& into) {
      into.worst = std::max(into.worst, difference(streamed.outputs, whole.outputs));
      const auto tokens = greedy_tokens(whole.logits);
      into.tokens += static_cast<std::int64_t>(tokens.size());
      into.same += greedy_tokens(streamed.logits) == tokens;
    };
    const Encoded full = at_once(*network_, mels, /*lookahead=*/-1);
    for (const auto& pair : pairs_) {
      const std::int64_t r = pair->cached.chunk() - 1;
      const Random pieces(stable_hash(std::to_string(r) + '/' + std::to_string(done_), options_.seed));
      compare(in_pieces(pair->cached, utterance.samples, pieces), at_once(*network_, mels, r),
              pair->cached_agrees);
      compare(in_pieces(pair->buffered, utterance.samples, pieces), full, pair->buffered_agrees);
    }
  });
  ++done_;
  return true;
}

std::vector<Object> EqualityStudy::records() const {
  std::vector<Object> out;
  for (const auto& pair : pairs_) {
    const Agreement &cached = pair->cached_agrees, &buffered = pair->buffered_agrees;
    const std::string where = lookahead_text(pair->cached.chunk() - 1);
    out.push_back(claim("streaming - whole recording, " + where + ": largest difference of an encoder output",
                        "none", buffered.worst, cached.worst, "<= " + quantity(kBar),
                        done_ > 0 && cached.worst <= kBar));
    // Silence on both sides would agree as well, so there must be tokens.
    out.push_back(claim("streaming = whole recording, " + where + ": utterances with the same tokens", "all",
                        buffered.same, cached.same, "= " + std::to_string(done_),
                        cached.same == done_ && cached.tokens > 0));
    out.back().set("tokens", cached.tokens);
  }
  return out;
}

double EqualityStudy::fraction() const {
  return options_.utterances == 0 ? 1.0
                                  : static_cast<double>(done_) / static_cast<double>(options_.utterances);
}

std::string EqualityStudy::progress() const {
  return "equality: utterance " + std::to_string(done_) + " of " + std::to_string(options_.utterances);
}

}  // namespace stream::asr
