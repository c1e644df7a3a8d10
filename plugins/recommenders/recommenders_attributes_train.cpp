#include "recommenders/recommenders_attributes_train.hpp"

#include <cstdio>

#include "recommenders/listener_log.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

/// "age=3"
std::map<std::string, std::size_t> bins_of(const std::vector<std::string>& list) {
  std::map<std::string, std::size_t> out;
  for (const std::string& entry : list) {
    const std::size_t at = entry.rfind('=');
    const std::string digits = at == std::string::npos ? "" : entry.substr(at + 1);
    if (at == 0 || digits.empty() || digits.size() > 3 ||
        digits.find_first_not_of("0123456789") != std::string::npos || std::stoul(digits) < 2)
      throw bad_recipe("bins has '" + entry +
                       "', expected an attribute, =, and how many classes, two or more");
    out[entry.substr(0, at)] = std::stoul(digits);
  }
  return out;
}

std::shared_ptr<const ListenerData> data_of(const Params& p) {
  const auto table = listeners_of(p);
  const double validation = p.get<double>("validation"), test = p.get<double>("test");
  if (validation + test >= 1) throw bad_recipe("validation and test leave nobody for training");
  return std::make_shared<ListenerData>(
      table, split_listeners(table->listeners.size(), validation, test, p.random("split")),
      bins_of(p.get<std::vector<std::string>>("bins")));
}

DeepSetOptions options_of(const Params& p) {
  DeepSetOptions o;
  o.maximum = p.get<std::string>("pooling") == "mean-max";
  o.batch = p.get<std::int64_t>("batch");
  o.epochs = p.get<std::int64_t>("epochs");
  o.patience = p.get<std::int64_t>("patience");
  o.learning_rate = p.get<double>("learning_rate");
  o.weight_decay = p.get<double>("weight_decay");
  o.dropout = p.get<double>("dropout");
  return o;
}

}  // namespace

Spec AttributesTrainSource::spec() {
  const DeepSetOptions o;
  return with_listener_params(
             Spec("recommenders.attributes_train", "Learn what playlists give away about listeners.")
                 .output<Record>(
                     "progress",
                     "{\"epoch\", \"step\", \"loss\", \"validation\"} after each epoch; at the end "
                     "{\"test\": "
                     "{attribute: {\"balanced_accuracy\", \"calibration\", \"chance\"}}, \"listeners\"}")
                 .path("model", nullptr, "the HDF5 file to write"))
      .param("bins", std::vector<std::string>{},
             "classes of attributes that are numbers, of equal share among the listeners for training: "
             "[\"age=3\"]; two where nothing is said")
      .param("validation", 0.1, "share of the listeners that say when to stop", range(0, 0.9))
      .param("test", 0.2, "share of the listeners for the test", range(0, 0.9))
      .param("pooling", "mean-max", "over the playlists", choices({"mean-max", "mean"}))
      .param("batch", o.batch, "listeners in an update", range(1, 65536))
      .param("epochs", o.epochs, "at the most", range(1, 1e6))
      .param("patience", o.patience, "epochs without a gain in validation after which training ends",
             range(1, 1e6))
      .param("learning_rate", o.learning_rate, "of AdamW", range(0, 1))
      .param("weight_decay", o.weight_decay, "of AdamW", range(0, 1))
      .param("dropout", o.dropout, "of what is pooled", range(0, 0.95))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "The log is replayed and every playlist taken as its last event left it. Listeners, never "
          "playlists, are "
          "split: nobody is both trained on and tested. One network with a head for each attribute; what is "
          "not "
          "known about somebody is left out of the loss; classes weigh the inverse of their share. Means, "
          "deviations and cut points come from the listeners for training alone. The model carries its "
          "balanced accuracy and calibration on the test.")
      .paper(
          "Tricomi, Pajola, Pasa, Conti, 'All of Me': Mining Users' Attributes from their Public Spotify "
          "Playlists, arXiv 2401.14296, 2024; Zaheer et al., Deep Sets, NIPS 2017")
      .example("One epoch", R"([nodes.train]
use        = "recommenders.attributes_train"
log        = "examples/playlists.jsonl"
attributes = "examples/listeners.jsonl"
model      = "attributes.h5"
epochs     = 1

[nodes.progress]
use  = "jsonl.write"
from = "train"
)");
}

AttributesTrainSource::AttributesTrainSource(const Params& p)
    : TrainSource("validation", data_of(p), options_of(p), p.random("training")),
      path_(p.get<std::string>("model")) {}

Object AttributesTrainSource::finish() const {
  const DeepSetModel model = trainer().model();
  model.write(path_);
  Object test;
  for (std::size_t a = 0; a < model.attributes().size(); ++a)
    test.set(model.attributes()[a].name,
             Object{{"balanced_accuracy", model.quality()[a].balanced_accuracy},
                    {"calibration", model.quality()[a].calibration},
                    {"chance", 1.0 / static_cast<double>(model.attributes()[a].classes.size())}});
  const ListenerSplit& split = trainer().data().split;
  return Object{{"test", std::move(test)},
                {"listeners", Object{{"training", static_cast<std::int64_t>(split.training.size())},
                                     {"validation", static_cast<std::int64_t>(split.validation.size())},
                                     {"test", static_cast<std::int64_t>(split.test.size())}}}};
}

}  // namespace stream::recommenders
