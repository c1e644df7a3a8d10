#include "llm/turn.hpp"

#include <limits>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

Error needs_ids() {
  return bad_data(
      "the model knows token ids only, and this prompt is text; expected a tensor [n] of int32, or \"ids\"");
}

std::vector<TokenId> ids_of(const Value& value) {
  std::vector<TokenId> ids;
  for (const Value& id : value.as_array()) {
    const std::int64_t n = id.as_integer();
    if (n < 0 || n > std::numeric_limits<TokenId>::max())
      throw bad_data(std::to_string(n) + " is no token id");
    ids.push_back(static_cast<TokenId>(n));
  }
  return ids;
}

void add_choices(const Value& choices, const Tokenizer* tokenizer, Turn& turn) {
  for (const Value& choice : choices.as_array()) {
    if (choice.is_string()) {
      if (tokenizer == nullptr) throw needs_ids();
      turn.choices.push_back(tokenizer->encode(choice.as_string()));
      turn.labels.push_back(choice.as_string());
    } else {
      turn.choices.push_back(ids_of(choice));
    }
    if (turn.choices.back().empty()) throw bad_data("a choice without a token");
  }
  if (turn.choices.empty()) throw bad_data("choices is empty, expected at least one");
  if (!turn.labels.empty() && turn.labels.size() != turn.choices.size())
    throw bad_data("choices are texts and lists of ids, expected one kind");
}

}  // namespace

Turn turn_of(const Packet& packet, const Tokenizer* tokenizer, const std::string& prefix,
             const std::string& suffix) {
  Turn turn;
  const auto encoded = [&](std::string_view text) {
    if (tokenizer == nullptr) throw needs_ids();
    return tokenizer->encode(prefix + std::string(text) + suffix);
  };
  if (packet.is(PayloadType::kTensor)) {
    const Tensor& ids = packet.as<Tensor>();
    if (ids.shape().size() != 1 || ids.dtype() != DType::kI32)
      throw bad_data("a tensor that is no prompt of token ids, expected [n] of int32");
    const auto values = ids.values<std::int32_t>();
    turn.prompt.assign(values.begin(), values.end());
    return turn;
  }
  if (packet.is(PayloadType::kText)) {
    turn.prompt = encoded(packet.as<Text>().str());
    return turn;
  }
  const Object& record = packet.as<Record>().object();
  if (const Value* const ids = record.find("ids"))
    turn.prompt = ids_of(*ids);
  else
    turn.prompt = encoded(packet.as<Record>().at("text").as_string());
  for (const auto& [name, value] : record) {
    if (name == "text" || name == "ids") continue;
    if (name == "choices")
      add_choices(value, tokenizer, turn);
    else if (name == "answer")
      turn.right = value.as_integer();
    else if (name == "read")
      turn.read_only = value.as_bool();
    else
      turn.more.set(name, value);
  }
  if (record.find("answer") != nullptr &&
      (turn.right < 0 || turn.right >= static_cast<std::int64_t>(turn.choices.size())))
    throw bad_data("answer is " + std::to_string(turn.right) + ", expected the index of one of the " +
                   std::to_string(turn.choices.size()) + " choices");
  return turn;
}

}  // namespace stream::llm
