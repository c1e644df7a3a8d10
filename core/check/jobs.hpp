/// What a plugin's process can be asked to do. Runs in a process that may die of it.
#pragma once

#include <string>
#include <vector>

#include "check/rig.hpp"
#include "check/setup.hpp"
#include "registry/registry.hpp"

namespace stream::laws {

enum class Job : std::uint8_t {
  kRun,        ///< play a scenario
  kMeasure,    ///< play it growing
  kGraph,      ///< run copies of it in a graph
  kRead,       ///< read a file with a reader, as inputs
  kInterrupt,  ///< block in a read and interrupt it
};

/// The operator as the setup wants it: its spec with the contract under the given parameters.
class Workbench {
 public:
  explicit Workbench(Setup setup);
  /// What the plugin offers; all that there is when the setup names no operator.
  const std::vector<std::string>& operators() const { return operators_; }
  const Spec& spec() const { return spec_; }
  const Contract& contract() const { return contract_; }
  const Setup& setup() const { return setup_; }
  Registry& registry() { return registry_; }
  /// `path`: for its path parameter, when not empty.
  Object params(const std::string& path) const;
  Subject subject(const std::string& path);
  Context context() const;

 private:
  Setup setup_;
  Registry registry_;
  std::vector<std::string> operators_;
  Spec spec_;
  Contract contract_;
};

/// Does one job; the reply's bytes are what Reader reads back.
std::string do_job(Workbench& bench, std::string_view job, Progress& progress);

/// Runs the operator in graphs of the engine (graph_run.cpp).
GraphOutcome run_graph(Workbench& bench, const GraphRun& run, const std::optional<Feed>& feed,
                       const std::string& output);

}  // namespace stream::laws
