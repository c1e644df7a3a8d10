#include "signals/signals_dictionary.hpp"

#include <algorithm>
#include <cmath>

#include "signals/dictionary_file.hpp"
#include "signals/vectors.hpp"
#include "stream/error.hpp"

namespace stream::signals {

namespace {

DictionaryLearner::Options learner_options(const Params& p) {
  return {.size = p.get<std::size_t>("size"),
          .batch = p.get<std::size_t>("batch"),
          .power = p.get<int>("power"),
          .polar_every = p.get<std::int64_t>("polar_every"),
          .least_rho = p.get<double>("least_rho"),
          .least_gamma = p.get<double>("least_gamma")};
}

Matrix start(const Params& p) {
  Random random = p.random();
  return Matrix::random_orthogonal(p.get<std::size_t>("size"), random);
}

}  // namespace

Spec DictionaryOperator::spec() {
  return Spec("signals.dictionary",
              "Learn the orthogonal basis in which vectors are sparse, and code them in it meanwhile.")
      .input<Tensor>("in", "vectors: tensors [size] of float32 or float64")
      .output<Tensor>("dictionary",
                      "[size + 1, size] of float64 for each version: atoms are columns, the last row is the "
                      "mean; before the first code of that version")
      .output<Record>("codes",
                      "{\"version\", \"indices\", \"values\", \"error\": of the approximation, relative}")
      .output<Tensor>("approximation", "[size] of float64: what the code says")
      .output<Record>(
          "status",
          "of each version {\"version\", \"vectors\", \"skipped\", \"steps\", \"gap\": of Frank and "
          "Wolfe, \"orthogonality\": ||D^T D - I||, \"snr\": dB so far, \"terms\": mean so far}")
      .required<std::int64_t>("size", "numbers in a vector, n", range(1, 1024))
      .param("batch", std::int64_t{4}, "vectors in a mini-batch", range(1, 4096))
      .param("power", std::int64_t{3}, "of the norm that measures sparsity", range(3, 4))
      .param("terms", std::int64_t{6}, "most coefficients in a code", range(0, 1024))
      .param("threshold", 0.0, "coefficients of no greater magnitude are left out: for denoising",
             range(0, 1e300))
      .param("refresh", std::int64_t{4096},
             "vectors from one version of the dictionary to the next; the first follow "
             "each other at powers of two",
             range(1, 1e12))
      .param("polar_every", std::int64_t{1},
             "mini-batches for one direction of descent: more for great sizes", range(1, 1e6))
      .param("centre", false, "take out the running mean")
      .param("least_rho", 0.0, "least weight of a new gradient: 0.02 to follow a basis that changes",
             range(0, 1))
      .param("least_gamma", 0.0, "least step: 0.01 to follow a basis that changes", range(0, 1))
      .param("model", std::string(),
             "HDF5 file to write at the end, for signals.encode and signals.decode; empty: none")
      .contract({.order = Order::kStateful, .cost = Cost::kHeavy})
      .about(
          "Each vector is coded with the newest version first and learnt from afterwards. Every mini-batch "
          "averages "
          "the gradient of the l3-norm of the coefficients with weight t^-1/2 and moves the dictionary by "
          "t^-3/4 "
          "towards the orthogonal matrix that is best for it (Frank and Wolfe): nothing is tuned to the "
          "data, and "
          "memory does not grow. Vectors with a number that is not finite are skipped and counted, and so is "
          "what "
          "all-zero vectors would teach; those are coded by nothing.")
      .paper("Xue, Lau, Online Orthogonal Dictionary Learning Based on Frank-Wolfe Method, arXiv 2103.01484")
      .example("Vectors that are sparse in a hidden basis", R"(title = "Find a hidden basis"
[nodes.vectors]
use   = "signals.sparse_vectors"
size  = 8
count = 20000

[nodes.learner]
use   = "signals.dictionary"
from  = "vectors.out"
size  = 8
terms = 3

[nodes.out]
use  = "jsonl.write"
from = "learner.status"
)");
}

DictionaryOperator::DictionaryOperator(const Params& p)
    : learner_(learner_options(p), start(p)),
      size_(p.get<std::size_t>("size")),
      terms_(p.get<std::size_t>("terms")),
      threshold_(p.get<double>("threshold")),
      refresh_(p.get<std::int64_t>("refresh")),
      centre_(p.get<bool>("centre")),
      model_(p.get<std::string>("model")),
      mean_(size_) {}

void DictionaryOperator::process(Packet in, Output& out) {
  const auto y = vector_of(in, size_);
  const auto finite =
      std::all_of(y.begin(), y.end(), [](double v) { return std::isfinite(v) && std::abs(v) < 1e100; });
  if (!finite) {
    ++skipped_;
    return;
  }
  if (learnt_ >= next_publish_) publish(in, out);
  const SparseCode code = book_.encode(y, terms_, threshold_);
  auto approximation = book_.decode(code);
  double energy = 0, lost = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    energy += y[i] * y[i];
    lost += (y[i] - approximation[i]) * (y[i] - approximation[i]);
  }
  energy_ += energy, lost_ += lost, terms_used_ += static_cast<std::int64_t>(code.values.size());
  if (!out.unused(1)) {
    Object record = code_record(code, version_);
    record.set("error", energy > 0 ? std::sqrt(lost / energy) : 0.0);
    out.emit(1, in.with<Record>(std::move(record)));
  }
  if (!out.unused(2))
    out.emit(2, in.with<Tensor>(Tensor::of(std::move(approximation), {static_cast<std::int64_t>(size_)})));
  last_ = Packet{nullptr, in.time, in.duration, in.key, 0, in.arrival};
  if (!(energy > 0)) {
    ++skipped_;
    return;
  }
  ++learnt_;
  if (!centre_) {
    learner_.learn(y);
    return;
  }
  std::vector<double> centred(size_);
  for (std::size_t i = 0; i < size_; ++i) {
    mean_[i] += (y[i] - mean_[i]) / static_cast<double>(learnt_);
    centred[i] = y[i] - mean_[i];
  }
  learner_.learn(centred);
}

