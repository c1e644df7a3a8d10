#include "recommenders/study_attributes_parts.hpp"

#include <algorithm>
#include <cmath>

#include "recommenders/group_tests.hpp"
#include "recommenders/recommenders_attributes_report.hpp"

namespace stream::recommenders {

namespace {

constexpr const char *kDeepSet = "DeepSet", *kMeanOnly = "DeepSet, mean alone", *kMlp = "network on the mean",
                     *kRegression = "regression on the mean", *kForest = "forest on mean and deviation",
                     *kVotes = "votes of single playlists", *kGuess = "guess";

DeepSetOptions arm(std::size_t at, std::int64_t epochs) {
  DeepSetOptions o;
  o.epochs = epochs;
  o.maximum = at != 1;
  o.averaged = at == 2;
  return o;
}
constexpr const char* kArms[] = {kDeepSet, kMeanOnly, kMlp};
constexpr std::size_t kBaselines = 3;

}  // namespace

void AttributesQualityPart::add(const std::string& name,
                                const std::vector<ClassProbabilities>& by_attribute) {
  std::vector<double> scores;
  for (std::size_t a = 0; a < by_attribute.size(); ++a) {
    std::vector<int> truth;
    for (const std::size_t i : data_->split.test) truth.push_back(data_->classes[i][a]);
    scores.push_back(balanced_accuracy(by_attribute[a], truth));
  }
  scores_.emplace_back(name, std::move(scores));
}

bool AttributesQualityPart::step() {
  if (!data_) {
    const auto table = std::make_shared<const ListenerTable>(table_of_world(PlaylistWorld(options_.world)));
    data_ = std::make_shared<ListenerData>(
        table, split_listeners(table->listeners.size(), 0.1, 0.2, Random(options_.world.seed + 1)));
    for (const FeatureTest& test : test_features(*table)) {
      if (test.q > 0.05) continue;
      ++discoveries_;
      null_discoveries_ += table->attributes[test.attribute].starts_with("null") ? 1 : 0;
    }
    // The most frequent class, whoever it is.
    std::vector<ClassProbabilities> guesses;
    for (std::size_t a = 0; a < data_->attributes.size(); ++a)
      guesses.emplace_back(data_->split.test.size(), data_->shares(a));
    add(kGuess, guesses);
    baselines_.assign(kBaselines, {});
    return true;
  }
  const std::size_t attributes = data_->attributes.size();
  if (attribute_ < attributes) {
    const auto& test = data_->split.test;
    baselines_[0].push_back(by_mean_regression(*data_, attribute_, test));
    baselines_[1].push_back(by_random_forest(*data_, attribute_, test, options_.world.seed + attribute_));
    baselines_[2].push_back(by_playlist_votes(*data_, attribute_, test));
    if (++attribute_ == attributes) {
      add(kRegression, baselines_[0]), add(kForest, baselines_[1]), add(kVotes, baselines_[2]);
      baselines_.clear();
    }
    return true;
  }
  if (at_ == std::size(kArms)) return false;
  if (!trainer_)
    trainer_ = std::make_unique<DeepSetTrainer>(data_, arm(at_, options_.epochs),
                                                Random(stable_hash(kArms[at_], options_.world.seed)));
  for (int i = 0; i < 32 && !trainer_->finished(); ++i) trainer_->step();
  if (!trainer_->finished()) return true;
  const auto predictions = trainer_->predict(data_->split.test);
  std::vector<ClassProbabilities> by_attribute(attributes);
  for (const auto& of : predictions)
    for (std::size_t a = 0; a < attributes; ++a) by_attribute[a].push_back(of[a]);
  add(kArms[at_], by_attribute);
  trainer_.reset();
  ++at_;
  return true;
}

double AttributesQualityPart::fraction() const {
  if (!data_) return 0;
  const double baselines = static_cast<double>(attribute_) / static_cast<double>(data_->attributes.size());
  return (baselines + static_cast<double>(at_) + (trainer_ ? trainer_->fraction() : 0)) / 4;
}

std::string AttributesQualityPart::progress() const {
  return options_.name +
         (trainer_ ? std::string(", ") + kArms[at_] + ", epoch " + std::to_string(trainer_->epoch())
                   : ", baselines");
}

double AttributesQualityPart::score(const std::string& model, const std::string& attribute) const {
  const auto& names = PlaylistWorld::attributes();
  const auto a = static_cast<std::size_t>(std::find(names.begin(), names.end(), attribute) - names.begin());
  return std::find_if(scores_.begin(), scores_.end(), [&](const auto& s) { return s.first == model; })
      ->second[a];
}

std::vector<Object> AttributesQualityPart::records() const {
  std::vector<Object> out;
  const std::string seed = options_.name + ": ";
  std::size_t gains = 0;
  double least = 1e9;
  for (const char* attribute : {"age", "extraversion", "neuroticism"}) {
    const double best = std::max(score(kRegression, attribute), score(kMlp, attribute)),
                 mine = score(kDeepSet, attribute);
    gains += mine >= best + 0.1 ? 1 : 0;
    least = std::min(least, mine - best);
    if (!options_.small)
      out.push_back(
          claim(seed + "balanced accuracy of " + attribute + " against the best that averages first",
                "better on most attributes", best, mine, ">= +.10", mine >= best + 0.1));
  }
  if (options_.small) {
    out.push_back(claim(seed + "gains of .10 among age, extraversion and neuroticism", Value(), Value(),
                        static_cast<std::int64_t>(gains), ">= 2 of 3", gains >= 2));
  } else {
    for (const char* attribute : {"gender", "sport"}) {
      const double best = std::max(score(kRegression, attribute), score(kMlp, attribute)),
                   mine = score(kDeepSet, attribute);
      out.push_back(claim(seed + "balanced accuracy of " + attribute, Value(), best, mine, ">= -.01",
                          mine >= best - 0.01));
    }
    for (const char* attribute : {"null_a", "null_b"}) {
      const double mine = score(kDeepSet, attribute);
      out.push_back(claim(seed + "balanced accuracy of " + attribute + ", a coin", Value(), 0.5, mine,
                          "within .06 of .5", std::abs(mine - 0.5) <= 0.06));
    }
  }
  const auto& names = PlaylistWorld::attributes();
  std::string order;
  for (const std::string& name : names) order += (order.empty() ? "" : ", ") + name;
  for (const auto& [model, scores] : scores_) {
    std::string list;
    for (std::size_t a = 0; a < scores.size(); ++a) {
      list += (list.empty() ? "" : ", ") + quantity(scores[a]);
      out.push_back(point("balanced accuracy, " + options_.name, model, static_cast<double>(a), scores[a]));
    }
    out.push_back(figure(seed + model + ": " + order, Value(), Value(), list));
  }
  out.push_back(figure(seed + "features found to go with a coin, of those found at all", Value(),
                       static_cast<std::int64_t>(discoveries_),
                       static_cast<std::int64_t>(null_discoveries_)));
  return options_.quick ? unjudged(std::move(out)) : out;
}

// --- statistics

bool AttributesStatisticsPart::step() {
  if (done_ == seeds_) return false;
  constexpr std::size_t kListeners = 740, kAttributes = 8, kPlanted = 24;
  Random random(stable_hash("planted " + std::to_string(seed_) + " " + std::to_string(done_)));
  std::vector<std::vector<int>> of(kAttributes, std::vector<int>(kListeners));
  for (auto& attribute : of)
    for (int& v : attribute) v = static_cast<int>(random.below(2));
  // Every 37th pair is planted: by .4 of a deviation.
  std::vector<double> p;
  std::vector<bool> planted;
  for (std::size_t f = 0; f < kPlaylistFeatures; ++f) {
    std::vector<double> x(kListeners);
    for (double& v : x) v = random.normal();
    for (std::size_t a = 0; a < kAttributes; ++a)
      if ((f * kAttributes + a) % 37 == 0 && (f * kAttributes + a) / 37 < kPlanted)
        for (std::size_t i = 0; i < kListeners; ++i) x[i] += 0.4 * of[a][i];
    // A third of the features come in steps, with ties.
    if (f % 3 == 0)
      for (double& v : x) v = std::floor(4 * v);
    for (std::size_t a = 0; a < kAttributes; ++a) {
      std::vector<double> groups[2];
      for (std::size_t i = 0; i < kListeners; ++i) groups[of[a][i]].push_back(x[i]);
      p.push_back(mann_whitney(groups[0], groups[1]).p);
      planted.push_back((f * kAttributes + a) % 37 == 0 && (f * kAttributes + a) / 37 < kPlanted);
    }
  }
  const auto q = benjamini_hochberg(p);
  double found = 0, wrong = 0, all = 0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    all += planted[i] ? 1 : 0;
    if (q[i] <= 0.05) (planted[i] ? found : wrong) += 1;
  }
  power_ += found / all / static_cast<double>(seeds_);
  false_share_ += wrong / std::max(1.0, found + wrong) / static_cast<double>(seeds_);
  ++done_;
  return true;
}

