/// signals.dictionary: learns an orthogonal dictionary from vectors, and codes them with it meanwhile.
#pragma once

#include "signals/dictionary_learner.hpp"
#include "signals/sparse_code.hpp"
#include "stream/operator.hpp"

namespace stream::signals {

class DictionaryOperator final : public Operator {
 public:
  static Spec spec();
  explicit DictionaryOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  /// A new version of the codebook, said on the ports for it.
  void publish(const Packet& at, Output& out);
  DictionaryLearner learner_;
  std::size_t size_, terms_;
  double threshold_;
  std::int64_t refresh_;
  bool centre_;
  std::string model_;
  Codebook book_;
  std::int64_t version_ = -1;              ///< -1: none has been said
  std::int64_t learnt_ = 0, skipped_ = 0;  ///< vectors
  std::int64_t next_publish_ = 0;          ///< when learnt_ reaches it
  std::vector<double> mean_;               ///< of the vectors learnt
  double energy_ = 0, lost_ = 0;           ///< sums of squares: of all vectors, of what their codes leave out
  std::int64_t terms_used_ = 0;
  Packet last_;
};

}  // namespace stream::signals
