/// products.pages and products.show: made-up product pages, and live streams or short videos of the products.
#pragma once

#include "products/made_products.hpp"
#include "stream/operator.hpp"
#include "stream/params.hpp"

namespace stream::products {

/// The parameters that fix a world, and the world that they fix.
Spec with_world_params(Spec spec);
MadeProductsOptions world_options(const Params& params);

class PagesSource final : public Source {
 public:
  static Spec spec();
  explicit PagesSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override { state.set("next", next_); }
  void load(const Archive& state) override;

 private:
  MadeProducts world_;
  std::int32_t begin_, end_, next_;
  std::string pattern_;
};

class ShowSource final : public Source {
 public:
  static Spec spec();
  explicit ShowSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;

 private:
  MadeProducts world_;
  Domain domain_;
  std::int32_t begin_, end_, product_, number_;
  int rate_, frame_ = 0;  ///< the next of the product's clip
  std::int64_t frames_ = 0;
};

}  // namespace stream::products
