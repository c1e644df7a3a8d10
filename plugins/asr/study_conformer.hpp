/// asr.study_conformer: what the paper of the cache-aware Conformer claims for streaming, held against bars.
#pragma once

#include "asr/conformer.hpp"
#include "asr/study_part.hpp"
#include "stream/operator.hpp"

namespace stream::asr {

class ConformerStudy final : public Source {
 public:
  static Spec spec();
  explicit ConformerStudy(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  /// Parts that have stated what they found are not run again; the one under way starts anew.
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override { return current_ ? current_->progress() : std::string(); }

 private:
  std::unique_ptr<StudyPart> part(const std::string& which) const;
  std::vector<float> speech() const;

  std::string model_;
  Context context_;
  std::shared_ptr<const Conformer> network_;
  std::vector<std::string> parts_;
  std::int64_t utterances_, minutes_, pairs_, window_;
  std::unique_ptr<StudyPart> current_;
  std::int64_t part_ = 0;  ///< index of the one under way
  std::int64_t emitted_ = 0;
};

}  // namespace stream::asr
