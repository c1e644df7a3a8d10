/// recommenders.listening: made-up listeners' logs, to train and test on.
#pragma once

#include "recommenders/listening_world.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class ListeningSource final : public Source {
 public:
  static Spec spec();
  explicit ListeningSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override { state.set("next", static_cast<std::int64_t>(next_)); }
  void load(const Archive& state) override;

 private:
  ListeningWorld world_;
  std::vector<Play> plays_;  ///< of all users, in order of time
  std::size_t next_ = 0;
};

/// All plays of a world, in order of time.
std::vector<Play> all_plays(const ListeningWorld& world);

}  // namespace stream::recommenders
