#include "recommenders/play_baselines.hpp"

#include <memory>

namespace stream::recommenders {

namespace {

template <typename Fill>
Scorer for_each_question(std::size_t items, Fill fill) {
  return [items, fill](std::span<const Question> questions) {
    std::vector<std::vector<float>> out;
    for (const Question& q : questions) {
      out.emplace_back(items + 1, 0.0f);
      fill(q, out.back());
    }
    return out;
  };
}

}  // namespace

Scorer by_personal_counts(std::size_t items) {
  return for_each_question(items, [](const Question& q, std::vector<float>& scores) {
    for (const Session& s : q.past)
      for (const std::int32_t item : s.items) scores[static_cast<std::size_t>(item)] += 1;
  });
}

Scorer by_base_level(std::size_t items) {
  return for_each_question(items, [](const Question& q, std::vector<float>& scores) {
    for (const Activation& a : activations_of(q.past, q.now))
      scores[static_cast<std::size_t>(a.item)] = static_cast<float>(a.strength);
  });
}

Scorer by_popularity(const SessionLog& log, std::span<const std::size_t> upto) {
  std::vector<float> counts(log.catalogue.size() + 1);
  for (std::size_t u = 0; u < log.sessions.size(); ++u)
    for (std::size_t s = 0; s < upto[u]; ++s)
      for (const std::int32_t item : log.sessions[u][s].items) counts[static_cast<std::size_t>(item)] += 1;
  return [counts](std::span<const Question> questions) {
    return std::vector<std::vector<float>>(questions.size(), counts);
  };
}

Scorer by_the_world(const WorldOptions& options, std::int64_t draws) {
  struct Kept {  // of one user at a time: questions come user by user
    ListeningWorld world;
    std::int32_t user = -1;
    std::size_t first = 0;
    std::vector<std::vector<float>> chances;
  };
  const auto kept = std::make_shared<Kept>(Kept{ListeningWorld(options), -1, 0, {}});
  return [kept, draws](std::span<const Question> questions) {
    std::vector<std::vector<float>> out;
    for (const Question& q : questions) {
      if (q.user != kept->user || q.past.size() < kept->first) {
        kept->user = q.user, kept->first = q.past.size();
        kept->chances = kept->world.chances(q.user, static_cast<std::int32_t>(q.past.size()), draws);
      }
      out.push_back(kept->chances.at(q.past.size() - kept->first));
    }
    return out;
  };
}

}  // namespace stream::recommenders
