/// One run of a recipe by the program, in a process of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "check/scenario.hpp"

namespace stream::laws {

struct RecipeRun {
  std::vector<std::string> words;    ///< argv
  const Feed* piped = nullptr;       ///< comes through stdin in pieces; null: stdin is empty
  std::optional<double> kill_after;  ///< seconds until SIGKILL
  double timeout = 60;
};

struct RecipeEnd {
  int exit_code = 0;
  int signal = 0;  ///< that ended it; 0 when it ended by itself
  bool killed = false, timed_out = false;
  double seconds = 0;
  std::string said;  ///< the end of its stderr
};

RecipeEnd run_recipe(const RecipeRun& run);

}  // namespace stream::laws
