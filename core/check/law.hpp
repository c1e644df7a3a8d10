/// The laws as questions to a runner. Each takes a stream that the operator accepts and what it gives for it,
/// and answers with the first way in which the law is broken.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "check/compare.hpp"
#include "check/runner.hpp"
#include "stream/random.hpp"
#include "stream/spec.hpp"

namespace stream::laws {

struct Breach {
  std::string what;   ///< one sentence: what should have been the same and was not
  std::string tried;  ///< what was done: "stopped before packet 3, resumed in another process"
  std::optional<Difference> difference;
  std::optional<Fault> fault;
};

/// A stream, and what comes of it when nothing disturbs it.
struct Reference {
  Scenario scenario;
  Outcome outcome;
  const Contract& contract;
  /// All of a choice's cases when they are few, else this many at random.
  std::size_t samples = 4;
};

/// The same again gives the same: without it no other comparison means anything.
std::optional<Breach> try_repeat(Runner& runner, const Reference& reference);

/// Law 1. `needed`: the largest lookahead that was seen to be used, raised by each call.
std::optional<Breach> try_causality(Runner& runner, const Reference& reference, Random& random,
                                    Duration& needed);
/// The half of law 1 that needs no other run: nothing comes late, and times never go back.
std::optional<Breach> check_punctual(const Reference& reference, Duration& needed);
/// The other half: what is replaced from packet `cut` on changes nothing before.
std::optional<Breach> check_foresight(Runner& runner, const Reference& reference, std::size_t cut,
                                      const Inputs& changed, const std::string& how, Duration& needed);

/// Law 2. Bytes and audio cut anew; any packets with questions in between and in other memory.
std::optional<Breach> try_chunking(Runner& runner, const Reference& reference, Random& random);
/// How many packets (merged stretches cut by `cut`) a stream becomes: see chunking.cpp.
using Cutter = std::function<std::size_t(std::size_t done, std::size_t left)>;
/// Joins what belongs together of bytes and audio and cuts it anew: `cut` says how many bytes or frames come
/// next, of so many that are left.
Inputs recut(const Inputs& inputs, const Cutter& cut);

/// Law 3, in a fresh process.
std::optional<Breach> try_resume(Runner& runner, const Reference& reference, Random& random);
std::optional<Breach> check_resume(Runner& runner, const Reference& reference, std::size_t stop, bool twice,
                                   std::size_t lost);

/// Law 5. `note`: what is odd but breaks nothing.
/// kProcess leaves the size of the state out: fed slowly, it holds now much and now little of a block.
enum class Judged { kStateAndProcess, kProcess };
std::optional<Breach> try_memory(Runner& runner, const Reference& reference, std::uint64_t packets,
                                 double seconds, std::string& note, Judged judged = Judged::kStateAndProcess);
std::optional<Breach> judge_memory(const Measures& measures, const Contract& contract, std::string& note);

/// The first difference between a reference and another outcome, faults included.
std::optional<Breach> compared(const Outcome& expected, const Outcome& got, Equality equality,
                               const std::string& what, const std::string& tried);
/// "process of packet 3: died of SIGSEGV"
std::string text_of(const Fault& fault);

}  // namespace stream::laws
