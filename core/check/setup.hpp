/// Which operator is tried, and how its processes are kept in check.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stream/spec.hpp"
#include "stream/value.hpp"

namespace stream::laws {

struct Setup {
  std::string library;    ///< of the plugin
  std::string operation;  ///< the operator's name
  Object params;
  std::string recipe_dir = ".", device = "cpu";
  std::uint64_t seed = 0;                         ///< of the operator's own random numbers
  double timeout = 20;                            ///< seconds that one call may take
  std::uint64_t memory = std::uint64_t{4} << 30;  ///< bytes resident that its process may reach
  std::string scratch;                            ///< a folder for files

  Value to_value() const;
  static Setup from_value(const Value& value);
};

/// A recipe whose one input and one output -i and -o can set.
struct RecipeSetup {
  std::string title, file;
  std::vector<std::string> words;         ///< "--set", "node.param=value" ...
  std::string input;                      ///< a file, or empty: content is made up
  PayloadType reads = PayloadType::kAny;  ///< what its source delivers
  std::string ending;                     ///< of the output's name
  std::string scratch;
  double timeout = 60;  ///< seconds that one run may take
};

/// The parameter that -i or -o would set: `path`, else the only one that is a path. Null when there is none.
const Param* path_param(const Spec& spec);

}  // namespace stream::laws
