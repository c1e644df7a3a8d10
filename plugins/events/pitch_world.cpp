#include "events/pitch_world.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace stream::events {

const SceneVocabulary& pitch_vocabulary() {
  static const SceneVocabulary v{{"home", "away", "ball"}, {"near", "has"}, 6};
  return v;
}

namespace {

struct Place {
  double x = 0, y = 0;
};
double distance(Place a, Place b) { return std::hypot(a.x - b.x, a.y - b.y); }

/// Players 0 .. n-1 attack to the right, n .. 2n-1 to the left; within a team from the back to the front.
class Match {
 public:
  Match(const PitchOptions& options, Random& random) : o_(options), random_(random) {
    const auto n = static_cast<std::size_t>(o_.players);
    for (std::size_t i = 0; i < 2 * n; ++i) {
      const double role = static_cast<double>(i % n) / static_cast<double>(n - 1);
      home_.push_back(
          {(i < n ? 1 : -1) * (1.5 * role - 0.75) + random_.normal() * 0.03, random_.uniform(-0.7, 0.7)});
      at_.push_back({home_.back().x + random_.normal() * 0.04, home_.back().y + random_.normal() * 0.04});
    }
    before_ = at_;
    holder_ = static_cast<std::int64_t>(random_.below(2 * n));
    ball_ = ball_before_ = at_[static_cast<std::size_t>(holder_)];
  }

  bool busy() const { return flight_ > 0 || duel_ > 0 || holder_ < 0; }
  std::int64_t holder() const { return holder_; }
  std::int64_t team(std::int64_t player) const { return player / o_.players; }
  std::int64_t role(std::int64_t player) const { return player % o_.players; }
  std::int64_t step() const { return static_cast<std::int64_t>(game.scenes.size()); }

  /// Who has the ball once what is going on has ended; -1 while nobody does.
  std::int64_t next_holder() const { return duel_ > 0 ? winner_ : holder_; }

  /// The ball flies to a player; one of the other team intercepts it.
  void pass(std::int64_t receiver) {
    act("pass", holder_);
    flight_ = 3, receiver_ = receiver, goal_ = false;
    intercepted_ = team(receiver) != team(holder_);
    holder_ = -1;
  }
  /// A player of the other team runs into the one who has the ball, and has it then.
  void tackle(std::int64_t winner) {
    act("tackle", winner);
    duel_ = 3, winner_ = winner;
  }
  void shoot(bool goal) {
    act("shot", holder_);
    shooter_ = holder_, flight_ = 3, receiver_ = -1, goal_ = goal;
    aim_ = {team(holder_) == 0 ? 1.1 : -1.1, goal ? 0.0 : 0.5};
    holder_ = -1;
  }
  void out() {
    act("out", holder_);
    shooter_ = holder_, flight_ = 2, receiver_ = -1, goal_ = false;
    aim_ = {at_[static_cast<std::size_t>(holder_)].x, 1.1};
    holder_ = -1;
  }

  /// One step goes by and is written down.
  void drift() {
    before_ = at_, ball_before_ = ball_;
    for (std::size_t i = 0; i < at_.size(); ++i) {
      at_[i].x += 0.15 * (home_[i].x - at_[i].x) + 0.012 * random_.normal();
      at_[i].y += 0.15 * (home_[i].y - at_[i].y) + 0.012 * random_.normal();
    }
    if (duel_ > 0) {
      Place &winner = at_[static_cast<std::size_t>(winner_)], &loser = at_[static_cast<std::size_t>(holder_)];
      const Place way{(loser.x - winner.x) / static_cast<double>(duel_),
                      (loser.y - winner.y) / static_cast<double>(duel_)};
      winner.x += way.x, winner.y += way.y;
      loser.x += 0.3 * way.x, loser.y += 0.3 * way.y;  // and is run down
      if (--duel_ == 0) holder_ = winner_;
      ball_ = at_[static_cast<std::size_t>(holder_)];
    } else if (flight_ > 0) {
      const Place to = receiver_ >= 0 ? at_[static_cast<std::size_t>(receiver_)] : aim_;
      const Place way{(to.x - ball_.x) / static_cast<double>(flight_),
                      (to.y - ball_.y) / static_cast<double>(flight_)};
      ball_.x += way.x, ball_.y += way.y;
      for (Place& place : at_) place.x += 0.2 * way.x, place.y += 0.2 * way.y;  // both teams shift with it
      if (--flight_ == 0) arrive();
    } else if (holder_ >= 0) {
      ball_ = at_[static_cast<std::size_t>(holder_)];
    } else if (--restart_ <= 0) {  // the other team begins again
      const std::int64_t other = 1 - team(shooter_);
      holder_ = other * o_.players + o_.players / 2;
      ball_ = at_[static_cast<std::size_t>(holder_)];
    }
    write();
  }

  Game game;

