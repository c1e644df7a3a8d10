/// products.cope_index: vectors of all product pages, for products.cope.
#pragma once

#include "products/cope_model.hpp"
#include "products/product_files.hpp"
#include "stream/operator.hpp"
#include "stream/params.hpp"

namespace stream::products {

class CopeIndexSource final : public Source {
 public:
  static Spec spec();
  explicit CopeIndexSource(const Params& params);
  bool read(Output& out) override;
  void interrupt() override { table_.interrupt(); }
  double fraction() const override { return table_.fraction(); }
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  void add(const TableReader::Row& row, Output& out);
  void fault(RowFault fault, Output& out);
  void write(Output& out);
  Time now() { return Time{emitted_++}; }
  std::shared_ptr<const CopeModel> model_;
  std::string node_, pages_path_, folder_, path_;
  recommenders::ItemIndex::Options search_;
  TableReader table_;
  IndexedPages pages_;
  IdGate ids_;
  FaultCount faults_;
  std::vector<TableReader::Row> rows_;  ///< read, but not indexed yet
  std::size_t next_ = 0;
  bool ended_ = false, written_ = false;
  std::int64_t emitted_ = 0;
};

}  // namespace stream::products
