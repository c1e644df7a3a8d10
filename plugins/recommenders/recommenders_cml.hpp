/// recommenders.cml: who will see a film, as soon as its plot is known.
#pragma once

#include <unordered_map>

#include "recommenders/cml_model.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

class CmlOperator final : public Operator {
 public:
  static Spec spec();
  explicit CmlOperator(const Params& params);
  void process(Packet in, Output& out) override;
  void save(Archive& state) const override;
  void load(const Archive& state) override;
  std::size_t state_bytes() const override { return bytes_; }
  std::string progress() const override;

 private:
  struct Film {
    std::string name, plot;  ///< the plot of what the stream described, kept for another tower to read
    bool described;          ///< by this stream
    std::vector<double> z;
  };
  struct Customer {
    std::string name;
    std::vector<Ticket> newest;  ///< kRemembered at the most, the newest last
    std::int64_t tickets = 0;
  };
  void film(const Packet& in, const std::string& name, Output& out);
  void ticket(const Packet& in, const std::string& name, Output& out);
  void fault(const Packet& in, const char* what, const std::string& item, Output& out) const;
  std::size_t add_film(std::string name, std::string plot, bool described, std::vector<double> z);
  std::size_t add_customer(std::string name);
  /// A film that the model knows has the plot that the stream gives it.
  void describe(std::size_t film, const std::string& plot);
  /// u of a customer, anew from the tickets.
  void place(std::size_t customer);
  Array nearest_films(std::size_t film) const;

  CmlModel model_;
  std::string item_, tower_;
  std::size_t listed_, near_;
  std::vector<Film> films_;
  std::unordered_map<std::string, std::size_t> film_numbers_, customer_numbers_;
  std::vector<Customer> customers_;
  std::vector<double> points_;  ///< u of all customers [customers, features]
  double begin_ = 0;            ///< seconds of the first ticket
  bool begun_ = false;
  std::size_t bytes_ = 0;
};

}  // namespace stream::recommenders
