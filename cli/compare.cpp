#include "compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "stream/error.hpp"

namespace stream::cli {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string shown(std::string_view line) {
  constexpr std::size_t kLongest = 200;
  return Value(line.substr(0, kLongest)).dump() + (line.size() > kLongest ? "..." : "");
}

std::optional<Value> object_in(std::string_view line) {
  try {
    Value value = Value::parse(line);
    if (value.is_object()) return value;
  } catch (const Error&) {
  }
  return {};
}

bool is_json_lines(const std::vector<std::string_view>& lines) {
  return !lines.empty() && std::all_of(lines.begin(), lines.end(),
                                       [](std::string_view line) { return object_in(line).has_value(); });
}

std::string by_line(std::size_t line, const std::string& expected, const std::string& actual) {
  return "line " + std::to_string(line) + ":\n  expected " + expected + "\n  found    " + actual;
}

/// The samples of a WAV file of 16-bit integers or 32-bit floats, and its format chunk; nothing for other
/// files.
struct Wav {
  std::string format;
  std::vector<double> samples;
};
std::optional<Wav> wav_of(std::string_view file) {
  if (file.size() < 12 || file.substr(0, 4) != "RIFF" || file.substr(8, 4) != "WAVE") return {};
  Wav wav;
  for (std::size_t at = 12; file.size() - at >= 8;) {
    const auto id = file.substr(at, 4);
    std::uint32_t size = 0;
    std::memcpy(&size, file.data() + at + 4, 4);
    const auto body = file.substr(at + 8, std::min<std::size_t>(size, file.size() - at - 8));
    if (id == "fmt " && body.size() >= 16) wav.format = body.substr(0, 16);
    if (id == "data" && !wav.format.empty()) {
      std::uint16_t kind = 0, bits = 0;
      std::memcpy(&kind, wav.format.data(), 2);
      std::memcpy(&bits, wav.format.data() + 14, 2);
      const bool integers = bits == 16, floats = bits == 32 && kind != 1;
      if (!integers && !floats) return {};
      for (std::size_t i = 0; i + bits / 8 <= body.size(); i += bits / 8) {
        std::int16_t s = 0;
        float f = 0;
        if (integers)
          std::memcpy(&s, body.data() + i, 2), wav.samples.push_back(s / 32768.0);
        else
          std::memcpy(&f, body.data() + i, 4), wav.samples.push_back(f);
      }
      return wav;
    }
    const std::size_t step = 8 + std::size_t{size} + (size & 1);
    if (step > file.size() - at) break;
    at += step;
  }
  return {};
}

std::optional<std::string> wav_difference(const Wav& expected, const Wav& actual, double tolerance) {
  if (expected.format != actual.format) return "the formats (channels, rate, sample type) differ";
  const std::size_t common = std::min(expected.samples.size(), actual.samples.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (!(std::fabs(expected.samples[i] - actual.samples[i]) <= tolerance)) {
      return "sample " + std::to_string(i) + ": expected " + Value(expected.samples[i]).dump() + ", found " +
             Value(actual.samples[i]).dump();
    }
  }
  if (expected.samples.size() == actual.samples.size()) return {};
  return "expected " + std::to_string(expected.samples.size()) + " samples, found " +
         std::to_string(actual.samples.size());
}

}  // namespace

std::optional<std::string> value_difference(const Value& expected, const Value& actual, double tolerance,
                                            const std::string& path) {
  const auto differ = [&] {
    return (path.empty() ? "" : path + ": ") + "expected " + expected.dump() + ", found " + actual.dump();
  };
  if (expected.is_number() && actual.is_number()) {
    if (expected == actual || std::fabs(expected.as_double() - actual.as_double()) <= tolerance) return {};
    return differ();
  }
  if (expected.is_array() && actual.is_array()) {
    const Array &a = expected.as_array(), &b = actual.as_array();
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (auto found = value_difference(a[i], b[i], tolerance, path + "[" + std::to_string(i) + "]"))
        return found;
    }
    if (a.size() == b.size()) return {};
    return differ();
  }
  if (expected.is_object() && actual.is_object()) {
    for (const auto& [name, value] : expected.as_object()) {
      const Value* other = actual.as_object().find(name);
      const std::string where = path.empty() ? name : path + "." + name;
      if (other == nullptr) return where + ": expected " + value.dump() + ", found nothing";
      if (auto found = value_difference(value, *other, tolerance, where)) return found;
    }
    for (const auto& [name, value] : actual.as_object()) {
      if (expected.as_object().find(name) == nullptr)
        return (path.empty() ? name : path + "." + name) + ": expected nothing, found " + value.dump();
    }
    return {};
  }
  if (expected == actual) return {};
  return differ();
}

std::optional<std::string> first_difference(std::string_view expected, std::string_view actual,
                                            double tolerance) {
  if (expected == actual) return {};
  if (const auto a = wav_of(expected), b = wav_of(actual); a && b) return wav_difference(*a, *b, tolerance);
  const auto a = lines_of(expected), b = lines_of(actual);
  const bool records = is_json_lines(a);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    const auto x = records ? object_in(a[i]) : std::nullopt, y = records ? object_in(b[i]) : std::nullopt;
    if (!x || !y) return by_line(i + 1, shown(a[i]), shown(b[i]));
    if (auto found = value_difference(*x, *y, tolerance))
      return "line " + std::to_string(i + 1) + ": " + *found;
  }
  if (a.size() > b.size()) return by_line(b.size() + 1, shown(a[b.size()]), "the end");
  if (b.size() > a.size()) return by_line(a.size() + 1, "the end", shown(b[a.size()]));
  if (records) return {};  // only the line terminator at the end differs
  return std::string("only one of the two ends with a line terminator");
}

}  // namespace stream::cli