std::vector<Object> AttributesStatisticsPart::records() const {
  const std::string of = " over " + std::to_string(seeds_) + " seeds";
  std::vector<Object> out{
      claim("planted pairs that are found" + of, Value(), Value(), power_, ">= .9", power_ >= 0.9),
      claim("share of false ones among what is found" + of, Value(), 0.05, false_share_, "<= .07",
            false_share_ <= 0.07)};
  return quick_ ? unjudged(std::move(out)) : out;
}

// --- exact

namespace {

double apart(const AttributeProbabilities& a, const AttributeProbabilities& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t c = 0; c < a[i].size(); ++c) most = std::max(most, std::abs(a[i][c] - b[i][c]));
  return most;
}

AttributeProbabilities of_set(const DeepSetModel& model, const PlaylistSet& set) {
  return model.attributes_of(set.mean(), set.most(), set.size());
}

}  // namespace

void AttributesExactPart::measure() {
  const PlaylistWorld world({.users = 60, .seed = seed_});
  const auto table = std::make_shared<const ListenerTable>(table_of_world(world));
  const auto data = std::make_shared<const ListenerData>(table, split_listeners(60, 0.2, 0.2, Random(seed_)));
  DeepSetOptions options;
  options.epochs = 2, options.batch = 16;
  DeepSetTrainer trainer(data, options, Random(seed_));
  while (!trainer.finished()) trainer.step();
  const DeepSetModel model = trainer.model();

  // Playlists in another order.
  double permuted = 0, plain = 0;
  Random random(seed_ + 5);
  for (std::size_t u = 0; u < 20; ++u) {
    std::vector<std::size_t> order(table->listeners[u].playlists.size());
    for (std::size_t j = 0; j < order.size(); ++j) order[j] = j;
    const auto build = [&] {
      PlaylistSet set;
      for (const std::size_t j : order) {
        const auto& x = table->listeners[u].playlists[j];
        set.put(std::to_string(j), model.playlist(std::vector<double>(x.begin(), x.end())));
      }
      return of_set(model, set);
    };
    const auto first = build();
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    permuted = std::max(permuted, apart(first, build()));
    const std::size_t listener[] = {u};
    plain = std::max(plain, apart(first, trainer.predict(listener)[0]));
  }
  records_.push_back(claim("probabilities when playlists come in another order, greatest difference", Value(),
                           Value(), permuted, "<= 1e-6", permuted <= 1e-6));
  records_.push_back(claim("the plain forward against libtorch's, greatest difference", Value(), Value(),
                           plain, "<= 1e-5", plain <= 1e-5));

  // A thousand events against recomputation from what they left.
  PlaylistSet set;
  std::map<std::string, std::vector<double>> left;
  double drift = 0, restored = 0;
  for (int event = 0; event < 1000; ++event) {
    const auto& listener = table->listeners[random.below(60)];
    const auto& x = listener.playlists[random.below(listener.playlists.size())];
    const std::string name = std::to_string(random.below(15));
    if (left.contains(name) && left.size() > 1 && random.uniform() < 0.4) {
      left.erase(name);
      set.remove(name);
    } else {
      left[name] = {x.begin(), x.end()};
      set.put(name, model.playlist(left[name]));
    }
    PlaylistSet anew;
    for (const auto& [playlist, features] : left) anew.put(playlist, model.playlist(features));
    drift = std::max(drift, apart(of_set(model, set), of_set(model, anew)));
    const auto before = of_set(model, set);
    set.put("visitor", model.playlist(std::vector<double>(x.begin(), x.end())));
    set.remove("visitor");
    restored = std::max(restored, apart(before, of_set(model, set)));
  }
  records_.push_back(claim("probabilities after each of 1000 events against those made anew", Value(),
                           Value(), drift, "<= 1e-5", drift <= 1e-5));
  records_.push_back(claim("what adding and removing a playlist changes", Value(), Value(), restored,
                           "<= 1e-6", restored <= 1e-6));

  // Mann and Whitney's p against all ways to deal the values out.
  double enumerated = 0;
  for (std::size_t n = 2; n <= 8; ++n)
    for (std::size_t first = 1; first < n; ++first) {
      std::vector<double> a, b, all;
      for (std::size_t i = 0; i < n; ++i) (i < first ? a : b).push_back(random.normal());
      all = a;
      all.insert(all.end(), b.begin(), b.end());
      const auto u_of = [&](std::uint32_t chosen) {
        double u = 0;
        for (std::size_t i = 0; i < n; ++i)
          for (std::size_t j = 0; j < n; ++j)
            if ((chosen >> i & 1u) && !(chosen >> j & 1u)) u += all[i] > all[j] ? 1 : 0;
        return u;
      };
      const double middle = static_cast<double>(first * (n - first)) / 2, seen = u_of((1u << first) - 1);
      double far = 0, ways = 0;
      for (std::uint32_t chosen = 0; chosen < (1u << n); ++chosen) {
        if (static_cast<std::size_t>(__builtin_popcount(chosen)) != first) continue;
        ways += 1;
        far += std::abs(u_of(chosen) - middle) >= std::abs(seen - middle) - 1e-9 ? 1 : 0;
      }
      enumerated = std::max(enumerated, std::abs(mann_whitney(a, b).p - far / ways));
    }
  records_.push_back(claim("p of Mann and Whitney's U against enumeration, up to 8 values", Value(), Value(),
                           enumerated, "<= 1e-12", enumerated <= 1e-12));
}

}  // namespace stream::recommenders
