/// Records that a program has written as JSON lines.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "stream/value.hpp"

namespace stream::testing {

inline std::vector<Value> records_of(const std::string& jsonl) {
  std::vector<Value> records;
  std::istringstream lines(jsonl);
  for (std::string line; std::getline(lines, line);) records.push_back(Value::parse(line));
  return records;
}

inline double number(const Value& record, const char* member) {
  return record.as_object().find(member)->as_double();
}

}  // namespace stream::testing
