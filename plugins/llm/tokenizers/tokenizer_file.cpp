#include "llm/tokenizers/tokenizer_file.hpp"

#include <simdjson.h>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

namespace dom = simdjson::dom;

void read_vocabulary(const dom::object& entries, TokenizerFile& file) {
  for (const auto [token, value] : entries) {
    std::int64_t id = 0;
    if (value.get(id) != simdjson::SUCCESS)
      throw bad_data("token '" + std::string(token) + "' has no whole number as its id");
    file.vocabulary.emplace_back(token, id);
  }
}

std::pair<std::string, std::string> read_merge(const dom::element& merge) {
  std::string_view text;
  if (merge.get(text) == simdjson::SUCCESS) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
      throw bad_data("'" + std::string(text) + "' is not two tokens with a space between them");
    return {std::string(text.substr(0, space)), std::string(text.substr(space + 1))};
  }
  dom::array parts;
  std::string_view left, right;
  if (merge.get(parts) != simdjson::SUCCESS || parts.size() != 2 ||
      parts.at(0).get(left) != simdjson::SUCCESS || parts.at(1).get(right) != simdjson::SUCCESS)
    throw bad_data("is neither \"left right\" nor [\"left\", \"right\"]");
  return {std::string(left), std::string(right)};
}

void append_member(std::string_view key, std::string_view json, std::string& object) {
  object += object.size() > 1 ? "," : "";
  object += Value(key).dump() + ":";
  object += json;
}

/// The model without what is read apart.
std::string read_model(const dom::object& model, TokenizerFile& file) {
  std::string rest = "{";
  for (const auto [key, value] : model) {
    dom::object vocabulary;
    dom::array merges;
    if (key == "vocab" && value.get(vocabulary) == simdjson::SUCCESS) {
      file.has_vocabulary = true;
      read_vocabulary(vocabulary, file);
    } else if (key == "merges" && value.get(merges) == simdjson::SUCCESS) {
      file.has_merges = true;
      for (const dom::element merge : merges) {
        try {
          file.merges.push_back(read_merge(merge));
        } catch (const Error& e) {
          throw e.within("merge " + std::to_string(file.merges.size()));
        }
      }
    } else {
      append_member(key, simdjson::minify(value), rest);
    }
  }
  return rest + "}";
}

}  // namespace

TokenizerFile read_tokenizer_file(std::string_view json) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) {
    Value::validate(json);  // says where
    throw bad_data("not JSON");
  }
  TokenizerFile file;
  dom::object members;
  if (root.get(members) != simdjson::SUCCESS) throw bad_data("expected an object");
  std::string rest = "{";
  for (const auto [key, value] : members) {
    dom::object model;
    if (key == "model" && value.get(model) == simdjson::SUCCESS) {
      try {
        append_member(key, read_model(model, file), rest);
      } catch (const Error& e) {
        throw e.within("model");
      }
    } else {
      append_member(key, simdjson::minify(value), rest);
    }
  }
  file.rest = Value::parse(rest + "}");
  return file;
}

}  // namespace stream::llm
