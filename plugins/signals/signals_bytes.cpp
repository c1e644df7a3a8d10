#include "signals/signals_bytes.hpp"

#include "import/import.hpp"

namespace stream::signals {

Spec BytesVectors::spec() {
  return Spec("signals.bytes_vectors", "Vectors from raw little-endian numbers or from an array of NumPy.")
      .input<Bytes>("in")
      .output<Tensor>(
          "out", "[size] of float32 or float64, stamped with the offset of their last byte, in nanoseconds")
      .param("format", "float32",
             "of the bytes: numbers one after the other, or a .npy file of shape (rows, size)",
             choices({"float32", "float64", "npy"}))
      .param("size", std::int64_t{0}, "numbers in a vector; 0: as the .npy file says", range(0, 1024))
      .contract({.lookahead = kUnbounded, .order = Order::kStateful})
      .about(
          "An array's elements are '<f4' or '<f8' in C order. Bytes that end inside a vector, or before the "
          "rows "
          "that "
          "the header promises, are an error, after every vector before was delivered; so are bytes after "
          "the last "
          "row.")
      .example("A recording of raw numbers", R"([nodes.in]
use = "bytes.read"

[nodes.vectors]
use  = "signals.bytes_vectors"
from = "in"
size = 16

[nodes.out]
use  = "discard"
from = "vectors"
)");
}

BytesVectors::BytesVectors(const Params& p)
    : given_(p.get<std::size_t>("size")),
      size_(given_),
      npy_(p.get<std::string>("format") == "npy"),
      wide_(p.get<std::string>("format") == "float64") {
  if (!npy_ && size_ == 0) throw bad_recipe("raw numbers do not say how many make a vector: size is missing");
}

void BytesVectors::begin() {
  const auto header = npy_header(held_, "the array");
  if (!header) return;
  if ((header->descr != "<f4" && header->descr != "<f8") || header->fortran)
    throw bad_data("the array holds '" + header->descr + "'" +
                   (header->fortran ? " in Fortran's order" : "") + ", expected '<f4' or '<f8' in C's");
  const auto& shape = header->shape;
  const auto wanted = static_cast<std::int64_t>(size_);
  if (shape.size() != 2 || shape[1] < 1 || shape[1] > 1024 || (wanted != 0 && shape[1] != wanted)) {
    std::string found;
    for (const std::int64_t n : shape) found += (found.empty() ? "" : ", ") + std::to_string(n);
    throw bad_data("the array has the shape (" + found + "), expected (rows, " +
                   (wanted != 0 ? std::to_string(wanted) : "1 to 1024") + ")");
  }
  size_ = static_cast<std::size_t>(shape[1]);
  rows_ = shape[0];
  wide_ = header->descr == "<f8";
  held_.erase(0, header->size);
  consumed_ += static_cast<std::int64_t>(header->size);
  started_ = true;
}

void BytesVectors::process(Packet in, Output& out) {
  // What is refused leaves no trace.
  Archive before;
  save(before);
  try {
    take(in, out);
  } catch (const Error&) {
    load(before);
    throw;
  }
}

void BytesVectors::take(const Packet& in, Output& out) {
  clock_.hear(in);
  held_ += in.as<Bytes>().buffer().text();
  if (npy_ && !started_) begin();
  if (npy_ && !started_) return;
  const std::size_t bytes = size_ * (wide_ ? 8 : 4);
  const auto n = static_cast<std::int64_t>(size_);
  std::size_t at = 0;
  for (; held_.size() - at >= bytes && rows_ != 0; at += bytes, ++count_) {
    Packet next = in;
    next.time = clock_.at(consumed_ + static_cast<std::int64_t>(at + bytes) - 1), next.duration = {};
    if (wide_) {
      std::vector<double> values(size_);
      std::memcpy(values.data(), held_.data() + at, bytes);
      out.emit(next.with<Tensor>(Tensor::of(std::move(values), {n})));
    } else {
      std::vector<float> values(size_);
      std::memcpy(values.data(), held_.data() + at, bytes);
      out.emit(next.with<Tensor>(Tensor::of(std::move(values), {n})));
    }
    if (rows_ > 0) --rows_;
  }
  held_.erase(0, at);
  consumed_ += static_cast<std::int64_t>(at);
  if (rows_ == 0 && !held_.empty()) throw bad_data(where() + ": bytes after the array's last row");
}

void BytesVectors::finish(Output&) {
  if (npy_ && !started_ && !held_.empty())
    throw bad_data(where() + ": the input ends inside the array's header");
  if (!held_.empty() || rows_ > 0)
    throw bad_data(where() + ": the input ends inside vector " + std::to_string(count_) + ", after " +
                   std::to_string(held_.size()) + " of " + std::to_string(size_ * (wide_ ? 8 : 4)) +
                   " bytes" +
                   (rows_ > 0 ? ", " + std::to_string(rows_) + " rows before the array's end" : ""));
}

void BytesVectors::save(Archive& state) const {
  state.set("held", std::vector<std::uint8_t>(held_.begin(), held_.end()));
  state.set("consumed", consumed_);
  state.set("count", count_);
  state.set("started", started_);
  state.set("rows", rows_);
  state.set("size", static_cast<std::uint64_t>(size_));
  state.set("wide", wide_);
  clock_.save(state);
}

void BytesVectors::load(const Archive& state) {
  const auto held = state.get<std::vector<std::uint8_t>>("held");
  held_.assign(held.begin(), held.end());
  consumed_ = state.get<std::int64_t>("consumed");
  count_ = state.get<std::int64_t>("count");
  started_ = state.get<bool>("started");
  rows_ = state.get<std::int64_t>("rows");
  const auto size = state.get<std::uint64_t>("size");
  if (size > 1024 || (size == 0 && (started_ || !npy_)) || (given_ != 0 && size != given_))
    throw bad_data("the checkpoint is of vectors of " + std::to_string(size) + " numbers");
  size_ = size;
  wide_ = state.get<bool>("wide");
  clock_.load(state);
}

Spec PackOperator::spec() {
  return Spec("signals.pack", "Write sparse codes as few bytes, and count them.")
      .input<Record>("in", "codes of signals.dictionary or signals.encode")
      .output<Bytes>("bytes", "the same codes, packed")
      .output<Record>("status",
                      "at the end, and of the end of time, {\"vectors\", \"bytes\", \"raw\": bytes of as "
                      "many vectors of float32, \"ratio\": "
                      "raw / bytes}")
      .required<std::int64_t>("size", "numbers in the vectors that were coded, n", range(1, 1024))
      .param("values", "float16", "of a coefficient", choices({"float16", "float32"}))
      .contract({.order = Order::kStateful})
      .about(
          "A code takes a byte for its length, one (two for n > 256) for each index and two or four for each "
          "value; "
          "a header takes 12. Times are not kept. The dictionary is not in it: signals.reconstruct reads it "
          "from "
          "its file.")
      .example("Vectors in an eighth of their bytes", R"([nodes.vectors]
use   = "signals.sparse_vectors"
size  = 8

[nodes.coder]
use   = "signals.encode"
from  = "vectors.out"
model = "models/sensors-basis.h5"
terms = 1

[nodes.packed]
use  = "signals.pack"
from = "coder.codes"
size = 8

[nodes.out]
use  = "jsonl.write"
from = "packed.status"
)");
}

void PackOperator::process(Packet in, Output& out) {
  const auto& record = in.as<Record>();
  const std::int64_t version = record.at("version").as_integer();
  if (version < 0) throw bad_data("version " + std::to_string(version) + " of a dictionary");
  std::string bytes = packer_.pack(code_of(record, packer_.size()), version);
  ++vectors_, bytes_ += static_cast<std::int64_t>(bytes.size());
  out.emit(0, in.with<Bytes>(Buffer::own(std::move(bytes))));
}

Object PackOperator::status() const {
  const auto raw = vectors_ * 4 * static_cast<std::int64_t>(packer_.size());
  return Object{{"vectors", vectors_},
                {"bytes", bytes_},
                {"raw", raw},
                {"ratio", bytes_ > 0 ? static_cast<double>(raw) / static_cast<double>(bytes_) : 0.0}};
}

void PackOperator::finish(Output& out) {
  if (vectors_ > 0 && !out.unused(1)) out.emit(1, Packet::of<Record>(kTimeMax, status()));
}

void PackOperator::save(Archive& state) const {
  packer_.save(state);
  state.set("vectors", vectors_);
  state.set("bytes", bytes_);
}

void PackOperator::load(const Archive& state) {
  packer_.load(state);
  vectors_ = state.get<std::int64_t>("vectors");
  bytes_ = state.get<std::int64_t>("bytes");
}

Spec UnpackOperator::spec() {
  return Spec("signals.unpack", "Read the sparse codes that signals.pack wrote.")
      .input<Bytes>("in")
      .output<Record>("codes",
                      "{\"version\", \"indices\", \"values\"}, stamped with the offset of their last byte, "
                      "in nanoseconds")
      .contract({.lookahead = kUnbounded, .order = Order::kStateful})
      .about(
          "Bytes that are cut inside a code, or that no packer writes, are an error that names the byte, "
          "after "
          "every code before was delivered.")
      .example("Vectors again", R"([nodes.in]
use = "bytes.read"

[nodes.codes]
use  = "signals.unpack"
from = "in"

[nodes.vectors]
use   = "signals.reconstruct"
from  = "codes"
model = "models/sensors-basis.h5"

[nodes.out]
use  = "discard"
from = "vectors"
)");
}

void UnpackOperator::process(Packet in, Output& out) {
  // What is refused leaves no trace.
  Archive before;
  save(before);
  try {
    clock_.hear(in);
    unpacker_.add(in.as<Bytes>().buffer().text());
    while (const auto next = unpacker_.next()) {
      Packet stamped = in;
      stamped.time = clock_.at(unpacker_.offset() - 1), stamped.duration = {};
      out.emit(stamped.with<Record>(code_record(next->code, next->version)));
    }
  } catch (const Error&) {
    load(before);
    throw;
  }
}

void UnpackOperator::finish(Output&) {
  if (unpacker_.left() > 0)
    throw bad_data("byte " + std::to_string(unpacker_.offset()) +
                   " of the codes: the input ends inside a code");
}

}  // namespace stream::signals
