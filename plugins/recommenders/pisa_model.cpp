#include "recommenders/pisa_model.hpp"

#include <sys/stat.h>

#include <cmath>
#include <map>
#include <mutex>

#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

namespace {

constexpr const char* kArchitecture = "pisa";
constexpr float kEpsilon = 1e-8f;

float dot(const float* a, const float* b, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void normalise(float* x, std::size_t n) {
  const float length = std::max(std::sqrt(dot(x, x, n)), 1e-12f);
  for (std::size_t i = 0; i < n; ++i) x[i] /= length;
}

}  // namespace

void write_pisa(const std::string& path, const PisaNetwork& network, const Catalogue& catalogue,
                const Cooccurrence& cooccurrence, double long_term) {
  Archive archive;
  const PisaShape& shape = network.shape();
  archive.group("model").set("architecture", kArchitecture);
  archive.group("model").set("items", shape.items);
  archive.group("model").set("features", shape.features);
  archive.group("model").set("length", shape.length);
  archive.group("model").set("blocks", shape.blocks);
  archive.group("model").set("heads", shape.heads);
  archive.group("model").set("activations", shape.activations);
  archive.group("model").set("item_rate", shape.item_rate);
  archive.group("model").set("long_term", long_term);
  nn::save_weights(network, archive.group("weights"));
  catalogue.save(archive.group("catalogue"));
  cooccurrence.save(archive.group("cooccurrence"));
  nn::write_model(path, archive);
}

PisaModel::PisaModel(const std::string& path, ItemIndex::Options options) {
  const Archive archive = nn::read_model(path, kArchitecture);
  try {
    const Archive& model = archive.group("model");
    shape_ = {.items = model.get<std::int64_t>("items"),
              .features = model.get<std::int64_t>("features"),
              .length = model.get<std::int64_t>("length"),
              .blocks = model.get<std::int64_t>("blocks"),
              .heads = model.get<std::int64_t>("heads"),
              .activations = model.get<bool>("activations"),
              .item_rate = model.get<double>("item_rate")};
    catalogue_.load(archive.group("catalogue"));
    if (shape_.items != static_cast<std::int64_t>(catalogue_.size()) || shape_.features < 1 ||
        shape_.features > 4096 || shape_.length < 1 || shape_.length > 4096 || shape_.blocks < 0 ||
        shape_.blocks > 64 || shape_.heads < 1 || shape_.features % shape_.heads != 0)
      throw bad_data("the model's sizes do not belong together");
    cooccurrence_.load(archive.group("cooccurrence"), catalogue_.size());
    long_term_ = model.get<double>("long_term");
    PisaNetwork network(shape_, nn::generator(0));
    nn::load_weights(network, archive.group("weights"));
    const torch::NoGradGuard no_grad;
    std::map<std::string, at::Tensor> named;
    for (const auto& item : network.named_parameters()) named[item.key()] = item.value().contiguous();
    const auto flat = [&](const std::string& name) {
      const at::Tensor& t = named.at(name);
      return std::vector<float>(t.data_ptr<float>(), t.data_ptr<float>() + t.numel());
    };
    const auto linear = [&](const std::string& name) {
      return nn::DenseLinear(flat(name + ".weight"), flat(name + ".bias"), shape_.features, shape_.features);
    };
    const auto norm = [&](const std::string& name) {
      return Norm{flat(name + ".weight"), flat(name + ".bias")};
    };
    for (std::int64_t b = 0; b < shape_.blocks; ++b) {
      const std::string block = "block" + std::to_string(b) + ".";
      blocks_.push_back({norm(block + "query_norm"), norm(block + "forward_norm"), linear(block + "query"),
                         linear(block + "key"), linear(block + "value"), linear(block + "inner"),
                         linear(block + "outer")});
    }
    positions_ = flat("positions");
    fusion_ = flat("fusion.weight");
    for (const float bias : flat("fusion.bias")) fusion_.push_back(bias);
    const auto weights = flat("activation_weights");
    std::copy_n(weights.begin(), 3, activation_weights_.begin());
    const at::Tensor vectors = network.item_vectors().contiguous();
    index_ = std::make_unique<ItemIndex>(
        std::vector<float>(vectors.data_ptr<float>(), vectors.data_ptr<float>() + vectors.numel()),
        static_cast<std::size_t>(shape_.features), options);
  } catch (const Error& e) {
    throw e.within(path);
  }
}

std::shared_ptr<const PisaModel> PisaModel::shared(const std::string& path, ItemIndex::Options options) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<const PisaModel>> models;
  // A file that was written anew is another model.
  struct stat status {};
  std::string name =
      path + " " + std::to_string(options.exact_up_to) + " " + std::to_string(options.searched);
  if (::stat(path.c_str(), &status) == 0)
    name += " " + std::to_string(status.st_ino) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
            std::to_string(status.st_mtim.tv_nsec);
  const std::lock_guard lock(mutex);
  auto& known = models[name];
  if (auto model = known.lock()) return model;
  auto model = std::make_shared<const PisaModel>(path, options);
  known = model;
  return model;
}

