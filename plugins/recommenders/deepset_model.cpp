#include "recommenders/deepset_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr const char* kArchitecture = "deepset-playlists";
constexpr std::int64_t kUnits = kDeepSetUnits, kInputs = kPlaylistFeatures, kPooled = 2 * kUnits + 1;
constexpr std::int64_t kRebuild = 1000;

nn::DenseLinear linear(const std::vector<float>& weight, const std::vector<float>& bias, std::int64_t out,
                       std::int64_t in, const char* name) {
  if (weight.size() != static_cast<std::size_t>(out * in) || bias.size() != static_cast<std::size_t>(out))
    throw bad_data(std::string("'") + name + "' has " + std::to_string(weight.size()) + " weights and " +
                   std::to_string(bias.size()) + " biases, expected " + std::to_string(out * in) + " and " +
                   std::to_string(out));
  return {weight, bias, out, in};
}

std::int64_t outputs_of(const std::vector<AttributeClasses>& attributes) {
  std::size_t sum = 0;
  for (const AttributeClasses& a : attributes) sum += a.classes.size();
  return static_cast<std::int64_t>(sum);
}

void relu(std::vector<float>& x) {
  for (float& v : x) v = std::max(v, 0.0f);
}

std::vector<float> forward(const nn::DenseLinear& layer, std::vector<float> x) {
  x.resize(static_cast<std::size_t>(nn::padded(layer.in())));
  std::vector<float> y(static_cast<std::size_t>(nn::padded(layer.out(), nn::kTile)));
  layer.forward(x.data(), static_cast<std::int64_t>(x.size()), y.data(), static_cast<std::int64_t>(y.size()),
                1);
  y.resize(static_cast<std::size_t>(layer.out()));
  return y;
}

}  // namespace

DeepSetModel::DeepSetModel(Weights weights, Standardiser standardiser,
                           std::vector<AttributeClasses> attributes, std::vector<AttributeQuality> quality)
    : weights_(std::move(weights)),
      standardiser_(std::move(standardiser)),
      attributes_(std::move(attributes)),
      quality_(std::move(quality)),
      phi1_(linear(weights_.phi1, weights_.phi1_bias, kUnits, kInputs, "phi1")),
      phi2_(linear(weights_.phi2, weights_.phi2_bias, kUnits, kUnits, "phi2")),
      rho_(linear(weights_.rho, weights_.rho_bias, kUnits, kPooled, "rho")),
      heads_(linear(weights_.heads, weights_.heads_bias, outputs_of(attributes_), kUnits, "heads")) {
  if (attributes_.empty() || standardiser_.mean.size() != kPlaylistFeatures ||
      standardiser_.deviation.size() != kPlaylistFeatures || quality_.size() != attributes_.size())
    throw bad_data("the model's attributes, standardisation and quality do not belong together");
}

std::vector<float> DeepSetModel::playlist(std::span<const double> x) const {
  auto h = forward(phi1_, standardiser_(x));
  relu(h);
  h = forward(phi2_, std::move(h));
  relu(h);
  return h;
}

AttributeProbabilities DeepSetModel::attributes_of(std::span<const double> mean, std::span<const float> most,
                                                   std::size_t playlists) const {
  std::vector<float> pooled;
  for (const double v : mean) pooled.push_back(static_cast<float>(v));
  pooled.insert(pooled.end(), most.begin(), most.end());
  pooled.push_back(static_cast<float>(std::log(static_cast<double>(playlists))));
  auto hidden = forward(rho_, std::move(pooled));
  relu(hidden);
  const auto logits = forward(heads_, std::move(hidden));
  AttributeProbabilities out;
  std::size_t at = 0;
  for (const AttributeClasses& attribute : attributes_) {
    const auto some = std::span(logits).subspan(at, attribute.classes.size());
    at += some.size();
    const auto greatest = static_cast<double>(*std::max_element(some.begin(), some.end()));
    auto& p = out.emplace_back();
    double sum = 0;
    for (const float v : some) p.push_back(std::exp(static_cast<double>(v) - greatest)), sum += p.back();
    for (double& v : p) v /= sum;
  }
  return out;
}

void DeepSetModel::write(const std::string& path) const {
  Archive archive;
  archive.group("model").set("architecture", kArchitecture);
  archive.group("model").set("attributes", static_cast<std::int64_t>(attributes_.size()));
  Archive& w = archive.group("weights");
  w.set("phi1", weights_.phi1), w.set("phi1_bias", weights_.phi1_bias);
  w.set("phi2", weights_.phi2), w.set("phi2_bias", weights_.phi2_bias);
  w.set("rho", weights_.rho), w.set("rho_bias", weights_.rho_bias);
  w.set("heads", weights_.heads), w.set("heads_bias", weights_.heads_bias);
  archive.group("standardiser").set("mean", standardiser_.mean);
  archive.group("standardiser").set("deviation", standardiser_.deviation);
  for (std::size_t a = 0; a < attributes_.size(); ++a) {
    Archive& group = archive.group("attribute_" + std::to_string(a));
    attributes_[a].save(group);
    group.set("balanced_accuracy", quality_[a].balanced_accuracy);
    group.set("calibration", quality_[a].calibration);
    group.set("shares", quality_[a].shares);
  }
  nn::write_model(path, archive);
}

