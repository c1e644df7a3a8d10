/// recommenders.pisa: what a listener will want in the next session.
#pragma once

#include <vector>

#include "recommenders/pisa_model.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class PisaOperator final : public Operator {
 public:
  static Spec spec();
  explicit PisaOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void finish(Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override;

 private:
  /// Ends the open session: what was listed for it is said beside what it held, and it becomes part of the
  /// past.
  void close(const Packet& at, Output& out);
  /// A list for the session that begins, or goes on, at `now`.
  void list(const Packet& at, double now, Output& out);

  std::shared_ptr<const PisaModel> model_;
  std::string item_;
  double idle_;
  std::size_t k_;
  bool every_event_, why_;
  PlayHistory history_;
  // A million users have one each: nothing here takes memory before it is needed.
  std::vector<Session> past_;         ///< the last L, closed
  Session open_;                      ///< empty between sessions
  std::vector<std::int32_t> known_;   ///< of the items of the open session, those heard before it
  std::vector<std::int32_t> listed_;  ///< for the open session
  Key user_;
  Time newest_{};  ///< of the user's events
};

}  // namespace stream::recommenders
