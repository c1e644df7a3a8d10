#include "rl/event_record.hpp"

#include "stream/error.hpp"

namespace stream::rl {

namespace {
void read_numbers(const Value& value, const char* name, std::vector<double>& into) {
  into.clear();
  for (const Value& number : value.as_array()) {
    if (!number.is_number())
      throw bad_data("'" + std::string(name) + "' holds something of type " + number.kind() + " at place " +
                     std::to_string(into.size()) + ", expected numbers");
    into.push_back(number.as_double());
  }
}
}  // namespace

void read_observation(const Record& record, std::vector<double>& into) {
  const Value& x = record.at("x");
  if (!x.is_array())
    throw bad_data(std::string("'x' is of type ") + x.kind() + ", expected an array of numbers");
  read_numbers(x, "x", into);
}

void read_members(const Record& record, const std::vector<std::string>& members, std::vector<double>& into) {
  into.clear();
  for (const std::string& member : members) into.push_back(read_number(record, member.c_str()));
}

double read_number(const Record& record, const char* name) {
  const Value& value = record.at(name);
  if (!value.is_number())
    throw bad_data("'" + std::string(name) + "' is " + value.dump() + ", expected a number");
  return value.as_double();
}

bool read_end(const Record& record) {
  const Value* end = record.find("end");
  if (end == nullptr) return false;
  if (end->is_bool()) return end->as_bool();
  if (end->is_number() && (end->as_double() == 0 || end->as_double() == 1)) return end->as_double() == 1;
  throw bad_data("'end' is " + end->dump() + ", expected 0 or 1");
}

bool read_action(const Record& record, std::vector<double>& into) {
  const Value* action = record.find("a");
  if (action == nullptr || action->is_null()) return false;
  if (action->is_array())
    read_numbers(*action, "a", into);
  else if (action->is_number())
    into.assign(1, action->as_double());
  else
    throw bad_data("'a' is " + action->dump() + ", expected a number or an array of numbers");
  return true;
}

Value action_value(std::span<const double> action, bool choice) {
  if (choice) return static_cast<std::int64_t>(action[0]);
  return Array(action.begin(), action.end());
}

Value observation_value(std::span<const double> observation) {
  return Array(observation.begin(), observation.end());
}

}  // namespace stream::rl
