/// A figure of each seed, as studies print and judge it.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "stream/study.hpp"

namespace stream::events {

/// "0.8 / 0.9": all of them, in order.
inline std::string listed(const std::vector<double>& values) {
  std::string text;
  for (const double v : values) text += (text.empty() ? "" : " / ") + quantity(v);
  return text;
}

/// 0 of none.
inline double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

}  // namespace stream::events
