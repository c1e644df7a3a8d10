#include "llm/llm_generate.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {

Spec GenerateOperator::spec() {
  return with_memory(
             Spec("llm.generate", "Answer an endless stream of texts or turns with a language model.")
                 .input("in", PayloadType::kAny,
                        "a prompt each: text, a record {\"text\"}, or a tensor [n] of int32 token ids")
                 .output<Record>(
                     "answers",
                     "{\"text\", \"tokens\": how many, \"prompt\": tokens of the prompt, \"kept\": tokens in "
                     "memory, \"bytes\": of keys and values in memory, \"end\": \"stop\" or \"length\"}")
                 .output<Bytes>("pieces",
                                "the answers' text as it is made, each answer followed by a line feed")
                 .output<Tensor>("ids", "an answer each: [n] of int32"))
      .param("max_tokens", std::int64_t{64}, "longest answer", range(1, 1 << 20), unit("tokens"))
      .param("temperature", 0.0, "of sampling; 0 takes the most likely token", range(0, 100))
      .param("top_k", std::int64_t{0}, "sample from the k most likely; 0: from all", range(0, 1 << 20))
      .param("top_p", 1.0, "sample from the fewest that have this probability together", range(0, 1))
      .param("prefix", "", "text in front of every prompt")
      .param("suffix", "\n", "text behind every prompt")
      .param("stop", "\n", "text that ends an answer (beside the model's end tokens); empty: none")
      .param("long_turns", "error",
             "a turn that may need more tokens than the memory can hold beside what it always keeps: error, "
             "or evict "
             "the oldest while the turn goes on",
             choices({"error", "evict"}))
      .contract([](const Params& p) { return memory_contract(p, Cost::kCheap); })
      .about(
          "The model goes on where the stream before ended: one dialogue that never is reset. A turn begins "
          "by making "
          "room for the prompt and the longest answer, as the memory's policy does; then the prompt passes "
          "in one "
          "piece, and the answer is made token by token and becomes part of the past. With the memory `sink` "
          "neither "
          "memory nor the time for a token grows with the stream. It does not remember what has left its "
          "window.\n\n"
          "A checkpoint holds keys, values, the last prediction and the random generator: a run that is "
          "resumed goes "
          "on with the same tokens.")
      .paper("Xiao et al., Efficient Streaming Language Models with Attention Sinks, ICLR 2024")
      .example("Go on with texts of token ids", R"(title = "Going on"
[nodes.text]
use       = "llm.pair_text"
documents = 5
length    = 20
[nodes.model]
use        = "llm.generate"
from       = "text"
model      = "models/pairs-begin-0.h5"
sinks      = 1
max_tokens = 8
[nodes.out]
use  = "jsonl.write"
from = "model.answers"
)");
}

GenerateOperator::GenerateOperator(const Params& p)
    : model_(loaded_model(p)),
      session_(model_.decoder, memory_of(p, *model_.decoder)),
      sampling_{p.get<double>("temperature"), p.get<std::int64_t>("top_k"), p.get<double>("top_p")},
      random_(p.random("sampling")),
      max_tokens_(p.get<std::int64_t>("max_tokens")),
      evict_long_turns_(p.get<std::string>("long_turns") == "evict"),
      prefix_(p.get<std::string>("prefix")),
      suffix_(p.get<std::string>("suffix")),
      stop_(p.get<std::string>("stop")) {}

std::vector<TokenId> GenerateOperator::prompt_of(const Packet& in) const {
  if (in.is(PayloadType::kTensor)) {
    const Tensor& ids = in.as<Tensor>();
    if (ids.shape().size() != 1 || ids.dtype() != DType::kI32)
      throw bad_data("a tensor that is no prompt of token ids, expected [n] of int32");
    const auto values = ids.values<std::int32_t>();
    return {values.begin(), values.end()};
  }
  if (!model_.tokenizer)
    throw bad_data("the model knows token ids only, and this prompt is text; expected a tensor [n] of int32");
  std::string text;
  if (in.is(PayloadType::kText))
    text = in.as<Text>().str();
  else
    text = in.as<Record>().at("text").as_string();
  return model_.tokenizer->encode(prefix_ + text + suffix_);
}

bool GenerateOperator::ends(TokenId token) const {
  const auto& ends = model_.decoder->config().end_tokens;
  return std::find(ends.begin(), ends.end(), token) != ends.end();
}

