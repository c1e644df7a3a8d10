/// What `stream check` prints for people: a table of the laws, and under it every counterexample.
#pragma once

#include <string>

#include "check/check.hpp"

namespace stream::cli {

/// At most 100 columns wide, but for packets that are longer by themselves.
std::string report_text(const laws::SubjectReport& report);

}  // namespace stream::cli
