/// Overfitting a video: STDO, J-STDO and what they are compared with. They differ in which patches which
/// model is shown, and in nothing else.
#pragma once

#include <deque>
#include <memory>

#include "nn/adamw.hpp"
#include "stream/random.hpp"
#include "super_resolution/clip.hpp"
#include "super_resolution/wdsr.hpp"

namespace stream::super_resolution {

enum class Method : std::uint8_t {
  kStdo,    ///< models for patches that are equally hard, wherever and whenever they are
  kJoint,   ///< J-STDO: one model, which is shown hard patches more often
  kWhole,   ///< awDNN: one model for all patches
  kTime,    ///< NAS: models for parts of the time
  kCafm,    ///< one body for all, modulated for each part of the time
  kRandom,  ///< models for patches drawn at random: clustering without a reason
};
const char* name_of(Method method);
Method method_of(const std::string& name);  ///< throws Error(kBadRecipe) with the nearest name

struct OverfitOptions {
  Method method = Method::kStdo;
  WdsrShape shape;
  int models = 4;             ///< k; J-STDO: into how many parts patches are sorted
  double share = 0.5;         ///< a: J-STDO shows a^j of part j in each epoch
  std::int64_t steps = 4000;  ///< in all, over all models
  int batch = 16;
  double learning_rate = 1e-3, final_rate = 4e-8;
  int halo = 0;  ///< LR pixels that a patch is shown around itself while it is trained
};

class Overfit {
 public:
  /// `general` is M0: it sorts patches, and every model starts from it; null only for methods that need none
  /// (then weights are drawn at random). The clip must not change afterwards.
  Overfit(const TrainingClip& clip, OverfitOptions options, const Wdsr* general, Random random);

  /// One update of one model. Precondition: not finished.
  void step();
  bool finished() const { return done_ >= options_.steps; }
  std::int64_t steps() const { return done_; }
  double loss() const { return loss_; }  ///< L1 of the newest epochs, 0 to 1
  /// Of the model under way, in the epoch of its own patches.
  std::int64_t epoch() const;
  /// LR pixels that went into updates so far, over all models.
  std::int64_t pixels() const { return pixels_; }

  /// Which model serves each patch of the clip, by frames.
  const std::vector<Labels>& labels() const { return labels_; }
  const std::vector<float>& difficulties() const { return difficulties_; }
  int models() const { return models_; }
  /// As they are now: the epoch with the lowest training loss of each.
  std::vector<Weights> weights() const;
  /// The network of the first model, at its best epoch.
  std::shared_ptr<Wdsr> network() const;
  /// What they cost in a file, together.
  std::size_t bytes(Precision precision) const;

  void save(Archive& state) const;
  void load(const Archive& state);
  std::size_t state_bytes() const;

 private:
  /// One network, what it is shown, and how far it is.
  struct Pupil {
    std::shared_ptr<Wdsr> network;
    std::unique_ptr<nn::AdamW> optimizer;
    std::vector<PatchIndex> patches;
    std::int64_t steps = 0, done = 0;
    std::vector<PatchIndex> order;  ///< of the epoch under way
    std::size_t next = 0;
    std::int64_t epochs = 0;
    double epoch_loss = 0, best_loss = -1;
    std::int64_t epoch_steps = 0;
    at::Tensor best;  ///< flat weights of the best epoch
  };
  void assign_labels(const Wdsr* general);
  void make_pupils(const Wdsr* general);
  void begin_epoch(Pupil& pupil);
  void end_epoch(Pupil& pupil);
  std::int64_t chunk_of(const std::vector<PatchIndex>& batch) const;
  Pupil& current();

  const TrainingClip& clip_;
  OverfitOptions options_;
  Random random_;
  int models_ = 1;
  std::vector<std::uint8_t> parts_;  ///< of patches: which chunk or cluster, by the method
  std::vector<Labels> labels_;
  std::vector<float> difficulties_;
  std::vector<Pupil> pupils_;
  std::int64_t done_ = 0, pixels_ = 0;
  double loss_ = 0;
};

/// Squared error of a clip as a player shows it, and what it took.
struct Playback {
  double squared_error = 0, samples = 0, shaved_error = 0, shaved_samples = 0;
  std::int64_t multiply_adds = 0;
  std::vector<double> psnr;  ///< of each frame
  double total() const { return psnr_of(squared_error, samples); }
  double shaved() const { return psnr_of(shaved_error, shaved_samples); }
};
/// Through the upscaler, with weights as a file of that precision holds them. `shaved` leaves out s + 4
/// pixels at the border of every patch, as the paper's repository does.
Playback play(const TrainingClip& clip, const std::vector<Weights>& models, const std::vector<Labels>& labels,
              Precision precision, Halo halo);

}  // namespace stream::super_resolution
