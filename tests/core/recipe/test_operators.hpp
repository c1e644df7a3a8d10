/// A small world of operators for tests of recipes and plans, and shorthands to plan a recipe from a string.
#pragma once

#include <string>

#include "plan/plan.hpp"
#include "recipe/recipe.hpp"

namespace stream::test {

/// `src` -> audio; `recog` audio -> record + tensor "frames" (heavy); `say` record -> text; `mix` a, b (+
/// optional "key") audio -> audio; `pass` any -> any; `out` record; `sink` any; `text.out` text; `params` has
/// one of each type.
class World : public Registry {
 public:
  World();
};

struct Planned {
  Plan plan;
  Diagnostics diagnostics;
  std::string text() const { return diagnostics.text(); }
};
Planned plan(const std::string& toml, const Overrides& overrides = {}, const std::string& dir = ".");
const World& world();

/// "a>b.in c.errors>d.in": every edge of the plan in its order, with port names only where they are not the
/// first.
std::string edges(const Plan& plan);
/// "a b|c d": the chains.
std::string chains(const Plan& plan);

}  // namespace stream::test
