/// Tokenizers that the reference libraries made, and what those make of hard strings:
/// tests/golden/tokenizers.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "llm/tokenizers/json_tokenizer.hpp"
#include "llm/tokenizers/sentencepiece_tokenizer.hpp"
#include "program/program.hpp"
#include "stream/random.hpp"
#include "stream/value.hpp"

namespace stream::llm {

inline std::filesystem::path golden_tokenizers() { return STREAM_SOURCE_DIR "/tests/golden/tokenizers"; }

inline std::shared_ptr<const Tokenizer> golden_tokenizer(const std::string& name) {
  if (name.starts_with("spm_"))
    return read_sentencepiece_tokenizer(testing::contents(golden_tokenizers() / (name + ".model")));
  return read_json_tokenizer(testing::contents(golden_tokenizers() / (name + ".json")));
}

inline std::vector<std::string> golden_strings() {
  std::vector<std::string> out;
  const Value all = Value::parse(testing::contents(golden_tokenizers() / "strings.json"));
  for (const Value& text : all.as_array()) out.push_back(text.as_string());
  return out;
}

/// What the reference gave for each of `golden_strings`.
struct Expected {
  std::vector<TokenId> before, after;
  std::vector<std::vector<TokenId>> ids;
  std::vector<std::string> decoded;

  explicit Expected(const std::string& name) {
    const Value file = Value::parse(testing::contents(golden_tokenizers() / (name + ".expected.json")));
    const auto list = [](const Value& value) {
      std::vector<TokenId> out;
      for (const Value& id : value.as_array()) out.push_back(static_cast<TokenId>(id.as_integer()));
      return out;
    };
    before = list(*file.as_object().find("before"));
    after = list(*file.as_object().find("after"));
    for (const Value& one : file.as_object().find("ids")->as_array()) ids.push_back(list(one));
    for (const Value& one : file.as_object().find("decoded")->as_array()) decoded.push_back(one.as_string());
  }
};

/// Bytes cut anywhere, some cuts being stops: another encoder goes on from what was saved.
inline std::vector<TokenId> encode_in_pieces(const Tokenizer& tokenizer, std::string_view bytes,
                                             Random& random) {
  std::vector<TokenId> ids;
  auto encoder = tokenizer.encoder();
  while (!bytes.empty()) {
    const std::size_t size = 1 + random.below(std::min<std::size_t>(bytes.size(), 1 + random.below(12)));
    encoder->push(bytes.substr(0, size), ids);
    bytes.remove_prefix(size);
    if (random.below(4) == 0) {
      Archive state;
      encoder->save(state);
      encoder = tokenizer.encoder();
      encoder->load(state);
    }
  }
  encoder->finish(ids);
  return ids;
}

inline std::string decode_in_pieces(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::string text;
  auto decoder = tokenizer.decoder();
  for (const TokenId id : ids) {
    text += decoder->push(id);
    Archive state;
    decoder->save(state);
    decoder = tokenizer.decoder();
    decoder->load(state);
  }
  return text + decoder->finish();
}

}  // namespace stream::llm