std::shared_ptr<const DeepSetModel> DeepSetModel::read(const std::string& path) {
  const Archive archive = nn::read_model(path, kArchitecture);
  try {
    const Archive& w = archive.group("weights");
    const auto take = [&](const char* name) { return w.get<std::vector<float>>(name); };
    Weights weights{take("phi1"), take("phi1_bias"), take("phi2"),  take("phi2_bias"),
                    take("rho"),  take("rho_bias"),  take("heads"), take("heads_bias")};
    Standardiser standardiser{archive.group("standardiser").get<std::vector<float>>("mean"),
                              archive.group("standardiser").get<std::vector<float>>("deviation")};
    std::vector<AttributeClasses> attributes;
    std::vector<AttributeQuality> quality;
    const auto count = archive.group("model").get<std::int64_t>("attributes");
    for (std::int64_t a = 0; a < count; ++a) {
      const Archive& group = archive.group("attribute_" + std::to_string(a));
      attributes.push_back(AttributeClasses::load(group));
      quality.push_back({group.get<double>("balanced_accuracy"), group.get<double>("calibration"),
                         group.get<std::vector<double>>("shares")});
      if (quality.back().shares.size() != attributes.back().classes.size())
        throw bad_data("the shares of '" + attributes.back().name + "' are not those of its classes");
    }
    return std::make_shared<const DeepSetModel>(std::move(weights), std::move(standardiser),
                                                std::move(attributes), std::move(quality));
  } catch (const Error& e) {
    throw e.within(path);
  }
}

// --- the set

void PlaylistSet::find_most() {
  std::fill(most_.begin(), most_.end(), -std::numeric_limits<float>::infinity());
  second_ = most_;
  for (const auto& [name, h] : units_)
    for (std::size_t f = 0; f < kDeepSetUnits; ++f) {
      if (h[f] > most_[f])
        second_[f] = most_[f], most_[f] = h[f];
      else
        second_[f] = std::max(second_[f], h[f]);
    }
}

void PlaylistSet::changed() {
  // Sums drift by a rounding error a change.
  if (++changes_ % kRebuild != 0) return;
  std::fill(sum_.begin(), sum_.end(), 0.0);
  for (const auto& [name, h] : units_)
    for (std::size_t f = 0; f < kDeepSetUnits; ++f) sum_[f] += static_cast<double>(h[f]);
}

void PlaylistSet::put(const std::string& playlist, std::vector<float> h) {
  auto& held = units_[playlist];
  const bool replaced = !held.empty();
  for (std::size_t f = 0; f < kDeepSetUnits; ++f)
    sum_[f] += static_cast<double>(h[f]) - (replaced ? static_cast<double>(held[f]) : 0.0);
  held = std::move(h);
  find_most();
  changed();
}

void PlaylistSet::remove(const std::string& playlist) {
  const auto at = units_.find(playlist);
  if (at == units_.end()) throw bad_data("there is no playlist '" + playlist + "'");
  for (std::size_t f = 0; f < kDeepSetUnits; ++f) sum_[f] -= static_cast<double>(at->second[f]);
  units_.erase(at);
  if (units_.empty()) std::fill(sum_.begin(), sum_.end(), 0.0);
  find_most();
  changed();
}

std::vector<double> PlaylistSet::mean() const {
  std::vector<double> out = sum_;
  for (double& v : out) v /= static_cast<double>(units_.size());
  return out;
}

std::pair<std::vector<double>, std::vector<float>> PlaylistSet::without(const std::string& playlist) const {
  const auto& h = units_.at(playlist);
  std::vector<double> mean(kDeepSetUnits);
  std::vector<float> most(kDeepSetUnits);
  for (std::size_t f = 0; f < kDeepSetUnits; ++f) {
    mean[f] = (sum_[f] - static_cast<double>(h[f])) / static_cast<double>(units_.size() - 1);
    most[f] = h[f] == most_[f] ? second_[f] : most_[f];
  }
  return {std::move(mean), std::move(most)};
}

void PlaylistSet::save(Archive& group) const {
  std::string names;
  std::vector<std::int64_t> ends;
  std::vector<float> h;
  for (const auto& [name, units] : units_) {
    names += name;
    ends.push_back(static_cast<std::int64_t>(names.size()));
    h.insert(h.end(), units.begin(), units.end());
  }
  group.set("names", std::vector<std::uint8_t>(names.begin(), names.end()));
  group.set("ends", ends);
  group.set("h", h);
  group.set("sum", sum_);
  group.set("changes", changes_);
}

void PlaylistSet::load(const Archive& group) {
  const auto names = group.get<std::vector<std::uint8_t>>("names");
  const auto ends = group.get<std::vector<std::int64_t>>("ends");
  const auto h = group.get<std::vector<float>>("h");
  sum_ = group.get<std::vector<double>>("sum");
  changes_ = group.get<std::int64_t>("changes");
  if (sum_.size() != kDeepSetUnits || h.size() != ends.size() * kDeepSetUnits)
    throw bad_data("the checkpoint's playlists do not belong together");
  units_.clear();
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] < begin || ends[i] > static_cast<std::int64_t>(names.size()))
      throw bad_data("the names of the checkpoint's playlists are cut short");
    const auto from = h.begin() + static_cast<std::ptrdiff_t>(i * kDeepSetUnits);
    units_.emplace(std::string(names.begin() + begin, names.begin() + ends[i]),
                   std::vector<float>(from, from + kDeepSetUnits));
    begin = ends[i];
  }
  if (units_.size() != ends.size()) throw bad_data("the checkpoint names a playlist twice");
  find_most();
}

}  // namespace stream::recommenders
