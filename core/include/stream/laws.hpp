/// The laws, for tests of operators (link Stream::check). Each runs the operator without a graph, compares
/// what comes out, byte for byte, and throws LawBroken with a sentence that says where it differs.
///
///     const laws::Subject gain = laws::subject<AudioGain>({{"db", 6.0}});
///     laws::check_all(gain, packets);
///
/// `stream check` tries the same laws on inputs that it makes up, in processes that may die, and also what
/// needs more than one process or a graph: law 4 (threads), resuming in a fresh process, robustness.
#pragma once

#include <functional>
#include <memory>
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
  std::size_t inputs = 1;
};

/// The subject that a spec describes.
template <typename Op>
Subject subject(Object params = {}, Context context = {}) {
  const Spec spec = Op::spec();
  return {[params, context] { return testing::make<Op>(params, context); },
          spec.contract(Params(spec, params, context)), spec.outputs().size(), spec.inputs().size()};
}

/// Law 3: stopped before packet k (0: before the first, n: after the last) and resumed, for every k up to 64
/// packets, and for 64 spread over longer inputs.
void resuming_is_exact(const Subject& subject, const std::vector<Packet>& input);
/// Law 3, for sources: stopped after every read; `make` opens the same input each time.
void resuming_a_source_is_exact(const std::function<std::unique_ptr<Source>()>& make,
                                std::size_t outputs = 1);
/// Law 1: what comes out up to time t - lookahead when the input has reached t stays the same whatever
/// follows. `other` is put in place of every packet from the cut on (its time is set).
void only_declared_lookahead_matters(const Subject& subject, const std::vector<Packet>& input,
                                     const Packet& other);
/// Law 1, the other half: output up to t - lookahead has been emitted when the input has passed t.
void output_is_punctual(const Subject& subject, const std::vector<Packet>& input);
/// Law 5: state after the whole input, repeated, fits the declared growth. Measured by `state_bytes` and by
/// what a checkpoint would hold.
void state_is_bounded(const Subject& subject, const std::vector<Packet>& input);
/// Law 2: the same stream in other packets gives the same output: packet for packet, but that bytes and
/// audio may be cut in other places.
void chunking_does_not_matter(const Subject& subject, const std::vector<std::vector<Packet>>& chunkings);
/// Law 2 again, with chunkings of its own: bytes and audio in one piece, in single bytes or samples, and at
/// every boundary.
void chunking_does_not_matter(const Subject& subject, const std::vector<Packet>& input);
/// Everything that can be asked of an operator with one input, for one input.
void check_all(const Subject& subject, const std::vector<Packet>& input);

// --- for tests of readers, which compare runs of their own

/// Everything that tells one packet from another, but for what the graph fills in.
std::string line_of(const Packet& packet);
/// One list of lines for each port.
using Transcript = std::vector<std::vector<std::string>>;
Transcript transcript(const testing::Collector& out);
/// Of everything that the operator emits for this input of its first port.
Transcript run(const Subject& subject, const std::vector<Packet>& input);
/// All Bytes of a port in one string: how they are cut into packets carries no meaning.
std::string joined(const std::vector<Packet>& packets);
/// Throws LawBroken that names `law` and the first packet that differs.
void require_equal(const Transcript& expected, const Transcript& found, const std::string& law);

}  // namespace stream::laws
