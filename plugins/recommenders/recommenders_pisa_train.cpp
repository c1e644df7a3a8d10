#include "recommenders/recommenders_pisa_train.hpp"

#include <cstdio>

#include "events/event_log.hpp"
#include "recommenders/pisa_model.hpp"
#include "stream/log.hpp"

namespace stream::recommenders {

namespace {

std::shared_ptr<const SessionLog> log_of(const Params& p) {
  std::string faults;
  const std::string path = p.input_path("log");
  const auto events = events::read_log(path, events::log_options(p), &faults);
  if (!faults.empty()) log_warning(p.context().node, path + ": refused: " + faults);
  return std::make_shared<SessionLog>(
      sessions_of(events, static_cast<double>(p.get<Duration>("idle").count()) / 1e9,
                  p.get<std::size_t>("least_plays"), p.get<std::size_t>("least_sessions")));
}

TrainerOptions options_of(const Params& p) {
  TrainerOptions o;
  o.shape.features = p.get<std::int64_t>("features");
  o.shape.length = p.get<std::int64_t>("length");
  o.shape.blocks = p.get<std::int64_t>("blocks");
  o.shape.heads = p.get<std::int64_t>("heads");
  o.shape.item_rate = p.get<double>("item_rate");
  if (o.shape.features % o.shape.heads != 0)
    throw bad_recipe("features is " + std::to_string(o.shape.features) + ", expected a multiple of heads");
  o.loss = {p.get<double>("task"), p.get<double>("positive"), p.get<double>("long_term")};
  o.split = {p.get<std::size_t>("test"), p.get<std::size_t>("validation")};
  o.step = p.get<std::int64_t>("step");
  o.batch = p.get<std::int64_t>("batch");
  o.epochs = p.get<std::int64_t>("epochs");
  o.patience = p.get<std::int64_t>("patience");
  o.learning_rate = p.get<double>("learning_rate");
  o.popularity = p.get<double>("popularity");
  return o;
}

}  // namespace

Spec PisaTrainSource::spec() {
  const TrainerOptions o;
  return events::with_log_params(
             Spec("recommenders.pisa_train", "Train a recommender of next sessions on a log of events.")
                 .output<Record>(
                     "progress",
                     "{\"epoch\", \"step\", \"loss\", \"validation\": NDCG@10} after each epoch; at the end "
                     "{\"test\": {\"ndcg\", \"recall\", \"ndcg_repeat\", \"ndcg_explore\", \"repetition\"}, "
                     "\"weights\": of base level, spreading and matching}")
                 .path("log", nullptr, "the log, in order of time")
                 .path("model", nullptr, "the HDF5 file to write"),
             "plain")
      .param("idle", Duration(std::chrono::minutes(30)), "a session ends when nothing comes for so long")
      .param("least_plays", std::int64_t{1}, "items with fewer events are left out", range(1, 1e9))
      .param("least_sessions", std::int64_t{20}, "users with fewer sessions are left out", range(1, 1e9))
      .param("test", std::int64_t{10}, "last sessions of each user, for the test", range(1, 1e6))
      .param("validation", std::int64_t{5}, "sessions before those, that say when to stop", range(1, 1e6))
      .param("features", std::int64_t{64}, "numbers in an item's vector, d", range(4, 1024))
      .param("length", o.shape.length, "sessions that the network reads, L", range(1, 200))
      .param("blocks", std::int64_t{1}, "of the transformer", range(1, 12))
      .param("heads", o.shape.heads, "of the attention", range(1, 16))
      .param("item_rate", 1.0, "how fast items leave where they start, against everything else", range(0, 1))
      .param("task", o.loss.task, "weight of the ranking of items, l_task; the rest is for whole sessions",
             range(0, 1))
      .param("positive", o.loss.positive, "weight of the target session's own vector in it, l_pos",
             range(0, 1))
      .param("long_term", o.loss.long_term, "weight of the long-term vector, in loss and scores, l_ls",
             range(0, 10))
      .param("popularity", o.popularity,
             "negatives are drawn in proportion to count to this power; 0: uniformly", range(0, 1))
      .param("step", o.step, "sessions from one training sample of a user to the next", range(1, 1e6))
      .param("batch", o.batch, "samples in an update", range(1, 8192))
      .param("epochs", o.epochs, "at the most", range(1, 1e6))
      .param("patience", o.patience, "epochs without a gain in validation after which training ends",
             range(1, 1e6))
      .param("learning_rate", o.learning_rate, "of Adam", range(0, 1))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "The log is read once and cut into sessions. Of each user the last ten are for the test and the "
          "five "
          "before for validation; neither is seen in training, nor in what goes together with what. Items "
          "start as "
          "the leading eigenvectors of their co-occurrence. The loss ranks the items of the next session "
          "above "
          "others, by the user's vector, the long-term vector and the session's own, and draws the user's "
          "vector "
          "towards the session's. The weights with the best validation are kept.")
      .paper(
          "Tran, Salha-Galvan, Sguerra, Hennequin, Transformers Meet ACT-R: Repeat-Aware and Sequential "
          "Listening "
          "Session Recommendation, RecSys 2024, arXiv 2408.16578")
      .example("One epoch", R"([nodes.train]
use    = "recommenders.pisa_train"
log    = "examples/listening.jsonl"
model  = "pisa.h5"
epochs = 1
features = 8

[nodes.progress]
use  = "jsonl.write"
from = "train"
)");
}

PisaTrainSource::PisaTrainSource(const Params& p)
    : TrainSource("NDCG", log_of(p), options_of(p), p.random("training")),
      path_(p.get<std::string>("model")) {}

Object PisaTrainSource::finish() const {
  const Quality q = measure(trainer().log(), trainer().options().split.test, 0, trainer().scorer());
  const at::Tensor w = trainer().best().activation_weights.detach();
  write_pisa(path_, trainer().best(), trainer().log().catalogue, trainer().cooccurrence(),
             trainer().options().loss.long_term);
  Array weights;
  for (std::int64_t i = 0; i < 3; ++i) weights.emplace_back(w[i].item<double>());
  return Object{{"test", Object{{"ndcg", q.ndcg},
                                {"recall", q.recall},
                                {"ndcg_repeat", q.ndcg_repeat},
                                {"ndcg_explore", q.ndcg_explore},
                                {"repetition", q.repetition}}},
                {"weights", std::move(weights)}};
}

}  // namespace stream::recommenders
