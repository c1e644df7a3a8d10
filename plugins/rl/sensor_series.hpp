/// A made-up series of sensors for prediction: seven columns, a row each quarter of an hour, like the load
/// and oil temperature of a transformer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace stream::rl {

/// Columns 1 to 6: day and week as sines with noise of their own, a load that shows the regime, and an AR(1)
/// disturbance. Column 7, the one to predict: a daily peak whose height and hour depend on the regime (of
/// three, which shift every thousand rows or so), the week, and the disturbance.
std::vector<std::array<double, 7>> sensor_series(std::size_t rows, std::uint64_t seed);

}  // namespace stream::rl
