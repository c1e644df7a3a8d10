/// corpus.spoken_text: the corpus "SpokenText-1" as a source.
#pragma once

#include "asr/corpus.hpp"
#include "stream/operator.hpp"

namespace stream::asr {

class SpokenTextSource final : public Source {
 public:
  static Spec spec();
  explicit SpokenTextSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  std::int64_t count_, index_ = 0, samples_ = 0;
  Corpus corpus_;
};

}  // namespace stream::asr