void GenerateOperator::process(Packet in, Output& out) {
  std::vector<TokenId> prompt = prompt_of(in);
  if (session_.tokens() == 0 && model_.decoder->config().begin_token >= 0)
    prompt.insert(prompt.begin(), static_cast<TokenId>(model_.decoder->config().begin_token));
  if (prompt.empty()) throw bad_data("an empty prompt, and nothing was said before");
  const std::int64_t coming = static_cast<std::int64_t>(prompt.size()) + max_tokens_;
  const std::int64_t most = session_.memory().largest_turn();
  if (!evict_long_turns_ && most >= 0 && coming > most)
    throw bad_data("a turn of up to " + std::to_string(coming) + " tokens (" + std::to_string(prompt.size()) +
                   " of the prompt, max_tokens = " + std::to_string(max_tokens_) + ") is longer than the " +
                   std::to_string(most) +
                   " that the memory can hold; long_turns = \"evict\" lets it forget its own "
                   "beginning");
  for (const TokenId token : prompt)
    if (token < 0 || token >= model_.decoder->config().vocabulary)
      throw bad_data("token " + std::to_string(token) + " is not in the model's vocabulary of " +
                     std::to_string(model_.decoder->config().vocabulary));
  session_.memory().reserve(coming);
  session_.feed(prompt);
  answer(prompt, in, out);
  session_.memory().end_of_turn();
  ++turns_;
}

void GenerateOperator::answer(const std::vector<TokenId>& prompt, const Packet& in, Output& out) {
  std::vector<TokenId> ids;
  std::string text;
  std::size_t shown = 0;
  const auto decoder = model_.tokenizer ? model_.tokenizer->decoder() : nullptr;
  const bool pieces = decoder && !out.unused(1);
  const auto show = [&](std::size_t until) {
    if (pieces && until > shown) out.emit(1, in.with<Bytes>(Buffer::own(text.substr(shown, until - shown))));
    shown = std::max(shown, until);
  };
  bool stopped = false;
  while (!stopped && static_cast<std::int64_t>(ids.size()) < max_tokens_) {
    const TokenId token = sample(session_.logits(), sampling_, random_);
    session_.step(token);
    if (ends(token)) {
      stopped = true;
      break;
    }
    ids.push_back(token);
    if (!decoder) continue;
    text += decoder->push(token);
    if (const auto at = stop_.empty() ? std::string::npos : text.find(stop_, shown);
        at != std::string::npos) {
      text.resize(at);
      stopped = true;
      break;
    }
    // What might be the beginning of `stop` waits.
    std::size_t held = std::min(text.size() - shown, stop_.empty() ? 0 : stop_.size() - 1);
    while (held > 0 && text.compare(text.size() - held, held, stop_, 0, held) != 0) --held;
    show(text.size() - held);
  }
  if (decoder && !stopped) text += decoder->finish();
  show(text.size());
  if (pieces) out.emit(1, in.with<Bytes>(Buffer::own(std::string("\n"))));
  if (!out.unused(0)) {
    Object record;
    if (decoder) record.set("text", text);
    record.set("tokens", static_cast<std::int64_t>(ids.size()));
    record.set("prompt", static_cast<std::int64_t>(prompt.size()));
    record.set("kept", session_.memory().stored_tokens(0, 0));
    record.set("bytes", static_cast<std::int64_t>(session_.memory().resident_bytes()));
    record.set("end", stopped ? "stop" : "length");
    out.emit(0, in.with<Record>(std::move(record)));
  }
  if (!out.unused(2)) {
    const auto size = static_cast<std::int64_t>(ids.size());
    out.emit(2, in.with<Tensor>(Tensor::of(std::move(ids), {size})));
  }
}

void GenerateOperator::save(Archive& state) const {
  session_.save(state.group("sequence"));
  state.set("random", random_.state());
  state.set("turns", turns_);
}

void GenerateOperator::load(const Archive& state) {
  session_.load(state.group("sequence"));
  const auto words = state.get<std::vector<std::int64_t>>("random");
  if (words.size() != 4) throw bad_data("the saved random generator is damaged");
  random_.restore(words);
  turns_ = state.get<std::int64_t>("turns");
}

std::string GenerateOperator::progress() const {
  return "turn " + std::to_string(turns_) + ", " + std::to_string(session_.tokens()) + " tokens, " +
         std::to_string(session_.memory().stored_tokens(0, 0)) + " kept";
}

}  // namespace stream::llm
