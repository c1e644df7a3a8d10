#include "recommenders/recommenders_attributes_report.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "recommenders/attribute_baselines.hpp"
#include "recommenders/group_tests.hpp"
#include "recommenders/listener_log.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

/// Mean of a feature over the playlists in which it is known.
double mean_of(const Listener& listener, std::size_t feature) {
  double sum = 0, n = 0;
  for (const auto& x : listener.playlists)
    if (!std::isnan(x[feature])) sum += static_cast<double>(x[feature]), n += 1;
  return n > 0 ? sum / n : std::nan("");
}

bool numeric(const ListenerTable& table, std::size_t attribute) {
  for (const Listener& listener : table.listeners)
    if (!listener.attributes[attribute].is_null()) return listener.attributes[attribute].is_number();
  return false;
}

}  // namespace

std::vector<FeatureTest> test_features(const ListenerTable& table) {
  std::vector<FeatureTest> out;
  std::vector<std::vector<double>> means(kPlaylistFeatures);
  for (std::size_t f = 0; f < kPlaylistFeatures; ++f)
    for (const Listener& listener : table.listeners) means[f].push_back(mean_of(listener, f));
  for (std::size_t a = 0; a < table.attributes.size(); ++a) {
    const bool number = numeric(table, a);
    for (std::size_t f = 0; f < kPlaylistFeatures; ++f) {
      std::map<std::string, std::vector<double>> groups;
      std::vector<double> values, numbers;
      for (std::size_t i = 0; i < table.listeners.size(); ++i) {
        const Value& value = table.listeners[i].attributes[a];
        if (value.is_null() || std::isnan(means[f][i]) || value.is_number() != number) continue;
        if (number)
          values.push_back(means[f][i]), numbers.push_back(value.as_double());
        else
          groups[value.dump()].push_back(means[f][i]);
      }
      TestResult result;
      const char* name = "spearman";
      if (number) {
        result = spearman_test(values, numbers);
      } else if (groups.size() == 2) {
        name = "mann-whitney";
        result = mann_whitney(groups.begin()->second, groups.rbegin()->second);
      } else {
        name = "kruskal-wallis";
        std::vector<std::vector<double>> list;
        list.reserve(groups.size());
        for (auto& [of, group] : groups) list.push_back(std::move(group));
        result = kruskal_wallis(list);
      }
      out.push_back({a, f, name, result.statistic, result.p, 1, result.effect});
    }
  }
  std::vector<double> p;
  p.reserve(out.size());
  for (const FeatureTest& test : out) p.push_back(test.p);
  const auto q = benjamini_hochberg(p);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].q = q[i];
  return out;
}

Spec AttributesReportSource::spec() {
  return with_listener_params(
             Spec("recommenders.attributes_report",
                  "Test which features of playlists go with which attribute.")
                 .output<Record>(
                     "out",
                     "{\"attribute\", \"feature\", \"test\", \"statistic\", \"p\", \"q\", \"effect\"} by "
                     "rising q; then of each attribute {\"attribute\", \"within\", \"between\", \"p\": of "
                     "cosine "
                     "distances, \"balanced_accuracy\": of a regression, cross-validated, \"chance\"}"))
      .param("level", 0.05, "rate of false discoveries up to which tests are written; 1: all", range(0, 1))
      .param("permutations", std::int64_t{1000}, "of listeners, for the distances", range(1, 1e6))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "The mean of each of 111 features over a listener's playlists is tested against each attribute: "
          "Mann "
          "and Whitney for two names, Kruskal and Wallis for more, Spearman for numbers; effects are r = "
          "Z/sqrt(n), epsilon squared and rho. p is corrected for all tests together (Benjamini and "
          "Hochberg). "
          "Are listeners who share an attribute more alike? The cosine distance of their means inside groups "
          "is "
          "compared with that across, under permutations of the listeners. The score is that of logistic "
          "regression on the means in five folds of listeners.")
      .paper(
          "Tricomi, Pajola, Pasa, Conti, 'All of Me': Mining Users' Attributes from their Public Spotify "
          "Playlists, arXiv 2401.14296, 2024")
      .example("A report", R"([nodes.report]
use          = "recommenders.attributes_report"
log          = "examples/playlists.jsonl"
attributes   = "examples/listeners.jsonl"
permutations = 100

[nodes.out]
use  = "jsonl.write"
from = "report"
)");
}