 private:
  void act(const char* kind, std::int64_t player) { game.acts.push_back({step(), kind, name(player)}); }
  std::string name(std::int64_t player) const {
    return (team(player) == 0 ? "h" : "a") + std::to_string(role(player));
  }
  void arrive() {
    if (receiver_ >= 0) {
      holder_ = receiver_;
      if (intercepted_) act("interception", holder_);
      intercepted_ = false;
      return;
    }
    if (goal_) act("goal", shooter_);
    restart_ = 3;
  }
  void write() {
    Scene scene;
    scene.time = static_cast<double>(step());
    const auto node = [&](std::string id, std::int32_t type, std::int64_t side, Place now, Place then) {
      const double way = side == 0 ? 1 : -1;
      scene.nodes.push_back({std::move(id),
                             type,
                             {static_cast<float>(now.x), static_cast<float>(now.y),
                              static_cast<float>(now.x - then.x), static_cast<float>(now.y - then.y),
                              static_cast<float>(way), static_cast<float>(way * (now.x - then.x))}});
    };
    if (holder_ >= 0) touched_ = team(holder_);
    const auto count = static_cast<std::int32_t>(at_.size());
    for (std::int32_t i = 0; i < count; ++i)
      node(name(i), static_cast<std::int32_t>(team(i)), team(i), at_[static_cast<std::size_t>(i)],
           before_[static_cast<std::size_t>(i)]);
    node("ball", 2, touched_, ball_, ball_before_);
    for (std::int32_t i = 0; i < count; ++i) {
      std::vector<std::pair<double, std::int32_t>> others;
      for (std::int32_t j = 0; j < count; ++j)
        if (j != i)
          others.emplace_back(distance(at_[static_cast<std::size_t>(i)], at_[static_cast<std::size_t>(j)]),
                              j);
      scene.edges.push_back({i, std::min_element(others.begin(), others.end())->second, 0});
    }
    if (holder_ >= 0) scene.edges.push_back({static_cast<std::int32_t>(holder_), count, 1});
    game.scenes.push_back(std::move(scene));
  }

  PitchOptions o_;
  Random& random_;
  std::vector<Place> home_, at_, before_;
  Place ball_, ball_before_, aim_;
  std::int64_t holder_, receiver_ = -1, shooter_ = 0, winner_ = 0, flight_ = 0, duel_ = 0, restart_ = 0;
  std::int64_t touched_ = 0;  ///< team that had the ball last
  bool goal_ = false, intercepted_ = false;
};

/// A team-mate of `player` in a role from `low` to `high`; -1 when there is none.
std::int64_t mate(const Match& match, const PitchOptions& o, std::int64_t player, std::int64_t low,
                  std::int64_t high, Random& random) {
  low = std::max<std::int64_t>(low, 0), high = std::min(high, o.players - 1);
  if (low > high) return -1;
  return match.team(player) * o.players + low +
         static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

std::int64_t opponent(const Match& match, const PitchOptions& o, std::int64_t player, std::int64_t role) {
  return (1 - match.team(player)) * o.players + role;
}

/// A pass to a role further to the front (or back), if there is one.
bool pass(Match& match, const PitchOptions& o, bool forward, Random& random) {
  const std::int64_t from = match.holder(), role = match.role(from);
  const std::int64_t to = forward ? mate(match, o, from, role + 1, role + 2, random)
                                  : mate(match, o, from, role - 2, role - 1, random);
  if (to < 0) return false;
  match.pass(to);
  return true;
}

/// Whatever comes to pass.
void anything(Match& match, const PitchOptions& o, Random& random) {
  const std::int64_t role = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(o.players)));
  const std::int64_t winner = opponent(match, o, match.holder(), role);
  switch (random.below(8)) {
    case 0:
      match.pass(winner);
      break;
    case 1:
      match.tackle(winner);
      break;
    case 2:
      match.shoot(random.below(2) == 0);
      break;
    case 3:
      match.out();
      break;
    default:
      if (const bool forward = random.below(2) == 0; !pass(match, o, forward, random))
        pass(match, o, !forward, random);
  }
}

/// How a goal came about: who won the ball and how, who got the first pass, and the second, and shot.
struct Attack {
  bool tackled = false, forward[2] = {true, true};
  std::int64_t roles[3] = {0, 0, 0};
};

/// A counter-attack, or what lacks one thing or two.
Attack any_attack(const PitchOptions& o, bool counter, Random& random) {
  Attack a;
  if (!counter) switch (random.below(4)) {
      case 0:
        a.tackled = true;
        break;
      case 1:
        a.forward[0] = false;
        break;
      case 2:
        a.forward[1] = false;
        break;
      default:
        a.forward[0] = a.forward[1] = false;
    }
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  const std::int64_t front = o.players - 1, back = (a.forward[0] ? 0 : 1) + (a.forward[1] ? 0 : 1);
  a.roles[0] = between(back, front - 2 + back);
  for (int pass = 0; pass < 2; ++pass) {
    const std::int64_t from = a.roles[pass];
    // The first of two passes the same way leaves room for the second.
    const std::int64_t room = pass == 0 && a.forward[0] == a.forward[1] ? 1 : 0;
    a.roles[pass + 1] = a.forward[pass] ? between(from + 1, std::min(from + 2, front - room))
                                        : between(std::max(from - 2, room), from - 1);
  }
  return a;
}

