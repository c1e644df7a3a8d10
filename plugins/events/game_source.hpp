/// What sources of made-up games have in common: scenes on one port, labels on the other.
#pragma once

#include "events/game.hpp"
#include "stream/operator.hpp"

namespace stream::events {

class GameSource : public Source {
 public:
  bool read(Output& out) final;
  double fraction() const final { return static_cast<double>(next_) / static_cast<double>(games_); }
  void save(Archive& state) const final;
  void load(const Archive& state) final;

 protected:
  /// `names`: of the outputs that an answer has numbers for; `per_node`: a row of them for each node.
  GameSource(std::int64_t games, const SceneVocabulary& vocabulary, std::vector<std::string> names,
             bool per_node, Random random)
      : vocabulary_(vocabulary),
        names_(std::move(names)),
        per_node_(per_node),
        games_(games),
        random_(random) {}
  virtual Game play(Random& random) const = 0;

 private:
  const SceneVocabulary& vocabulary_;
  std::vector<std::string> names_;
  bool per_node_;
  std::int64_t games_, next_ = 0;
  std::int64_t begin_ = 0;  ///< seconds at which the next game begins
  Random random_;
};

}  // namespace stream::events
