#include "llm/head_gates.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/random.hpp"
#include "stream/value.hpp"

namespace stream::llm {
namespace {

namespace fs = std::filesystem;

constexpr const char *kGates = "full_attention_heads.tsv", *kConfig = "config.json";

/// A number of tokens, as config.json names it.
std::int64_t size_in(const Object& config, const char* name, const std::string& path, std::int64_t least) {
  const Value* const value = config.find(name);
  if (value == nullptr) throw bad_data(path + ": no " + name);
  if (!value->is_integer() || value->as_integer() < least)
    throw bad_data(path + ": " + name + " is " + value->dump() + ", expected a whole number of at least " +
                   std::to_string(least));
  return value->as_integer();
}

}  // namespace

std::vector<std::vector<bool>> HeadGates::full(double sparsity, std::uint64_t seed) const {
  Random random(seed);
  std::vector<std::vector<double>> noisy = layers;
  std::vector<double> all;
  for (auto& layer : noisy)
    for (double& gate : layer) {
      gate = std::clamp(gate, 0.0, 1.0) + 1e-6 * random.uniform();
      all.push_back(gate);
    }
  std::sort(all.begin(), all.end());
  // NumPy's quantile: between the two nearest, in proportion.
  const double at = sparsity * static_cast<double>(all.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double above = all[std::min(below + 1, all.size() - 1)];
  double threshold = all[below] + (at - static_cast<double>(below)) * (above - all[below]);
  if (sparsity >= 1) threshold = 2;  // none
  std::vector<std::vector<bool>> out;
  for (const auto& layer : noisy) {
    out.emplace_back();
    for (const double gate : layer) out.back().push_back(gate >= threshold);
  }
  return out;
}

HeadGates read_gates(const std::string& path) {
  const std::string text = read_file(path, 1 << 24);
  HeadGates gates;
  std::istringstream lines(text);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const auto wrong = [&](const std::string& what) {
      return bad_data(path + ":" + std::to_string(number) + ": " + what);
    };
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    gates.layers.emplace_back();
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t end = std::min(line.find('\t', at), line.size());
      double gate = 0;
      const auto [rest, error] = std::from_chars(line.data() + at, line.data() + end, gate);
      if (error != std::errc() || rest != line.data() + end || !std::isfinite(gate))
        throw wrong("'" + line.substr(at, end - at) + "' is no gate, expected numbers separated by tabs");
      gates.layers.back().push_back(gate);
      at = end + 1;
    }
    if (gates.layers.back().size() != gates.layers.front().size())
      throw wrong(std::to_string(gates.layers.back().size()) + " gates, the first layer has " +
                  std::to_string(gates.layers.front().size()));
  }
  if (gates.layers.empty()) throw bad_data(path + ": a table without gates");
  return gates;
}

HeadTable read_head_table(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {read_gates(path), {}, {}};
  const std::string config = (fs::path(path) / kConfig).string();
  Object object;
  try {
    object = Value::parse(read_file(config, 1 << 24)).as_object();
  } catch (const Error& e) {
    throw Error(e.code(), config + ": " + e.what());
  }
  return {read_gates((fs::path(path) / kGates).string()), size_in(object, "sink_size", config, 0),
          size_in(object, "recent_size", config, 1)};
}

void write_gates(const std::string& path, const HeadGates& gates) {
  std::string text;
  char number[48];
  for (const auto& layer : gates.layers) {
    for (std::size_t i = 0; i < layer.size(); ++i) {
      const auto end =
          std::to_chars(number, number + sizeof number, layer[i], std::chars_format::scientific, 18).ptr;
      text.append(i > 0 ? "\t" : "").append(number, end);
    }
    text += '\n';
  }
  write_atomically(path, text);
}

void write_head_table(const std::string& folder, const HeadGates& gates, const Object& config) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw cannot_write(folder + ": " + error.message());
  // The gates last: where they are, all is there.
  write_atomically((fs::path(folder) / kConfig).string(), Value(config).dump(2) + "\n");
  write_gates((fs::path(folder) / kGates).string(), gates);
}

}  // namespace stream::llm
