#include "llm/tokenizers/json_tokenizer.hpp"

#include <limits>
#include <unordered_map>

#include "llm/tokenizers/added_tokens.hpp"
#include "llm/tokenizers/bpe.hpp"
#include "llm/tokenizers/decode.hpp"
#include "llm/tokenizers/json_entry.hpp"
#include "llm/tokenizers/normalize.hpp"
#include "llm/tokenizers/pre_tokenize.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

TokenId token_id(const Value& value, const std::string& of) {
  const std::int64_t id = value.as_integer();
  if (id < 0 || id >= std::numeric_limits<TokenId>::max())
    throw bad_data(of + " has the id " + std::to_string(id) + ", expected a number from 0");
  return static_cast<TokenId>(id);
}

/// Runs `read`; what is wrong is said to be in `where`.
template <typename Read>
auto in(const std::string& where, const Read& read) {
  try {
    return read();
  } catch (const Error& e) {
    throw e.within(where);
  }
}

std::vector<AddedToken> read_added_tokens(const Object& file, const StringMap<TokenId>& vocabulary) {
  std::unordered_map<TokenId, std::string_view> taken;
  for (const auto& [token, id] : vocabulary) taken.emplace(id, token);
  std::vector<AddedToken> out;
  const Value* list = optional_member(file, "added_tokens");
  if (list == nullptr) return out;
  for (const Value& value : list->as_array()) {
    const Object& entry = value.as_object();
    AddedToken token;
    token.content = member(entry, "content").as_string();
    token.id = token_id(member(entry, "id"), "token '" + token.content + "'");
    if (const auto known = vocabulary.find(token.content); known != vocabulary.end()) {
      token.id = known->second;
    } else if (const auto other = taken.find(token.id); other != taken.end()) {
      throw bad_data("token '" + token.content + "' has the id " + std::to_string(token.id) +
                     ", which is that of '" + std::string(other->second) + "'");
    }
    token.special = flag(entry, "special", false);
    token.single_word = flag(entry, "single_word", false);
    token.lstrip = flag(entry, "lstrip", false);
    token.rstrip = flag(entry, "rstrip", false);
    token.normalized = flag(entry, "normalized", !token.special);
    out.push_back(std::move(token));
  }
  return out;
}

/// A text that grows a thousandfold, or passes more stages than any tokenizer has, is an attack.
void check_sanity(const Object& file, const std::vector<StageMaker>& encode,
                  const std::vector<StageMaker>& decode) {
  for (const char* part : {"normalizer", "decoder"}) {
    const Value* entry = optional_member(file, part);
    if (entry != nullptr && growth_of(entry->as_object()) > 1000)
      throw bad_data(std::string(part) + ": its replacements make a text more than a thousand times as long");
  }
  if (encode.size() > 100 || decode.size() > 100)
    throw bad_data("more than 100 normalizers and pre-tokenizers, or decoders");
}

/// Collects what reaches the end of a chain of normalisers.
class Collected final : public Stage {
 public:
  explicit Collected(std::string& out) : out_(out) {}
  void text(std::string_view utf8) override { out_.append(utf8); }
  void end() override {}
  void token(TokenId) override {}
  void finish() override {}
  void save(Archive&) const override {}
  void load(const Archive&) override {}

 private:
  std::string& out_;
};

std::string normalized(const std::string& text, const std::vector<StageMaker>& stages) {
  std::string out;
  std::unique_ptr<Stage> first = std::make_unique<Collected>(out);
  for (auto maker = stages.rbegin(); maker != stages.rend(); ++maker) first = (*maker)(std::move(first));
  first->text(text);
  first->end();
  return out;
}

void add_tokens_stage(std::vector<AddedToken> tokens, std::vector<StageMaker>& stages) {
  const auto trie = std::make_shared<const AddedTokenTrie>(std::move(tokens));
  if (trie->empty()) return;
  stages.emplace_back(
      [trie](std::unique_ptr<Stage> next) { return std::make_unique<AddedTokens>(trie, std::move(next)); });
}

