/// rl.run: a stream-x controller together with its world, which is an environment or another process.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "rl/controller.hpp"
#include "stream/environment.hpp"
#include "stream/line_process.hpp"
#include "stream/operator.hpp"

namespace stream::rl {

class RunOperator final : public Source {
 public:
  static Spec spec();
  explicit RunOperator(const Params& params);
  bool read(Output& out) override;
  void interrupt() override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;
  std::string progress() const override;

 private:
  void make_controller(std::size_t observation);
  bool step_environment(Output& out);
  bool hear_world(Output& out);
  void tell_world(const std::string& fault);
  /// One event of an episode that is under way.
  void learn(double reward, std::span<const double> x, bool end, Output& out);
  Error at_step(const Error& error) const;

  Algorithm algorithm_;
  Settings settings_;
  Actions actions_;
  Random random_, seeds_;
  std::int64_t limit_;  ///< steps in all; 0: without end
  bool every_step_;     ///< report steps, not episodes
  std::optional<Controller> controller_;
  std::unique_ptr<Environment> environment_;

  std::string command_;
  Duration timeout_;
  bool skip_bad_;
  std::string node_;
  std::unique_ptr<LineProcess> process_;
  bool awaiting_ = false;  ///< the process has been told something and has not answered
  std::chrono::steady_clock::time_point deadline_;
  std::vector<double> heard_;
  std::uint64_t skipped_ = 0;

  std::size_t observation_ = 0;  ///< numbers in one; 0 before the first
  std::int64_t steps_ = 0, episodes_ = 0, length_ = 0;
  double return_ = 0;  ///< of the episode under way, undiscounted
  double last_return_ = 0;
};

}  // namespace stream::rl
