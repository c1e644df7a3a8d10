#include "llm/session.hpp"

#include <algorithm>
#include <limits>

#include "stream/error.hpp"

namespace stream::llm {

Session::Session(std::shared_ptr<const Decoder> decoder, std::unique_ptr<Memory> memory, std::int64_t block)
    : decoder_(std::move(decoder)), memory_(std::move(memory)), block_(block), work_(decoder_->workspace()) {}

void Session::feed(std::span<const std::int32_t> tokens, const Each& each, std::vector<float>* surprisals) {
  // All are looked at before the first changes anything.
  for (const std::int32_t token : tokens)
    if (token < 0 || token >= decoder_->config().vocabulary)
      throw bad_data("token " + std::to_string(token) + " is not in the model's vocabulary of " +
                     std::to_string(decoder_->config().vocabulary));
  const bool all = each || surprisals != nullptr || memory_->wants_nll() != Memory::Feedback::kNone;
  for (std::size_t at = 0; at < tokens.size();)
    at += static_cast<std::size_t>(feed_block(tokens.subspan(at), at, all, each, surprisals));
}

std::int64_t Session::feed_block(std::span<const std::int32_t> tokens, std::size_t offset, bool all,
                                 const Each& each, std::vector<float>* surprisals) {
  const std::int64_t h = decoder_->config().hidden, v = decoder_->config().vocabulary;
  std::span<const std::int32_t> block = memory_->replay(tokens.front());
  std::int64_t fed = 1;
  const bool anew = !block.empty();
  if (!anew) {
    fed = memory_->admit(std::min<std::int64_t>(block_, static_cast<std::int64_t>(tokens.size())));
    block = tokens.first(static_cast<std::size_t>(fed));
  }
  const auto size = static_cast<std::int64_t>(block.size());
  x_.resize(static_cast<std::size_t>(size * h));
  decoder_->embed(block, memory_->position(), x_.data());
  decoder_->run(x_.data(), size, *memory_, work_);
  const std::int64_t wanted = all && !anew ? size : 1;
  rows_.resize(static_cast<std::size_t>(wanted * v));
  decoder_->logits(x_.data() + (size - wanted) * h, wanted, rows_.data(), work_);
  const auto row = [&](std::int64_t i) {
    return std::span<const float>(rows_.data() + i * v, static_cast<std::size_t>(v));
  };
  if (all) {
    nll_.clear();
    for (std::int64_t i = 0; i < fed; ++i) {
      const std::int32_t token = tokens[static_cast<std::size_t>(i)];
      const std::span<const float> before = i > 0 ? row(i - 1) : std::span<const float>(logits_);
      nll_.push_back(before.empty() ? std::numeric_limits<float>::quiet_NaN()
                                    : static_cast<float>(surprisal(before, token)));
    }
    if (surprisals != nullptr) surprisals->insert(surprisals->end(), nll_.begin(), nll_.end());
    const Memory::Feedback feedback = memory_->wants_nll();
    if (feedback == Memory::Feedback::kEcho) {
      for (std::int64_t i = fed; i-- > 0;) {
        const std::span<const float> before = i > 0 ? row(i - 1) : std::span<const float>(logits_);
        const std::int32_t last = i > 0 ? tokens[static_cast<std::size_t>(i) - 1] : last_;
        nll_[static_cast<std::size_t>(i)] = before.empty() ? std::numeric_limits<float>::quiet_NaN()
                                                           : static_cast<float>(surprisal(before, last));
      }
    }
    if (feedback != Memory::Feedback::kNone) memory_->on_nll(nll_);
    if (each)
      for (std::int64_t i = 0; i < fed; ++i)
        each(offset + static_cast<std::size_t>(i), row(wanted - fed + i));
  }
  const auto last = row(wanted - 1);
  logits_.assign(last.begin(), last.end());
  tokens_ += fed;
  last_ = tokens[static_cast<std::size_t>(fed) - 1];
  return fed;
}

Session Session::fork() const {
  Session other(decoder_, memory_->fork(), block_);
  other.logits_ = logits_;
  other.tokens_ = tokens_;
  other.last_ = last_;
  return other;
}

void Session::save(Archive& group) const {
  group.set("model", decoder_->fingerprint());
  group.set("tokens", tokens_);
  group.set("last", last_);
  group.set("logits", logits_);
  memory_->save(group.group("memory"));
}

void Session::load(const Archive& group) {
  if (group.get<std::string>("model") != decoder_->fingerprint())
    throw bad_data("the saved sequence belongs to another model");
  tokens_ = group.get<std::int64_t>("tokens");
  last_ = group.get<std::int32_t>("last");
  if (last_ < -1 || last_ >= decoder_->config().vocabulary)
    throw bad_data("the saved sequence's last token is not in the model's vocabulary");
  logits_ = group.get<std::vector<float>>("logits");
  if (!logits_.empty() && static_cast<std::int64_t>(logits_.size()) != decoder_->config().vocabulary)
    throw bad_data("the saved sequence's logits are " + std::to_string(logits_.size()) + ", expected " +
                   std::to_string(decoder_->config().vocabulary));
  memory_->load(group.group("memory"));
}

}  // namespace stream::llm
