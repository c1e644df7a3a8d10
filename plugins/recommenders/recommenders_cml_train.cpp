#include "recommenders/recommenders_cml_train.hpp"

#include <cmath>
#include <cstdio>

#include "events/event_log.hpp"
#include "recommenders/cml_scores.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::recommenders {

namespace {

std::shared_ptr<const CmlData> data_of(const Params& p) {
  const std::string node = p.context().node, log = p.input_path("log"), films = p.input_path("films");
  std::string faults;
  FilmFormat format{p.get<std::string>("film_format"), p.get<std::vector<std::string>>("amounts")};
  auto descriptions = read_films(films, format, &faults);
  if (!faults.empty()) log_warning(node, films + ": refused: " + faults);
  const auto tickets = events::read_log(log, events::log_options(p), &faults);
  if (!faults.empty()) log_warning(node, log + ": refused: " + faults);
  auto table = std::make_shared<TicketLog>(ticket_log(tickets, std::move(descriptions)));
  if (table->unknown > 0)
    log_warning(node, log + ": refused: " + std::to_string(table->unknown) +
                          " unknown-film (the first at line " + std::to_string(table->first_unknown) + ")");
  if (table->films.empty()) throw bad_data(films + " and " + log + " have no film in common");
  CmlSplit split;
  split.warm = p.get<double>("warm");
  split.validation = p.get<double>("validation");
  split.test = p.get<double>("test");
  split.run = static_cast<double>(p.get<Duration>("run").count()) / 1e9 / kSecondsOfDay;
  split.least = p.get<std::int64_t>("least");
  if (split.warm + split.validation + split.test >= 1)
    throw bad_recipe("warm, validation and test leave no films for training: their sum is " +
                     std::to_string(split.warm + split.validation + split.test));
  WordVectorOptions words;
  words.kind = p.get<std::string>("vectors");
  if (const auto path = p.get<std::string>("word_vectors"); !path.empty()) {
    words.kind = "file";
    words.path = p.input_path("word_vectors");
  }
  words.features = p.get<std::size_t>("features");
  words.least = p.get<std::size_t>("least_words");
  words.skip_gram.epochs = p.get<std::int64_t>("word_epochs");
  words.skip_gram.window = p.get<std::int64_t>("window");
  words.skip_gram.subsampling = p.get<double>("subsampling");
  return std::make_shared<CmlData>(table, split, words, p.random("words"));
}

CmlTrainerOptions options_of(const Params& p) {
  CmlTrainerOptions o;
  o.shape.deep = p.get<std::string>("tower") == "deep";
  o.shape.hidden = p.get<std::int64_t>("hidden");
  o.shape.dropout = p.get<double>("dropout");
  o.shape.ageing = p.get<bool>("ageing");
  o.loss.push_pull = p.get<double>("push_pull");
  o.loss.offset = p.get<double>("offset");
  o.loss.margin = p.get<double>("margin");
  o.loss.covariance = p.get<double>("covariance");
  o.rate = p.get<double>("rate");
  o.batch = p.get<std::int64_t>("batch");
  o.epochs = p.get<std::int64_t>("epochs");
  o.patience = p.get<std::int64_t>("patience");
  o.learning_rate = p.get<double>("learning_rate");
  o.weight_decay = p.get<double>("weight_decay");
  return o;
}

}  // namespace

