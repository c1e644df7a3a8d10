#include "help.hpp"

#include <algorithm>
#include <sstream>

#include "text.hpp"

namespace stream::cli {
namespace {

std::string label_of(const Option& option) {
  if (option.positional()) return option.flags + (option.repeats() ? "..." : "");
  std::string label = option.flags;
  if (label[1] == '-') label = "    " + label;  // lines up with options that have a short form
  const auto comma = label.find(',');
  if (comma != std::string::npos) label.insert(comma + 1, " ");
  return option.value.empty() ? label : label + " " + option.value;
}

std::string doc_of(const Option& option) {
  return option.choices.empty() ? option.doc : option.doc + " (" + join(option.choices, ", ") + ")";
}

}  // namespace

std::vector<std::string> flags_of(const Verb& verb) {
  std::vector<std::string> flags{"-h", "--help"};
  for (const Option& option : verb.options()) {
    if (option.positional()) continue;
    std::istringstream names(option.flags);
    for (std::string name; std::getline(names, name, ',');) flags.push_back(name);
  }
  return flags;
}

std::string usage_of(const Verb& verb) {
  std::string usage = "stream " + verb.name();
  bool flags = false;
  for (const Option& option : verb.options()) {
    if (!option.positional()) {
      flags = true;
      continue;
    }
    const std::string label = label_of(option);
    usage += option.required ? " " + label : " [" + label + "]";
  }
  return flags ? usage + " [options]" : usage;
}

std::string help_of(const Verb& verb) {
  std::string out = verb.summary() + "\n\nUsage: " + usage_of(verb) + "\n";
  for (const bool positional : {true, false}) {
    Table table(2);
    for (const Option& option : verb.options()) {
      if (option.positional() == positional) table.row({label_of(option), doc_of(option)});
    }
    if (!positional) table.row({"-h, --help", "print this page and exit"});
    if (!table.empty()) out += std::string(positional ? "\nArguments:\n" : "\nOptions:\n") + table.text();
  }
  if (!verb.examples().empty()) out += "\nExamples:\n";
  for (const Example& e : verb.examples()) out += "  # " + e.doc + "\n  " + e.command + "\n";
  return out;
}

std::string program_help() {
  std::string out =
      "Runs streaming machine learning as a shell runs filters: a recipe joins operators into a graph,\n"
      "data comes in on stdin or from files and goes out while the input still arrives.\n\n"
      "Usage: stream VERB [arguments]\n\nVerbs:\n";
  Table table(2);
  for (const VerbEntry& entry : verbs()) {
    if (std::string_view(entry.name).starts_with("__")) continue;
    const auto verb = entry.make();
    table.row({entry.name, verb->summary()});
  }
  out += table.text();
  out +=
      "\nOptions:\n  -h, --help     print this page, or the page of a verb, and exit\n"
      "      --version  print the version and exit\n"
      "\nExamples:\n  # what there is to build with\n  stream list operators\n  # everything about one "
      "verb\n  stream run --help\n"
      "\nExit codes: 0 done, 1 failed, 2 wrong usage, 65 bad data, 66 missing input, 74 output cannot be "
      "written,\n"
      "75 worth retrying, 78 bad recipe, 128+N stopped by signal N.\n";
  return out;
}

std::string man_sections_of(const Verb& verb) {
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '_' || c == '*' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  };
  std::string out;
  for (const Option& option : verb.options()) {
    std::string flags = option.flags;
    if (const auto comma = flags.find(','); comma != std::string::npos) flags.insert(comma + 1, " ");
    out += "*" + escaped(flags) + "*" +
           (option.value.empty() || option.positional() ? "" : " _" + escaped(option.value) + "_") + "\n\t" +
           escaped(doc_of(option)) + ".\n\n";
  }
  out += "*-h, --help*\n\tprint a summary of this page and exit.\n\n";
  if (!verb.examples().empty()) out += "# EXAMPLES\n\n";
  for (const Example& e : verb.examples()) out += escaped(e.doc) + ":\n\n```\n" + e.command + "\n```\n\n";
  return out;
}

std::vector<std::string> verb_names(bool first) {
  std::vector<std::string> names;
  for (const VerbEntry& entry : verbs()) {
    std::string name = entry.name;
    if (name.starts_with("__")) continue;
    if (first) name = name.substr(0, name.find(' '));
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace stream::cli
