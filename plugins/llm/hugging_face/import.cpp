#include "llm/hugging_face/import.hpp"

#include <filesystem>

#include "import/import.hpp"
#include "llm/hugging_face/config.hpp"
#include "llm/hugging_face/lit_gpt.hpp"
#include "llm/hugging_face/weights.hpp"
#include "llm/tokenizers/json_entry.hpp"
#include "llm/tokenizers/json_tokenizer.hpp"
#include "llm/tokenizers/sentencepiece_tokenizer.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/log.hpp"

namespace stream::llm {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestJson = 200'000'000;

/// Runs `read`; what is wrong is said to be in `file`.
template <typename Read>
auto in(const fs::path& file, const Read& read) {
  try {
    return read();
  } catch (const Error& e) {
    if (std::string_view(e.what()).starts_with(file.string())) throw;
    throw e.within(file.string());
  }
}

/// The file as an object; an empty one when it need not be there and is not.
Object json(const fs::path& file, bool needed) {
  if (!needed && !fs::exists(file)) return {};
  return in(file, [&] { return Value::parse(read_file(file.string(), kLargestJson)).as_object(); });
}

/// A token or a list of them, each one of the model's.
std::vector<std::int64_t> tokens(const Object& file, const char* name, std::int64_t vocabulary) {
  std::vector<std::int64_t> out;
  const Value* value = optional_member(file, name);
  if (value == nullptr) return out;
  const auto add = [&](const Value& one) {
    const std::int64_t id = one.as_integer();
    if (id < 0 || id >= vocabulary)
      throw bad_data(std::string("'") + name + "' is " + std::to_string(id) +
                     ", expected one of the model's " + std::to_string(vocabulary) + " tokens");
    out.push_back(id);
  };
  if (value->is_array())
    for (const Value& one : value->as_array()) add(one);
  else
    add(*value);
  return out;
}

void check_fit(const Tokenizer& tokenizer, const ModelConfig& config) {
  if (tokenizer.size() > config.vocabulary)
    throw bad_data("the tokenizer has " + std::to_string(tokenizer.size()) +
                   " tokens, the model's embedding only " + std::to_string(config.vocabulary) +
                   " rows ('vocab_size' in config.json): they do not belong together");
}

void read_json(const fs::path& file, LanguageModel& model) {
  model.tokenizer_kind = "tokenizer.json";
  model.tokenizer = read_file(file.string(), kLargestJson);
  const auto tokenizer = read_json_tokenizer(model.tokenizer);
  check_fit(*tokenizer, model.config);
  if (tokenizer->before().size() > 1)
    throw bad_data("the post-processor puts " + std::to_string(tokenizer->before().size()) +
                   " tokens in front of a text, expected at most one");
  model.config.begin_token = tokenizer->before().empty() ? -1 : tokenizer->before()[0];
}

void read_sentencepiece(const fs::path& file, const Object& config, LanguageModel& model) {
  model.tokenizer_kind = "tokenizer.model";
  model.tokenizer = read_file(file.string(), kLargestJson);
  check_fit(*read_sentencepiece_tokenizer(model.tokenizer), model.config);
  if (const fs::path added = file.parent_path() / "added_tokens.json"; fs::exists(added))
    log_warning(
        "",
        added.string() +
            ": tokens beside tokenizer.model are not looked for in text; a tokenizer.json would have them");
  // Whether there is a begin token is not the file's to say; Llama's and Mistral's tokenizers put one in
  // front.
  const fs::path about = file.parent_path() / "tokenizer_config.json";
  const Object settings = json(about, false);
  if (!in(about, [&] { return flag(settings, "add_bos_token", true); })) return;
  const auto begin = in(file.parent_path() / "config.json",
                        [&] { return tokens(config, "bos_token_id", model.config.vocabulary); });
  if (!begin.empty()) model.config.begin_token = begin[0];
}

}  // namespace

namespace {

/// What stands beside the weights of a model that config_path (whose content is `file`) describes.
LanguageModel read_beside(const fs::path& config_path, const Object& file, const ForeignConfig& config) {
  const fs::path dir = config_path.parent_path(), generation_path = dir / "generation_config.json";
  LanguageModel model;
  model.config = config.model;

  // What is small comes first: a wrong tokenizer shows before gigabytes are read.
  const fs::path tokenizer_json = dir / "tokenizer.json", tokenizer_model = dir / "tokenizer.model";
  if (fs::exists(tokenizer_json))
    in(tokenizer_json, [&] { read_json(tokenizer_json, model); });
  else if (fs::exists(tokenizer_model))
    in(tokenizer_model, [&] { read_sentencepiece(tokenizer_model, file, model); });

  const Object generation = json(generation_path, false);
  model.config.end_tokens =
      in(generation_path, [&] { return tokens(generation, "eos_token_id", model.config.vocabulary); });
  if (model.config.end_tokens.empty())
    model.config.end_tokens =
        in(config_path, [&] { return tokens(file, "eos_token_id", model.config.vocabulary); });
  return model;
}

/// lit_model.pth, or the one checkpoint that a training run has left.
fs::path lit_gpt_weights(const fs::path& dir) {
  if (fs::exists(dir / "lit_model.pth")) return dir / "lit_model.pth";
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(dir))
    if (entry.path().extension() == ".pth") found.push_back(entry.path());
  if (found.size() != 1)
    throw no_input(dir.string() + ": expected lit_model.pth or one other .pth file, found " +
                   std::to_string(found.size()));
  return found[0];
}

}  // namespace

LanguageModel read_hugging_face(const std::string& folder) {
  const fs::path dir(folder), config_path = dir / "config.json";
  const Object file = json(config_path, true);
  const ForeignConfig config = in(config_path, [&] { return read_foreign_config(file); });
  LanguageModel model = read_beside(config_path, file, config);
  const Archive archive = read_tensor_folder(folder);
  model.weights = in(dir, [&] { return foreign_weights(config, dotted_tensors(archive)); });
  return model;
}

LanguageModel read_lit_gpt(const std::string& folder) {
  const fs::path dir(folder), config_path = dir / "lit_config.json";
  const Object file = json(config_path, true);
  const ForeignConfig config = in(config_path, [&] { return read_lit_gpt_config(file); });
  LanguageModel model = read_beside(config_path, file, config);
  const fs::path weights = lit_gpt_weights(dir);
  const Archive archive = import_tensors(weights.string());
  model.weights = in(weights, [&] { return foreign_weights(config, dotted_tensors(archive)); });
  return model;
}

}  // namespace stream::llm
