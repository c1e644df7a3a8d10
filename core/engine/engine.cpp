/// The entry of libstream-engine.
#include "engine/engine.hpp"

#include <optional>

#include "engine/checkpoint_lock.hpp"
#include "engine/graph.hpp"
#include "engine/signals.hpp"

namespace stream {
namespace {

class GraphEngine final : public Engine {
 public:
  RunResult run(const Plan& plan, Registry& registry, const RunOptions& options,
                const Observer& observer) override {
    const SignalGuard signals(options.handle_signals);  // the first checkpoint is written by the constructor
    try {
      std::optional<CheckpointLock> lock;
      if (!options.checkpoint.empty()) lock.emplace(options.checkpoint);
      Graph graph(plan, registry, options);
      return graph.run(observer);
    } catch (const Error& e) {
      RunResult result;
      result.exit_code = static_cast<int>(e.code());
      result.error = e.what();
      return result;
    }
  }
};

}  // namespace
}  // namespace stream

extern "C" __attribute__((visibility("default"))) stream::Engine* stream_engine() {
  static stream::GraphEngine engine;
  return &engine;
}
