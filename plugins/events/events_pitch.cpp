#include "events/events_pitch.hpp"

#include "stream/error.hpp"

namespace stream::events {

Spec PitchSource::spec() {
  const PitchOptions o;
  return Spec("events.pitch", "Make up games of two teams and a ball: few acts, much drifting.")
      .output<Record>("out",
                      "{\"game\", \"t\": seconds, \"nodes\": [{\"id\", \"type\", \"x\": [place, velocity, "
                      "way, speed that way]}], "
                      "\"edges\": [{\"src\", \"dst\", \"rel\"}]}, keyed by game")
      .output<Record>("labels",
                      "{\"game\", \"t\", \"labels\"}: [\"counter\"] or [] at the end of a game; or {id: "
                      "[\"pass\", \"shot\", \"win\"]} of what each does in the next 15 steps")
      .param("task", "counter",
             "the last goal was a counter-attack: an interception, two forward passes, a shot; or what comes "
             "next",
             choices({"counter", "next"}))
      .param("games", std::int64_t{10}, "one after the other", range(1, 1e6))
      .param("players", o.players, "of a team", range(4, 50))
      .param("steps", o.steps, "of a game, a second each", range(60, 1e6))
      .param("least_gap", o.least_gap, "quiet steps between acts", range(5, 1e5))
      .param("most_gap", o.most_gap, "in half of the games gaps are shorter than the middle, in half longer",
             range(7, 1e5))
      .contract({.order = Order::kStateful})
      .about(
          "Players drift about their places; the ball is with one of them or flies for three steps. Passes, "
          "interceptions, tackles, shots, goals and balls that go out are a few steps in a hundred. Games "
          "without a counter-attack differ from those with one in how the ball was won, or in where one or "
          "both of the passes went. \"near\" leads from each player to the nearest other one, \"has\" from "
          "the player with the ball to it.")
      .paper(
          "Maheshwari, Ren, Wang, Sosic, Leskovec, TimeGraphs: Graph-based Temporal Reasoning, arXiv "
          "2401.03134")
      .example("Two games", R"([nodes.games]
use   = "events.pitch"
games = 2
steps = 120
most_gap = 20

[nodes.out]
use  = "jsonl.write"
from = "games.out"
)");
}

PitchSource::PitchSource(const Params& p)
    : GameSource(p.get<std::int64_t>("games"), pitch_vocabulary(),
                 p.get<std::string>("task") == "counter" ? std::vector<std::string>{"counter"}
                                                         : std::vector<std::string>{"pass", "shot", "win"},
                 p.get<std::string>("task") == "next", p.random("games")),
      options_{p.get<std::string>("task") == "counter" ? PitchTask::kCounter : PitchTask::kNext,
               p.get<std::int64_t>("players"), p.get<std::int64_t>("steps"), p.get<std::int64_t>("least_gap"),
               p.get<std::int64_t>("most_gap")} {
  if (options_.most_gap < options_.least_gap + 2)
    throw bad_recipe("most_gap must be greater than least_gap by 2 and more");
  if (options_.task == PitchTask::kCounter && options_.steps < 3 * options_.most_gap + 30)
    throw bad_recipe("a game of " + std::to_string(options_.steps) + " steps has no room for three gaps of " +
                     std::to_string(options_.most_gap) + ": 3 most_gap + 30 steps at the least");
}

}  // namespace stream::events
