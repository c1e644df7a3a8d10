/// The `[params]` of a recipe: what its user may set, and the substitution of `${params.NAME}`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "recipe/source_value.hpp"
#include "stream/spec.hpp"

namespace stream {

/// Text from a command line or the environment as a value of the parameter's type: lists are separated by
/// commas or written as JSON. Text that is no such value comes back as a string, for check_param to find
/// fault with.
Value value_of_text(const Param& param, const std::string& text);

class RecipeParams {
 public:
  /// Reads the `[params]` table.
  void declare(const SourceValue& table, Diagnostics& diagnostics);
  /// Gives a parameter its value. Faults, an unknown name among them, are reported at the two places.
  void assign(const std::string& name, const Value& value, const Location& name_at, const Location& value_at,
              Diagnostics& diagnostics);
  void assign_text(const std::string& name, const std::string& text, const Location& where,
                   Diagnostics& diagnostics);
  bool has(std::string_view name) const;
  std::vector<std::string> names() const;
  /// All of them with their values, in the order of the recipe.
  std::vector<RecipeParam> list() const;
  /// What was not assigned takes its environment variable, then its default; what has neither is a fault,
  /// reported at `missing_at` (the including node) or else at the declaration.
  void complete(const std::optional<Location>& missing_at, Diagnostics& diagnostics);
  /// Checks a `params` table, as tests have it, without assigning anything.
  void check(const SourceValue& table, Diagnostics& diagnostics) const;

  /// The value with every placeholder replaced; null (and a fault at `where`) when one cannot be. A string
  /// that is only a placeholder takes the type of the parameter; "$${" stands for a plain "${".
  Value substitute(const Value& value, const Location& where, Diagnostics& diagnostics) const;

 private:
  struct Declared {
    Param param;
    std::string env;
    Location where;
    std::optional<Value> value;
  };
  void declare_one(const SourceMember& member, Diagnostics& diagnostics);
  const Declared* find(std::string_view name) const;
  Value substitute_text(const std::string& text, const Location& where, Diagnostics& diagnostics) const;
  std::vector<Declared> declared_;
};

}  // namespace stream
