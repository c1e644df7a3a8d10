/// The laws for tests of operators: the same questions that `stream check` asks, to a runner in this process.
#include "stream/laws.hpp"

#include <algorithm>

#include "check/law.hpp"
#include "check/model.hpp"
#include "check/rig.hpp"

namespace stream::laws {
namespace {

constexpr std::uint64_t kSeed = 1;
/// Choices are tried all when they are at most twice as many.
std::size_t samples_of(const Contract& contract) { return contract.cost == Cost::kHeavy ? 8 : 32; }

std::string sentence(const std::string& law, const Breach& breach) {
  std::string text = law + ": " + breach.what + " (" + breach.tried + ")";
  if (breach.fault) text += "; " + text_of(*breach.fault);
  if (breach.difference) {
    const Difference& d = *breach.difference;
    text += "; item " + std::to_string(d.index) + " of port " + std::to_string(d.port) + " is " + d.got +
            (d.expected.empty() ? "" : ", expected " + d.expected) + (d.where.empty() ? "" : "; " + d.where);
  }
  return text;
}

void require(const std::string& law, const std::optional<Breach>& breach) {
  if (breach) throw LawBroken(sentence(law, *breach));
}

Inputs inputs_of(const std::vector<Packet>& packets) {
  Inputs inputs;
  for (const Packet& packet : packets) inputs.push_back({0, packet});
  return inputs;
}

/// A runner, and what the operator gives for this input when nothing disturbs it.
struct Bench {
  Bench(const Subject& subject, const std::vector<Packet>& packets)
      : runner(subject), contract(subject.contract), reference{{}, {}, contract, samples_of(contract)} {
    reference.scenario.inputs = inputs_of(packets);
    reference.outcome = runner.run(reference.scenario, Where::kUsual);
    if (reference.outcome.fault)
      throw LawBroken("the operator does not take this input: " + text_of(*reference.outcome.fault));
  }
  LocalRunner runner;
  Contract contract;
  Reference reference;
};

}  // namespace

void resuming_is_exact(const Subject& subject, const std::vector<Packet>& input) {
  Bench bench(subject, input);
  Random random(kSeed);
  require("resume", try_resume(bench.runner, bench.reference, random));
}

void resuming_a_source_is_exact(const std::function<std::unique_ptr<Source>()>& make, std::size_t outputs) {
  const Subject subject{[make] { return std::unique_ptr<Operator>(make()); }, Contract{}, outputs, 0};
  Bench bench(subject, {});
  Random random(kSeed);
  require("resume", try_resume(bench.runner, bench.reference, random));
}

void only_declared_lookahead_matters(const Subject& subject, const std::vector<Packet>& input,
                                     const Packet& other) {
  Bench bench(subject, input);
  Duration needed{0};
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    Inputs changed = bench.reference.scenario.inputs;
    for (std::size_t i = cut; i < changed.size(); ++i) changed[i].packet.payload = other.payload;
    require("causality",
            check_foresight(bench.runner, bench.reference, cut, changed, "another packet came", needed));
  }
}

void output_is_punctual(const Subject& subject, const std::vector<Packet>& input) {
  const Bench bench(subject, input);
  Duration needed{0};
  require("causality", check_punctual(bench.reference, needed));
}

void state_is_bounded(const Subject& subject, const std::vector<Packet>& input) {
  Bench bench(subject, input);
  std::string note;
  constexpr std::size_t kRounds = 16;
  require("memory", try_memory(bench.runner, bench.reference, kRounds * input.size(), 10, note));
}

void chunking_does_not_matter(const Subject& subject, const std::vector<std::vector<Packet>>& chunkings) {
  if (chunkings.empty()) return;
  Bench bench(subject, chunkings[0]);
  for (std::size_t i = 1; i < chunkings.size(); ++i) {
    Scenario scenario;
    scenario.inputs = inputs_of(chunkings[i]);
    require("chunking",
            compared(bench.reference.outcome, bench.runner.run(scenario, Where::kUsual), Equality::kContent,
                     "other packets gave another output", "chunking " + std::to_string(i)));
  }
}

void chunking_does_not_matter(const Subject& subject, const std::vector<Packet>& input) {
  Bench bench(subject, input);
  Random random(kSeed);
  require("chunking", try_chunking(bench.runner, bench.reference, random));
}

void check_all(const Subject& subject, const std::vector<Packet>& input) {
  resuming_is_exact(subject, input);
  output_is_punctual(subject, input);
  state_is_bounded(subject, input);
  if (input.empty()) return;
  only_declared_lookahead_matters(subject, input, input.front());
  chunking_does_not_matter(subject, input);
}

// --- lines

std::string line_of(const Packet& packet) {
  return std::to_string(packet.time.count()) + "+" + std::to_string(packet.duration.count()) + " [" +
         std::string(packet.key.str()) + "] " +
         (packet.payload ? testing::bytes_of(*packet.payload) : "none");
}

Transcript transcript(const testing::Collector& out) {
  Transcript lines(out.packets.size());
  for (std::size_t port = 0; port < out.packets.size(); ++port) {
    for (const Packet& packet : out.packets[port]) lines[port].push_back(line_of(packet));
  }
  return lines;
}

Transcript run(const Subject& subject, const std::vector<Packet>& input) {
  const auto op = subject.make();
  return transcript(testing::run(*op, input, subject.outputs));
}

std::string joined(const std::vector<Packet>& packets) {
  std::string all;
  for (const Packet& packet : packets) all += packet.as<Bytes>().buffer().text();
  return all;
}

void require_equal(const Transcript& expected, const Transcript& found, const std::string& law) {
  for (std::size_t port = 0; port < expected.size(); ++port) {
    const auto& a = expected[port];
    const auto& b = found.at(port);
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      if (i < a.size() && i < b.size() && a[i] == b[i]) continue;
      const auto shown = [&](const std::vector<std::string>& lines) {
        return i < lines.size() ? lines[i].substr(0, 120) : std::string("nothing");
      };
      throw LawBroken(law + ": packet " + std::to_string(i) + " of port " + std::to_string(port) + " is " +
                      shown(b) + ", expected " + shown(a));
    }
  }
}

}  // namespace stream::laws
