/// One operator under examination: streams are made up one after the other, every law is asked about each
/// until it is broken, and what breaks it is made smaller.
#pragma once

#include <chrono>

#include "check/check.hpp"
#include "check/law.hpp"
#include "check/model.hpp"
#include "check/processes.hpp"

namespace stream::laws {

/// A stream and what the operator makes of it undisturbed.
struct Trial {
  std::uint64_t seed = 0;
  Inputs offered;  ///< with what is refused; the reference has only the rest
  std::vector<Fault> refused;
  std::optional<Breach> fatal;  ///< it did not survive the stream as it is
  Outcome skipped;              ///< of everything offered, what is refused passed over
  std::optional<Reference> reference;
  bool usable() const { return !fatal && reference; }
};

class Examination {
 public:
  Examination(const std::string& name, const CheckOptions& options, Contract contract);
  virtual ~Examination();
  SubjectReport run(const Watcher& watcher);

 protected:
  using Question = std::function<std::optional<Breach>(Trial&)>;
  struct Law {
    LawReport report;
    Question ask;
    std::size_t most = 0;    ///< trials; 0: all
    bool fatal_too = false;  ///< asked also when the stream as it is was not survived
    bool compares = true;    ///< means nothing about an operator that does not repeat itself
  };
  void add(const std::string& name, const std::string& how, Question ask, std::size_t most = 0,
           bool fatal_too = false);
  void add_absent(const std::string& name, const std::string& why);
  Law& law(const std::string& name);
  /// The law's notes, each once.
  void note(const std::string& law_name, const std::string& text);

  virtual Shape shape_of(std::uint64_t seed) = 0;
  virtual Trial prepare(const Shape& shape, std::uint64_t seed) = 0;
  virtual Shape smaller(std::uint64_t seed, const std::function<bool(const Shape&)>& fails,
                        const std::function<bool()>& more) = 0;
  virtual std::vector<std::string> shown(const Trial& trial) const = 0;
  virtual std::size_t size_of(const Trial& trial) const = 0;
  virtual const char* unit() const { return "packets"; }
  /// Called within a question: this trial says nothing about the law.
  void pass_over() { passed_over_ = true; }
  /// False once the same stream has given two outputs: then comparing them means nothing.
  bool repeats() const { return repeats_; }
  /// After the last trial: what only all of them together show.
  virtual void conclude() {}

  bool heavy() const { return contract_.cost == Cost::kHeavy; }
  virtual std::size_t trials() const { return options_.trials.value_or(heavy() ? 8 : 100); }
  std::size_t samples() const { return heavy() ? 2 : 4; }

  CheckOptions options_;
  Contract contract_;
  SubjectReport report_;

 private:
  void ask_all(Trial& trial, const Watcher& watcher, std::size_t index);
  Counterexample smallest(Law& law, const Trial& trial, const Breach& breach);
  Counterexample counterexample(const Trial& trial, const Breach& breach) const;
  double elapsed() const;

  std::vector<Law> laws_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::size_t least_ = kToTheEnd, largest_ = 0, wholly_refused_ = 0, fatal_ = 0;
  std::string last_refusal_;
  bool passed_over_ = false, repeats_ = true;
};

/// Operators and sinks.
SubjectReport examine_operator(ProcessRunner& runner, const Setup& setup, const CheckOptions& options,
                               const Watcher& watcher);
SubjectReport examine_source(ProcessRunner& runner, const Setup& setup, const CheckOptions& options,
                             const Watcher& watcher);
/// A recipe as a whole, by the program that runs it.
SubjectReport examine_recipe(const RecipeSetup& setup, const CheckOptions& options, const Watcher& watcher);

}  // namespace stream::laws
