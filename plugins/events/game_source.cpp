#include "events/game_source.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::events {

namespace {

/// Quiet between games, in seconds.
constexpr std::int64_t kBreak = 60;

/// Names of what holds, of the whole or of each node.
Value labels_of(const Question& question, const Scene& scene, const std::vector<std::string>& names,
                bool per_node) {
  const auto row = [&](std::size_t r) {
    Array some;
    for (std::size_t k = 0; k < names.size(); ++k)
      if (question.answer[r * names.size() + k] > 0) some.emplace_back(names[k]);
    return some;
  };
  if (!per_node) return row(0);
  Object all;
  for (std::size_t i = 0; i < scene.nodes.size(); ++i)
    if (Array some = row(i); !some.empty()) all.set(scene.nodes[i].id, std::move(some));
  return all;
}

}  // namespace

bool GameSource::read(Output& out) {
  if (next_ == games_) return false;
  const Game game = play(random_);
  const std::string name = "g" + std::to_string(next_);
  std::size_t asked = 0;
  for (std::size_t t = 0; t < game.scenes.size(); ++t) {
    Scene scene = game.scenes[t];
    scene.time += static_cast<double>(begin_);
    Object record{{"game", name}};
    for (const auto& [member, value] : record_of(scene, vocabulary_)) record.set(member, value);
    const Time time{std::llround(scene.time) * 1'000'000'000};
    Packet packet = Packet::of<Record>(time, std::move(record));
    packet.key = Key(name);
    out.emit(0, std::move(packet));
    for (; asked < game.questions.size() && game.questions[asked].step == static_cast<std::int64_t>(t);
         ++asked) {
      Packet labels = Packet::of<Record>(
          time, Object{{"game", name},
                       {"t", scene.time},
                       {"labels", labels_of(game.questions[asked], scene, names_, per_node_)}});
      labels.key = Key(name);
      out.emit(1, std::move(labels));
    }
  }
  begin_ += static_cast<std::int64_t>(game.scenes.size()) + kBreak;
  return ++next_ < games_;
}

void GameSource::save(Archive& state) const {
  state.set("next", next_);
  state.set("begin", begin_);
  state.set("rng", random_.state());
}

void GameSource::load(const Archive& state) {
  next_ = state.get<std::int64_t>("next");
  begin_ = state.get<std::int64_t>("begin");
  if (next_ < 0 || next_ > games_ || begin_ < 0) throw bad_data("the checkpoint is of other games");
  random_.restore(state.get<std::vector<std::int64_t>>("rng"));
}

}  // namespace stream::events
