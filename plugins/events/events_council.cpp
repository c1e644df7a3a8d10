#include "events/events_council.hpp"

namespace stream::events {

Spec CouncilSource::spec() {
  const CouncilOptions o;
  return Spec("events.council", "Make up councils with spies among them: talk, glances, votes and missions.")
      .output<Record>(
          "out",
          "{\"game\", \"t\": seconds, \"nodes\": [{\"id\", \"type\", \"x\": [on the team, vote, how "
          "the mission ended]}], \"edges\": [{\"src\", \"dst\", \"rel\"}]}, keyed by game")
      .output<Record>("labels",
                      "{\"game\", \"t\", \"labels\": {id: [\"spy\"]}} after each round from the third on")
      .param("games", std::int64_t{10}, "one after the other", range(1, 1e6))
      .param("players", o.players, "of whom two or three are spies", range(4, 100))
      .param("rounds", o.rounds, "of talk, a vote and a mission", range(3, 1000))
      .param("talk", o.talk, "steps of talk before a vote, on the average", range(2, 1e5))
      .contract({.order = Order::kStateful})
      .about(
          "Spies know each other. They vote for teams with a spy on them, and most missions with a spy fail; "
          "for three steps after a mission they look at each other more than others do. All else is chance.")
      .paper(
          "Maheshwari, Ren, Wang, Sosic, Leskovec, TimeGraphs: Graph-based Temporal Reasoning, arXiv "
          "2401.03134")
      .example("One council", R"([nodes.games]
use   = "events.council"
games = 1

[nodes.out]
use  = "jsonl.write"
from = "games.out"
)");
}

CouncilSource::CouncilSource(const Params& p)
    : GameSource(p.get<std::int64_t>("games"), council_vocabulary(), {"spy"}, true, p.random("games")),
      options_{p.get<std::int64_t>("players"), p.get<std::int64_t>("rounds"), p.get<std::int64_t>("talk")} {}

}  // namespace stream::events
