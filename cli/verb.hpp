/// A subcommand: what it is called, its options as plain data (help, man page and completion all come from
/// them), and what it does.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stream::cli {

/// Where the text of an option goes. A bool is a switch; an int counts how often a switch was given.
using Target = std::variant<bool*, int*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
                            std::uint64_t*, double*>;

struct Option {
  std::string flags;  ///< "-i,--input"; "RECIPE" for a positional argument
  std::string value;  ///< "FILE": what its value is called, and how it completes; empty for switches
  std::string doc;    ///< a phrase, no capital, no full stop
  Target target;
  bool required = false;
  std::vector<std::string> choices = {};
  bool positional() const { return flags.front() != '-'; }
  bool is_switch() const {
    return std::holds_alternative<bool*>(target) || std::holds_alternative<int*>(target);
  }
  bool repeats() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

struct Example {
  std::string doc;      ///< what it shows
  std::string command;  ///< can be pasted into a shell
};

class Verb {
 public:
  virtual ~Verb() = default;
  /// Returns the exit code; throws stream::Error. Called after the options have been filled in.
  virtual int run() = 0;

  const std::string& name() const { return name_; }        ///< "run", "checkpoint show"
  const std::string& summary() const { return summary_; }  ///< one sentence
  const std::vector<Option>& options() const { return options_; }
  const std::vector<Example>& examples() const { return examples_; }

 protected:
  Verb(std::string name, std::string summary) : name_(std::move(name)), summary_(std::move(summary)) {}
  Option& option(std::string flags, std::string value, Target target, std::string doc) {
    return options_.emplace_back(Option{std::move(flags), std::move(value), std::move(doc), target});
  }
  void example(std::string doc, std::string command) {
    examples_.push_back({std::move(doc), std::move(command)});
  }

 private:
  std::string name_, summary_;
  std::vector<Option> options_;
  std::vector<Example> examples_;
};

struct VerbEntry {
  const char* name;
  std::unique_ptr<Verb> (*make)();
};
/// Every subcommand in the order of `stream --help`. Entries without a page of their own begin with "__".
const std::vector<VerbEntry>& verbs();

std::unique_ptr<Verb> make_run();
std::unique_ptr<Verb> make_validate();
std::unique_ptr<Verb> make_graph();
std::unique_ptr<Verb> make_list();
std::unique_ptr<Verb> make_inspect();
std::unique_ptr<Verb> make_test();
std::unique_ptr<Verb> make_check();
std::unique_ptr<Verb> make_check_worker();
std::unique_ptr<Verb> make_bench();
std::unique_ptr<Verb> make_reproduce();
std::unique_ptr<Verb> make_checkpoint_show();
std::unique_ptr<Verb> make_checkpoint_verify();
std::unique_ptr<Verb> make_checkpoint_diff();
std::unique_ptr<Verb> make_plugin_new();
std::unique_ptr<Verb> make_import();
std::unique_ptr<Verb> make_doctor();
std::unique_ptr<Verb> make_schema();
std::unique_ptr<Verb> make_completion();
std::unique_ptr<Verb> make_complete();
std::unique_ptr<Verb> make_man();

}  // namespace stream::cli
