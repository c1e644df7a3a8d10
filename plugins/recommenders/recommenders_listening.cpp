#include "recommenders/recommenders_listening.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::recommenders {

Spec ListeningSource::spec() {
  const WorldOptions o;
  return Spec("recommenders.listening",
              "Make up what listeners play: repeats by a power-law memory, and discoveries.")
      .output<Record>("out",
                      "{\"user\", \"item\", \"ts\": seconds, \"session\"} in order of time, keyed by user")
      .param("tracks", std::int64_t{o.tracks}, "in the catalogue", range(10, 1e6))
      .param("genres", std::int64_t{o.genres}, "that the tracks lie in", range(1, 1e5))
      .param("users", std::int64_t{o.users}, "who listen", range(1, 1e6))
      .param("sessions", std::int64_t{o.sessions}, "of each user", range(1, 1e5))
      .param("memory", true, "repeats follow the times of past plays; false: uniform over what was heard")
      .contract({.order = Order::kStateful})
      .about(
          "Tracks lie in genres and in groups of 6 to 10 that are heard together. A slot of a session is a "
          "repeat "
          "with the user's probability (0.3 to 0.8), drawn in proportion to the sum over past plays of "
          "age^-0.5, "
          "times how well the track goes with the session; otherwise a track that was never heard: of the "
          "group of "
          "this session's last track, of a recent discovery, or of a genre that the user is interested in, "
          "by taste "
          "and popularity. Interests drift. Sessions lie hours to days apart, with breaks of weeks.")
      .paper(
          "Tran, Salha-Galvan, Sguerra, Hennequin, Transformers Meet ACT-R: Repeat-Aware and Sequential "
          "Listening "
          "Session Recommendation, RecSys 2024, arXiv 2408.16578")
      .example("Three listeners", R"([nodes.plays]
use      = "recommenders.listening"
users    = 3
sessions = 5

[nodes.out]
use  = "jsonl.write"
from = "plays"
)");
}

std::vector<Play> all_plays(const ListeningWorld& world) {
  std::vector<Play> plays;
  for (std::int32_t user = 0; user < world.options().users; ++user) {
    const auto some = world.plays(user);
    plays.insert(plays.end(), some.begin(), some.end());
  }
  std::stable_sort(plays.begin(), plays.end(), [](const Play& a, const Play& b) { return a.time < b.time; });
  return plays;
}

ListeningSource::ListeningSource(const Params& p)
    : world_({.tracks = p.get<std::int32_t>("tracks"),
              .genres = p.get<std::int32_t>("genres"),
              .users = p.get<std::int32_t>("users"),
              .sessions = p.get<std::int32_t>("sessions"),
              .memory = p.get<bool>("memory"),
              .seed = p.random("world")()}),
      plays_(all_plays(world_)) {}

bool ListeningSource::read(Output& out) {
  for (int i = 0; i < 256 && next_ < plays_.size(); ++i, ++next_) {
    const Play& play = plays_[next_];
    const double time = std::round(play.time);
    Packet packet = Packet::of<Record>(Time{static_cast<std::int64_t>(time) * 1'000'000'000},
                                       Object{{"user", "u" + std::to_string(play.user)},
                                              {"item", "t" + std::to_string(play.track)},
                                              {"ts", static_cast<std::int64_t>(time)},
                                              {"session", play.session}});
    packet.key = Key("u" + std::to_string(play.user));
    out.emit(std::move(packet));
  }
  return next_ < plays_.size();
}

double ListeningSource::fraction() const {
  return static_cast<double>(next_) / static_cast<double>(plays_.size());
}

void ListeningSource::load(const Archive& state) {
  next_ = state.get<std::size_t>("next");
  if (next_ > plays_.size()) throw bad_data("the checkpoint is of another world");
}

}  // namespace stream::recommenders
