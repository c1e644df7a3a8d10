#include "llm/model_file.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"
#include "stream/half.hpp"
#include "stream/random.hpp"

namespace stream::llm {
namespace {

constexpr const char* kArchitecture = "decoder";

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

bool floating(DType type) { return type == DType::kF32 || type == DType::kF16 || type == DType::kBF16; }

}  // namespace

void check_weights(const LanguageModel& model) {
  const auto wanted = weight_shapes(model.config);
  std::vector<std::string> names, strays;
  for (const WeightShape& w : wanted) names.push_back(w.name);
  for (const auto& entry : model.weights)
    if (std::find(names.begin(), names.end(), entry.first) == names.end()) strays.push_back(entry.first);
  for (const WeightShape& w : wanted) {
    const auto it = model.weights.find(w.name);
    if (it == model.weights.end())
      throw bad_data("weight '" + w.name + "' " + shape_text(w.shape) + " is missing" +
                     did_you_mean(w.name, strays));
    const Tensor& tensor = it->second;
    if (!std::ranges::equal(tensor.shape(), w.shape))
      throw bad_data("weight '" + w.name + "' has the shape " + shape_text(tensor.shape()) + ", expected " +
                     shape_text(w.shape));
    if (!floating(tensor.dtype()))
      throw bad_data("weight '" + w.name + "' is of type " + name_of(tensor.dtype()) +
                     ", expected float32, bfloat16 or float16");
    if (!tensor.contiguous()) throw bad_data("weight '" + w.name + "' is not row-major");
  }
  if (!strays.empty())
    throw bad_data("weight '" + strays.front() + "' is not part of this model" +
                   did_you_mean(strays.front(), names));
}

std::vector<float> floats(const Tensor& tensor) {
  const auto size = static_cast<std::size_t>(tensor.elements());
  if (tensor.dtype() == DType::kF32) {
    const auto values = tensor.values<float>();
    return {values.begin(), values.end()};
  }
  if (!floating(tensor.dtype()))
    throw bad_data(std::string("a tensor of type ") + name_of(tensor.dtype()) +
                   ", expected a floating-point one");
  if (!tensor.contiguous()) throw bad_data("a tensor is not row-major");
  std::vector<float> out(size);
  const bool half = tensor.dtype() == DType::kF16;
  for (std::size_t i = 0; i < size; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, tensor.buffer().data() + 2 * i, 2);
    out[i] = half ? float_of_half(bits) : float_of_bfloat(bits);
  }
  return out;
}

Tensor converted(const Tensor& tensor, DType type) {
  if (tensor.dtype() == type) return tensor;
  const std::vector<float> values = floats(tensor);
  const std::vector<std::int64_t> shape(tensor.shape().begin(), tensor.shape().end());
  if (type == DType::kF32) return Tensor::of(values, shape);
  if (!floating(type)) throw bad_data(std::string("weights cannot be stored as ") + name_of(type));
  std::vector<std::uint16_t> bits(values.size());
  for (std::size_t i = 0; i < bits.size(); ++i)
    bits[i] = type == DType::kF16 ? half_of_float(values[i]) : bfloat_of_float(values[i]);
  return {Buffer::own(std::move(bits)), type, shape};
}

void write_language_model(const std::string& path, const LanguageModel& model) {
  if (const std::string wrong = model.config.fault(); !wrong.empty()) throw bad_data("model: " + wrong);
  check_weights(model);
  Archive archive;
  archive.group("model").set("architecture", kArchitecture);
  model.config.save(archive.group("model"));
  Archive& weights = archive.group("weights");
  for (const auto& [name, tensor] : model.weights) weights.set(name, tensor);
  archive.group("tokenizer").set("kind", model.tokenizer_kind);
  archive.group("tokenizer")
      .set("data", std::vector<std::uint8_t>(model.tokenizer.begin(), model.tokenizer.end()));
  write_archive(path, archive);
}

void write_language_model(const std::string& path, const LanguageModel& model, DType type) {
  LanguageModel stored = model;
  for (auto& [name, tensor] : stored.weights)
    if (tensor.shape().size() == 2) tensor = converted(tensor, type);
  write_language_model(path, stored);
}

LanguageModel read_language_model(const std::string& path) {
  const Archive archive = read_archive(path);
  if (!archive.has("model") || !archive.has("weights") || !archive.has("tokenizer"))
    throw bad_recipe(path + ": not a language model; expected one that llm.train or `stream import` wrote");
  try {
    const auto architecture = archive.group("model").get<std::string>("architecture");
    if (architecture != kArchitecture)
      throw bad_recipe("a model of architecture '" + architecture + "', expected '" + kArchitecture + "'");
    LanguageModel model;
    model.config = ModelConfig::load(archive.group("model"));
    for (const auto& [name, entry] : archive.group("weights").entries()) {
      const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry);
      if (tensor == nullptr) throw bad_data("weight '" + name + "' is not a tensor");
      model.weights.emplace(name, **tensor);
    }
    check_weights(model);
    model.tokenizer_kind = archive.group("tokenizer").get<std::string>("kind");
    const auto data = archive.group("tokenizer").get<std::vector<std::uint8_t>>("data");
    model.tokenizer.assign(data.begin(), data.end());
    return model;
  } catch (const Error& error) {
    throw error.within(path);
  }
}

std::string fingerprint(const LanguageModel& model) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto mix = [&hash](std::uint64_t word) {
    hash = std::rotl((hash ^ word) * 0x9e3779b97f4a7c15ull, 29);
  };
  for (const auto& [name, tensor] : model.weights) {
    mix(stable_hash(name));
    const auto bytes = tensor.buffer().bytes();
    std::size_t i = 0;
    for (; i + 8 <= bytes.size(); i += 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + i, 8);
      mix(word);
    }
    for (; i < bytes.size(); ++i) mix(static_cast<std::uint64_t>(bytes[i]));
  }
  Archive config;
  model.config.save(config);
  for (const auto& [name, entry] : config.entries()) {
    mix(stable_hash(name));
    if (const auto* scalar = std::get_if<Archive::Scalar>(&entry)) {
      if (const auto* text = std::get_if<std::string>(scalar)) mix(stable_hash(*text));
      if (const auto* number = std::get_if<std::int64_t>(scalar)) mix(static_cast<std::uint64_t>(*number));
      if (const auto* real = std::get_if<double>(scalar)) mix(std::bit_cast<std::uint64_t>(*real));
      if (const auto* flag = std::get_if<bool>(scalar)) mix(*flag ? 1 : 2);
    }
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace stream::llm
