#include "events/tpp_model.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <mutex>

#include "nn/tensor_view.hpp"
#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::events {

namespace {

constexpr const char* kArchitecture = "prompt-tpp";

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

float dot(const float* a, const float* b, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<float> flat(const at::Tensor& tensor) {
  const at::Tensor t = tensor.contiguous();
  return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()};
}

}  // namespace

void write_tpp(const std::string& path, const PromptTpp& network, const std::vector<std::string>& names,
               std::int64_t length) {
  Archive archive;
  const TppShape& s = network.shape();
  Archive& model = archive.group("model");
  model.set("architecture", kArchitecture);
  model.set("types", s.types);
  model.set("type_features", s.type_features);
  model.set("time_features", s.time_features);
  model.set("heads", s.heads);
  model.set("points", s.points);
  model.set("prompts", s.prompts);
  model.set("prompt_rows", s.prompt_rows);
  model.set("block", s.block);
  model.set("prompted", s.retrieval != Retrieval::kNone);
  model.set("length", length);
  for (std::size_t i = 0; i < names.size(); ++i) model.set("type_" + std::to_string(i), names[i]);
  nn::save_weights(network, archive.group("weights"));
  archive.group("pools").set("prompts", nn::snapshot(network.prompts));
  archive.group("pools").set("keys", nn::snapshot(network.keys));
  nn::write_model(path, archive);
}

TppModel::TppModel(const std::string& path) {
  const Archive archive = nn::read_model(path, kArchitecture);
  try {
    const Archive& model = archive.group("model");
    const auto size = [&](const char* name, std::int64_t most) {
      const auto value = model.get<std::int64_t>(name);
      if (value < 1 || value > most)
        throw bad_data(std::string("the model's ") + name + " is " + std::to_string(value) +
                       ", expected 1 to " + std::to_string(most));
      return value;
    };
    shape_.types = size("types", 4096), shape_.type_features = size("type_features", 1024);
    shape_.time_features = size("time_features", 1024), shape_.heads = size("heads", 64);
    shape_.points = size("points", 1024), shape_.prompts = size("prompts", 4096);
    shape_.prompt_rows = size("prompt_rows", 1024), shape_.block = size("block", 4096);
    shape_.retrieval = model.get<bool>("prompted") ? Retrieval::kSimilarity : Retrieval::kNone;
    length_ = static_cast<std::size_t>(size("length", 100000));
    for (std::int64_t i = 0; i < shape_.types; ++i) {
      names_.push_back(model.get<std::string>("type_" + std::to_string(i)));
      numbers_[names_.back()] = i;
    }
    PromptTpp network(shape_, 0);
    nn::load_weights(network, archive.group("weights"));
    const at::Tensor prompts = nn::view(archive.group("pools").tensor("prompts")),
                     keys = nn::view(archive.group("pools").tensor("keys"));
    if (prompts.sizes() != network.prompts.sizes() || keys.sizes() != network.keys.sizes())
      throw bad_data("the prompts are of another shape");
    const torch::NoGradGuard no_grad;
    const auto named = network.named_parameters();
    const auto map = [&](const std::string& name) {
      return Map{flat(named[name + ".weight"]), flat(named[name + ".bias"])};
    };
    for (std::int64_t h = 0; h < shape_.heads; ++h) {
      query_.push_back(map("query" + std::to_string(h)));
      key_.push_back(map("key" + std::to_string(h)));
      value_.push_back(map("value" + std::to_string(h)));
    }
    types_ = flat(named["types"].tanh());
    frozen_ = flat(network.named_buffers()["frozen"]);
    prompts_ = flat(prompts);
    keys_ = flat(keys / keys.norm(2, -1, true).clamp_min(1e-9));
    out_ = flat(named["intensity.weight"]), out_bias_ = flat(named["intensity.bias"]);
    for (std::int64_t j = 0; j < shape_.time_features / 2; ++j)
      frequencies_.push_back(static_cast<float>(std::exp(-2.0 * static_cast<double>(j) * std::log(10000.0) /
                                                         static_cast<double>(shape_.time_features))));
  } catch (const Error& e) {
    throw e.within(path);
  }
}

std::shared_ptr<const TppModel> TppModel::shared(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const TppModel>> models;
  struct stat status {};
  std::string name = path;
  if (::stat(path.c_str(), &status) == 0)  // a file that was written anew is another model
    name += " " + std::to_string(status.st_ino) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
            std::to_string(status.st_mtim.tv_nsec);
  const std::lock_guard lock(mutex);
  auto& known = models[name];
  if (auto model = known.lock()) return model;
  auto model = std::make_shared<const TppModel>(path);
  known = model;
  return model;
}

std::int64_t TppModel::type(const std::string& name) const {
  const auto at = numbers_.find(name);
  return at == numbers_.end() ? -1 : at->second;
}

void TppModel::code(double time, float* into) const {
  for (std::size_t j = 0; j < frequencies_.size(); ++j) {
    const float angle = static_cast<float>(time) * frequencies_[j];
    into[2 * j] = std::sin(angle), into[2 * j + 1] = std::cos(angle);
  }
}

void TppModel::apply(const Map& map, const float* row, float* into) const {
  const auto d = static_cast<std::size_t>(shape_.type_features), n = static_cast<std::size_t>(shape_.row());
  for (std::size_t i = 0; i < d; ++i) into[i] = map.bias[i] + dot(map.weight.data() + i * n, row, n);
}

