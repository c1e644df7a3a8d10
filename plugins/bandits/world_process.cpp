#include "bandits/world_process.hpp"

#include "stream/error.hpp"
#include "stream/spec.hpp"

namespace stream::bandits {

std::string WorldProcess::receive() {
  std::string line;
  const auto status = process_.hear(line, std::chrono::steady_clock::now() + patience_);
  if (status == LineProcess::Status::kLine) return line;
  if (status == LineProcess::Status::kTimeout)
    throw failed("the world '" + command_ + "' said nothing for " + to_string(patience_));
  const std::string fate = process_.fate();
  throw failed("the world '" + command_ + "' ended where an answer was awaited" +
               (fate.empty() ? "" : " with " + fate));
}

}  // namespace stream::bandits