/// The ids that a template for one text puts around it.
void read_template(const Object& entry, TokenizerParts& parts) {
  bool seen = false;
  for (const Value& value : member(entry, "single").as_array()) {
    const Object& part = value.as_object();
    if (const Value* sequence = part.find("Sequence")) {
      if (seen || member(sequence->as_object(), "id").as_string() != "A")
        throw bad_data("TemplateProcessing: 'single' has another sequence than one A");
      seen = true;
      continue;
    }
    const std::string& name = member(member(part, "SpecialToken").as_object(), "id").as_string();
    const Object& token = member(member(entry, "special_tokens").as_object(), name).as_object();
    for (const Value& id : member(token, "ids").as_array())
      (seen ? parts.after : parts.before).push_back(token_id(id, "token '" + name + "'"));
  }
  if (!seen) throw bad_data("TemplateProcessing: 'single' has no sequence A");
}

void read_post_processor(const Object& entry, TokenizerParts& parts) {
  const std::string kind = kind_of(entry, "post-processor", {"Sequence", "ByteLevel", "TemplateProcessing"});
  if (kind == "Sequence")
    for (const Value& part : member(entry, "processors").as_array())
      read_post_processor(part.as_object(), parts);
  else if (kind == "TemplateProcessing")
    read_template(entry, parts);
  // ByteLevel concerns offsets into the text, which nobody asks for here.
}

}  // namespace

std::shared_ptr<const ChainTokenizer> read_json_tokenizer(std::string_view json) {
  const TokenizerFile parsed = read_tokenizer_file(json);
  const Object& file = parsed.rest.as_object();
  TokenizerParts parts;

  const Object& model = member(file, "model").as_object();
  // Early files do not say: those with merges are BPE.
  if (model.find("type") != nullptr || !parsed.has_merges) kind_of(model, "model", {"BPE"});
  const auto bpe = in("model", [&] { return std::make_shared<const Bpe>(model, parsed); });
  for (const auto& [token, id] : bpe->vocabulary()) parts.tokens.emplace_back(id, token);

  std::vector<StageMaker> normalizers;
  if (const Value* entry = optional_member(file, "normalizer"))
    in("normalizer", [&] { add_normalizer(entry->as_object(), normalizers); });

  check_sanity(file, normalizers, {});
  std::vector<AddedToken> raw, later;
  for (AddedToken& token : in("added_tokens", [&] { return read_added_tokens(file, bpe->vocabulary()); })) {
    const bool is_later = token.normalized;
    if (is_later) token.content = normalized(token.content, normalizers);
    parts.tokens.emplace_back(token.id, token.content);
    if (token.special) parts.special.push_back(token.id);
    (is_later ? later : raw).push_back(std::move(token));
  }
  add_tokens_stage(std::move(raw), parts.encode);
  parts.encode.insert(parts.encode.end(), normalizers.begin(), normalizers.end());
  add_tokens_stage(std::move(later), parts.encode);

  bool prompt = true;  // the text is one word
  if (const Value* value = optional_member(file, "pre_tokenizer")) {
    const Object& entry = value->as_object();
    in("pre_tokenizer", [&] { add_pre_tokenizer(entry, parts.encode); });
    prompt = member(entry, "type").as_string() == "Metaspace" && !flag(entry, "split", true);
  }
  parts.model = [bpe, prompt](std::vector<TokenId>* const* out) {
    return std::make_unique<BpeWords>(bpe, prompt, out);
  };

  if (const Value* entry = optional_member(file, "post_processor"))
    in("post_processor", [&] { read_post_processor(entry->as_object(), parts); });
  if (const Value* entry = optional_member(file, "decoder"))
    in("decoder", [&] { add_decoder(entry->as_object(), parts.decode); });
  else
    add_spaces_between(parts.decode);
  check_sanity(file, parts.encode, parts.decode);
  return std::make_shared<const ChainTokenizer>(std::move(parts));
}

}  // namespace stream::llm
