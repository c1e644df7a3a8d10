/// PISA: sessions weighted by memory, a causal transformer over them, and a long-term vector beside it.
///
/// Tran, Salha-Galvan, Sguerra, Hennequin, "Transformers Meet ACT-R: Repeat-Aware and Sequential Listening
/// Session Recommendation", RecSys 2024, arXiv 2408.16578.
#pragma once

#include "nn/blocks.hpp"
#include "recommenders/pisa_features.hpp"

namespace stream::recommenders {

struct PisaShape {
  std::int64_t items = 0;      ///< in the catalogue
  std::int64_t features = 32;  ///< d
  std::int64_t length = 10;    ///< sessions, L
  std::int64_t blocks = 2, heads = 2;
  bool activations = true;  ///< false: a session is the plain mean of its items ("mean-PISA")
  double item_rate = 0.1;   ///< how fast items leave where they start, against everything else
};

/// One block of SASRec (Kang and McAuley, ICDM 2018): queries from the normalised input, keys and values from
/// the input itself, the residual on the normalised query.
class SasrecBlock : public torch::nn::Module {
 public:
  SasrecBlock(std::int64_t features, std::int64_t heads, const at::Generator& generator);
  /// x [B, L, d]; mask [B, L, 1], 1 where there is something. Position i sees 1..i. Returns [B, L, d].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& mask) const;

 private:
  std::int64_t heads_;
  std::shared_ptr<nn::LayerNorm> query_norm_, forward_norm_;
  std::shared_ptr<nn::Linear> query_, key_, value_, inner_, outer_;
};

/// A batch, as tensors.
struct PisaBatch {
  at::Tensor items, base, spreading;                       ///< [B, L, kSlots], int64 and float32
  at::Tensor long_items, long_weights;                     ///< [B, kLongTerm]
  at::Tensor target_items, target_base, target_spreading;  ///< as the first three, one session later
  at::Tensor negatives;                                    ///< [B, L, kSlots], int64
};

struct PisaLoss {
  double task = 0.9, positive = 0.9, long_term = 0.4;  ///< l_task, l_pos, l_ls
};

class PisaNetwork : public torch::nn::Module {
 public:
  PisaNetwork(PisaShape shape, const at::Generator& generator);
  struct Vectors {
    at::Tensor user;       ///< u [B, L, d], of length 1
    at::Tensor long_term;  ///< lt [B, d], of length 1, or 0 for who has heard nothing
  };
  Vectors forward(const PisaBatch& batch) const;
  at::Tensor loss(const PisaBatch& batch, const PisaLoss& weights) const;
  /// Weights of the slots of a session [B, L, kSlots], which sum to 1: base level, spreading and the match of
  /// each item with those of the session `before`, but for the one in its own slot, as the published code has
  /// it.
  at::Tensor slot_weights(const at::Tensor& items, const at::Tensor& before, const at::Tensor& base,
                          const at::Tensor& spreading) const;
  const PisaShape& shape() const { return shape_; }
  /// Where items start: [items + 1, d].
  void start_at(const at::Tensor& vectors);
  /// [items + 1, d]; row 0 is padding.
  at::Tensor item_vectors() const { return start_ + shape_.item_rate * moved_; }
  at::Tensor activation_weights;  ///< [3]: base level, spreading, partial matching

 private:
  at::Tensor vectors_of(const at::Tensor& items) const;
  at::Tensor start_,
      moved_;  ///< [items + 1, d]: Adam's steps do not depend on a gradient's scale, this one does
  at::Tensor session_vectors(const at::Tensor& items, const at::Tensor& before, const at::Tensor& base,
                             const at::Tensor& spreading) const;
  PisaShape shape_;
  at::Tensor positions_;  ///< [L, d]
  std::vector<std::shared_ptr<SasrecBlock>> blocks_;
  std::shared_ptr<nn::Linear> fusion_;  ///< [2d] -> 2
};

/// SASRec on sequences of items, the baseline: the same blocks, item by item.
class SasrecNetwork : public torch::nn::Module {
 public:
  SasrecNetwork(std::int64_t items, std::int64_t features, std::int64_t length, std::int64_t blocks,
                std::int64_t heads, double item_rate, const at::Generator& generator);
  /// sequence [B, N] int64, 0: padding in front. Returns [B, N, d].
  at::Tensor forward(const at::Tensor& sequence) const;
  /// Binary cross-entropy of the next item against one negative each; targets and negatives [B, N].
  at::Tensor loss(const at::Tensor& sequence, const at::Tensor& targets, const at::Tensor& negatives) const;
  void start_at(const at::Tensor& vectors);
  at::Tensor item_vectors() const { return start_ + item_rate_ * moved_; }

 private:
  double item_rate_;
  at::Tensor start_, moved_, positions_;
  std::vector<std::shared_ptr<SasrecBlock>> blocks_;
  std::shared_ptr<nn::LayerNorm> norm_;
};

}  // namespace stream::recommenders
