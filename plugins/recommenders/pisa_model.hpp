/// A trained PISA: its file, and its forward pass for one user in plain arithmetic.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "nn/dense.hpp"
#include "recommenders/item_index.hpp"
#include "recommenders/pisa_network.hpp"

namespace stream::recommenders {

/// Writes network, catalogue, co-occurrence and the weight of the long-term vector in scores.
void write_pisa(const std::string& path, const PisaNetwork& network, const Catalogue& catalogue,
                const Cooccurrence& cooccurrence, double long_term);

/// Immutable; many users' states share one.
class PisaModel {
 public:
  /// Throws Error(kNoInput), Error(kBadData), Error(kBadRecipe) that name the file.
  PisaModel(const std::string& path, ItemIndex::Options options);
  /// The model of that file, which is read once however many ask for it while it is in use.
  static std::shared_ptr<const PisaModel> shared(const std::string& path, ItemIndex::Options options);

  struct Answer {
    std::vector<float> query;    ///< u + l_ls lt: its inner product with an item's vector is the item's score
    std::vector<float> weights;  ///< of the slots of the last session, as far as it has items
    std::vector<std::array<float, 3>> parts;  ///< base level, spreading and matching of each of them
  };
  /// What the network says of these sessions at `now`; the equal of PisaNetwork::forward at the last
  /// position.
  Answer answer(std::span<const Session> sessions, const BaseLevels& levels) const;

  std::size_t length() const { return static_cast<std::size_t>(shape_.length); }
  const Catalogue& catalogue() const { return catalogue_; }
  const Cooccurrence& cooccurrence() const { return cooccurrence_; }
  const ItemIndex& index() const { return *index_; }

 private:
  struct Norm {
    std::vector<float> scale, shift;
  };
  struct Block {
    Norm query_norm, forward_norm;
    nn::DenseLinear query, key, value, inner, outer;
  };
  void attend(const Block& block, std::vector<float>& x, const std::vector<bool>& there) const;
  PisaShape shape_;
  double long_term_ = 0;
  std::array<float, 3> activation_weights_{};
  std::vector<float> positions_, fusion_;  ///< [L, d]; [2, 2d] and its two biases
  std::vector<Block> blocks_;
  Catalogue catalogue_;
  Cooccurrence cooccurrence_;
  std::unique_ptr<ItemIndex> index_;
};

}  // namespace stream::recommenders