Spec CmlTrainSource::spec() {
  const CmlTrainerOptions o;
  const CmlSplit s;
  const WordVectorOptions w;
  return events::with_log_params(
             Spec("recommenders.cml_train", "Learn from tickets and plots who will see which film.")
                 .output<Record>(
                     "progress",
                     "{\"epoch\", \"step\", \"loss\", \"validation\": cross-entropy} after each epoch; at "
                     "the "
                     "end {\"test\": {\"auc\", \"within\", \"calibration\", \"spearman\", \"raw_text\": the "
                     "same without the learnt tower}}")
                 .path("log", nullptr, "tickets, in order of time")
                 .path("films", nullptr, "descriptions of the films")
                 .path("model", nullptr, "the HDF5 file to write"),
             "tickets")
      .param("film_format", "plain",
             "JSON lines {\"film\", \"release\", \"plot\"}; or of TMDB {\"id\", \"release_date\", "
             "\"overview\"}; or "
             "an id, a tab and the plot, as in the CMU Movie Summary Corpus",
             choices({"plain", "tmdb", "cmu"}))
      .param("amounts", std::vector<std::string>{"budget"},
             "members of a description whose logarithm counts: budget, screens")
      .param("vectors", w.kind, "word vectors, learnt from the plots, or at random",
             choices({"skip-gram", "random"}))
      .param("word_vectors", std::string(),
             "word vectors from this file instead, in word2vec's or GloVe's text format")
      .param("features", std::int64_t{64}, "numbers in a vector", range(2, 1024))
      .param("least_words", std::int64_t{3}, "words that occur less often are not known", range(1, 1e6))
      .param("word_epochs", w.skip_gram.epochs, "passes over the plots for skip-gram", range(1, 1000))
      .param("window", w.skip_gram.window, "of skip-gram, to either side", range(1, 100), unit("words"))
      .param("subsampling", w.skip_gram.subsampling, "frequency above which skip-gram passes words over",
             range(1e-9, 1))
      .param("warm", s.warm, "share of the films, the first, that only feed histories", range(0, 0.9))
      .param("validation", s.validation, "share of the films that say when to stop", range(0, 0.9))
      .param("test", s.test, "share of the films, the last, for the test", range(0, 0.9))
      .param("run", Duration(std::chrono::hours(24 * 28)), "after which a film's tickets are complete")
      .param("least", s.least, "tickets that a customer must have before a film", range(1, 40))
      .param("tower", "deep", "x + W2 relu(W1 x), or one matrix", choices({"deep", "linear"}))
      .param("hidden", o.shape.hidden, "units of the deep tower", range(1, 65536))
      .param("dropout", o.shape.dropout, "of them", range(0, 0.95))
      .param("ageing", false, "older tickets weigh less, how much less being learnt")
      .param("push_pull", o.loss.push_pull,
             "weight of the term that sets what was bought against films beside it", range(0, 10))
      .param("offset", o.loss.offset, "weight of the square of what a film has of its own in training",
             range(0, 100))
      .param("margin", o.loss.margin, "of that term", range(0, 4))
      .param("covariance", o.loss.covariance, "weight of the covariance term", range(0, 1000))
      .param("rate", o.rate, "share of what was not bought that is learnt from", range(1e-6, 1))
      .param("batch", o.batch, "samples in an update", range(1, 65536))
      .param("epochs", o.epochs, "at the most", range(1, 1e6))
      .param("patience", o.patience, "epochs without a gain in validation after which training ends",
             range(1, 1e6))
      .param("learning_rate", o.learning_rate, "of AdamW", range(0, 1))
      .param("weight_decay", o.weight_decay, "of AdamW", range(0, 1))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Films are taken in the order in which they were first shown: the first eighth only feeds "
          "histories, the last fifth is for the test, the tenth before that says when to stop. A sample is a "
          "customer with three tickets before a film, by what was known when the film was first shown: no "
          "later ticket, and no plot of validation or test, touches it. All that was bought is learnt from "
          "and a tenth of what was not; the intercept is put right for that. Plots are means of word vectors "
          "weighted by inverse document frequency, less their first principal direction. Descriptions "
          "without "
          "a release take the time of the film's first ticket.")
      .paper(
          "Campo, Espinoza, Rieger, Taliyan, Collaborative Metric Learning Recommendation System: "
          "Application "
          "to Theatrical Movie Releases, arXiv 1803.00202, 2018; Hsieh, Yang, Cui, Lin, Belongie, Estrin, "
          "Collaborative Metric Learning, WWW 2017")
      .example("One epoch", R"([nodes.train]
use      = "recommenders.cml_train"
log      = "examples/tickets.jsonl"
films    = "examples/films.jsonl"
model    = "cml.h5"
epochs   = 1
features = 8

[nodes.progress]
use  = "jsonl.write"
from = "train"
)");
}

CmlTrainSource::CmlTrainSource(const Params& p)
    : TrainSource("validation", data_of(p), options_of(p), p.random("training")),
      amounts_(p.get<std::vector<std::string>>("amounts")),
      path_(p.get<std::string>("model")) {}

Object CmlTrainSource::test() const {
  const CmlData& data = trainer().data();
  const auto measured = [](const AudienceQuality& q) {
    return Object{{"auc", q.auc},
                  {"within", q.within},
                  {"within_distance", q.within_distance},
                  {"calibration", q.calibration},
                  {"spearman", q.spearman}};
  };
  const PurchaseHead head = trainer().head();
  Object out =
      measured(measure_audience(data, data.test(), by_distance(data, trainer().tower(), head.tau), head));
  const Taste text = by_distance(data, {}, 0);
  const auto samples = data.samples(data.training(), 0.1, 1);
  out.set("raw_text",
          measured(measure_audience(data, data.test(), text, fit_head(data, samples, 0.1, text))));
  return out;
}

Object CmlTrainSource::finish() const {
  Object line;
  if (trainer().data().test().size() > 0) line.set("test", test());
  line.set("words", static_cast<std::int64_t>(trainer().data().plots().words()));
  model_of(trainer().data(), trainer().tower(), trainer().head(), amounts_).write(path_);
  return line;
}

}  // namespace stream::recommenders
