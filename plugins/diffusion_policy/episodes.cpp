#include "diffusion_policy/episodes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "hdf5/archive_file.hpp"
#include "stream/error.hpp"

namespace stream::diffusion_policy {
namespace {

std::string number_of(std::size_t index) {
  char text[32];
  std::snprintf(text, sizeof text, "%06zu", index);
  return text;
}

template <typename T>
std::vector<float> floats(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  std::vector<float> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), [](T v) { return static_cast<float>(v); });
  return out;
}

/// A table of any of the types that demonstrations come in.
std::vector<float> table(const Archive& episode, const char* name, std::int64_t& rows,
                         std::int64_t& columns) {
  const Tensor& tensor = episode.tensor(name);
  if (tensor.shape().size() != 2)
    throw bad_data(std::string("'") + name + "' has " + std::to_string(tensor.shape().size()) +
                   " dimensions, expected [ticks, numbers]");
  rows = tensor.shape()[0], columns = tensor.shape()[1];
  std::vector<float> out;
  switch (tensor.dtype()) {
    case DType::kF32:
      out = floats<float>(tensor);
      break;
    case DType::kF64:
      out = floats<double>(tensor);
      break;
    case DType::kI32:
      out = floats<std::int32_t>(tensor);
      break;
    case DType::kI64:
      out = floats<std::int64_t>(tensor);
      break;
    default:
      throw bad_data(std::string("'") + name + "' is not of float32, float64, int32 or int64");
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!std::isfinite(out[i]))
      throw bad_data(std::string("'") + name + "' holds what is no finite number at tick " +
                     std::to_string(static_cast<std::int64_t>(i) / std::max<std::int64_t>(1, columns)));
  }
  return out;
}

}  // namespace

void write_episodes(const std::string& path, const Episodes& episodes) {
  Archive file;
  Archive& group = file.group("episodes");
  for (std::size_t i = 0; i < episodes.list.size(); ++i) {
    const Episode& e = episodes.list[i];
    Archive& one = group.group(number_of(i));
    one.set("obs", Tensor::of(e.observations, {episodes.ticks(e), episodes.observation}));
    one.set("action", Tensor::of(e.actions, {episodes.ticks(e), episodes.action}));
  }
  write_archive(path, file);
}

Episodes read_episodes(const std::string& path) {
  const Archive file = read_archive(path);
  try {
    const Archive& group = file.group("episodes");
    Episodes out;
    for (const auto& [name, entry] : group.entries()) {
      try {
        const Archive& one = group.group(name);
        Episode e;
        std::int64_t seen = 0, done = 0, observation = 0, action = 0;
        e.observations = table(one, "obs", seen, observation);
        e.actions = table(one, "action", done, action);
        if (seen != done || seen == 0 || observation == 0 || action == 0)
          throw bad_data("'obs' has " + std::to_string(seen) + " ticks and 'action' " + std::to_string(done) +
                         ", expected as many, and at least one of each");
        if (out.list.empty()) out.observation = observation, out.action = action;
        if (observation != out.observation || action != out.action)
          throw bad_data("its rows have " + std::to_string(observation) + " and " + std::to_string(action) +
                         " numbers, those of the first episode " + std::to_string(out.observation) + " and " +
                         std::to_string(out.action));
        out.list.push_back(std::move(e));
      } catch (const Error& error) {
        throw error.within("episode " + name);
      }
    }
    if (out.list.empty()) throw bad_data("holds no episodes");
    return out;
  } catch (const Error& error) {
    throw error.within(path);
  }
}

Normaliser Normaliser::fitted(const std::vector<const std::vector<float>*>& tables, std::int64_t width) {
  Normaliser out;
  for (std::int64_t d = 0; d < width; ++d) {
    float low = std::numeric_limits<float>::infinity(), high = -low;
    for (const auto* values : tables) {
      for (std::size_t i = static_cast<std::size_t>(d); i < values->size();
           i += static_cast<std::size_t>(width))
        low = std::min(low, (*values)[i]), high = std::max(high, (*values)[i]);
    }
    // Below this a dimension is taken as constant: dividing by its range would only amplify rounding.
    constexpr float kConstant = 1e-4f;
    const float scale = high - low < kConstant ? 1.0f : 2.0f / (high - low);
    out.scale.push_back(scale);
    out.offset.push_back(-scale * (high + low) / 2);
  }
  return out;
}

void Normaliser::apply(std::span<const float> in, std::span<float> out) const {
  for (std::size_t i = 0; i < in.size(); ++i)
    out[i] = in[i] * scale[i % scale.size()] + offset[i % scale.size()];
}

void Normaliser::invert(std::span<const float> in, std::span<float> out) const {
  for (std::size_t i = 0; i < in.size(); ++i)
    out[i] = (in[i] - offset[i % scale.size()]) / scale[i % scale.size()];
}

void Normaliser::save(Archive& group) const {
  group.set("scale", scale);
  group.set("offset", offset);
}

Normaliser Normaliser::load(const Archive& group, std::int64_t width) {
  Normaliser out{group.get<std::vector<float>>("scale"), group.get<std::vector<float>>("offset")};
  const auto finite = [](float v) { return std::isfinite(v); };
  if (static_cast<std::int64_t>(out.scale.size()) != width || out.offset.size() != out.scale.size() ||
      !std::all_of(out.scale.begin(), out.scale.end(), [](float v) { return std::isnormal(v); }) ||
      !std::all_of(out.offset.begin(), out.offset.end(), finite))
    throw bad_data("the normaliser does not fit " + std::to_string(width) + " numbers");
  return out;
}

}  // namespace stream::diffusion_policy
