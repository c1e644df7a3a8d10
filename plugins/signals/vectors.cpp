#include "signals/vectors.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::signals {

std::vector<double> vector_of(const Packet& packet, std::size_t n) {
  const auto& tensor = packet.as<Tensor>();
  if (tensor.shape().size() != 1 || tensor.shape()[0] != static_cast<std::int64_t>(n)) {
    std::string shape;
    for (const std::int64_t d : tensor.shape()) shape += (shape.empty() ? "" : ", ") + std::to_string(d);
    throw bad_data("a tensor [" + shape + "] came where [" + std::to_string(n) + "] is expected");
  }
  if (tensor.dtype() == DType::kF32) {
    const auto values = tensor.values<float>();
    return {values.begin(), values.end()};
  }
  const auto values = tensor.values<double>();
  return {values.begin(), values.end()};
}

Object code_record(const SparseCode& code, std::int64_t version) {
  Array indices, values;
  for (const std::int64_t j : code.indices) indices.emplace_back(j);
  for (const double x : code.values) values.emplace_back(x);
  return Object{{"version", version}, {"indices", std::move(indices)}, {"values", std::move(values)}};
}

SparseCode code_of(const Record& record, std::size_t n) {
  SparseCode code;
  const Array &indices = record.at("indices").as_array(), &values = record.at("values").as_array();
  if (indices.size() != values.size())
    throw bad_data("a code has " + std::to_string(indices.size()) + " indices and " +
                   std::to_string(values.size()) + " values");
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const std::int64_t j = indices[k].as_integer();
    if (j < 0 || j >= static_cast<std::int64_t>(n) || (k > 0 && j <= code.indices.back()))
      throw bad_data("a code's indices are ascending and below " + std::to_string(n) + ", found " +
                     std::to_string(j));
    const double x = values[k].as_double();
    if (!std::isfinite(x)) throw bad_data("a code's value is not finite");
    code.indices.push_back(j);
    code.values.push_back(x);
  }
  return code;
}

}  // namespace stream::signals
