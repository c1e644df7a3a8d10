#include "super_resolution/network.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "stream/error.hpp"
#include "stream/half.hpp"

namespace stream::super_resolution {
namespace {

constexpr const char* kPrecisions[] = {"float32", "float16", "int8"};

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <typename T>
T take(std::string_view& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

}  // namespace

std::string WdsrShape::fault() const {
  const auto outside = [](const char* what, int value, int low, int high) {
    return std::string(what) + " = " + std::to_string(value) + ", expected " + std::to_string(low) + " to " +
           std::to_string(high);
  };
  if (scale < 2 || scale > 4) return outside("scale", scale, 2, 4);
  if (features < 1 || features > 256) return outside("features", features, 1, 256);
  if (blocks < 1 || blocks > 64) return outside("blocks", blocks, 1, 64);
  if (expansion < 1 || expansion > 16) return outside("expansion", expansion, 1, 16);
  return {};
}

WdsrShape::Layer WdsrShape::layer(int index) const {
  const int out = 3 * scale * scale;
  if (index == 0) return {3, features, 3};
  if (index == layers() - 2) return {features, out, 3};
  if (index == layers() - 1) return {3, out, 5};
  return index % 2 == 1 ? Layer{features, features * expansion, 3} : Layer{features * expansion, features, 3};
}

std::int64_t WdsrShape::parameters() const {
  std::int64_t sum = 0;
  for (int i = 0; i < layers(); ++i)
    sum += std::int64_t{layer(i).out} * (layer(i).in * layer(i).size * layer(i).size + 1);
  return sum;
}
std::int64_t WdsrShape::multiply_adds() const {
  std::int64_t sum = 0;
  for (int i = 0; i < layers(); ++i)
    sum += std::int64_t{layer(i).out} * layer(i).in * layer(i).size * layer(i).size;
  return sum;
}

const char* name_of(Precision precision) { return kPrecisions[static_cast<int>(precision)]; }
Precision precision_of(const std::string& name) {
  for (int i = 0; i < 3; ++i)
    if (name == kPrecisions[i]) return static_cast<Precision>(i);
  throw bad_recipe("precision = \"" + name + "\": expected float32, float16 or int8");
}

std::size_t Weights::size(const WdsrShape& shape, Precision precision) {
  const auto all = static_cast<std::size_t>(shape.parameters());
  if (precision != Precision::kInt8) return all * (precision == Precision::kFloat32 ? 4 : 2);
  std::size_t channels = 0;
  for (int i = 0; i < shape.layers(); ++i) channels += static_cast<std::size_t>(shape.layer(i).out);
  return all - channels + channels * (4 + 2);
}

std::string Weights::bytes(Precision precision) const {
  std::string out;
  out.reserve(size(shape, precision));
  const float* at = values.data();
  for (int i = 0; i < shape.layers(); ++i) {
    const auto [in, channels, side] = shape.layer(i);
    const int fan = in * side * side;
    for (int c = 0; c < channels; ++c, at += fan) {
      if (precision == Precision::kFloat32) {
        for (int k = 0; k < fan; ++k) put(out, at[k]);
      } else if (precision == Precision::kFloat16) {
        for (int k = 0; k < fan; ++k) put(out, half_of_float(at[k]));
      } else {
        float most = 0;
        for (int k = 0; k < fan; ++k) most = std::max(most, std::abs(at[k]));
        const float step = most > 0 ? most / 127 : 1.0f;
        put(out, step);
        for (int k = 0; k < fan; ++k) put(out, static_cast<std::int8_t>(std::lround(at[k] / step)));
      }
    }
    for (int c = 0; c < channels; ++c, ++at) {
      if (precision == Precision::kFloat32)
        put(out, *at);
      else
        put(out, half_of_float(*at));
    }
  }
  return out;
}

Weights Weights::read(const WdsrShape& shape, Precision precision, std::string_view bytes) {
  if (bytes.size() != size(shape, precision))
    throw bad_data("a model of " + std::to_string(bytes.size()) + " bytes, expected " +
                   std::to_string(size(shape, precision)));
  Weights out{shape, {}};
  out.values.reserve(static_cast<std::size_t>(shape.parameters()));
  for (int i = 0; i < shape.layers(); ++i) {
    const auto [in, channels, side] = shape.layer(i);
    const int fan = in * side * side;
    for (int c = 0; c < channels; ++c) {
      const float step = precision == Precision::kInt8 ? take<float>(bytes) : 1.0f;
      for (int k = 0; k < fan; ++k)
        out.values.push_back(precision == Precision::kInt8      ? step * take<std::int8_t>(bytes)
                             : precision == Precision::kFloat16 ? float_of_half(take<std::uint16_t>(bytes))
                                                                : take<float>(bytes));
    }
    for (int c = 0; c < channels; ++c)
      out.values.push_back(precision == Precision::kFloat32 ? take<float>(bytes)
                                                            : float_of_half(take<std::uint16_t>(bytes)));
  }
  for (const float x : out.values)
    if (!std::isfinite(x)) throw bad_data("a model with a weight that is no finite number");
  return out;
}

Network::Network(const Weights& weights) : shape_(weights.shape) {
  const float* at = weights.values.data();
  for (int i = 0; i < shape_.layers(); ++i) {
    const auto [in, out, side] = shape_.layer(i);
    const auto size = static_cast<std::size_t>(std::ptrdiff_t{out} * in * side * side);
    layers_.emplace_back(std::span(at, size), std::span(at + size, static_cast<std::size_t>(out)), out, in,
                         side);
    at += size + static_cast<std::size_t>(out);
  }
}

}  // namespace stream::super_resolution
