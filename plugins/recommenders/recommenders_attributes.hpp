/// recommenders.attributes: what a listener's playlists give away, event by event.
#pragma once

#include "recommenders/deepset_model.hpp"
#include "recommenders/playlist_book.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class AttributesOperator final : public Operator {
 public:
  static Spec spec();
  explicit AttributesOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  Object prediction() const;
  std::shared_ptr<const DeepSetModel> model_;
  std::string playlist_;
  std::size_t why_;
  PlaylistBook book_;
  PlaylistSet set_;
};

}  // namespace stream::recommenders
