/// recommenders.tickets: made-up films and tickets, to train and test on.
#pragma once

#include "recommenders/ticket_world.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class TicketsSource final : public Source {
 public:
  static Spec spec();
  explicit TicketsSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;

 private:
  TicketWorld world_;
  std::size_t film_ = 0, ticket_ = 0;  ///< the next ones
};

}  // namespace stream::recommenders
