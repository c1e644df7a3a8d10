/// From words on the command line to the targets of a verb's options. The one place that knows CLI11.
#pragma once

#include <string>
#include <vector>

#include "verb.hpp"

namespace stream::cli {

/// Fills in the targets. Returns false when the words ask for help. Throws Error(kUsage) with the nearest
/// flag for an unknown one.
bool parse_arguments(Verb& verb, std::vector<std::string> words);

}  // namespace stream::cli
