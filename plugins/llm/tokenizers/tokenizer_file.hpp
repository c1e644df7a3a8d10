/// tokenizer.json as it lies on a disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stream/value.hpp"

namespace stream::llm {

/// The vocabulary has a hundred thousand members and more, in which `Object` would search one after the
/// other: it and the merges are taken out.
struct TokenizerFile {
  Value rest;  ///< an object: the file without model.vocab and model.merges
  std::vector<std::pair<std::string, std::int64_t>> vocabulary;
  std::vector<std::pair<std::string, std::string>> merges;
  bool has_vocabulary = false, has_merges = false;
};

/// Throws Error(kBadData) with the offset at which the text is no JSON, and for a vocabulary or merge of
/// another form than
/// {"token": id} and "left right" or ["left", "right"]. Where "model" is of another kind than BPE they are
/// left out.
TokenizerFile read_tokenizer_file(std::string_view json);

}  // namespace stream::llm