void PisaModel::attend(const Block& block, std::vector<float>& x, const std::vector<bool>& there) const {
  const auto d = static_cast<std::size_t>(shape_.features),
             ld = static_cast<std::size_t>(nn::padded(shape_.features));
  const std::size_t rows = there.size(), heads = static_cast<std::size_t>(shape_.heads), width = d / heads;
  const auto stride = static_cast<std::int64_t>(ld);
  const auto count = static_cast<std::int64_t>(rows);
  // layer_norm of the kernels has another epsilon.
  const auto normed = [&](const Norm& norm, const std::vector<float>& from) {
    std::vector<float> y(rows * ld);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* row = from.data() + r * ld;
      float mean = 0, square = 0;
      for (std::size_t i = 0; i < d; ++i) mean += row[i];
      mean /= static_cast<float>(d);
      for (std::size_t i = 0; i < d; ++i) square += (row[i] - mean) * (row[i] - mean);
      const float scale = 1 / std::sqrt(square / static_cast<float>(d) + 1e-6f);
      for (std::size_t i = 0; i < d; ++i)
        y[r * ld + i] = (row[i] - mean) * scale * norm.scale[i] + norm.shift[i];
    }
    return y;
  };
  std::vector<float> attended = normed(block.query_norm, x);
  std::vector<float> q(rows * ld), k(rows * ld), v(rows * ld), scores(rows);
  block.query.forward(attended.data(), stride, q.data(), stride, count);
  block.key.forward(x.data(), stride, k.data(), stride, count);
  block.value.forward(x.data(), stride, v.data(), stride, count);
  const float scale = 1 / std::sqrt(static_cast<float>(width));
  for (std::size_t r = 0; r < rows; ++r) {
    if (!there[r]) continue;
    for (std::size_t h = 0; h < heads; ++h) {
      float greatest = -1e30f, sum = 0;
      for (std::size_t j = 0; j <= r; ++j) {
        scores[j] = there[j]
                        ? scale * dot(q.data() + r * ld + h * width, k.data() + j * ld + h * width, width)
                        : -1e30f;
        greatest = std::max(greatest, scores[j]);
      }
      for (std::size_t j = 0; j <= r; ++j) sum += scores[j] = there[j] ? std::exp(scores[j] - greatest) : 0;
      for (std::size_t j = 0; j <= r; ++j)
        for (std::size_t i = 0; i < width; ++i)
          attended[r * ld + h * width + i] += scores[j] / sum * v[j * ld + h * width + i];
    }
  }
  const std::vector<float> y = normed(block.forward_norm, attended);
  std::vector<float> inner(rows * ld);
  block.inner.forward(y.data(), stride, inner.data(), stride, count);
  for (float& value : inner) value = std::max(value, 0.0f);
  block.outer.forward(inner.data(), stride, x.data(), stride, count);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t i = 0; i < d; ++i) x[r * ld + i] = there[r] ? x[r * ld + i] + y[r * ld + i] : 0;
}

