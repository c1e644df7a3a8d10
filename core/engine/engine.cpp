/// The entry of libstream-engine.
#include "engine/engine.hpp"

#include "engine/graph.hpp"

namespace stream {
namespace {

class GraphEngine final : public Engine {
 public:
  RunResult run(const Plan& plan, Registry& registry, const RunOptions& options,
                const Observer& observer) override {
    try {
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
