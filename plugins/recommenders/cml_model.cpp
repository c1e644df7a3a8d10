#include "recommenders/cml_model.hpp"

#include <cstring>

#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr const char* kArchitecture = "cml";

/// y = W x + b, summed in double.
std::vector<double> linear(std::span<const float> w, std::span<const float> b, std::span<const double> x,
                           std::size_t rows) {
  std::vector<double> y(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    double sum = b.empty() ? 0.0 : static_cast<double>(b[r]);
    const float* row = w.data() + r * x.size();
    for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(row[i]) * x[i];
    y[r] = sum;
  }
  return y;
}

}  // namespace

std::vector<double> FilmTower::operator()(std::span<const float> x) const {
  std::vector<double> z(x.begin(), x.end());
  if (kind == Kind::kLinear) {
    z = linear(first, {}, z, features);
  } else if (kind == Kind::kDeep) {
    auto h = linear(first, first_bias, z, hidden);
    for (double& v : h) v = std::max(v, 0.0);
    const auto moved = linear(second, second_bias, h, features);
    for (std::size_t f = 0; f < features; ++f) z[f] += moved[f];
  }
  normalise(z);
  return z;
}

double PurchaseHead::logit(double distance, const Habit& habit, std::span<const double> film) const {
  double sum = intercept - scale * distance + frequency * habit.frequency + recency * habit.recency;
  for (std::size_t i = 0; i < film.size() && i < covariates.size(); ++i) sum += covariates[i] * film[i];
  return sum;
}

double squared_distance(std::span<const double> u, std::span<const double> z) {
  double sum = 0;
  for (std::size_t f = 0; f < z.size(); ++f) sum += (u[f] - z[f]) * (u[f] - z[f]);
  return sum;
}

std::uint64_t CmlModel::fingerprint() const {
  std::uint64_t hash = stable_hash("cml");
  const auto add = [&](const std::vector<float>& values) {
    hash = stable_hash({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}, hash);
  };
  add(tower.first), add(tower.first_bias), add(tower.second), add(tower.second_bias);
  Archive group;
  plots.save(group);
  for (const char* name : {"idf", "vectors", "direction", "mean", "deviation"})
    add(group.get<std::vector<float>>(name));
  return stable_hash(std::to_string(head.tau), hash);
}

void CmlModel::write(const std::string& path) const {
  Archive archive;
  Archive& model = archive.group("model");
  model.set("architecture", kArchitecture);
  model.set("tower", tower.kind == FilmTower::Kind::kDeep     ? "deep"
                     : tower.kind == FilmTower::Kind::kLinear ? "linear"
                                                              : "none");
  model.set("features", static_cast<std::int64_t>(tower.features));
  model.set("hidden", static_cast<std::int64_t>(tower.hidden));
  model.set("least", least);
  Archive& weights = archive.group("weights");
  weights.set("first", tower.first);
  weights.set("first_bias", tower.first_bias);
  weights.set("second", tower.second);
  weights.set("second_bias", tower.second_bias);
  Archive& purchase = archive.group("purchase");
  purchase.set("intercept", head.intercept);
  purchase.set("scale", head.scale);
  purchase.set("frequency", head.frequency);
  purchase.set("recency", head.recency);
  purchase.set("tau", head.tau);
  purchase.set("covariates", head.covariates);
  purchase.set("means", covariate_means);
  purchase.set("deviations", covariate_deviations);
  for (std::size_t i = 0; i < amounts.size(); ++i) purchase.set("amount_" + std::to_string(i), amounts[i]);
  plots.save(archive.group("plots"));
  std::string names;
  std::vector<std::int64_t> ends;
  for (const std::string& film : films) {
    names += film;
    ends.push_back(static_cast<std::int64_t>(names.size()));
  }
  archive.group("films").set("names", std::vector<std::uint8_t>(names.begin(), names.end()));
  archive.group("films").set("ends", ends);
  archive.group("films").set("x", x);
  nn::write_model(path, archive);
}

CmlModel CmlModel::read(const std::string& path) {
  const Archive archive = nn::read_model(path, kArchitecture);
  try {
    CmlModel out;
    const Archive& model = archive.group("model");
    const auto kind = model.get<std::string>("tower");
    out.tower.kind = kind == "deep"     ? FilmTower::Kind::kDeep
                     : kind == "linear" ? FilmTower::Kind::kLinear
                                        : FilmTower::Kind::kNone;
    out.plots.load(archive.group("plots"));
    out.least = model.get<std::int64_t>("least");
    const auto features = model.get<std::int64_t>("features"), hidden = model.get<std::int64_t>("hidden");
    if (features != static_cast<std::int64_t>(out.plots.features()) || hidden < 0 || hidden > 65536)
      throw bad_data("the sizes of tower and plot vectors do not belong together");
    out.tower.features = static_cast<std::size_t>(features);
    out.tower.hidden = static_cast<std::size_t>(hidden);
    const Archive& weights = archive.group("weights");
    const auto take = [&](const char* name, std::size_t size) {
      auto values = weights.get<std::vector<float>>(name);
      if (values.size() != size)
        throw bad_data(std::string("'") + name + "' has " + std::to_string(values.size()) +
                       " numbers, expected " + std::to_string(size));
      return values;
    };
    const std::size_t d = out.tower.features, h = out.tower.hidden;
    const bool deep = kind == "deep";
    out.tower.first = take("first", deep ? h * d : kind == "linear" ? d * d : 0);
    out.tower.first_bias = take("first_bias", deep ? h : 0);
    out.tower.second = take("second", deep ? h * d : 0);
    out.tower.second_bias = take("second_bias", deep ? d : 0);
    const Archive& purchase = archive.group("purchase");
    out.head = {.intercept = purchase.get<double>("intercept"),
                .scale = purchase.get<double>("scale"),
                .frequency = purchase.get<double>("frequency"),
                .recency = purchase.get<double>("recency"),
                .covariates = purchase.get<std::vector<double>>("covariates"),
                .tau = purchase.get<double>("tau")};
    out.covariate_means = purchase.get<std::vector<double>>("means");
    out.covariate_deviations = purchase.get<std::vector<double>>("deviations");
    if (out.covariate_means.size() != out.head.covariates.size() ||
        out.covariate_deviations.size() != out.head.covariates.size())
      throw bad_data("the covariates do not belong together");
    for (std::size_t i = 0; i < out.head.covariates.size(); ++i)
      out.amounts.push_back(purchase.get<std::string>("amount_" + std::to_string(i)));
    const Archive& films = archive.group("films");
    const auto names = films.get<std::vector<std::uint8_t>>("names");
    std::int64_t begin = 0;
    for (const std::int64_t end : films.get<std::vector<std::int64_t>>("ends")) {
      if (end < begin || end > static_cast<std::int64_t>(names.size()))
        throw bad_data("the names of the films are cut short");
      out.films.emplace_back(names.begin() + begin, names.begin() + end);
      begin = end;
    }
    out.x = films.get<std::vector<float>>("x");
    if (out.x.size() != out.films.size() * d) throw bad_data("films and plot vectors do not belong together");
    return out;
  } catch (const Error& e) {
    throw e.within(path);
  }
}

}  // namespace stream::recommenders
