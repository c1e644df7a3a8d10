/// A graph of events in three levels that grows with a stream of scenes.
///
/// Level 0 is every node of every step. D steps after it a node's affinity to its surroundings is known:
/// above the threshold it is promoted to an event of level 1, otherwise the latest event of its entity
/// absorbs it and lasts longer for it. The same makes level 2 of level 1. Maheshwari et al., arXiv
/// 2401.03134; the streaming rule, and the links (events are linked when something that they stand for was),
/// are this implementation's.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "events/event_graph.hpp"
#include "events/event_model.hpp"

namespace stream::events {

enum class Promotion : std::uint8_t {
  kAffinity,  ///< VIPool's score
  kRandom,    ///< the same shares, whatever it is: a control
  kUniform,   ///< every node of every n-th step: a control
  kNone,      ///< level 0 alone
};

struct HierarchyOptions {
  Promotion promotion = Promotion::kAffinity;
  bool adaptive = false;            ///< thresholds follow the stream
  std::int64_t horizon = 8;         ///< H, steps of level 0 that are kept; ten times as many of level 1
  std::int64_t most_events = 1024;  ///< of level 2: the oldest are forgotten
  std::uint64_t seed = 0;           ///< of Promotion::kRandom
};

/// Steps of level 0 that are remembered. An entity that was in none of them is another one when it returns.
constexpr std::int64_t kept_steps(std::int64_t horizon, std::int64_t delay) {
  return horizon > 2 * delay + 2 ? horizon : 2 * delay + 2;
}

/// An event that has ended: another one of its entity and level began, or the entity left.
struct EndedEvent {
  std::int64_t level;
  std::string entity;
  std::int32_t type;
  double start, end;   ///< seconds, of the first and the last step that it stands for
  std::int64_t nodes;  ///< of level 0 that it stands for
  float affinity;
};

class EventHierarchy {
 public:
  EventHierarchy(std::shared_ptr<const EventModel> model, HierarchyOptions options);

  /// The next step; its time must not be before the last one's.
  void push(const Scene& scene);
  /// Events that have ended since they were last taken.
  std::vector<EndedEvent> take_ended();
  /// Ends all that are open.
  void finish();
  /// The graph of everything that is live, seen from the newest step.
  EventGraph graph() const;

  struct Promoted {
    std::int64_t level, step;
    std::int32_t entity;  ///< by order of appearance
    float affinity;
  };
  /// Every promotion is told to `watcher`, and every affinity (with level the one it was scored at).
  std::vector<Promoted>* promotions = nullptr;
  std::vector<Promoted>* scores = nullptr;
  /// What level 1 was scored on: for training, and only then.
  struct Level1Sample {
    std::int64_t step;
    std::int32_t entity;
    float affinity;  ///< that promoted it
    struct Neighbour {
      std::int64_t step;
      std::int32_t entity;
      float weight;  ///< 1 / sqrt(d_v d_u)
    };
    std::vector<Neighbour> neighbours;
  };
  std::vector<Level1Sample>* level1 = nullptr;

  std::int64_t steps() const { return step_; }
  double time() const { return time_; }
  const EventModel& model() const { return *model_; }
  /// Of promotion, now (they move where `adaptive`).
  const std::array<float, 2>& thresholds() const { return threshold_; }
  /// Nodes, neighbours and links looked at so far: what the work of a step is made of.
  std::int64_t work() const { return work_; }
  std::size_t bytes() const;
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  static constexpr std::int64_t kNobody = -1;
  struct Link {
    std::int32_t relation;
    std::int64_t other;  ///< number of an event of the same level
    bool outgoing;
    bool operator==(const Link&) const = default;
  };
  struct Event {  ///< of level 1 or 2
    std::int32_t entity = 0;
    std::string id;  ///< of the entity, which may have left
    std::int64_t step = 0, before = kNobody, parent = kNobody, nodes = 1;
    double start = 0, end = 0;
    float affinity = 0;  ///< at the level below: what promoted it
    std::int32_t degree = 1;
    std::vector<float> features;   ///< of the node below times that affinity
    std::vector<float> embedding;  ///< level 1: E of its features
    std::vector<Link> links;       ///< to older events, and to those of the same step
  };
  struct Level {
    std::int64_t next = 0;                 ///< number of the next one
    std::map<std::int64_t, Event> events;  ///< by number
    /// Null when it is gone.
    Event* find(std::int64_t number);
    const Event* find(std::int64_t number) const;
  };
  struct Node {  ///< of level 0
    std::int32_t entity = 0, degree = 1;
    std::int64_t before = kNobody;  ///< step at which the entity was last seen
    std::int64_t parent = kNobody;
    std::vector<float> inputs, once, features;  ///< x; after one convolution; inputs and both convolutions
    std::vector<float> embedding, sum, twice;   ///< E; A E; A A E without the way back
  };
  struct Step {
    std::int64_t step = 0;
    double time = 0;
    std::vector<Node> nodes;
    std::vector<SceneEdge> edges;
    std::vector<std::vector<std::int32_t>> beside;  ///< of each node, by edges of any relation and direction
    std::vector<std::pair<std::int32_t, std::int32_t>> order;  ///< (entity, index), sorted
  };
  struct Entity {
    std::string id;
    std::int32_t type = 0;
    std::int64_t seen = kNobody;                           ///< step
    double time = 0;                                       ///< of that step
    std::vector<float> x;                                  ///< as it was then
    std::array<std::int64_t, 2> latest{kNobody, kNobody};  ///< event of level 1, 2
  };

  const Step* find_step(std::int64_t step) const;
  Step* find_step(std::int64_t step);
  /// Index of the entity in a step; -1 when it is not there.
  static std::ptrdiff_t find(const Step* step, std::int32_t entity);
  Node node_of(const SceneNode& node, double time);
  void convolve(Step& step) const;
  /// Calls `f(neighbour, weight)` for every neighbour of a node of level 0, up to D steps later.
  template <typename F>
  void neighbours(const Step& step, std::size_t index, F&& f) const;
  void sum_neighbours(Step& step) const;
  void sum_twice(Step& step) const;
  void decide(Step& step);
  bool promoted(std::size_t level, float affinity, std::int64_t step, std::int32_t entity);
  /// Begins an event that follows the entity's latest one, which ends.
  std::int64_t begin_event(std::size_t level, Event event);
  void end_event(std::size_t level, const Event& event);
  void absorb(std::size_t level, Event& event, double until, std::int64_t nodes);
  void link(std::size_t level, std::int64_t from, std::int64_t to, std::int32_t relation);
  void score_events(const Step& step, const std::vector<std::int64_t>& fresh);
  void evict();
  void save_level(const Level& level, Archive& group) const;
  void load_level(Level& level, const Archive& group, std::size_t embedded) const;
  void save_window(Archive& group) const;
  void load_window(const Archive& group);

  std::shared_ptr<const EventModel> model_;
  HierarchyOptions options_;
  std::array<float, 2> threshold_;
  std::array<double, 2> spread_{0.1, 0.1};  ///< mean distance of affinities from the threshold
  std::int64_t step_ = 0;                   ///< steps so far
  double time_ = 0;
  std::deque<Step> window_;
  std::array<Level, 2> levels_;  ///< 1 and 2
  std::map<std::int32_t, Entity> entities_;
  std::map<std::string, std::int32_t> ids_;
  std::int32_t next_entity_ = 0;
  std::vector<EndedEvent> ended_;
  mutable std::int64_t work_ = 0;  ///< not state: nothing depends on it
};

}  // namespace stream::events
