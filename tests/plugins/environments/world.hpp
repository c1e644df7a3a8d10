/// Environments of a test's own making, without plugin or registry.
#pragma once

#include <memory>

#include "stream/environment.hpp"

namespace stream::testing {

template <typename Env>
std::unique_ptr<Environment> make_world(const Object& params = {}) {
  return std::make_unique<Env>(Params(Env::spec(), params));
}

}  // namespace stream::testing
