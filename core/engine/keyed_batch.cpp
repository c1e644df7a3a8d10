#include "engine/keyed_batch.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <unordered_map>

#include "engine/run_state.hpp"

namespace stream {
namespace {

void run(KeyedCall& call, bool many_inputs) {
  const std::int64_t start = steady_now();
  try {
    if (many_inputs)
      call.op->process(call.port, call.packet, call.made);
    else
      call.op->process(call.packet, call.made);
  } catch (...) {
    call.error = std::current_exception();
  }
  call.nanoseconds = steady_now() - start;
}

}  // namespace

void run_by_key(std::vector<KeyedCall>& calls, bool many_inputs) {
  std::vector<std::vector<KeyedCall*>> of_instance;
  std::unordered_map<const Operator*, std::size_t> place;
  for (KeyedCall& call : calls) {
    if (call.op == nullptr) continue;
    const auto [found, fresh] = place.try_emplace(call.op, of_instance.size());
    if (fresh) of_instance.emplace_back();
    of_instance[found->second].push_back(&call);
  }
  // Isolated: a thread that has finished its keys must not start another node's work, which may take long or
  // block, while this node waits for it.
  tbb::this_task_arena::isolate([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, of_instance.size(), 1),
        [&](const tbb::blocked_range<std::size_t>& range) {
          for (std::size_t i = range.begin(); i < range.end(); ++i) {
            for (KeyedCall* call : of_instance[i]) run(*call, many_inputs);
          }
        },
        tbb::simple_partitioner());
  });
}

}  // namespace stream
