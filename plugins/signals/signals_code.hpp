/// signals.encode and signals.decode: sparse codes with a dictionary that stands, or that comes with them.
#pragma once

#include <cmath>
#include <optional>

#include "signals/dictionary_file.hpp"
#include "signals/vectors.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::signals {

class EncodeOperator final : public Operator {
 public:
  static Spec spec() {
    return Spec("signals.encode", "Code vectors sparsely with a dictionary that was learnt before.")
        .input<Tensor>("in", "vectors: tensors [n] of float32 or float64")
        .output<Record>("codes", "{\"version\": 0, \"indices\", \"values\"}")
        .output<Tensor>("approximation", "[n] of float64: what the code says")
        .path("model", nullptr, "a dictionary that signals.dictionary wrote")
        .param("terms", std::int64_t{6}, "most coefficients in a code", range(0, 1024))
        .param("threshold", 0.0, "coefficients of no greater magnitude are left out: for denoising",
               range(0, 1e300))
        .contract({.order = Order::kStateless})
        .about(
            "The best approximation with so many terms. Vectors with a number that is not finite are "
            "refused.")
        .example("Code with the dictionary that the recipe compress-sensors learnt", R"([nodes.vectors]
use   = "signals.sparse_vectors"
size  = 8

[nodes.coder]
use   = "signals.encode"
from  = "vectors.out"
model = "models/sensors-basis.h5"

[nodes.out]
use  = "jsonl.write"
from = "coder.codes"
)");
  }
  explicit EncodeOperator(const Params& p)
      : book_(read_dictionary(p.input_path("model"))),
        terms_(p.get<std::size_t>("terms")),
        threshold_(p.get<double>("threshold")) {}
  void process(Packet in, Output& out) override {
    const auto y = vector_of(in, book_.size());
    for (const double v : y)
      if (!std::isfinite(v)) throw bad_data("a vector holds a number that is not finite");
    const SparseCode code = book_.encode(y, terms_, threshold_);
    out.emit(0, in.with<Record>(code_record(code, 0)));
    if (!out.unused(1))
      out.emit(1, in.with<Tensor>(Tensor::of(book_.decode(code), {static_cast<std::int64_t>(book_.size())})));
  }

 private:
  Codebook book_;
  std::size_t terms_;
  double threshold_;
};

class DecodeOperator final : public Operator {
 public:
  static Spec spec() {
    return Spec("signals.decode",
                "Vectors from sparse codes and the versions of the dictionary that they were made with.")
        .input<Tensor>("dictionary", "of signals.dictionary")
        .input<Record>("codes", "of signals.dictionary")
        .output<Tensor>("out", "vectors: [n] of float64")
        .contract({.order = Order::kStateful})
        .about(
            "Gives exactly what port `approximation` of the coder gave. A code whose version of the "
            "dictionary did not "
            "come right before is refused.")
        .example("Code and decode", R"([nodes.vectors]
use   = "signals.sparse_vectors"
size  = 8

[nodes.learner]
use   = "signals.dictionary"
from  = "vectors.out"
size  = 8

[nodes.decoded]
use  = "signals.decode"
from = { dictionary = "learner.dictionary", codes = "learner.codes" }

[nodes.out]
use  = "discard"
from = "decoded"
)");
  }
  void process(std::size_t port, Packet in, Output& out) override {
    if (port == 0) {
      book_ = Codebook::of(in.as<Tensor>());
      ++version_;
      return;
    }
    const auto& record = in.as<Record>();
    const std::int64_t version = record.at("version").as_integer();
    if (version != version_)
      throw bad_data("a code of version " + std::to_string(version) +
                     " of the dictionary comes where version " + std::to_string(version_) + " is the newest");
    const SparseCode code = code_of(record, book_.size());
    out.emit(in.with<Tensor>(Tensor::of(book_.decode(code), {static_cast<std::int64_t>(book_.size())})));
  }
  void save(Archive& state) const override {
    state.set("version", version_);
    if (version_ >= 0) state.set("codebook", book_.tensor());
  }
  void load(const Archive& state) override {
    version_ = state.get<std::int64_t>("version");
    if (version_ >= 0) book_ = Codebook::of(state.tensor("codebook"));
  }
  std::size_t state_bytes() const override { return sizeof *this + 16 * book_.size() * (book_.size() + 1); }

 private:
  Codebook book_;
  std::int64_t version_ = -1;
};

class ReconstructOperator final : public Operator {
 public:
  static Spec spec() {
    return Spec("signals.reconstruct", "Vectors from sparse codes and a dictionary that was learnt before.")
        .input<Record>("in", "codes of signals.encode with the same dictionary")
        .output<Tensor>("out", "vectors: [n] of float64")
        .path("model", nullptr, "the dictionary: a file that signals.dictionary wrote")
        .contract({.order = Order::kStateless})
        .about(
            "The inverse of signals.encode, as far as its codes say. Codes of a version other than 0 were "
            "made "
            "while a dictionary was learnt: signals.decode reads those.")
        .example("Code and back", R"([nodes.vectors]
use   = "signals.sparse_vectors"
size  = 8

[nodes.coder]
use   = "signals.encode"
from  = "vectors.out"
model = "models/sensors-basis.h5"

[nodes.back]
use   = "signals.reconstruct"
from  = "coder.codes"
model = "models/sensors-basis.h5"

[nodes.out]
use  = "discard"
from = "back"
)");
  }
  explicit ReconstructOperator(const Params& p) : book_(read_dictionary(p.input_path("model"))) {}
  void process(Packet in, Output& out) override {
    const auto& record = in.as<Record>();
    if (const std::int64_t version = record.at("version").as_integer(); version != 0)
      throw bad_data("a code of version " + std::to_string(version) + " of its dictionary, expected 0");
    out.emit(in.with<Tensor>(
        Tensor::of(book_.decode(code_of(record, book_.size())), {static_cast<std::int64_t>(book_.size())})));
  }

 private:
  Codebook book_;
};

}  // namespace stream::signals
