/// Law 3 for sinks that write one file.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fed_pipe.hpp"
#include "laws.hpp"

namespace stream {

template <typename Op>
std::unique_ptr<Sink> sink(Object params, const std::string& path) {
  if (Op::spec().find_param("path")) params.set("path", path);
  auto op = testing::make<Op>(params);
  return std::unique_ptr<Sink>(dynamic_cast<Sink*>(op.release()));
}

inline void finish(Sink& sink, testing::Collector& out) {
  sink.finish(out);
  sink.flush();
  sink.sync();
}

/// Stopped before packet k, for every k: after the checkpoint some more is written and flushed, which a crash
/// leaves in the file; the resumed run must give the file of a run that was never stopped.
template <typename Op>
void resuming_a_sink_is_exact(const Object& params, const std::vector<Packet>& input) {
  testing::Collector out(0);
  const laws::ScratchFile whole;
  {
    const auto op = sink<Op>(params, whole.path());
    for (const Packet& packet : input) op->process(packet, out);
    finish(*op, out);
  }
  for (std::size_t stop = 0; stop <= input.size(); ++stop) {
    const laws::ScratchFile file;
    Archive state;
    {
      const auto first = sink<Op>(params, file.path());
      for (std::size_t i = 0; i < stop; ++i) first->process(input[i], out);
      first->flush();
      state = testing::saved(*first);
      for (std::size_t i = stop; i < std::min(input.size(), stop + 3); ++i) first->process(input[i], out);
      first->flush();
    }
    {
      const auto second = sink<Op>(params, file.path());
      second->load(state);
      for (std::size_t i = stop; i < input.size(); ++i) second->process(input[i], out);
      finish(*second, out);
    }
    ASSERT_TRUE(file.read() == whole.read()) << "resuming before packet " << stop;
  }
}

}  // namespace stream
