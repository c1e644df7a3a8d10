#include <algorithm>
#include <cstdio>

#include "super_resolution/coded_clip.hpp"
#include "super_resolution/label_map.hpp"
#include "super_resolution/study_part.hpp"
#include "video_world/clips.hpp"

namespace stream::super_resolution {
namespace {

constexpr int kStepsAtATime = 100;
constexpr const char* kX264 = "x264 of HR";

std::string figures(double psnr, std::size_t bytes, const std::string& of_what) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f dB, %zu bytes", psnr, bytes);
  return of_what.empty() ? text : text + (" (" + of_what + ")");
}

double psnr(const std::vector<Pixels>& got, const std::vector<Pixels>& wanted) {
  double error = 0, samples = 0;
  for (std::size_t f = 0; f < wanted.size(); ++f) {
    error += squared_error(got[f], wanted[f]);
    samples += static_cast<double>(wanted[f].samples.size());
  }
  return psnr_of(error, samples);
}

}  // namespace

bool RateStudy::step() {
  if (clip_ == setting_.clips.size()) return false;
  if (!video_) begin_clip();
  if (!training_) {
    OverfitOptions options;
    options.method = methods_[method_];
    options.shape = setting_.general->shape();
    options.models = setting_.models;
    options.share = setting_.share;
    options.steps = setting_.steps;
    options.learning_rate = setting_.learning_rate;
    training_ = std::make_unique<Overfit>(*video_, options, setting_.general.get(),
                                          Random(setting_.seed + 1000 * method_ + 29));
  }
  for (int i = 0; i < kStepsAtATime && !training_->finished(); ++i) training_->step();
  if (training_->finished()) finish_method();
  return true;
}

void RateStudy::begin_clip() {
  const StudySetting& s = setting_;
  const int scale = s.general->shape().scale;
  const auto made = video_world::make_clip(s.clips[clip_], s.seed, s.width, s.height, s.frames);
  hr_.clear();
  std::vector<Pixels> lr;
  for (int f = 0; f < s.frames; ++f) {
    hr_.push_back(pixels_of(made->frame(f).frame()));
    lr.push_back(shrink(hr_.back(), scale));
  }
  // What is learnt is how to restore the pictures that the viewer has.
  CodedClip sent = through_x264(lr, s.crf);
  video_bytes_ = sent.bytes;
  video_ = std::make_unique<TrainingClip>(scale, s.columns, s.rows);
  std::vector<Pixels> bicubic;
  for (std::size_t f = 0; f < hr_.size(); ++f) {
    bicubic.push_back(enlarge(sent.frames[f], scale));
    video_->add(Pixels(hr_[f]), std::move(sent.frames[f]));
  }
  bicubic_ = psnr(bicubic, hr_);
  const std::string plot = "PSNR (dB) by bytes of all that is sent, " + s.clips[clip_];
  records_.push_back(point(plot, "x264 of LR, bicubic", static_cast<double>(video_bytes_), bicubic_));
  for (double crf = 20; crf <= 50; crf += 5) {
    const CodedClip coded = through_x264(hr_, crf);
    records_.push_back(point(plot, kX264, static_cast<double>(coded.bytes), psnr(coded.frames, hr_)));
  }
}

void RateStudy::finish_method() {
  const StudySetting& s = setting_;
  const std::string& clip = s.clips[clip_];
  const std::string name = methods_[method_] == Method::kStdo ? "STDO" : "J-STDO";
  const double ours =
      play(*video_, training_->weights(), training_->labels(), Precision::kFloat16, Halo::kNone).total();
  const std::size_t models = training_->bytes(Precision::kFloat16);
  const std::size_t map = encode_labels(training_->labels(), s.columns, training_->models()).size();
  const std::size_t all = video_bytes_ + models + map;
  const CodedClip rival = at_most(hr_, all);
  char crf[48];
  std::snprintf(crf, sizeof crf, "CRF %.1f", rival.crf);
  char quality[32];
  std::snprintf(quality, sizeof quality, "%.4g", s.crf);
  records_.push_back(figure(
      clip + ": x264 of LR at CRF " + quality + " with " + name +
          ", against x264 of HR at equal bytes (bicubic of the LR video: " + quantity(bicubic_, "dB") + ")",
      Value(), figures(psnr(rival.frames, hr_), rival.bytes, crf),
      figures(ours, all,
              std::to_string(video_bytes_) + " of video, " + std::to_string(models) + " of models, " +
                  std::to_string(map) + " of the map")));
  records_.push_back(point("PSNR (dB) by bytes of all that is sent, " + clip, "x264 of LR, " + name,
                           static_cast<double>(all), ours));
  records_.push_back(point("PSNR (dB) by bytes of all that is sent, " + clip, kX264,
                           static_cast<double>(rival.bytes), psnr(rival.frames, hr_)));
  training_.reset();
  if (++method_ < methods_.size()) return;
  method_ = 0;
  ++clip_;
  video_.reset();
}

double RateStudy::fraction() const {
  const auto all = static_cast<double>(setting_.clips.size() * methods_.size());
  const double now =
      training_ ? static_cast<double>(training_->steps()) / static_cast<double>(setting_.steps) : 0;
  return (static_cast<double>(clip_ * methods_.size() + method_) + now) / all;
}

std::string RateStudy::progress() const {
  return clip_ == setting_.clips.size() ? "done" : setting_.clips[clip_] + ": rate";
}

}  // namespace stream::super_resolution
