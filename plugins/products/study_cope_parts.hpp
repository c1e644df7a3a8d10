/// The parts of the study of COPE.
#pragma once

#include "products/cope_retrieval.hpp"
#include "products/cope_trainer.hpp"
#include "products/made_products.hpp"
#include "stream/study.hpp"

namespace stream::products {

/// Every clip is given to another product's place in its domain: what is learnt then is learnt by heart.
ProductSet dealt_anew(const ProductSet& set, Random random);

/// One world: all arms on the same clips.
class CopeQualityPart final : public StudyPart {
 public:
  struct Options {
    std::string name;
    MadeProductsOptions world;
    std::int64_t epochs = 150;
    int clips = 6;
    bool quick = false;
  };
  explicit CopeQualityPart(Options options);
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  struct Arm {
    std::string name;
    Objective objective;
    std::int64_t frames = 4;
    bool shuffled = false;
    std::vector<Searched> searched{Searched::kFused};  ///< the best of these counts
    bool text_everywhere = true;
  };
  struct Result {
    RetrievalQuality quality;
    double twins = 0, backwards = 0;  ///< confusion of near twins; mean rank-1 with frames in reverse
    std::int64_t parameters = 0, updates = 0;
  };
  void begin();
  void finish_arm();
  const Result& of(const std::string& name) const;
  void claims(std::vector<Object>& out) const;
  Options options_;
  std::vector<Arm> arms_;
  std::shared_ptr<ProductSet> training_, shuffled_, test_;
  std::vector<int> twins_;  ///< of the test's products
  std::size_t at_ = 0;
  std::unique_ptr<CopeTrainer> trainer_;
  std::vector<std::pair<std::string, Result>> results_;
};

/// What must be so to the last digits.
class CopeExactPart final : public OneStepPart {
 public:
  explicit CopeExactPart(std::uint64_t seed) : seed_(seed) {}

 private:
  void measure() override;
  std::uint64_t seed_;
};

}  // namespace stream::products
