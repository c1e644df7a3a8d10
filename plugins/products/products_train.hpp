/// products.cope_train: from products in three domains to a model for products.cope.
#pragma once

#include "nn/train_source.hpp"
#include "products/cope_trainer.hpp"

namespace stream::products {

class CopeTrainSource final : public nn::TrainSource<CopeTrainer> {
 public:
  static Spec spec();
  explicit CopeTrainSource(const Params& params);

 private:
  struct Data {
    std::shared_ptr<ProductSet> training, validation;
  };
  static Data data_of(const Params& params);
  CopeTrainSource(const Params& params, const Data& data);
  Object finish() const override;
  std::string path_;
};

}  // namespace stream::products
