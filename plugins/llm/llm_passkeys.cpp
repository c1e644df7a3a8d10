#include "llm/llm_passkeys.hpp"

#include <algorithm>

#include "llm/memory_params.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

constexpr std::int64_t kLengths = 50;   // evenly spaced, from which a sample's is drawn
constexpr std::int64_t kMultiple = 16;  // of which a sample's length is one

struct ModelText {
  std::shared_ptr<const Tokenizer> tokenizer;
  TokenId begin;
  std::int64_t context;
};

/// What `model` says of its tokens; bytes where none is named.
ModelText model_text(const Params& p) {
  if (p.get<std::string>("model").empty()) return {byte_tokenizer(), kByteBegin, 0};
  const std::string path = p.input_path("model");
  const LanguageModel model = read_language_model(path);
  auto tokenizer = tokenizer_of(model);
  if (!tokenizer) throw bad_recipe(path + ": a model that knows token ids only, and passkeys are words");
  return {std::move(tokenizer), static_cast<TokenId>(model.config.begin_token), model.config.context};
}

PasskeyShape shape_of(const Params& p) {
  return {.passkeys = p.get<std::int64_t>("passkeys"),
          .words = p.get<std::int64_t>("words"),
          .tail = p.get<std::string>("label") == "tail"};
}

}  // namespace

Spec PasskeyOperator::spec() {
  const PasskeyShape s;
  return Spec("llm.passkeys",
              "Hide passkeys in a text and ask for them: samples to find a model's retrieval heads with.")
      .input("in", PayloadType::kAny, "the haystack: bytes, or texts; how they are cut carries no meaning")
      .output<Tensor>("out", "a sample each: [2, n] of int32, token ids and labels (0 or 1)")
      .path("model", "", "the language model, for its tokens and its context; empty: a byte is a token")
      .param("shortest", std::int64_t{1000}, "sample", range(16, 1 << 24), unit("tokens"))
      .param("longest", std::int64_t{0}, "sample; 0: the model's context", range(0, 1 << 24), unit("tokens"))
      .param("passkeys", s.passkeys, "in a sample", range(1, 1000))
      .param("words", s.words, "of a passkey: each one of 26", range(1, 1000))
      .param("label", "tail",
             "where hidden states are to be compared: on all of the questions and answers (the released "
             "code), or on "
             "the answers' words (the paper)",
             choices({"tail", "answers"}))
      .contract({.lookahead = kUnbounded, .state = Growth::kConstant})
      .about(
          "A sample is a piece of the haystack with sentences that name passkeys in between, at depths drawn "
          "from 0.05 "
          "to "
          "0.95 of it, then for each of them in turn the question and its answer. Its length is drawn from "
          "50 evenly "
          "spaced "
          "values, rounded down to a multiple of 16; the haystack fills what the passkeys leave. No part of "
          "the "
          "haystack is "
          "used twice: read a short book several times over (llm.corpus).")
      .paper("Xiao et al., DuoAttention, ICLR 2025 (arXiv 2410.10819), section 2.2")
      .example("Passkeys for a model of bytes", R"(title = "Passkeys"
[nodes.text]
use   = "llm.corpus"
path  = "examples/lines.txt"
times = 2
[nodes.samples]
use      = "llm.passkeys"
from     = "text"
shortest = 500
longest  = 2000
passkeys = 2
words    = 3
[nodes.out]
use  = "discard"
from = "samples"
)");
}

PasskeyOperator::PasskeyOperator(const Params& p) : shape_(shape_of(p)), random_(p.random("passkeys")) {
  const ModelText model = model_text(p);
  tokenizer_ = model.tokenizer;
  encoder_ = tokenizer_->encoder();
  text_ = std::make_unique<PasskeyText>(tokenizer_, model.begin, shape_);
  shortest_ = p.get<std::int64_t>("shortest");
  longest_ = p.get<std::int64_t>("longest");
  if (longest_ == 0) longest_ = model.context;
  if (longest_ == 0) throw bad_recipe("longest is 0, and no model says what its context is");
  if (shortest_ > longest_)
    throw bad_recipe("shortest is " + std::to_string(shortest_) + ", more than the longest of " +
                     std::to_string(longest_));
  draw();
}

void PasskeyOperator::draw() {
  before_ = random_.state();
  needles_ = text_->draw(random_);
  const auto step = static_cast<std::int64_t>(random_.below(kLengths));
  const std::int64_t length =
      (shortest_ + (longest_ - shortest_) * step / (kLengths - 1)) / kMultiple * kMultiple;
  wanted_ = length - needles_.tokens;
  // Deep and shallow must be places apart.
  if (wanted_ < 2 * shape_.passkeys)
    throw bad_recipe("a sample of " + std::to_string(length) + " tokens, and " +
                     std::to_string(shape_.passkeys) + " passkeys of " + std::to_string(shape_.words) +
                     " words with their questions take " + std::to_string(needles_.tokens) +
                     ": longer samples, or fewer or shorter passkeys");
}

void PasskeyOperator::cut(Time time, Output& out) {
  while (static_cast<std::int64_t>(pending_.size()) >= wanted_) {
    const auto used = static_cast<std::size_t>(wanted_);
    PasskeySample sample = text_->place(needles_, {pending_.data(), used});
    const auto length = static_cast<std::int64_t>(sample.tokens.size());
    std::vector<std::int32_t> both(sample.tokens.begin(), sample.tokens.end());
    both.insert(both.end(), sample.labels.begin(), sample.labels.end());
    out.emit(Packet::of<Tensor>(time, Tensor::of(std::move(both), {2, length})));
    pending_.erase(pending_.begin(), pending_.begin() + wanted_);
    draw();
  }
}

void PasskeyOperator::process(Packet in, Output& out) {
  if (in.is(PayloadType::kText)) {
    encoder_->push(std::string(in.as<Text>().str()) + "\n", pending_);
    cut(in.time, out);
    return;
  }
  if (!in.is(PayloadType::kBytes)) throw bad_data("a packet of neither bytes nor text");
  // A sample is stamped with the place of the byte that completed its haystack, as bytes.read counts.
  const auto bytes = in.as<Bytes>().data();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    encoder_->push({reinterpret_cast<const char*>(bytes.data()) + i, 1}, pending_);
    cut(std::max(in.time, Time{bytes_++}), out);
  }
}

void PasskeyOperator::save(Archive& state) const {
  encoder_->save(state.group("encoder"));
  state.set("pending", pending_);
  state.set("random", before_);
  state.set("bytes", bytes_);
}

void PasskeyOperator::load(const Archive& state) {
  encoder_->load(state.group("encoder"));
  pending_ = state.get<std::vector<TokenId>>("pending");
  const auto words = state.get<std::vector<std::int64_t>>("random");
  if (words.size() != 4) throw bad_data("the saved random generator is damaged");
  random_.restore(words);
  bytes_ = state.get<std::int64_t>("bytes");
  draw();
}

}  // namespace stream::llm
