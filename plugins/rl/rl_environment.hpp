/// rl.environment: an environment as a world of its own, for learners elsewhere.
#pragma once

#include "stream/environment.hpp"
#include "stream/operator.hpp"

namespace stream::rl {

class EnvironmentOperator final : public Operator {
 public:
  static Spec spec();
  explicit EnvironmentOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  std::unique_ptr<Environment> environment_;
  Random seeds_;
  bool seeded_ = false;  ///< with the key of the first record
  bool running_ = false;
};

}  // namespace stream::rl
