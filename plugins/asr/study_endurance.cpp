#include "asr/study_endurance.hpp"

#include "asr/asr_conformer.hpp"
#include "asr/stopwatch.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr std::int64_t kSecondsEarly = 10;
constexpr double kEnduranceBar = 0.1;

/// Words are of no interest here, only that there are some.
class Count final : public Output {
 public:
  bool unused(std::size_t port) const override { return port != 0; }
  std::size_t packets = 0;

 protected:
  void put(std::size_t, Packet&&) override { ++packets; }
  void mark(std::size_t, Time) override {}
};

/// What a checkpoint of its encoder would hold.
std::size_t saved_bytes(const Operator& op) {
  Archive state;
  op.save(state);
  return std::as_const(state).group("encoder").bytes();
}
}  // namespace

struct EnduranceStudy::Stream {
  explicit Stream(const Params& params) : op(params) {}
  ConformerOperator op;
  Count words;
  std::int64_t samples = 0;
};

EnduranceStudy::EnduranceStudy(const Object& params, Context context, std::vector<float> speech,
                               const Options& options)
    : options_(options), speech_(std::move(speech)), chunk_(kSubsampling * kHop * (options.lookahead + 1)) {
  Object complete = params;
  complete.set("lookahead", options.lookahead);
  const Params checked(ConformerOperator::spec(), complete, std::move(context));
  old_ = std::make_unique<Stream>(checked);
  fresh_ = std::make_unique<Stream>(checked);
  if (speech_.empty()) throw bad_data("there is no speech to run on");
}

EnduranceStudy::~EnduranceStudy() = default;

double EnduranceStudy::feed(Stream& stream) const {
  std::vector<float> samples(static_cast<std::size_t>(chunk_));
  const auto first = static_cast<std::size_t>(stream.samples);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = speech_[(first + i) % speech_.size()];
  Packet packet = Packet::of<Audio>(duration_of(stream.samples, kRate), std::move(samples), 1, kRate);
  stream.samples += chunk_;
  const Stopwatch watch;
  stream.op.process(std::move(packet), stream.words);
  return watch.processor();
}

bool EnduranceStudy::step() {
  if (minute_ == options_.minutes) return false;
  const bool last = minute_ + 1 == options_.minutes;
  std::vector<double> times;
  while (old_->samples < (minute_ + 1) * 60 * kRate) {
    if (!last) {
      times.push_back(feed(*old_));
    } else {
      // In turn, and in turn which is first.
      const bool old_first = times.size() % 2 == 0;
      const double a = feed(old_first ? *old_ : *fresh_), b = feed(old_first ? *fresh_ : *old_);
      times.push_back(old_first ? a : b);
      early_.push_back(old_first ? b : a);
      ratios_.push_back(times.back() / early_.back());
    }
    if (bytes_early_ == 0 && old_->samples >= kSecondsEarly * kRate)
      bytes_early_ = old_->op.state_bytes(), saved_early_ = saved_bytes(old_->op);
  }
  medians_.push_back(median(times));
  if (last) {
    late_ = std::move(times);
    bytes_late_ = old_->op.state_bytes(), saved_late_ = saved_bytes(old_->op);
    if (old_->words.packets == 0) throw failed("the speech gave no words: nothing was measured");
  }
  ++minute_;
  return true;
}

std::vector<Object> EnduranceStudy::records() const {
  const std::string when = std::to_string(options_.minutes) + " min of audio",
                    where = lookahead_text(options_.lookahead);
  const auto bytes = [&](const char* what, std::size_t early, std::size_t late) {
    return claim(what + std::string(" after ") + when + ", " + where + "; baseline: after 10 s", "constant",
                 static_cast<std::int64_t>(early), static_cast<std::int64_t>(late),
                 "= " + std::to_string(early), late == early);
  };
  const double ratio = median(ratios_);
  std::vector<Object> out{
      bytes("bytes of state", bytes_early_, bytes_late_),
      bytes("bytes of the encoder in a checkpoint", saved_early_, saved_late_),
      claim("processor time for a chunk in minute " + std::to_string(options_.minutes) + " / in minute 1, " +
                where + ", median of " + std::to_string(ratios_.size()) + " pairs",
            "constant",
            quantity(median(early_), "ms") + " in minute 1, then " + quantity(median(late_), "ms"), ratio,
            "0.9 to 1.1", std::abs(ratio - 1) <= kEnduranceBar)};
  out.back().set("milliseconds", Object{{"early", median(early_)}, {"late", median(late_)}});
  // Two streams in turn find less of their weights in the processor's caches than one alone.
  const std::string plot = "processor time for a chunk in ms, by minute of the stream";
  for (std::size_t i = 0; i + 1 < medians_.size(); ++i)
    out.push_back(point(plot, where, static_cast<double>(i + 1), medians_[i]));
  out.push_back(point(plot, "minute 1 and the last in turn", 1, median(early_)));
  out.push_back(
      point(plot, "minute 1 and the last in turn", static_cast<double>(options_.minutes), median(late_)));
  return out;
}

double EnduranceStudy::fraction() const {
  return static_cast<double>(minute_) / static_cast<double>(options_.minutes);
}

std::string EnduranceStudy::progress() const {
  return "endurance: minute " + std::to_string(minute_) + " of " + std::to_string(options_.minutes);
}

}  // namespace stream::asr
