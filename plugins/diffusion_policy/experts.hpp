/// Scripted demonstrators for the tasks that have more than one right answer.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "diffusion_policy/episodes.hpp"
#include "stream/environment.hpp"

namespace stream::diffusion_policy {

class Expert {
 public:
  virtual ~Expert() = default;
  Expert() = default;
  Expert(const Expert&) = delete;
  Expert& operator=(const Expert&) = delete;
  /// A new episode: draws the side that it will keep to.
  virtual void begin(Random& random) = 0;
  virtual std::vector<double> act(std::span<const double> observation) = 0;
  /// Whether an episode that ended so is worth imitating.
  virtual bool succeeded(const Transition&) const { return true; }
};

/// For "gate-world", "twin-track" and "push-t", with or without parameters; Error(kBadRecipe) for other
/// environments.
std::unique_ptr<Expert> expert_for(const std::string& description);

struct DemonstratorOptions {
  std::string environment;
  /// Share of the ticks in which what is executed is not what is recorded, but that plus normal noise of this
  /// deviation: without such kicks no demonstration shows the way back, and every learner drifts off.
  double kicks = 0.2, kick_size = 0.1;
  std::uint64_t seed = 0;
};

/// Episode `index` of an endless list that the seed fixes: attempts that fail are left out.
class Demonstrator {
 public:
  Demonstrator(const DemonstratorOptions& options, const Context& context);
  Episode episode(std::int64_t index);
  const Spaces& spaces() const { return world_->spaces(); }

 private:
  DemonstratorOptions options_;
  std::unique_ptr<Environment> world_;
  std::unique_ptr<Expert> expert_;
};

}  // namespace stream::diffusion_policy
