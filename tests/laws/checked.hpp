/// `stream check` for tests: its report as JSON, one object for each operator.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "program/program.hpp"
#include "stream/value.hpp"

namespace stream::testing {

struct Checked {
  Outcome outcome;
  std::vector<Object> reports;
  /// "held", "broken", "not applicable" or "not tried" by law, of one report.
  static std::map<std::string, std::string> results(const Object& report) {
    std::map<std::string, std::string> out;
    for (const Value& law : report.find("laws")->as_array())
      out[law.as_object().find("law")->as_string()] = law.as_object().find("result")->as_string();
    return out;
  }
  static const Object& law(const Object& report, const std::string& name) {
    for (const Value& law : report.find("laws")->as_array()) {
      if (law.as_object().find("law")->as_string() == name) return law.as_object();
    }
    throw std::runtime_error("no law is called " + name);
  }
};

/// `stream check ARGUMENTS... --json`, with the plugin of wrong operators among those that are found.
inline Checked check(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {STREAM_BINARY_DIR "/bin/stream", "check", "--json"});
  Program program{.argv = std::move(arguments), .input = ""};
  program.environment = {"STREAM_PLUGIN_PATH=" BROKEN_FOLDER};
  program.deadline = std::chrono::minutes(10);
  Checked checked{run(program), {}};
  std::string_view rest = checked.outcome.out;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    checked.reports.push_back(Value::parse(rest.substr(0, end)).as_object());
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return checked;
}

}  // namespace stream::testing
