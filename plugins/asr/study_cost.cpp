#include "asr/study_cost.hpp"

#include <algorithm>
#include <array>

#include "asr/stopwatch.hpp"
#include "nn/multiply_adds.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr int kRun = 8;  // chunks that one encoder computes before it is the other's turn
/// Of the ratio that counting frames alone gives, window / chunk: what attention and padding may take.
constexpr double kCountBar = 0.9;

/// Where the study states a least ratio of times.
struct TimeBar {
  std::int64_t lookahead;
  double least;
};
constexpr std::array kTimeBars = {TimeBar{6, 2.5}, TimeBar{1, 4.0}};

/// Speech without an end, a chunk at a time.
class Chunks {
 public:
  Chunks(const std::vector<float>& speech, std::int64_t frames)
      : speech_(&speech), samples_(static_cast<std::size_t>(frames * kSubsampling * kHop)) {}
  std::span<const float> next() {
    for (float& sample : samples_) {
      sample = (*speech_)[at_];
      at_ = (at_ + 1) % speech_->size();
    }
    return samples_;
  }

 private:
  const std::vector<float>* speech_;
  std::vector<float> samples_;
  std::size_t at_ = 0;
};

struct Taken {
  double processor, wall;  ///< ms
};

/// Of one chunk, in a run of some: the first of a run finds the other encoder's memory in the processor's
/// caches.
template <typename Encoder>
Taken time_of(Encoder& encoder, Chunks& chunks, float& kept) {
  Taken sum{0, 0};
  for (int i = 0; i < kRun; ++i) {
    const auto samples = chunks.next();
    const Stopwatch watch;
    encoder.push(samples, [&](std::int64_t, const Conformer::Heads& heads) {
      kept += heads.logits.template data_ptr<float>()[0];
    });
    sum.processor += watch.processor() / kRun, sum.wall += watch.wall() / kRun;
  }
  return sum;
}

/// Of the encoder in its steady state: `warm` chunks fill the caches or the window, then `counted` are
/// counted.
template <typename Encoder>
double adds_per_second(Encoder& encoder, const std::vector<float>& speech, std::int64_t warm,
                       std::int64_t counted) {
  Chunks chunks(speech, encoder.chunk());
  const typename Encoder::Sink ignore = [](std::int64_t, const Conformer::Heads&) {};
  for (std::int64_t i = 0; i < warm; ++i) encoder.push(chunks.next(), ignore);
  const nn::MultiplyAdds adds;
  for (std::int64_t i = 0; i < counted; ++i) encoder.push(chunks.next(), ignore);
  return static_cast<double>(adds.count()) / (kFrameSeconds * static_cast<double>(counted * encoder.chunk()));
}

}  // namespace

CostStudy::CostStudy(std::shared_ptr<const Conformer> network, std::vector<float> speech,
                     const Options& options)
    : network_(std::move(network)), speech_(std::move(speech)), options_(options) {
  if (speech_.empty()) throw bad_data("there is no speech to run on");
}

bool CostStudy::step() {
  const auto& lookaheads = network_->shape().lookaheads;
  if (costs_.size() == lookaheads.size()) return false;
  Cost cost;
  cost.lookahead = lookaheads[costs_.size()];
  const std::int64_t chunk = cost.lookahead + 1;
  StreamEncoder cached(network_, cost.lookahead);
  BufferedEncoder buffered(network_, chunk, options_.window);
  const std::int64_t warm = 1 + std::max(network_->shape().left, options_.window) / chunk;
  cost.cached_adds = adds_per_second(cached, speech_, warm, 8);
  cost.buffered_adds = adds_per_second(buffered, speech_, warm, 8);

  Chunks cached_chunks(speech_, chunk), buffered_chunks(speech_, chunk);
  std::vector<double> cached_ms, buffered_ms, ratios, wall_ratios;
  float kept = 0;
  for (std::int64_t i = 0; i < options_.pairs; ++i) {
    Taken a{}, b{};
    // In turn which is first, so that neither always finds the memory warm.
    if (i % 2 == 0)
      a = time_of(cached, cached_chunks, kept), b = time_of(buffered, buffered_chunks, kept);
    else
      b = time_of(buffered, buffered_chunks, kept), a = time_of(cached, cached_chunks, kept);
    cached_ms.push_back(a.processor), buffered_ms.push_back(b.processor);
    ratios.push_back(b.processor / a.processor), wall_ratios.push_back(b.wall / a.wall);
  }
  if (!std::isfinite(kept)) throw failed("an encoder gave a logit that is not a number");
  cost.cached_ms = median(cached_ms), cost.buffered_ms = median(buffered_ms), cost.ratio = median(ratios),
  cost.wall_ratio = median(wall_ratios);
  costs_.push_back(cost);
  return true;
}

std::vector<Object> CostStudy::records() const {
  std::vector<Object> out;
  for (const Cost& cost : costs_) {
    const double frames_ratio =
        static_cast<double>(options_.window) / static_cast<double>(cost.lookahead + 1);
    const double adds_ratio = cost.buffered_adds / cost.cached_adds, least = kCountBar * frames_ratio;
    const std::string where = lookahead_text(cost.lookahead);
    out.push_back(claim(
        "encoder multiply-adds, buffered / cached, " + where, "nothing computed twice",
        quantity(1e-6 * cost.buffered_adds, "M/s") + " against " + quantity(1e-6 * cost.cached_adds, "M/s"),
        adds_ratio, ">= " + quantity(least), adds_ratio >= least));
    const std::string plot = "buffered / cached, by look-ahead in ms";
    const auto x = static_cast<double>(80 * cost.lookahead);
    out.push_back(point(plot, "multiply-adds", x, adds_ratio));
    out.push_back(point(plot, "window / chunk", x, frames_ratio));
    out.push_back(point(plot, "processor time", x, cost.ratio));
    out.push_back(point(plot, "wall-clock time", x, cost.wall_ratio));
  }
  for (const TimeBar& bar : kTimeBars) {
    const auto cost = std::find_if(costs_.begin(), costs_.end(),
                                   [&](const Cost& c) { return c.lookahead == bar.lookahead; });
    const std::string what =
                          "processor time for a chunk, buffered / cached, " + lookahead_text(bar.lookahead),
                      least = ">= " + quantity(bar.least);
    if (cost == costs_.end())
      out.push_back(claim(what, "less", "the model has no such look-ahead", nullptr, least, false));
    else
      out.push_back(claim(what, "less",
                          quantity(cost->buffered_ms, "ms") + " against " + quantity(cost->cached_ms, "ms") +
                              "; wall clock: " + quantity(cost->wall_ratio, "times"),
                          cost->ratio, least, cost->ratio >= bar.least));
  }
  return out;
}

double CostStudy::fraction() const {
  return static_cast<double>(costs_.size()) / static_cast<double>(network_->shape().lookaheads.size());
}

std::string CostStudy::progress() const { return "cost: " + std::to_string(costs_.size()) + " look-aheads"; }

}  // namespace stream::asr
