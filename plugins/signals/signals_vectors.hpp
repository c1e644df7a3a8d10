/// Vectors from audio and records, audio from vectors, and vectors to try dictionaries on.
#pragma once

#include <algorithm>
#include <cmath>

#include "signals/matrix.hpp"
#include "signals/planted.hpp"
#include "signals/vectors.hpp"
#include "stream/error.hpp"
#include "stream/operator.hpp"

namespace stream::signals {

class AudioVectors final : public Operator {
 public:
  static Spec spec() {
    return Spec("signals.audio_vectors", "Cut audio into vectors of so many samples, one after the other.")
        .input<Audio>("in", "channels are averaged")
        .output<Tensor>("out", "[size] of float32, stamped with the time at which the next begins")
        .required<std::int64_t>("size", "samples in a vector", range(1, 1024))
        .contract({.order = Order::kStateful})
        .about(
            "What is left at the end, less than a vector, is filled up with zeros, and stamped with the end "
            "of time.")
        .example("Vectors of eight milliseconds", R"([nodes.in]
use = "audio.read"

[nodes.vectors]
use  = "signals.audio_vectors"
from = "in"
size = 64

[nodes.out]
use  = "discard"
from = "vectors"
)");
  }
  explicit AudioVectors(const Params& p) : size_(p.get<std::size_t>("size")) {}
  void process(Packet in, Output& out) override {
    const auto& audio = in.as<Audio>();
    if (rate_ != 0 && audio.rate() != rate_)
      throw bad_data("the rate changes from " + std::to_string(rate_) + " to " +
                     std::to_string(audio.rate()) + " Hz");
    if (rate_ == 0) rate_ = audio.rate(), anchor_ = in.time;
    // Half a sample is more than rounding: the audio goes on at another time.
    const Duration half = duration_of(1, 2 * static_cast<std::int64_t>(rate_));
    std::int64_t off = 0;
    const bool far = __builtin_sub_overflow(in.time.count(), end_of_samples().count(), &off);
    if (far || off > half.count() || off < -half.count()) anchor_ = in.time, since_ = 0;
    const auto channels = static_cast<std::size_t>(audio.channels());
    for (std::size_t frame = 0; frame < audio.frames(); ++frame) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += audio.samples()[frame * channels + c];
      held_.push_back(sum / static_cast<float>(channels));
      ++since_;
      if (held_.size() == size_) say(out);
    }
  }
  void finish(Output& out) override {
    if (held_.empty()) return;
    held_.resize(size_);
    said_ = kTimeMax;
    say(out);
  }
  void save(Archive& state) const override {
    state.set("held", held_);
    state.set("since", since_);
    state.set("rate", rate_);
    state.set("anchor", anchor_);
    state.set("said", said_);
  }
  void load(const Archive& state) override {
    held_ = state.get<std::vector<float>>("held");
    since_ = state.get<std::int64_t>("since");
    rate_ = state.get<int>("rate");
    anchor_ = state.get<Duration>("anchor");
    said_ = state.get<Duration>("said");
  }
  std::size_t state_bytes() const override { return sizeof *this + size_ * sizeof(float); }

 private:
  /// Not later than time goes.
  Time end_of_samples() const {
    std::int64_t end = 0;
    const bool far = __builtin_add_overflow(anchor_.count(), duration_of(since_, rate_).count(), &end);
    return far ? kTimeMax : Time{end};
  }
  void say(Output& out) {
    // Audio may overlap what came before; times may not go back.
    said_ = std::max(said_, end_of_samples());
    out.emit(
        Packet::of<Tensor>(said_, Tensor::of(std::exchange(held_, {}), {static_cast<std::int64_t>(size_)})));
  }
  std::size_t size_;
  std::vector<float> held_;
  int rate_ = 0;
  Time anchor_{0};          ///< of the first sample since audio came without a gap
  std::int64_t since_ = 0;  ///< samples since then
  Time said_ = kTimeMin;
};

class VectorsAudio final : public Operator {
 public:
  static Spec spec() {
    return Spec("signals.vectors_audio",
                "Audio from vectors of samples: the inverse of signals.audio_vectors.")
        .input<Tensor>("in", "[n] of float32 or float64")
        .output<Audio>("out", "one channel")
        .param("rate", std::int64_t{16000}, "samples for each second", range(1, 1e7), unit("Hz"))
        .contract({.order = Order::kStateful})
        .example("Speech in an eighth of its numbers", R"([nodes.in]
use = "audio.read"

[nodes.vectors]
use  = "signals.audio_vectors"
from = "in"
size = 64

[nodes.learner]
use   = "signals.dictionary"
from  = "vectors"
size  = 64
terms = 8

[nodes.audio]
use  = "signals.vectors_audio"
from = "learner.approximation"

[nodes.out]
use  = "audio.write"
from = "audio"
path = "approximation.wav"
)");
  }
  explicit VectorsAudio(const Params& p) : rate_(p.get<int>("rate")) {}
  void process(Packet in, Output& out) override {
    const auto shape = in.as<Tensor>().shape();
    const auto values = vector_of(in, shape.size() == 1 ? static_cast<std::size_t>(shape[0]) : 0);
    std::vector<float> samples(values.begin(), values.end());
    out.emit(in.with<Audio>(std::move(samples), 1, rate_));
  }