PisaModel::Answer PisaModel::answer(std::span<const Session> sessions, const BaseLevels& levels) const {
  const auto d = static_cast<std::size_t>(shape_.features),
             ld = static_cast<std::size_t>(nn::padded(shape_.features));
  const std::size_t rows = length();
  const SessionFeatures f = features_of(sessions, rows, levels);
  Answer out;
  std::vector<float> vectors(rows * d), x(rows * ld);
  std::vector<bool> there(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int32_t* items = f.items.data() + r * kSlots;
    const std::int32_t* before = f.items.data() + (r == 0 ? 0 : r - 1) * kSlots;
    std::array<float, kSlots> weight{};
    std::array<std::array<float, 3>, kSlots> parts{};
    std::vector<float> previous(d);
    for (std::size_t j = 0; j < kSlots; ++j)
      if (before[j] != 0)
        for (std::size_t i = 0; i < d; ++i) previous[i] += index_->vector(before[j])[i];
    float sum = 0;
    for (std::size_t s = 0; s < kSlots; ++s) {
      if (items[s] == 0) continue;
      there[r] = true;
      const float* m = index_->vector(items[s]);
      const float match =
          dot(m, previous.data(), d) - (before[s] != 0 ? dot(m, index_->vector(before[s]), d) : 0);
      parts[s] = {f.base[r * kSlots + s], f.spreading[r * kSlots + s], match};
      float a = 0;
      for (std::size_t c = 0; c < 3; ++c)
        a += (std::max(parts[s][c], 0.0f) + kEpsilon) * (std::max(activation_weights_[c], 0.0f) + kEpsilon);
      weight[s] = shape_.activations ? std::sqrt(a + kEpsilon) : 1.0f;
      sum += weight[s];
    }
    for (std::size_t s = 0; s < kSlots; ++s) {
      if (items[s] == 0) continue;
      weight[s] /= std::max(sum, kEpsilon);
      for (std::size_t i = 0; i < d; ++i) vectors[r * d + i] += weight[s] * index_->vector(items[s])[i];
      if (r + 1 == rows) out.weights.push_back(weight[s]), out.parts.push_back(parts[s]);
    }
    if (there[r])
      for (std::size_t i = 0; i < d; ++i)
        x[r * ld + i] = vectors[r * d + i] * std::sqrt(static_cast<float>(d)) + positions_[r * d + i];
  }
  for (const Block& block : blocks_) attend(block, x, there);
  std::vector<float> st(x.begin() + static_cast<std::ptrdiff_t>((rows - 1) * ld),
                        x.begin() + static_cast<std::ptrdiff_t>((rows - 1) * ld + d)),
      lt(d), gate(2);
  normalise(st.data(), d);
  const LongTerm loved = levels.long_term();
  for (std::size_t k = 0; k < kLongTerm; ++k)
    if (loved.items[k] != 0)
      for (std::size_t i = 0; i < d; ++i) lt[i] += loved.weights[k] * index_->vector(loved.items[k])[i];
  normalise(lt.data(), d);
  for (std::size_t g = 0; g < 2; ++g)
    gate[g] = dot(lt.data(), fusion_.data() + g * 2 * d, d) +
              dot(st.data(), fusion_.data() + g * 2 * d + d, d) + fusion_[4 * d + g];
  const float first = 1 / (1 + std::exp(gate[1] - gate[0]));
  out.query.resize(d);
  for (std::size_t i = 0; i < d; ++i)
    out.query[i] = first * lt[i] + (1 - first) * st[i] + vectors[(rows - 1) * d + i];
  normalise(out.query.data(), d);
  for (std::size_t i = 0; i < d; ++i) out.query[i] += static_cast<float>(long_term_) * lt[i];
  return out;
}

}  // namespace stream::recommenders
