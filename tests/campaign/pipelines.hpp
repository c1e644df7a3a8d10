/// The runs that the campaign disturbs: together they have every kind of source, sink, state and plan.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace stream::campaign {

struct Pipeline {
  std::string name;
  std::string about;
  /// TOML, in which @ stands for the folder of the run. Inputs are made there by `make_inputs`.
  std::string recipe;
  std::vector<std::string> inputs, outputs;
  std::function<void(const std::filesystem::path& folder, std::uint64_t seed, int length)> make_inputs;
  bool heavy = false;  ///< takes seconds to start: fewer trials
};

/// All of them; those with names in `only` when that is not empty.
std::vector<Pipeline> pipelines(const std::vector<std::string>& only = {});

/// The recipe for one folder.
std::string recipe_in(const Pipeline& pipeline, const std::filesystem::path& folder);

}  // namespace stream::campaign
