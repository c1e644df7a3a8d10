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

/// The graphs that streams of scenes had grown into when they were asked. They cost more than all else, and
/// serve every head that reads the same hierarchy.
struct GrownGraphs {
  GrownGraphs(const std::shared_ptr<const EventModel>& events, HierarchyOptions hierarchy,
              const Games& games);
  std::vector<std::vector<EventGraph>> graphs;  ///< of each game's questions
  /// Share of the nodes of level 0 up to each question that its graph touches, the mean over questions.
  double touched = 0;
};

/// Answers from the graphs that streams of scenes had grown into when they were asked.
class GraphAnswerer final : public Answerer {
 public:
  GraphAnswerer(std::shared_ptr<const GrownGraphs> graphs, std::shared_ptr<ReasoningHead> head);
  at::Tensor logits(std::span<const QuestionId> questions) const override;
  /// Other games of the same kind from here on.
  void set_graphs(std::shared_ptr<const GrownGraphs> graphs) { graphs_ = std::move(graphs); }
  void silence(std::int64_t level) { silent_ = level; }
  std::shared_ptr<ReasoningHead> head() const { return head_; }
  const EventGraph& graph(QuestionId question) const {
    return graphs_->graphs[question.game][question.question];
  }

 private:
  std::shared_ptr<const GrownGraphs> graphs_;
  std::shared_ptr<ReasoningHead> head_;
  std::int64_t silent_ = 3;
};

}  // namespace stream::events