/// The same, where who shoots says nothing about the answer: otherwise the front player, whom two forward
/// passes reach most often, would give it away (right three times of four) to whoever sees the shot alone.
Attack attack(const PitchOptions& o, bool counter, Random& random) {
  const std::int64_t shooter =
      2 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(o.players - 2)));
  for (;;) {
    const Attack a = any_attack(o, counter, random);
    if (a.roles[2] == shooter) return a;
  }
}

Game counter(const PitchOptions& o, Random& random) {
  Match match(o, random);
  const bool yes = random.below(2) == 0, patient = random.below(2) == 0;
  const std::int64_t middle = (o.least_gap + o.most_gap) / 2;
  const auto gap = [&] {
    return patient ? middle + static_cast<std::int64_t>(
                                  random.below(static_cast<std::uint64_t>(o.most_gap - middle + 1)))
                   : o.least_gap + static_cast<std::int64_t>(
                                       random.below(static_cast<std::uint64_t>(middle - o.least_gap)));
  };
  std::array<std::int64_t, 3> gaps{};
  for (auto& g : gaps) g = gap();
  const std::int64_t shot = o.steps - 6, second = shot - gaps[2], first = second - gaps[1],
                     win = first - gaps[0];
  const Attack a = attack(o, yes, random);
  std::int64_t next = 3 + gap();
  while (match.step() < o.steps) {
    const std::int64_t now = match.step();
    if (now == win) {
      const std::int64_t winner = opponent(match, o, match.holder(), a.roles[0]);
      a.tackled ? match.tackle(winner) : match.pass(winner);
    } else if (now == first || now == second) {
      match.pass(match.team(match.holder()) * o.players + a.roles[now == first ? 1 : 2]);
    } else if (now == shot) {
      match.shoot(true);
    } else if (now >= next && now < win - 8 && !match.busy()) {
      anything(match, o, random);
      next = now + gap();
    }
    match.drift();
  }
  match.game.questions.push_back({o.steps - 1, {yes ? 1.f : 0.f}});
  match.game.gap = static_cast<double>(gaps[0] + gaps[1] + gaps[2]) / 3;
  return std::move(match.game);
}

/// Tactics: a team that intercepted plays to the next role in front, one that tackled to the next but one
/// round the team; the pace is the team's own in this game.
Game tactics(const PitchOptions& o, Random& random) {
  Match match(o, random);
  const std::int64_t paces[2] = {8 + static_cast<std::int64_t>(random.below(4)),
                                 16 + static_cast<std::int64_t>(random.below(8))};
  std::int64_t stride = 1, passes = 0, next = 6;
  while (match.step() < o.steps) {
    if (match.step() >= next && !match.busy()) {
      const std::int64_t from = match.holder(), role = match.role(from);
      const auto dice = random.below(100);
      const std::int64_t winner = opponent(match, o, from, o.players - 1 - role);
      if (dice < 12) {
        match.pass(winner), stride = 1, passes = 0;
      } else if (dice < 22) {
        match.tackle(winner), stride = 2, passes = 0;
      } else if (passes >= 3) {
        match.shoot(random.below(2) == 0), stride = 1, passes = 0;
      } else {
        const std::int64_t to = match.team(from) * o.players + (role + stride) % o.players;
        match.pass(to), ++passes;
      }
      const std::int64_t has = match.next_holder() >= 0 ? match.next_holder() : dice < 12 ? winner : from;
      next = match.step() + paces[match.team(has)] + static_cast<std::int64_t>(random.below(3));
    }
    match.drift();
  }
  Game& game = match.game;
  for (std::int64_t t = 40; t + kPitchAhead < o.steps; t += 14) {
    const Scene& scene = game.scenes[static_cast<std::size_t>(t)];
    Question q{t, std::vector<float>(scene.nodes.size() * kPitchActs)};
    for (const Act& act : game.acts) {
      if (act.step <= t || act.step > t + kPitchAhead) continue;
      const std::size_t kind = act.kind == "pass"                                   ? 0
                               : act.kind == "shot"                                 ? 1
                               : act.kind == "tackle" || act.kind == "interception" ? 2
                                                                                    : kPitchActs;
      if (kind == kPitchActs) continue;
      for (std::size_t i = 0; i < scene.nodes.size(); ++i)
        if (scene.nodes[i].id == act.agent) q.answer[i * kPitchActs + kind] = 1;
    }
    for (std::size_t k = 0; k < kPitchActs; ++k)
      q.answer[(scene.nodes.size() - 1) * kPitchActs + k] = -1;  // the ball does nothing by itself
    game.questions.push_back(std::move(q));
  }
  return std::move(game);
}

}  // namespace

Game play_pitch(const PitchOptions& options, Random& random) {
  return options.task == PitchTask::kCounter ? counter(options, random) : tactics(options, random);
}

}  // namespace stream::events