AttributesReportSource::AttributesReportSource(const Params& p)
    : table_(listeners_of(p)),
      tests_(test_features(*table_)),
      permutations_(p.get<std::size_t>("permutations")),
      seed_(p.random("permutations")()) {
  const double level = p.get<double>("level");
  std::erase_if(tests_, [&](const FeatureTest& test) { return test.q > level; });
  std::stable_sort(tests_.begin(), tests_.end(), [](const FeatureTest& a, const FeatureTest& b) {
    return a.q != b.q ? a.q < b.q : a.p < b.p;
  });
}

Object AttributesReportSource::similarity(std::size_t attribute) const {
  ListenerTable one{{table_->attributes[attribute]}, {}};
  for (const Listener& listener : table_->listeners)
    if (!listener.playlists.empty() && !listener.attributes[attribute].is_null())
      one.listeners.push_back({listener.name, listener.playlists, {listener.attributes[attribute]}});
  const std::string& name = one.attributes[0];
  const std::size_t n = one.listeners.size();
  if (n < 10) return Object{{"attribute", name}, {"listeners", static_cast<std::int64_t>(n)}};
  const auto table = std::make_shared<const ListenerTable>(std::move(one));
  const auto folds = split_listeners(n, 0, 0, Random(seed_)).training;
  std::vector<std::vector<double>> probabilities(n);
  std::vector<int> truth(n, -1);
  std::size_t classes = 2;
  for (std::size_t fold = 0; fold < 5; ++fold) {
    ListenerSplit split;
    for (std::size_t i = 0; i < n; ++i) (i % 5 == fold ? split.test : split.training).push_back(folds[i]);
    const ListenerData data(table, split);
    classes = data.attributes[0].classes.size();
    const auto p = by_mean_regression(data, 0, data.split.test);
    for (std::size_t i = 0; i < p.size(); ++i) {
      probabilities[data.split.test[i]] = p[i];
      truth[data.split.test[i]] = data.classes[data.split.test[i]][0];
    }
  }
  ListenerSplit all;
  for (std::size_t i = 0; i < n; ++i) all.training.push_back(i);
  const ListenerData data(table, all);
  std::vector<float> rows;
  std::vector<int> groups;
  for (std::size_t i = 0; i < n; ++i) {
    const auto mean = data.mean(i);
    rows.insert(rows.end(), mean.begin(), mean.end());
    groups.push_back(data.classes[i][0]);
  }
  const Similarity s = group_similarity(rows, groups, kPlaylistFeatures, permutations_, Random(seed_ + 1));
  return Object{{"attribute", name},
                {"listeners", static_cast<std::int64_t>(n)},
                {"within", s.within},
                {"between", s.between},
                {"p", s.p},
                {"balanced_accuracy", balanced_accuracy(probabilities, truth)},
                {"chance", 1.0 / static_cast<double>(classes)}};
}

bool AttributesReportSource::read(Output& out) {
  const auto tests = static_cast<std::int64_t>(tests_.size()),
             all = tests + static_cast<std::int64_t>(table_->attributes.size());
  if (next_ >= all) return false;
  Object line;
  if (next_ < tests) {
    const FeatureTest& test = tests_[static_cast<std::size_t>(next_)];
    line = Object{{"attribute", table_->attributes[test.attribute]},
                  {"feature", playlist_feature_names()[test.feature]},
                  {"test", test.test},
                  {"statistic", test.statistic},
                  {"p", test.p},
                  {"q", test.q},
                  {"effect", test.effect}};
  } else {
    const auto attribute = static_cast<std::size_t>(next_ - tests);
    try {
      line = similarity(attribute);
    } catch (const Error& e) {  // one class alone, or names and numbers: the others are still told
      line = Object{{"attribute", table_->attributes[attribute]}, {"fault", e.what()}};
    }
  }
  out.emit(Packet::of<Record>(Time{next_}, std::move(line)));
  return ++next_ < all;
}

double AttributesReportSource::fraction() const {
  return static_cast<double>(next_) / static_cast<double>(tests_.size() + table_->attributes.size());
}

void AttributesReportSource::load(const Archive& state) {
  next_ = state.get<std::int64_t>("next");
  if (next_ < 0 || next_ > static_cast<std::int64_t>(tests_.size() + table_->attributes.size()))
    throw bad_data("the checkpoint is of another report");
}

}  // namespace stream::recommenders
