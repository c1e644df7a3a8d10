#include "stream/operator.hpp"

#include <stdexcept>

#include "stream/delivery.hpp"

namespace stream {

Output::~Output() = default;
Operator::~Operator() = default;
Delivery::~Delivery() = default;

void Operator::process(Packet, Output&) { throw std::logic_error("the operator takes no input"); }
void Operator::process(std::size_t, Packet in, Output& out) { process(std::move(in), out); }
void Operator::finish(Output&) {}
void Operator::save(Archive&) const {}
void Operator::load(const Archive&) {}
std::size_t Operator::state_bytes() const { return 0; }
std::string Operator::progress() const { return {}; }
void Source::interrupt() {}
double Source::fraction() const { return -1; }

}  // namespace stream
