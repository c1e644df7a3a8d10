#include "llm/llm_generate.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {

Spec GenerateOperator::spec() {
  return with_memory(
             Spec("llm.generate", "Answer an endless stream of texts or turns with a language model.")
                 .input(
                     "in", PayloadType::kAny,
                     "a prompt each: text, a tensor [n] of int32 token ids, or a record {\"text\" or "
                     "\"ids\"}, with \"choices\" (texts, or lists of ids) where one of them is to be picked, "
                     "\"answer\" "
                     "(the index of the right one) and \"read\" (true: nothing is to be answered)")
                 .output<Record>(
                     "answers",
                     "{\"text\", \"tokens\": how many, \"prompt\": tokens of the prompt, \"kept\": tokens in "
                     "memory, \"bytes\": of keys and values in memory, \"end\": \"stop\", \"length\" or "
                     "\"choice\"}; "
                     "with choices also {\"choice\": index, \"scores\": of each, \"right\"}; other members "
                     "of a "
                     "prompt's record go on")
                 .output<Bytes>("pieces",
                                "the answers' text as it is made, each answer followed by a line feed")
                 .output<Tensor>("ids", "an answer each: [n] of int32"))
      .param("max_tokens", std::int64_t{64}, "longest answer", range(1, 1 << 20), unit("tokens"))
      .param("temperature", 0.0, "of sampling; 0 takes the most likely token", range(0, 100))
      .param("top_k", std::int64_t{0}, "sample from the k most likely; 0: from all", range(0, 1 << 20))
      .param("top_p", 1.0, "sample from the fewest that have this probability together", range(0, 1))
      .param("prefix", "", "text in front of every prompt")
      .param("suffix", "\n", "text behind every prompt")
      .param("scoring", "sum",
             "of choices: the logarithm of their probability, or its mean over their tokens, which favours "
             "long ones",
             choices({"sum", "mean"}))
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
      stop_(p.get<std::string>("stop")),
      mean_scores_(p.get<std::string>("scoring") == "mean") {}

bool GenerateOperator::ends(TokenId token) const {
  const auto& ends = model_.decoder->config().end_tokens;
  return std::find(ends.begin(), ends.end(), token) != ends.end();
}

void GenerateOperator::process(Packet in, Output& out) {
  Turn turn = turn_of(in, model_.tokenizer.get(), prefix_, suffix_);
  std::vector<TokenId>& prompt = turn.prompt;
  if (session_.tokens() == 0 && model_.decoder->config().begin_token >= 0)
    prompt.insert(prompt.begin(), static_cast<TokenId>(model_.decoder->config().begin_token));
  if (prompt.empty()) throw bad_data("an empty prompt, and nothing was said before");
  std::int64_t longest = turn.read_only ? 0 : turn.choices.empty() ? max_tokens_ : 1;
  for (const auto& choice : turn.choices)
    longest = std::max(longest, static_cast<std::int64_t>(choice.size()));
  const std::int64_t coming = static_cast<std::int64_t>(prompt.size()) + longest;
  const std::int64_t most = session_.memory().largest_turn();
  if (!evict_long_turns_ && most >= 0 && coming > most)
    throw bad_data("a turn of up to " + std::to_string(coming) + " tokens (" + std::to_string(prompt.size()) +
                   " of the prompt, at most " + std::to_string(longest) +
                   " of the answer) is longer than the " + std::to_string(most) +
                   " that the memory can hold; long_turns = \"evict\" lets it forget its own "
                   "beginning");
  const auto known = [&](const std::vector<TokenId>& tokens) {
    for (const TokenId token : tokens)
      if (token < 0 || token >= model_.decoder->config().vocabulary)
        throw bad_data("token " + std::to_string(token) + " is not in the model's vocabulary of " +
                       std::to_string(model_.decoder->config().vocabulary));
  };
  known(prompt);
  for (const auto& choice : turn.choices) known(choice);
  session_.memory().reserve(coming);
  // The last token of a prompt by itself, as in decoding: memories look blocks up for it alone.
  session_.feed({prompt.data(), prompt.size() - 1});
  session_.step(prompt.back());
  if (!turn.read_only) turn.choices.empty() ? answer(turn, in, out) : choose(turn, in, out);
  session_.memory().end_of_turn();
  ++turns_;
}

Object GenerateOperator::record_of(const Turn& turn, std::int64_t tokens) const {
  Object record = turn.more;
  record.set("tokens", tokens);
  record.set("prompt", static_cast<std::int64_t>(turn.prompt.size()));
  record.set("kept", session_.memory().stored_tokens(0, 0));
  record.set("bytes", static_cast<std::int64_t>(session_.memory().resident_bytes()));
  return record;
}

void GenerateOperator::choose(const Turn& turn, const Packet& in, Output& out) {
  std::size_t best = 0;
  std::vector<double> scores;
  for (const auto& choice : turn.choices) {
    double score = -surprisal(session_.logits(), choice.front());
    if (choice.size() > 1) {
      // Each goes on from the same past.
      Session fork = session_.fork();
      std::vector<float> nll;
      fork.feed(choice, {}, &nll);
      for (std::size_t i = 1; i < nll.size(); ++i) score -= static_cast<double>(nll[i]);
    }
    scores.push_back(mean_scores_ ? score / static_cast<double>(choice.size()) : score);
    if (scores.back() > scores[best]) best = scores.size() - 1;
  }
  const std::vector<TokenId>& chosen = turn.choices[best];
  session_.feed(chosen);
  const std::string text = !turn.labels.empty() ? turn.labels[best]
                           : model_.tokenizer   ? model_.tokenizer->decode(chosen)
                                                : std::string();
  if (model_.tokenizer && !out.unused(1)) out.emit(1, in.with<Bytes>(Buffer::own(text + "\n")));
  if (!out.unused(0)) {
    Object record;
    if (model_.tokenizer) record.set("text", text);
    for (const auto& [name, value] : record_of(turn, static_cast<std::int64_t>(chosen.size())))
      record.set(name, value);
    record.set("end", "choice");
    record.set("choice", static_cast<std::int64_t>(best));
    record.set("scores", Array(scores.begin(), scores.end()));
    if (turn.right >= 0) record.set("right", turn.right == static_cast<std::int64_t>(best));
    out.emit(0, in.with<Record>(std::move(record)));
  }
  if (!out.unused(2)) {
    const auto size = static_cast<std::int64_t>(chosen.size());
    out.emit(2, in.with<Tensor>(Tensor::of(chosen, {size})));
  }
}

void GenerateOperator::answer(const Turn& turn, const Packet& in, Output& out) {
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
    for (const auto& [name, value] : record_of(turn, static_cast<std::int64_t>(ids.size())))
      record.set(name, value);
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
