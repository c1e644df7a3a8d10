/// A validated recipe: every name resolved, every type checked, cheap chains fused. Plain data.
#pragma once

#include <string>
#include <vector>

#include "recipe/diagnostics.hpp"
#include "registry/registry.hpp"

namespace stream {

enum class OnError : std::uint8_t { kStop, kSkip, kDivert };

struct PlannedNode {
  std::string id;
  const OperatorInfo* op = nullptr;
  Object params;  ///< as given, `${params.*}` and overrides applied, checked against the spec
  /// Under the parameters given where the spec can tell (its operator lives in this program or its library is
  /// loaded), else the manifest's, which is that under the defaults; the engine asks the loaded spec again.
  Contract contract;
  OnError on_error = OnError::kStop;
  /// Most keys that a keyed operator keeps in memory; 0: all. Does not change what comes out, nor the digest.
  std::size_t keys_in_memory = 0;
  Location where;  ///< the node's table header
  /// Output ports, the one for diverted packets last.
  std::size_t error_port() const { return op->spec.outputs().size(); }
};

struct PlannedEdge {
  std::size_t from_node, from_port;  ///< from_port may be the node's error_port()
  std::size_t to_node, to_port;
  bool live = false;  ///< keep the newest, drop the rest
  PayloadType type = PayloadType::kAny;
};

/// What a recipe lets its user set, as `--set params.NAME=VALUE`.
struct RecipeParam {
  Param param;
  std::string env;  ///< environment variable that gives the value when nothing else does; empty: none
  Value value;      ///< in this plan; null when it has none, which was reported
};

struct RecipeTest {
  std::string input, expect;  ///< files, as the recipe names them, resolved against its folder and share
  double tolerance = 0;       ///< for numbers in records and audio samples
  Object params;
  Location where;
};

struct Plan {
  std::string title, about;
  std::string file, dir;           ///< of the recipe; file is "<string>" for one in memory
  std::vector<PlannedNode> nodes;  ///< in topological order
  std::vector<PlannedEdge> edges;  ///< by to_node, to_port, then the order in `from`
  /// Runs of nodes that share one flow-graph node, each in order, joined by single edges. Every node is in
  /// one.
  std::vector<std::vector<std::size_t>> chains;
  std::size_t max_packets = 1024;  ///< in flight downstream of each source
  std::size_t max_bytes = 64u << 20;
  std::vector<RecipeTest> tests;
  std::vector<RecipeParam> params;                    ///< the recipe's own, in its order
  std::size_t input_node = npos, output_node = npos;  ///< what -i and -o set
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  /// Identifies what a checkpoint belongs to: ids, operators, edges and parameters (paths left out).
  std::uint64_t digest() const;
  std::size_t find(std::string_view id) const;  ///< npos when there is none
};

}  // namespace stream
