/// events.prompt_tpp_train: from a log of typed events to a model for events.prompt_tpp, slice of time by
/// slice.
#pragma once

#include "events/tpp_trainer.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class PromptTppTrainSource final : public Source {
 public:
  static Spec spec();
  explicit PromptTppTrainSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return trainer_->state_bytes(); }
  std::string progress() const override;

 private:
  void begin();
  std::string path_;
  std::int64_t length_;
  std::vector<std::string> names_;
  std::vector<std::vector<Sequence>> train_, held_out_;  ///< by slice
  std::unique_ptr<TppTrainer> trainer_;
  std::size_t task_ = 0;
  bool written_ = false;
};

}  // namespace stream::events
