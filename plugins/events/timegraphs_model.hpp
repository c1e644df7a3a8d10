/// A trained TimeGraphs: its event model, its reasoning head, and its file.
#pragma once

#include <memory>

#include "events/event_hierarchy.hpp"
#include "events/game_trainer.hpp"
#include "events/reasoning_head.hpp"

namespace stream::events {

/// What is asked of a stream.
struct Asked {
  std::vector<std::string> outputs;  ///< names, in order
  bool per_node = false;             ///< of each node, or of the whole
  bool classes = false;              ///< one of the outputs holds, or any number of them
  std::vector<std::string> types;    ///< of nodes that are asked about; empty: all
};

struct TimeGraphs {
  std::shared_ptr<const EventModel> events;
  std::shared_ptr<ReasoningHead> head;
  Asked asked;
  HierarchyOptions hierarchy;
};

void write_timegraphs(const std::string& path, const TimeGraphs& model);
/// Read once, however many ask for it while it is in use. Throws Error(kNoInput), Error(kBadData),
/// Error(kBadRecipe) that name the file.
std::shared_ptr<const TimeGraphs> read_timegraphs(const std::string& path);

/// The head's shape for this event model.
HeadShape head_shape(const EventModel& events, const Asked& asked);

/// Answers from the graphs that streams of scenes had grown into when they were asked.
class GraphAnswerer final : public Answerer {
 public:
  /// Grows them all.
  GraphAnswerer(std::shared_ptr<const EventModel> events, HierarchyOptions hierarchy, HeadShape shape,
                const Games& games, std::uint64_t seed);
  at::Tensor logits(std::span<const QuestionId> questions) const override;
  /// Other games of the same kind from here on.
  void set_games(const Games& games);
  void silence(std::int64_t level) { silent_ = level; }
  std::shared_ptr<ReasoningHead> head() const { return head_; }
  /// Share of the nodes of level 0 up to each question that its graph touches, the mean over questions.
  double touched() const { return touched_; }
  const EventGraph& graph(QuestionId question) const { return graphs_[question.game][question.question]; }

 private:
  std::shared_ptr<const EventModel> events_;
  HierarchyOptions hierarchy_;
  std::shared_ptr<ReasoningHead> head_;
  std::vector<std::vector<EventGraph>> graphs_;
  std::int64_t silent_ = 3;
  double touched_ = 0;
};

}  // namespace stream::events
