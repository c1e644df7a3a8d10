/// The records that learners and worlds exchange: {"x": observation, "r": reward, "end": 0 or 1} and
/// {"a": action}.
#pragma once

#include <string>
#include <vector>

#include "stream/packet.hpp"

namespace stream::rl {

/// The numbers of "x"; throws Error(kBadData) unless it is an array of numbers. `into` is reused.
void read_observation(const Record& record, std::vector<double>& into);
/// The numbers of these members, in this order: rows of a table. Throws as read_number does.
void read_members(const Record& record, const std::vector<std::string>& members, std::vector<double>& into);
/// The member as a number. Throws Error(kBadData) that names it when it is missing or no number.
double read_number(const Record& record, const char* name);
/// "end": 0, 1, true or false; false when it is missing.
bool read_end(const Record& record);
/// "a": a number or an array of numbers. False when it is missing or null.
bool read_action(const Record& record, std::vector<double>& into);
/// A whole number for one choice, an array for numbers.
Value action_value(std::span<const double> action, bool choice);
Value observation_value(std::span<const double> observation);

}  // namespace stream::rl