void DictionaryOperator::publish(const Packet& at, Output& out) {
  ++version_;
  book_ = Codebook(learner_.dictionary(), mean_);
  next_publish_ = learnt_ == 0 ? 1 : learnt_ + std::min(learnt_, refresh_);
  if (!out.unused(0)) out.emit(0, at.with<Tensor>(book_.tensor()));
  if (out.unused(3)) return;
  const auto coded = static_cast<double>(std::max<std::int64_t>(1, learnt_));
  out.emit(
      3, at.with<Record>(Object{{"version", version_},
                                {"vectors", learnt_},
                                {"skipped", skipped_},
                                {"steps", learner_.steps()},
                                {"gap", learner_.gap()},
                                {"orthogonality", orthogonality_gap(learner_.iterate())},
                                {"snr", lost_ > 0 ? Value(10 * std::log10(energy_ / lost_)) : Value(nullptr)},
                                {"terms", static_cast<double>(terms_used_) / coded}}));
}

void DictionaryOperator::finish(Output& out) {
  if (learnt_ > 0) {
    last_.time = kTimeMax;  // when it is certain that nothing follows
    publish(last_, out);
  }
  if (!model_.empty())
    write_dictionary(model_, learnt_ > 0 ? book_ : Codebook(learner_.dictionary(), mean_), learnt_);
}

void DictionaryOperator::save(Archive& state) const {
  learner_.save(state.group("learner"));
  state.set("version", version_);
  state.set("learnt", learnt_);
  state.set("skipped", skipped_);
  state.set("next_publish", next_publish_);
  state.set("mean", mean_);
  state.set("energy", energy_);
  state.set("lost", lost_);
  state.set("terms_used", terms_used_);
  state.set("time", last_.time);
  state.set("key", last_.key.str());
  if (version_ >= 0) state.set("codebook", book_.tensor());
}

void DictionaryOperator::load(const Archive& state) {
  learner_.load(state.group("learner"));
  version_ = state.get<std::int64_t>("version");
  learnt_ = state.get<std::int64_t>("learnt");
  skipped_ = state.get<std::int64_t>("skipped");
  next_publish_ = state.get<std::int64_t>("next_publish");
  mean_ = state.get<std::vector<double>>("mean");
  energy_ = state.get<double>("energy");
  lost_ = state.get<double>("lost");
  terms_used_ = state.get<std::int64_t>("terms_used");
  last_.time = state.get<Duration>("time");
  last_.key = Key(state.get<std::string>("key"));
  if (version_ >= 0) book_ = Codebook::of(state.tensor("codebook"));
  if (mean_.size() != size_ || (version_ >= 0 && book_.size() != size_))
    throw bad_data("the checkpoint is of vectors of another size");
}

std::size_t DictionaryOperator::state_bytes() const {
  return sizeof *this + learner_.bytes() + 8 * (2 * size_ * size_ + 2 * size_);
}

std::string DictionaryOperator::progress() const {
  const double snr = lost_ > 0 ? 10 * std::log10(energy_ / lost_) : 0;
  return std::to_string(learnt_) + " vectors, version " + std::to_string(version_) + ", " +
         std::to_string(static_cast<int>(std::lround(snr))) + " dB";
}

}  // namespace stream::signals
