/// The parts of superres.study.
#pragma once

#include <map>

#include "stream/study.hpp"
#include "super_resolution/overfit.hpp"

namespace stream::super_resolution {

struct StudySetting {
  std::vector<std::string> clips;
  int frames, width, height, columns, rows, models;
  std::int64_t steps;
  double share;
  std::shared_ptr<Wdsr> general,
      wide;  ///< M0, and M0 as a network as large as `models` of it
  std::uint64_t seed;
  double learning_rate = 1e-3;
  double crf = 23;  ///< x264's, of the LR video of the rate check
};

/// What must be so exactly: patches against whole frames, halos, labels, folded weights, workers.
class ExactStudy final : public StudyPart {
 public:
  explicit ExactStudy(StudySetting setting) : setting_(std::move(setting)) {}
  bool step() override;
  std::vector<Object> records() const override { return records_; }
  double fraction() const override { return records_.empty() ? 0 : 1; }
  std::string progress() const override { return "exactness"; }

 private:
  StudySetting setting_;
  std::vector<Object> records_;
};

/// All methods on all clips, with equal numbers of updates of equal numbers of pixels.
class QualityStudy final : public StudyPart {
 public:
  QualityStudy(StudySetting setting, bool quick) : setting_(std::move(setting)), quick_(quick) {}
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Result {
    double psnr = 0, hardest = 0;  ///< dB: whole frames, hardest quarter of patches
    /// dB: without patch borders; whole frames and without borders when patches see what is around them.
    double shaved = 0, around = 0, around_shaved = 0;
    std::size_t bytes = 0, map = 0;
    double multiply_adds = 0;  ///< for an HR pixel
    std::int64_t steps = 0, pixels = 0;
    std::vector<double> frames;  ///< dB
  };
  struct Contender {
    const char* name;
    Method method;
    int models;
    bool wide;
    bool halo = false;  ///< trained with what is around a patch: on more pixels than all the others
  };
  std::vector<Contender> contenders() const;
  void begin_clip();
  void finish_contender();
  Result measure(const std::vector<Weights>& weights, const std::vector<Labels>& labels, Halo halo) const;
  void measure_bicubic();
  double mean(const char* contender, double Result::*what) const;
  void tabulate(std::vector<Object>& out) const;

  StudySetting setting_;
  bool quick_;
  std::size_t clip_ = 0, contender_ = 0;
  std::unique_ptr<TrainingClip> video_;
  std::vector<float> difficulties_;  ///< by the general model, for the hardest quarter
  std::unique_ptr<Overfit> training_;
  std::map<std::string, std::map<std::string, Result>> results_;  ///< by clip and contender
  std::map<std::string, std::string> pictures_;                   ///< PNG, by clip
};

/// All that is sent, LR video, models and map, against HR by x264 in as many bytes.
class RateStudy final : public StudyPart {
 public:
  explicit RateStudy(StudySetting setting) : setting_(std::move(setting)) {}
  bool step() override;
  std::vector<Object> records() const override { return records_; }
  double fraction() const override;
  std::string progress() const override;

 private:
  void begin_clip();
  void finish_method();

  StudySetting setting_;
  const std::vector<Method> methods_ = {Method::kStdo, Method::kJoint};
  std::size_t clip_ = 0, method_ = 0;
  std::vector<Pixels> hr_;
  std::unique_ptr<TrainingClip> video_;
  std::size_t video_bytes_ = 0;
  double bicubic_ = 0;  ///< dB
  std::unique_ptr<Overfit> training_;
  std::vector<Object> records_;
};

}  // namespace stream::super_resolution
