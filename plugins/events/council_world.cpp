#include "events/council_world.hpp"

#include <algorithm>

namespace stream::events {

const SceneVocabulary& council_vocabulary() {
  static const SceneVocabulary v{{"player", "table"}, {"speaks", "looks"}, 3};
  return v;
}

Game hold_council(const CouncilOptions& o, Random& random) {
  const auto n = static_cast<std::size_t>(o.players);
  const auto shuffled = [&] {
    std::vector<std::size_t> all(n);
    for (std::size_t i = 0; i < n; ++i) all[i] = i;
    for (std::size_t i = n; i > 1; --i) std::swap(all[i - 1], all[random.below(i)]);
    return all;
  };
  std::vector<bool> spy(n);
  {
    const auto order = shuffled();
    for (std::size_t i = 0; i < 2 + random.below(2); ++i) spy[order[i]] = true;
  }
  Game game;
  std::vector<float> team(n), vote(n);
  float result = 0;
  std::int64_t glances = 0;  ///< steps since a mission ended during which spies give themselves away
  const auto someone_else = [&](std::size_t self) {
    const std::size_t other = random.below(n - 1);
    return other + (other >= self ? 1 : 0);
  };
  const auto write = [&](bool talking) {
    Scene scene;
    scene.time = static_cast<double>(game.scenes.size());
    for (std::size_t i = 0; i < n; ++i)
      scene.nodes.push_back({"p" + std::to_string(i), 0, {team[i], vote[i], 0}});
    scene.nodes.push_back({"table", 1, {0, 0, result}});
    if (talking) {
      const std::size_t speaker = random.below(n);
      scene.edges.push_back(
          {static_cast<std::int32_t>(speaker), static_cast<std::int32_t>(someone_else(speaker)), 0});
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (random.below(2) == 0) continue;
      std::size_t at = someone_else(i);
      if (glances > 0 && spy[i] && random.below(100) < 70)
        for (std::size_t k = 1; k < n; ++k)
          if (spy[(i + k) % n]) at = (i + k) % n;
      scene.edges.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(at), 1});
    }
    --glances;
    game.scenes.push_back(std::move(scene));
  };
  const auto act = [&](const char* kind, const std::string& agent) {
    game.acts.push_back({static_cast<std::int64_t>(game.scenes.size()), kind, agent});
  };
  for (std::int64_t round = 0; round < o.rounds; ++round) {
    const std::int64_t talk =
        o.talk / 2 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(o.talk) + 1));
    for (std::int64_t t = 0; t < talk; ++t) write(true);
    const auto order = shuffled();
    bool infiltrated = false;
    for (std::size_t k = 0; k < 3; ++k) team[order[k]] = 1, infiltrated = infiltrated || spy[order[k]];
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t yes = spy[i] ? (infiltrated ? 85 : 25) : 55;
      vote[i] = random.below(100) < yes ? 1.f : -1.f;
    }
    act("vote", "table");
    write(false);
    std::fill(vote.begin(), vote.end(), 0.f);
    result = infiltrated && random.below(100) < 80 ? -1.f : 1.f;
    act("mission", "table");
    write(false);
    result = 0;
    std::fill(team.begin(), team.end(), 0.f);
    glances = 3;
    for (std::int64_t t = 0; t < 4; ++t) write(true);
    if (round < 2) continue;
    Question question{static_cast<std::int64_t>(game.scenes.size()) - 1, {}};
    for (std::size_t i = 0; i < n; ++i) question.answer.push_back(spy[i] ? 1.f : 0.f);
    question.answer.push_back(-1);
    game.questions.push_back(std::move(question));
  }
  game.gap = static_cast<double>(o.talk);
  return game;
}

}  // namespace stream::events
