#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "super_resolution/label_map.hpp"
#include "super_resolution/png_bytes.hpp"
#include "super_resolution/stream_file.hpp"
#include "super_resolution/study_part.hpp"
#include "video_world/clips.hpp"

namespace stream::super_resolution {
namespace {

constexpr const char *kBicubic = "bicubic", *kWhole = "one model (awDNN)",
                     *kWide = "one model of equal bytes", *kTime = "time chunks (NAS)",
                     *kCafm = "modulated body (CaFM)", *kRandom = "random grouping", *kTwo = "STDO, 2 models",
                     *kStdo = "STDO", *kJoint = "J-STDO", *kStdoHalo = "STDO, trained with a halo",
                     *kWholeHalo = "one model (awDNN), trained with a halo",
                     *kWideHalo = "one model of equal bytes, trained with a halo";
constexpr int kStepsAtATime = 100;

std::string decibels(double whole, double shaved) {
  char text[48];
  std::snprintf(text, sizeof text, "%.2f dB (%.2f shaved)", whole, shaved);
  return text;
}

}  // namespace

std::vector<QualityStudy::Contender> QualityStudy::contenders() const {
  const int k = setting_.models;
  std::vector<Contender> all = {{kWhole, Method::kWhole, 1, false},   {kWide, Method::kWhole, 1, true},
                                {kTime, Method::kTime, k, false},     {kCafm, Method::kCafm, k, false},
                                {kRandom, Method::kRandom, k, false}, {kTwo, Method::kStdo, 2, false},
                                {kStdo, Method::kStdo, k, false},     {kJoint, Method::kJoint, k, false}};
  if (!quick_) {
    all.push_back({kStdoHalo, Method::kStdo, k, false, true});
    all.push_back({kWholeHalo, Method::kWhole, 1, false, true});
    all.push_back({kWideHalo, Method::kWhole, 1, true, true});
  }
  return all;
}

void QualityStudy::begin_clip() {
  const StudySetting& s = setting_;
  video_ = std::make_unique<TrainingClip>(s.general->shape().scale, s.columns, s.rows);
  const auto made = video_world::make_clip(s.clips[clip_], s.seed, s.width, s.height, s.frames);
  for (int f = 0; f < s.frames; ++f) video_->add(made->frame(f).frame());
  difficulties_ = difficulty(*video_, Network(s.general->folded()));
  measure_bicubic();
}

void QualityStudy::measure_bicubic() {
  Result r;
  double error = 0, samples = 0;
  for (int f = 0; f < video_->frames(); ++f) {
    const Pixels got = enlarge(video_->lr(f), video_->scale());
    const double e = squared_error(got, video_->hr(f));
    error += e;
    samples += static_cast<double>(got.samples.size());
    r.frames.push_back(psnr_of(e, static_cast<double>(got.samples.size())));
  }
  r.psnr = psnr_of(error, samples);
  results_[setting_.clips[clip_]][kBicubic] = r;
}

QualityStudy::Result QualityStudy::measure(const std::vector<Weights>& weights,
                                           const std::vector<Labels>& labels, Halo halo) const {
  const Playback shown = play(*video_, weights, labels, Precision::kFloat16, halo);
  const Playback around = play(*video_, weights, labels, Precision::kFloat16, Halo::kFull);
  Result r;
  r.psnr = shown.total();
  r.shaved = shown.shaved();
  r.around = around.total();
  r.around_shaved = around.shaved();
  r.frames = shown.psnr;
  r.multiply_adds = static_cast<double>(shown.multiply_adds) / (shown.samples / 3);
  // The hardest quarter of the patches, by the general model, whatever the method.
  const auto quarter = by_difficulty(difficulties_, 4);
  Upscaler upscaler(video_->grid(), video_->scale(), halo, 1);
  std::vector<std::shared_ptr<const Network>> networks;
  networks.reserve(weights.size());
  for (const Weights& w : weights)
    networks.push_back(std::make_shared<const Network>(
        Weights::read(w.shape, Precision::kFloat16, w.bytes(Precision::kFloat16))));
  upscaler.set_models(networks);
  double error = 0, samples = 0;
  const int scale = video_->scale();
  for (int f = 0; f < video_->frames(); ++f) {
    const Pixels got = upscaler.run(video_->lr(f), labels[static_cast<std::size_t>(f)]);
    const Pixels& wanted = video_->hr(f);
    for (int p = 0; p < video_->grid().patches(); ++p) {
      if (quarter[static_cast<std::size_t>(std::int64_t{f} * video_->grid().patches() + p)] != 0) continue;
      const auto box = video_->grid().box(p);
      for (std::size_t c = 0; c < 3; ++c)
        for (int y = box.y * scale; y < (box.y + box.height) * scale; ++y)
          for (int x = box.x * scale; x < (box.x + box.width) * scale; ++x) {
            const std::size_t at = c * wanted.plane() + static_cast<std::size_t>(y * wanted.width + x);
            const int d = int{got.samples[at]} - wanted.samples[at];
            error += d * d;
            samples += 1;
          }
    }
  }
  r.hardest = psnr_of(error, samples);
  return r;
}

bool QualityStudy::step() {
  if (clip_ == setting_.clips.size()) return false;
  if (!video_) begin_clip();
  const Contender c = contenders()[contender_];
  if (!training_) {
    const Wdsr& start = c.wide ? *setting_.wide : *setting_.general;
    OverfitOptions options;
    options.method = c.method;
    options.shape = start.shape();
    options.models = c.models;
    options.share = setting_.share;
    options.steps = setting_.steps;
    options.learning_rate = setting_.learning_rate;
    options.halo = c.halo ? start.shape().reach() : 0;
    training_ =
        std::make_unique<Overfit>(*video_, options, &start, Random(setting_.seed + 1000 * contender_ + 17));
  }
  for (int i = 0; i < kStepsAtATime && !training_->finished(); ++i) training_->step();
  if (training_->finished()) finish_contender();
  return true;
}

void QualityStudy::finish_contender() {
  const Contender c = contenders()[contender_];
  const std::string& clip = setting_.clips[clip_];
  const auto weights = training_->weights();
  Result r = measure(weights, training_->labels(), c.halo ? Halo::kFull : Halo::kNone);
  r.bytes = training_->bytes(Precision::kFloat16);
  r.map = encode_labels(training_->labels(), setting_.columns, training_->models()).size();
  r.steps = training_->steps();
  r.pixels = training_->pixels();
  results_[clip][c.name] = r;
  if (c.name == kStdo) {
    const int middle = setting_.frames / 2;
    Upscaler upscaler(video_->grid(), video_->scale(), Halo::kNone, 1);
    std::vector<std::shared_ptr<const Network>> networks;
    networks.reserve(weights.size());
    for (const Weights& w : weights) networks.push_back(std::make_shared<const Network>(w));
    upscaler.set_models(networks);
    pictures_[clip] = png_bytes(side_by_side(
        {blown_up(video_->lr(middle), video_->scale()), enlarge(video_->lr(middle), video_->scale()),
         upscaler.run(video_->lr(middle), training_->labels()[static_cast<std::size_t>(middle)]),
         video_->hr(middle)}));
  }
  training_.reset();
  if (++contender_ < contenders().size()) return;
  contender_ = 0;
  ++clip_;
  video_.reset();
}

double QualityStudy::mean(const char* contender, double Result::*what) const {
  double sum = 0;
  for (const auto& [clip, list] : results_) sum += list.at(contender).*what;
  return sum / static_cast<double>(results_.size());
}

void QualityStudy::tabulate(std::vector<Object>& out) const {
  for (const auto& [clip, list] : results_) {
    for (const auto& [name, r] : list) {
      if (r.bytes > 0)
        out.push_back(point("PSNR (dB) by bytes of models and map, " + clip, name,
                            static_cast<double>(r.bytes + r.map), r.psnr));
      for (std::size_t f = 0; f < r.frames.size(); ++f)
        if (name == kBicubic || name == kWhole || name == kStdo || name == kJoint)
          out.push_back(point("PSNR (dB) of each frame, " + clip, name, static_cast<double>(f), r.frames[f]));
    }
    if (const auto found = pictures_.find(clip); found != pictures_.end())
      out.push_back(Object{{"picture", clip + ", the middle frame: LR, bicubic, STDO, truth"},
                           {"png", base64(found->second)}});
  }
}

std::vector<Object> QualityStudy::records() const {
  std::vector<Object> out;
  const auto psnr = [&](const char* name) { return mean(name, &Result::psnr); };
  const auto cost = [&](const char* name) { return mean(name, &Result::multiply_adds); };
  const double stdo = psnr(kStdo);
  const std::string clips = setting_.clips.size() == 1 ? setting_.clips.front() : "mean of the clips";
  // Few updates show the direction, not the distance.
  const double part = quick_ ? 0.0 : 1.0;
  const auto at_least = [&](const char* what, const char* against, const char* paper, double distance) {
    char bar[48];
    std::snprintf(bar, sizeof bar, ">= baseline %+.2f dB", distance);
    out.push_back(claim(std::string(what) + ", dB (" + clips + ")", paper, psnr(against), stdo, bar,
                        stdo >= psnr(against) + distance));
  };
  at_least("STDO against time chunks (NAS)", kTime, "+1.58 (game x2)", 0.3 * part);
  at_least("STDO against random grouping", kRandom, "-", 0.3 * part);
  at_least("STDO against one model of the same network (awDNN)", kWhole, "+2.39 (game x2)", 0.5 * part);
  at_least("STDO against one model of equal bytes", kWide, "-", quick_ ? -1.0 : -0.2);
  const double share = cost(kStdo) / cost(kWide);
  out.push_back(claim("multiply-adds for an HR pixel, against the model of equal bytes", Value(), cost(kWide),
                      cost(kStdo), "<= 1/3", share <= 1.0 / 3));
  const double joint = psnr(kJoint);
  out.push_back(claim("J-STDO against STDO, dB (" + clips + ")", "close", stdo, joint, ">= baseline - 0.50",
                      joint >= stdo - (quick_ ? 1.0 : 0.5)));
  double bytes_joint = 0, bytes_stdo = 0;
  for (const auto& [clip, list] : results_) {
    bytes_joint += static_cast<double>(list.at(kJoint).bytes);
    bytes_stdo += static_cast<double>(list.at(kStdo).bytes);
  }
  out.push_back(claim("bytes of J-STDO's model against those of STDO", Value(), bytes_stdo, bytes_joint,
                      "<= 1/k", bytes_joint * setting_.models <= bytes_stdo));
  const double hard_joint = mean(kJoint, &Result::hardest), hard_whole = mean(kWhole, &Result::hardest);
  out.push_back(claim("J-STDO against uniform sampling on the hardest quarter of patches, dB", Value(),
                      hard_whole, hard_joint, quick_ ? ">= baseline" : ">= baseline + 0.20",
                      hard_joint >= hard_whole + 0.2 * part));
  const double bicubic = psnr(kBicubic);
  double least = 1e9;
  const char* worst = "";
  const auto all = contenders();
  std::vector<Contender> equal;  // in what they were trained on
  std::copy_if(all.begin(), all.end(), std::back_inserter(equal), [](const Contender& c) { return !c.halo; });
  for (const Contender& c : equal)
    if (psnr(c.name) < least) least = psnr(c.name), worst = c.name;
  out.push_back(claim(std::string("the least of all methods (") + worst + ") against bicubic, dB", Value(),
                      bicubic, least, quick_ ? ">= baseline + 0.50" : ">= baseline + 2.00",
                      least >= bicubic + (quick_ ? 0.5 : 2.0)));
  // Every method has made the same updates of the same number of pixels.
  std::int64_t fewest = INT64_MAX, most = 0;
  for (const auto& [clip, list] : results_)
    for (const Contender& c : equal) {
      fewest = std::min(fewest, list.at(c.name).pixels);
      most = std::max(most, list.at(c.name).pixels);
    }
  out.push_back(claim("LR pixels trained on, most against fewest of all methods", Value(), fewest, most,
                      "<= 1.05 x baseline", static_cast<double>(most) <= 1.05 * static_cast<double>(fewest)));
  // Patches that see what is around them, when played: half of a small patch's pixels lie at its border.
  const auto around = [&](const char* what, const char* against) {
    out.push_back(figure(std::string(what) + ", dB, both with a halo (" + clips + ")", Value(),
                         mean(against, &Result::around), mean(kStdo, &Result::around)));
  };
  around("STDO against time chunks (NAS)", kTime);
  around("STDO against random grouping", kRandom);
  around("STDO against one model of the same network (awDNN)", kWhole);
  around("STDO against one model of equal bytes", kWide);
  double least_around = 1e9;
  for (const Contender& c : equal) least_around = std::min(least_around, mean(c.name, &Result::around));
  out.push_back(
      figure("the least of all methods with a halo against bicubic, dB", Value(), bicubic, least_around));
  if (!quick_) {
    const double trained = psnr(kStdoHalo);
    out.push_back(figure(
        "STDO trained with a halo, on larger patches, against without, dB, both with a halo (" + clips + ")",
        Value(), mean(kStdo, &Result::around), trained));
    // The same bars where no method pays for the seams: what they cost grows with the number of models.
    const auto with_halo = [&](const char* what, const char* against, const char* bar, double distance) {
      out.push_back(claim(std::string(what) + ", dB, both trained with a halo (" + clips + ")", Value(),
                          psnr(against), trained, bar, trained >= psnr(against) + distance));
    };
    with_halo("STDO against one model of the same network (awDNN)", kWholeHalo, ">= baseline +0.50 dB", 0.5);
    with_halo("STDO against one model of equal bytes", kWideHalo, ">= baseline -0.20 dB", -0.2);
  }
  for (const auto& [clip, list] : results_)
    for (const Contender& c : all) {
      const Result& r = list.at(c.name);
      out.push_back(claim(clip + ": " + c.name + " (" + std::to_string(r.steps) + " updates, " +
                              std::to_string(r.bytes) + " bytes, map of " + std::to_string(r.map) + ", " +
                              std::to_string(std::llround(r.multiply_adds)) + " multiply-adds)",
                          Value(), quantity(list.at(kBicubic).psnr, "dB (bicubic)"),
                          (c.halo ? std::string() : decibels(r.psnr, r.shaved) + ", ") + "with a halo " +
                              decibels(r.around, r.around_shaved),
                          "better than bicubic", r.psnr > list.at(kBicubic).psnr));
    }
  tabulate(out);
  return out;
}

double QualityStudy::fraction() const {
  const auto all = static_cast<double>(setting_.clips.size() * contenders().size());
  const double now =
      training_ ? static_cast<double>(training_->steps()) / static_cast<double>(setting_.steps) : 0;
  return (static_cast<double>(clip_ * contenders().size() + contender_) + now) / all;
}

std::string QualityStudy::progress() const {
  if (clip_ == setting_.clips.size()) return "done";
  return setting_.clips[clip_] + ": " + contenders()[contender_].name;
}

}  // namespace stream::super_resolution
