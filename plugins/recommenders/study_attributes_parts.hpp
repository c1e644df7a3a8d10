/// The parts of the study of what playlists give away.
#pragma once

#include "recommenders/attribute_baselines.hpp"
#include "recommenders/playlist_world.hpp"
#include "stream/study.hpp"

namespace stream::recommenders {

/// One world: the DeepSet, with and without the maximum, against what averages first, a forest, and votes.
class AttributesQualityPart final : public StudyPart {
 public:
  struct Options {
    std::string name;
    PlaylistWorldOptions world;
    std::int64_t epochs = 60;
    bool small = false;  ///< the paper's number of listeners: two of three gains are enough
    bool quick = false;
  };
  explicit AttributesQualityPart(Options options) : options_(std::move(options)) {}
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  void add(const std::string& name, const std::vector<ClassProbabilities>& by_attribute);
  double score(const std::string& model, const std::string& attribute) const;
  Options options_;
  std::shared_ptr<const ListenerData> data_;
  std::size_t at_ = 0, attribute_ = 0;
  std::vector<std::vector<ClassProbabilities>> baselines_;  ///< by model, by attribute
  std::unique_ptr<DeepSetTrainer> trainer_;
  std::vector<std::pair<std::string, std::vector<double>>> scores_;  ///< balanced accuracy by attribute
  std::size_t null_discoveries_ = 0, discoveries_ = 0;
};

/// Planted pairs of features and attributes, found among many that are none.
class AttributesStatisticsPart final : public StudyPart {
 public:
  AttributesStatisticsPart(std::uint64_t seed, std::int64_t seeds, bool quick)
      : seed_(seed), seeds_(seeds), quick_(quick) {}
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override { return static_cast<double>(done_) / static_cast<double>(seeds_); }
  std::string progress() const override { return "planted pairs, seed " + std::to_string(done_); }

 private:
  std::uint64_t seed_;
  std::int64_t seeds_, done_ = 0;
  bool quick_;
  double power_ = 0, false_share_ = 0;
};

/// What must be so to the last digits.
class AttributesExactPart final : public OneStepPart {
 public:
  explicit AttributesExactPart(std::uint64_t seed) : seed_(seed) {}

 private:
  void measure() override;
  std::uint64_t seed_;
};

}  // namespace stream::recommenders