void TppModel::choose(TppState& state) const {
  if (shape_.retrieval == Retrieval::kNone) return;
  const auto d = static_cast<std::size_t>(shape_.type_features),
             rows = static_cast<std::size_t>(shape_.prompt_rows),
             count = static_cast<std::size_t>(shape_.prompts), heads = static_cast<std::size_t>(shape_.heads);
  const auto events = static_cast<double>(state.times.size());
  std::vector<float> query(d), row(static_cast<std::size_t>(shape_.row()));
  for (std::size_t i = 0; i < d; ++i) query[i] = static_cast<float>(state.queries[i] / events);
  state.chosen.assign(static_cast<std::size_t>(shape_.pools()), 0);
  for (std::size_t p = 0; p < state.chosen.size(); ++p) {
    float best = -1e30f;
    for (std::size_t s = 0; s < count; ++s) {
      const float similar = dot(query.data(), keys_.data() + (p * count + s) * d, d);
      if (similar > best) best = similar, state.chosen[p] = static_cast<std::int64_t>(s);
    }
  }
  code(state.times.back() / std::max(1.0, events - 1), row.data() + d);
  state.prompt_keys.resize(heads * rows * d), state.prompt_values.resize(heads * rows * d);
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t kind = 0; kind < 2; ++kind) {
        const std::size_t pool = 2 * h + kind;
        const float* prompt =
            prompts_.data() + ((pool * count + static_cast<std::size_t>(state.chosen[pool])) * rows + r) * d;
        std::copy_n(prompt, d, row.begin());
        apply(kind == 0 ? key_[h] : value_[h], row.data(),
              (kind == 0 ? state.prompt_keys : state.prompt_values).data() + (h * rows + r) * d);
      }
}

void TppModel::append(TppState& state, double time, std::int64_t type) const {
  const auto d = static_cast<std::size_t>(shape_.type_features);
  std::vector<float> row(static_cast<std::size_t>(shape_.row()));
  std::copy_n(types_.data() + static_cast<std::size_t>(type) * d, d, row.begin());
  code(time, row.data() + d);
  const std::size_t at = state.keys.size();
  state.keys.resize(at + static_cast<std::size_t>(shape_.heads) * d), state.values.resize(state.keys.size());
  for (std::size_t h = 0; h < query_.size(); ++h) {
    apply(key_[h], row.data(), state.keys.data() + at + h * d);
    apply(value_[h], row.data(), state.values.data() + at + h * d);
  }
  state.queries.resize(d);
  for (std::size_t i = 0; i < d; ++i)
    state.queries[i] += static_cast<double>(frozen_[static_cast<std::size_t>(type) * d + i]);
  state.times.push_back(time);
  if ((state.times.size() - 1) % static_cast<std::size_t>(shape_.block) == 0) choose(state);
}

std::vector<double> TppModel::intensity(const TppState& state, double time) const {
  const auto d = static_cast<std::size_t>(shape_.type_features),
             heads = static_cast<std::size_t>(shape_.heads), events = state.times.size();
  const std::size_t rows = state.chosen.empty() ? 0 : static_cast<std::size_t>(shape_.prompt_rows);
  std::vector<float> row(static_cast<std::size_t>(shape_.row())), q(d), own(d), hidden(heads * d);
  std::vector<float> scores(events + rows + 1);
  code(time, row.data() + d);
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  for (std::size_t h = 0; h < heads; ++h) {
    apply(query_[h], row.data(), q.data());
    apply(key_[h], row.data(), own.data());
    float greatest = scores[events + rows] = scale * dot(q.data(), own.data(), d);
    for (std::size_t j = 0; j < events; ++j)
      greatest =
          std::max(greatest, scores[j] = scale * dot(q.data(), state.keys.data() + (j * heads + h) * d, d));
    for (std::size_t r = 0; r < rows; ++r)
      greatest =
          std::max(greatest, scores[events + r] =
                                 scale * dot(q.data(), state.prompt_keys.data() + (h * rows + r) * d, d));
    float sum = 0;
    for (float& s : scores) sum += s = std::exp(s - greatest);
    apply(value_[h], row.data(), own.data());
    float* out = hidden.data() + h * d;
    for (std::size_t i = 0; i < d; ++i) {
      float total = scores[events + rows] * own[i];
      for (std::size_t j = 0; j < events; ++j) total += scores[j] * state.values[(j * heads + h) * d + i];
      for (std::size_t r = 0; r < rows; ++r)
        total += scores[events + r] * state.prompt_values[(h * rows + r) * d + i];
      out[i] = std::tanh(total / sum);
    }
  }
  std::vector<double> rates;
  for (std::size_t k = 0; k < names_.size(); ++k)
    rates.push_back(std::max(
        1e-9, softplus(static_cast<double>(out_bias_[k] +
                                           dot(out_.data() + k * heads * d, hidden.data(), heads * d)))));
  return rates;
}

double TppModel::integral(const TppState& state, double from, double to) const {
  double sum = 0;
  for (std::int64_t s = 0; s < shape_.points; ++s)
    for (const double rate :
         intensity(state, from + (to - from) * static_cast<double>(s) /
                                     static_cast<double>(std::max<std::int64_t>(1, shape_.points - 1))))
      sum += rate;
  return sum / static_cast<double>(shape_.points) * (to - from);
}

TppModel::Forecast TppModel::forecast(const TppState& state, double horizon) const {
  constexpr int kPoints = 200;
  const double now = state.times.back(), step = horizon / (kPoints - 1);
  double survival = 1, mean = 0, before = 0;
  for (int i = 0; i < kPoints; ++i) {
    double total = 0;
    for (const double rate : intensity(state, now + i * step)) total += rate;
    if (i > 0) {
      const double next = survival * std::exp(-step * (before + total) / 2);
      mean += step * (survival + next) / 2;
      survival = next;
    }
    before = total;
  }
  const auto rates = intensity(state, now + mean);
  return {mean, std::max_element(rates.begin(), rates.end()) - rates.begin()};
}

}  // namespace stream::events
