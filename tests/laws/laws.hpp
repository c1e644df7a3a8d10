/// The laws, as functions that any operator's test calls: each runs the operator without a graph, compares
/// what comes out, byte for byte, and throws LawBroken with a sentence that says where it differs.
///
///     laws::Subject gain{[] { return testing::make<AudioGain>({{"db", 6.0}}); },
///     AudioGain::spec().contract()}; laws::check_all(gain, input);
///
/// Law 4 (threads do not matter) needs the graph and is tested with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "stream/testing.hpp"

namespace stream::laws {

class LawBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How to make a fresh operator, and what it promises.
struct Subject {
  std::function<std::unique_ptr<Operator>()> make;
  Contract contract;
  std::size_t outputs = 1;
};

/// Everything that tells one packet from another, but for what the graph fills in.
inline std::string line_of(const Packet& packet) {
  return std::to_string(packet.time.count()) + "+" + std::to_string(packet.duration.count()) + " [" +
         std::string(packet.key.str()) + "] " + testing::bytes_of(*packet.payload);
}

/// One list of lines for each port.
using Transcript = std::vector<std::vector<std::string>>;
inline Transcript transcript(const testing::Collector& out) {
  Transcript lines(out.packets.size());
  for (std::size_t port = 0; port < out.packets.size(); ++port) {
    for (const Packet& packet : out.packets[port]) lines[port].push_back(line_of(packet));
  }
  return lines;
}

/// All Bytes of a port in one string: how they are cut into packets carries no meaning.
inline std::string joined(const std::vector<Packet>& packets) {
  std::string all;
  for (const Packet& packet : packets) all += packet.as<Bytes>().buffer().text();
  return all;
}

inline void require_equal(const Transcript& expected, const Transcript& found, const std::string& law) {
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

inline Transcript run(const Subject& subject, const std::vector<Packet>& input) {
  const auto op = subject.make();
  return transcript(testing::run(*op, input, subject.outputs));
}

/// Law 3, for operators with an input: stopped before packet k (0: before the first, n: after the last) and
/// resumed, for every k up to 64 packets, and for 64 spread over longer inputs.
inline void resuming_is_exact(const Subject& subject, const std::vector<Packet>& input) {
  const Transcript expected = run(subject, input);
  const std::size_t step = std::max<std::size_t>(1, input.size() / 64);
  for (std::size_t stop = 0; stop <= input.size();
       stop = stop == input.size() ? stop + 1 : std::min(input.size(), stop + step)) {
    testing::Collector out(subject.outputs);
    auto first = subject.make();
    for (std::size_t i = 0; i < stop; ++i) first->process(input[i], out);
    const Archive state = testing::saved(*first);
    first.reset();
    const auto second = subject.make();
    second->load(state);
    for (std::size_t i = stop; i < input.size(); ++i) second->process(input[i], out);
    second->finish(out);
    require_equal(expected, transcript(out), "resuming before packet " + std::to_string(stop));
  }
}

/// Law 3, for sources: stopped after every read.
inline void resuming_a_source_is_exact(const std::function<std::unique_ptr<Source>()>& make,
                                       std::size_t outputs = 1) {
  testing::Collector whole(outputs);
  std::size_t reads = 0;
  for (const auto source = make(); source->read(whole);) ++reads;
  const Transcript expected = transcript(whole);
  const std::size_t step = std::max<std::size_t>(1, reads / 64);
  for (std::size_t stop = 0; stop <= reads + 1; stop += step) {
    testing::Collector out(outputs);
    auto first = make();
    for (std::size_t i = 0; i < stop && first->read(out); ++i) {
    }
    const Archive state = testing::saved(*first);
    first.reset();
    auto second = make();
    second->load(state);
    // A second checkpoint at once must hold as much as the first.
    const Archive again = testing::saved(*second);
    second = make();
    second->load(again);
    while (second->read(out)) {
    }
    require_equal(expected, transcript(out), "resuming after read " + std::to_string(stop));
  }
}

/// Law 1: what has come out up to time t - lookahead when the input has reached t stays the same whatever
/// follows. `other` is put in place of every packet from the cut on (its time is set).
inline void only_declared_lookahead_matters(const Subject& subject, const std::vector<Packet>& input,
                                            const Packet& other) {
  const auto whole = subject.make();
  const testing::Collector expected = testing::run(*whole, input, subject.outputs);
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    std::vector<Packet> changed(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(cut));
    for (std::size_t i = cut; i < input.size(); ++i) {
      changed.push_back(other);
      changed.back().time = input[i].time;
      changed.back().duration = input[i].duration;
      changed.back().key = input[i].key;
    }
    const auto op = subject.make();
    const testing::Collector found = testing::run(*op, changed, subject.outputs);
    if (subject.contract.lookahead == kUnbounded) return;
    const Time certain = input[cut].time - subject.contract.lookahead;
    for (std::size_t port = 0; port < subject.outputs; ++port) {
      for (std::size_t i = 0; i < expected.packets[port].size() && expected.packets[port][i].time < certain;
           ++i) {
        const std::string a = line_of(expected.packets[port][i]);
        if (i < found.packets[port].size() && line_of(found.packets[port][i]) == a) continue;
        throw LawBroken("causality: packet " + std::to_string(i) + " of port " + std::to_string(port) +
                        " depends on input after its time plus the declared lookahead");
      }
    }
  }
}

/// Law 1, the other half: output up to t - lookahead has been emitted when the input has passed t.
inline void output_is_punctual(const Subject& subject, const std::vector<Packet>& input) {
  if (subject.contract.lookahead == kUnbounded) return;
  const auto op = subject.make();
  testing::Collector out(subject.outputs);
  Time reached = kTimeMin;
  std::vector<std::size_t> seen(subject.outputs);
  const auto check = [&] {
    for (std::size_t port = 0; port < subject.outputs; ++port) {
      for (; seen[port] < out.packets[port].size(); ++seen[port]) {
        if (reached != kTimeMin &&
            out.packets[port][seen[port]].time < reached - subject.contract.lookahead) {
          throw LawBroken("causality: packet " + std::to_string(seen[port]) + " of port " +
                          std::to_string(port) + " came later than the declared lookahead allows");
        }
      }
    }
  };
  for (const Packet& packet : input) {
    op->process(packet, out);
    check();  // against the packet before: this one's own time is allowed
    reached = packet.time;
  }
  op->finish(out);
  check();
}

/// Law 5: state after the whole input, repeated, is no larger than the declared growth allows. Measured by
/// `state_bytes` and by what a checkpoint would hold.
inline void state_is_bounded(const Subject& subject, const std::vector<Packet>& input,
                             std::size_t repeats = 8) {
  if (subject.contract.state != Growth::kConstant || input.empty()) return;
  const auto op = subject.make();
  const Duration period =
      input.back().time - input.front().time + std::max<Duration>(input.back().duration, Duration{1});
  std::optional<std::size_t> bound;
  for (std::size_t round = 0; round < repeats; ++round) {
    std::size_t largest = 0;
    for (Packet packet : input) {
      testing::Collector out(subject.outputs);
      packet.time += period * static_cast<std::int64_t>(round);
      op->process(std::move(packet), out);
      largest = std::max(largest, op->state_bytes() + testing::saved(*op).bytes());
    }
    // The first two rounds may fill caches to their declared size.
    if (round == 1) bound = largest;
    if (round > 1 && largest > *bound) {
      throw LawBroken("bounded memory: state grew from " + std::to_string(*bound) + " to " +
                      std::to_string(largest) + " bytes in round " + std::to_string(round) +
                      " of the same input");
    }
  }
}

/// Law 2: the same stream in other packets gives the same output.
inline void chunking_does_not_matter(const Subject& subject,
                                     const std::vector<std::vector<Packet>>& chunkings) {
  for (std::size_t i = 1; i < chunkings.size(); ++i) {
    require_equal(run(subject, chunkings[0]), run(subject, chunkings[i]), "chunking " + std::to_string(i));
  }
}

/// Everything that can be asked of an operator with one input, for one input.
inline void check_all(const Subject& subject, const std::vector<Packet>& input) {
  resuming_is_exact(subject, input);
  output_is_punctual(subject, input);
  state_is_bounded(subject, input);
  if (!input.empty()) only_declared_lookahead_matters(subject, input, input.front());
}

}  // namespace stream::laws
