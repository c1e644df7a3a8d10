#include "llm/llm_score.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {

Spec ScoreOperator::spec() {
  return with_memory(
             Spec("llm.score",
                  "How surprising each token and line of an endless stream is to a language model.")
                 .input("in", PayloadType::kAny,
                        "lines: text, records {\"text\"}, or tensors [n] of int32 token ids; or bytes, which "
                        "have no lines")
                 .output<Record>(
                     "lines",
                     "{\"text\", \"tokens\", \"nll\": their sum in nats, \"mean\", \"worst\"} of each line")
                 .output<Record>("tokens",
                                 "{\"pos\", \"id\", \"nll\"} of each token; \"nll\" is null where nothing "
                                 "predicted it")
                 .output<Record>("alarms", "the lines whose mean is above the threshold"))
      .param("threshold", 1e9, "nats for each token of a line above which it is passed to `alarms`",
             range(0, 1e9), unit("nats"))
      .contract([](const Params& p) { return memory_contract(p, Cost::kHeavy); })
      .about(
          "Surprisal is -log P(token | what the memory holds of the stream before), in nats. A line is "
          "followed by a "
          "line feed, which counts among its tokens where the model reads text. Lines pass the model in "
          "blocks, bytes "
          "one token at a time: how bytes are cut into packets then never changes a figure.\n\n"
          "With the memory `sink` (the default) neither memory nor the time for a token grows with the "
          "stream, and the "
          "figures stay what they are for a text of the model's own length.")
      .paper("Xiao et al., Efficient Streaming Language Models with Attention Sinks, ICLR 2024")
      .example("Surprisal of texts of token ids", R"(title = "Surprisal"
[nodes.text]
use       = "llm.pair_text"
documents = 3
length    = 200
[nodes.score]
use   = "llm.score"
from  = "text"
model = "models/pairs-begin-0.h5"
sinks = 1
[nodes.out]
use  = "jsonl.write"
from = "score.lines"
)");
}

ScoreOperator::ScoreOperator(const Params& p)
    : model_(loaded_model(p)),
      session_(model_.decoder, memory_of(p, *model_.decoder)),
      encoder_(model_.tokenizer ? model_.tokenizer->encoder() : nullptr),
      threshold_(p.get<double>("threshold")) {}

void ScoreOperator::begin() {
  if (session_.tokens() == 0 && model_.decoder->config().begin_token >= 0)
    session_.step(static_cast<TokenId>(model_.decoder->config().begin_token));
}

std::vector<float> ScoreOperator::score(std::span<const TokenId> ids, const Packet& in, Output& out) {
  const std::int64_t first = session_.tokens();
  std::vector<float> nll;
  session_.feed(ids, {}, &nll);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (std::isfinite(nll[i])) mean_ += 0.01 * (static_cast<double>(nll[i]) - mean_);
    if (out.unused(1)) continue;
    out.emit(1, in.with<Record>(Object{{"pos", first + static_cast<std::int64_t>(i)},
                                       {"id", std::int64_t{ids[i]}},
                                       {"nll", static_cast<double>(nll[i])}}));
  }
  return nll;
}

void ScoreOperator::line(std::string_view text, std::vector<TokenId> ids, const Packet& in, Output& out) {
  begin();
  double sum = 0, worst = 0;
  std::int64_t counted = 0;
  // Policies that rank tokens by surprisal work turn by turn: a line is one.
  const bool turns = session_.memory().wants_nll() != Memory::Feedback::kNone;
  if (turns) session_.memory().reserve(static_cast<std::int64_t>(ids.size()));
  for (const float v : score(ids, in, out)) {
    if (!std::isfinite(v)) continue;
    sum += static_cast<double>(v);
    worst = std::max(worst, static_cast<double>(v));
    ++counted;
  }
  if (turns) session_.memory().end_of_turn();
  const double mean = counted > 0 ? sum / static_cast<double>(counted) : 0;
  Object record;
  if (model_.tokenizer) record.set("text", std::string(text));
  record.set("tokens", static_cast<std::int64_t>(ids.size()));
  record.set("nll", sum);
  record.set("mean", mean);
  record.set("worst", worst);
  ++lines_;
  const Packet made = in.with<Record>(std::move(record));
  if (mean > threshold_) {
    ++alarms_;
    out.emit(2, made);
  }
  out.emit(0, made);
  // A port that stays silent must not hold up what waits for it.
  out.advance(2, in.time);
}

void ScoreOperator::process(Packet in, Output& out) {
  last_ = in.time;
  if (in.is(PayloadType::kTensor)) {
    const Tensor& ids = in.as<Tensor>();
    if (ids.shape().size() != 1 || ids.dtype() != DType::kI32)
      throw bad_data("a tensor that is no text of token ids, expected [n] of int32");
    const auto values = ids.values<std::int32_t>();
    line({}, {values.begin(), values.end()}, in, out);
    return;
  }
  if (!model_.tokenizer)
    throw bad_data("the model knows token ids only, and this is text; expected a tensor [n] of int32");
  if (in.is(PayloadType::kBytes)) {
    begin();
    const auto bytes = in.as<Bytes>().data();
    std::vector<TokenId> ids;
    // A token's time is the place in the stream of the byte that made it certain, in nanoseconds, as
    // bytes.read counts.
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      ids.clear();
      encoder_->push({reinterpret_cast<const char*>(bytes.data()) + i, 1}, ids);
      last_ = std::max(in.time, Time{bytes_++});
      Packet at = in;
      at.time = last_;
      at.duration = {};
      for (const TokenId id : ids) score({&id, 1}, at, out);
    }
    return;
  }
  const std::string text(in.is(PayloadType::kText)
                             ? in.as<Text>().str()
                             : std::string_view(in.as<Record>().at("text").as_string()));
  line(text, model_.tokenizer->encode(text + '\n'), in, out);
}

void ScoreOperator::finish(Output& out) {
  if (!encoder_) return;
  std::vector<TokenId> ids;
  encoder_->finish(ids);
  if (ids.empty()) return;
  const Packet end = Packet::of<Bytes>(last_, Buffer());
  for (const TokenId id : ids) score({&id, 1}, end, out);
}

void ScoreOperator::save(Archive& state) const {
  session_.save(state.group("sequence"));
  if (encoder_) encoder_->save(state.group("encoder"));
  state.set("lines", lines_);
  state.set("alarms", alarms_);
  state.set("mean", mean_);
  state.set("last", last_);
  state.set("bytes", bytes_);
}

void ScoreOperator::load(const Archive& state) {
  session_.load(state.group("sequence"));
  if (encoder_) encoder_->load(state.group("encoder"));
  lines_ = state.get<std::int64_t>("lines");
  alarms_ = state.get<std::int64_t>("alarms");
  mean_ = state.get<double>("mean");
  last_ = state.get<Duration>("last");
  bytes_ = state.get<std::int64_t>("bytes");
}

std::string ScoreOperator::progress() const {
  char text[96];
  std::snprintf(text, sizeof text, "%lld tokens, %.2f nats each, %lld alarms",
                static_cast<long long>(session_.tokens()), mean_, static_cast<long long>(alarms_));
  return text;
}

}  // namespace stream::llm
