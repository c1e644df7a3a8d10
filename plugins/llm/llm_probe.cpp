#include "llm/llm_probe.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

/// Tokens of a sequence whose attention goes out: a record for a head then has some ten thousand numbers at
/// most.
constexpr std::int64_t kLongestMap = 64;

}  // namespace

Spec ProbeOperator::spec() {
  return Spec("llm.probe", "Measure attention sinks and the norms that go with them in a language model.")
      .input("in", PayloadType::kAny,
             "texts, bytes, or tensors [n] of int32 token ids, which are cut into sequences, each by itself")
      .output<Record>(
          "sinks",
          "every `report` sequences, and at the end, over all until then: {\"sequences\", \"sink\": [of the "
          "first 8 "
          "positions, percent], \"sink_bias\": percent, \"layers\": [{\"heads\": [{\"importance\": [8], "
          "\"sink\": [8], \"bias\"}], \"hidden\", \"key\", \"value\": [norm of the first position, of the "
          "others], \"cosine\": [of queries with the first key, with the others], \"positions\": "
          "{\"hidden\", "
          "\"key\", \"value\": [norms of the first 8]}}]}")
      .output<Record>(
          "maps",
          "of the first `maps` sequences, for each layer and head: {\"sequence\", \"layer\", \"head\", "
          "\"attention\": [for each query, [its weight of each key, to 7 decimals]]}, counted from 0; a "
          "model with a "
          "bias key has its weight in \"bias\": [for each query]")
      .path("model", nullptr, "a language model in HDF5, of `llm.train` or `stream import`")
      .param("length", std::int64_t{64}, "tokens of a sequence, the begin token among them",
             range(kSinkPositions, 65536), unit("tokens"))
      .param("begin", true, "put the model's begin token, where it has one, in front of every sequence")
      .param("threshold", 0.3, "mean attention above which a position is a head's sink", range(0, 1))
      .param("report", std::int64_t{100}, "sequences between two records", range(1, 1e9))
      .param("maps", std::int64_t{0},
             "sequences, the first ones, whose attention goes out on port maps; only with a length of at "
             "most 64",
             range(0, 1e6))
      .contract({.lookahead = kUnbounded, .state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "A head's importance of position k is the mean attention that k receives from the queries at and "
          "behind it; "
          "sink k is the share of layers, heads and sequences in which it is above the threshold. Where "
          "attention does "
          "not "
          "sum to 1 (all scores but softmax), weights are divided by their row's sum of absolute values "
          "first. Attention matrices are made for "
          "one head "
          "and "
          "one sequence at a time. Weights are computed with in float32, whatever type they are stored "
          "in.\n\n"
          "Texts that are shorter than a sequence are joined; what is left over at the end is not looked at.")
      .paper("Gu et al., When Attention Sink Emerges in Language Models, ICLR 2025 (arXiv 2410.10781)")
      .example("Sinks of a small model", R"(title = "Sinks"
[nodes.text]
use       = "llm.pair_text"
documents = 10
length    = 200
[nodes.probe]
use   = "llm.probe"
from  = "text"
model = "models/pairs-begin-0.h5"
[nodes.out]
use  = "jsonl.write"
from = "probe"
)")
      .example("What its heads attend to in the first sequence", R"(title = "Attention"
[nodes.text]
use       = "llm.pair_text"
documents = 2
length    = 100
[nodes.probe]
use    = "llm.probe"
from   = "text"
model  = "models/pairs-begin-0.h5"
length = 16
maps   = 1
[nodes.out]
use  = "jsonl.write"
from = "probe.maps"
)");
}

ProbeOperator::ProbeOperator(const Params& p)
    : model_([&] {
        const LanguageModel model = read_language_model(p.input_path("model"));
        return LoadedModel{std::make_shared<const Decoder>(model, WeightType::kFloat32), tokenizer_of(model)};
      }()),
      probe_(model_.decoder, p.get<double>("threshold")),
      encoder_(model_.tokenizer ? model_.tokenizer->encoder() : nullptr),
      length_(p.get<std::int64_t>("length")),
      report_(p.get<std::int64_t>("report")),
      maps_(p.get<std::int64_t>("maps")),
      begin_(p.get<bool>("begin") && model_.decoder->config().begin_token >= 0) {
  if (maps_ > 0 && length_ > kLongestMap)
    throw bad_recipe("maps of sequences of " + std::to_string(length_) +
                     " tokens, expected a length of at most " + std::to_string(kLongestMap));
  if (length_ > model_.decoder->config().context)
    throw bad_recipe("length is " + std::to_string(length_) + ", more than the model's context of " +
                     std::to_string(model_.decoder->config().context));
  if (const std::int64_t prefix = model_.decoder->config().prefix; length_ < prefix)
    throw bad_recipe("length is " + std::to_string(length_) + ", less than the model's prefix of " +
                     std::to_string(prefix));
}

Object ProbeOperator::record() const {
  const ModelConfig& c = model_.decoder->config();
  const auto numbers = [](const std::vector<double>& values, double by = 1) {
    Array out;
    for (const double v : values) out.emplace_back(by * v);
    return out;
  };
  std::vector<double> sinks;
  for (std::int64_t k = 0; k < kSinkPositions; ++k) sinks.push_back(probe_.sink(k));
  Array layers;
  for (std::int64_t l = 0; l < c.layers; ++l) {
    Array heads;
    for (std::int64_t h = 0; h < c.heads; ++h) {
      const AttentionProbe::Head& head = probe_.head(l, h);
      Object one{{"importance", numbers(head.importance)}, {"sink", numbers(head.share, 100)}};
      if (has_key(c.attention_bias) || c.score == Score::kSoftmaxOne) one.set("bias", head.bias_importance);
      heads.emplace_back(std::move(one));
    }
    const AttentionProbe::Norms& n = probe_.norms(l);
    layers.emplace_back(Object{
        {"heads", std::move(heads)},
        {"hidden", numbers({n.hidden_first, n.hidden_others})},
        {"key", numbers({n.key_first, n.key_others})},
        {"value", numbers({n.value_first, n.value_others})},
        {"cosine", numbers({n.cosine_first, n.cosine_others})},
        {"positions",
         Object{{"hidden", numbers(n.hidden)}, {"key", numbers(n.key)}, {"value", numbers(n.value)}}}});
  }
  return Object{{"sequences", probe_.sequences()},
                {"sink", numbers(sinks)},
                {"sink_bias", probe_.sink_bias()},
                {"layers", std::move(layers)}};
}

void ProbeOperator::report(Time time, Output& out) { out.emit(Packet::of<Record>(time, record())); }

void ProbeOperator::emit_map(std::int64_t layer, std::int64_t head, std::span<const float> weights, Time time,
                             Output& out) const {
  // The bias slot, where there is one, stands behind all keys.
  const std::int64_t slots = static_cast<std::int64_t>(weights.size()) / length_;
  const auto rounded = [&](std::int64_t query, std::int64_t slot) {
    return std::round(1e7 * static_cast<double>(weights[static_cast<std::size_t>(query * slots + slot)])) /
           1e7;
  };
  Array rows, bias;
  for (std::int64_t query = 0; query < length_; ++query) {
    Array row;
    for (std::int64_t key = 0; key < length_; ++key) row.emplace_back(rounded(query, key));
    rows.emplace_back(std::move(row));
    if (slots > length_) bias.emplace_back(rounded(query, length_));
  }
  // The sequence is being added, and counted already.
  Object map{
      {"sequence", probe_.sequences() - 1}, {"layer", layer}, {"head", head}, {"attention", std::move(rows)}};
  if (slots > length_) map.set("bias", std::move(bias));
  out.emit(1, Packet::of<Record>(time, std::move(map)));
}

void ProbeOperator::cut(Time time, Output& out) {
  last_ = time;
  const std::int64_t wanted = length_ - (begin_ ? 1 : 0);
  std::int64_t at = 0;
  for (; static_cast<std::int64_t>(pending_.size()) - at >= wanted; at += wanted) {
    std::vector<TokenId> sequence(static_cast<std::size_t>(length_));
    if (begin_) sequence.front() = static_cast<TokenId>(model_.decoder->config().begin_token);
    std::copy_n(pending_.begin() + at, wanted, sequence.end() - wanted);
    AttentionTap map;
    if (probe_.sequences() < maps_ && !out.unused(1))
      map = [&](std::int64_t layer, std::int64_t head, std::int64_t, std::span<const float> weights) {
        emit_map(layer, head, weights, time, out);
      };
    probe_.add(sequence, map);
    if (probe_.sequences() % report_ == 0) report(time, out);
  }
  pending_.erase(pending_.begin(), pending_.begin() + at);
}

void ProbeOperator::process(Packet in, Output& out) {
  if (in.is(PayloadType::kTensor)) {
    const Tensor& ids = in.as<Tensor>();
    if (ids.shape().size() != 1 || ids.dtype() != DType::kI32)
      throw bad_data("a tensor that is no text of token ids, expected [n] of int32");
    const auto values = ids.values<std::int32_t>();
    for (const std::int32_t token : values)
      if (token < 0 || token >= model_.decoder->config().vocabulary)
        throw bad_data("token " + std::to_string(token) + " is not in the model's vocabulary of " +
                       std::to_string(model_.decoder->config().vocabulary));
    pending_.insert(pending_.end(), values.begin(), values.end());
    return cut(in.time, out);
  }
  if (!encoder_)
    throw bad_data("the model knows token ids only, and this is text; expected a tensor [n] of int32");
  if (in.is(PayloadType::kText)) {
    encoder_->push(std::string(in.as<Text>().str()) + "\n", pending_);
    return cut(in.time, out);
  }
  if (!in.is(PayloadType::kBytes)) throw bad_data("a packet of neither bytes, text nor token ids");
  // A sequence is stamped with the place of the byte that completed it, as bytes.read counts.
  const auto bytes = in.as<Bytes>().data();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    encoder_->push({reinterpret_cast<const char*>(bytes.data()) + i, 1}, pending_);
    cut(std::max(in.time, Time{bytes_++}), out);
  }
}

void ProbeOperator::finish(Output& out) {
  if (probe_.sequences() == 0)
    throw bad_data("the text ended before one sequence of " + std::to_string(length_) +
                   " tokens was complete");
  if (probe_.sequences() % report_ != 0) report(last_, out);
}

void ProbeOperator::save(Archive& state) const {
  probe_.save(state.group("probe"));
  if (encoder_) encoder_->save(state.group("encoder"));
  state.set("pending", pending_);
  state.set("last", last_);
  state.set("bytes", bytes_);
}

void ProbeOperator::load(const Archive& state) {
  probe_.load(state.group("probe"));
  if (encoder_) encoder_->load(state.group("encoder"));
  pending_ = state.get<std::vector<TokenId>>("pending");
  last_ = state.get<Duration>("last");
  bytes_ = state.get<std::int64_t>("bytes");
}

std::string ProbeOperator::progress() const {
  char text[96];
  std::snprintf(text, sizeof text, "%lld sequences, sink 1: %.1f %%",
                static_cast<long long>(probe_.sequences()), probe_.sink(0));
  return text;
}

}  // namespace stream::llm