 private:
  int rate_;
};

class RecordVectors final : public Operator {
 public:
  static Spec spec() {
    return Spec("signals.record_vectors",
                "Vectors from members of records, such as the columns of a table of sensors.")
        .input<Record>("in")
        .output<Tensor>("out", "[number of members] of float64")
        .required<std::vector<std::string>>("members", "names of the numbers, in this order")
        .param("missing", "last",
               "what stands for a number that a record lacks, or null: the last one of that name (0 "
               "before the first), or the record is an error",
               choices({"last", "error"}))
        .contract({.order = Order::kStateful, .keyed = true})
        .example("Two columns", R"([nodes.rows]
use   = "records.generate"

[nodes.vectors]
use     = "signals.record_vectors"
from    = "rows"
members = ["index", "value"]

[nodes.out]
use  = "discard"
from = "vectors"
)");
  }
  explicit RecordVectors(const Params& p)
      : members_(p.get<std::vector<std::string>>("members")),
        hold_(p.get<std::string>("missing") == "last"),
        last_(members_.size()) {
    if (members_.empty() || members_.size() > 1024) throw bad_recipe("members names 1 to 1024 numbers");
  }
  void process(Packet in, Output& out) override {
    const auto& record = in.as<Record>();
    std::vector<double> values = last_;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Value* value = hold_ ? record.find(members_[i]) : &record.at(members_[i]);
      if (value == nullptr || (hold_ && value->is_null())) continue;
      if (!value->is_number())
        throw bad_data("member '" + members_[i] + "' is a number, found " + value->kind());
      values[i] = value->as_double();
    }
    last_ = values;
    out.emit(in.with<Tensor>(Tensor::of(std::move(values), {static_cast<std::int64_t>(members_.size())})));
  }
  void save(Archive& state) const override { state.set("last", last_); }
  void load(const Archive& state) override {
    last_ = state.get<std::vector<double>>("last");
    if (last_.size() != members_.size()) throw bad_data("the checkpoint is of other members");
  }
  std::size_t state_bytes() const override { return sizeof *this + last_.size() * sizeof(double); }

 private:
  std::vector<std::string> members_;
  bool hold_;
  std::vector<double> last_;
};

class SparseVectors final : public Source {
 public:
  static Spec spec() {
    return Spec("signals.sparse_vectors", "Make vectors that are sparse in a hidden orthogonal basis.")
        .output<Tensor>("out", "[size] of float64")
        .output<Tensor>("basis",
                        "[size + 1, size] of float64, once at the start: the hidden basis, and a mean of 0")
        .param("size", std::int64_t{20}, "numbers in a vector", range(1, 1024))
        .param("count", std::int64_t{1000}, "vectors; 0: without end", range(0, 1e15))
        .param("density", 0.2, "share of the coefficients that are not 0; those are standard normal",
               range(0, 1))
        .param("noise", 0.0, "standard deviation of what is added to every number", range(0, 1e6))
        .contract({.order = Order::kStateful})
        .example("Ten vectors", R"([nodes.vectors]
use   = "signals.sparse_vectors"
count = 10

[nodes.out]
use  = "discard"
from = "vectors.out"
)");
  }
  explicit SparseVectors(const Params& p)
      : count_(p.get<std::int64_t>("count")),
        random_(p.random()),
        planted_(p.get<std::size_t>("size"), p.get<double>("density"), p.get<double>("noise"), random_) {}
  bool read(Output& out) override {
    if (index_ == 0)
      out.emit(1, Packet::of<Tensor>(
                      Time{0}, Codebook(planted_.basis(), std::vector<double>(planted_.size())).tensor()));
    constexpr int kBatch = 64;
    for (int i = 0; i < kBatch && (count_ == 0 || index_ < count_); ++i, ++index_) {
      std::vector<double> y(planted_.size());
      planted_.draw(random_, y);
      out.emit(0, Packet::of<Tensor>(Time{index_},
                                     Tensor::of(std::move(y), {static_cast<std::int64_t>(planted_.size())})));
    }
    return count_ == 0 || index_ < count_;
  }
  double fraction() const override {
    return count_ > 0 ? static_cast<double>(index_) / static_cast<double>(count_) : -1;
  }
  void save(Archive& state) const override {
    state.set("index", index_);
    state.set("random", random_.state());
  }
  void load(const Archive& state) override {
    index_ = state.get<std::int64_t>("index");
    random_.restore(state.get<std::vector<std::int64_t>>("random"));
  }

 private:
  std::int64_t count_;
  Random random_;
  Planted planted_;
  std::int64_t index_ = 0;
};

}  // namespace stream::signals
