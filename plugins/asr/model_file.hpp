/// A trained recogniser as a file.
#pragma once

#include "asr/conformer.hpp"

namespace stream::asr {

struct RecogniserModel {
  std::shared_ptr<Conformer> network;
  /// One for each class but the blank: "\u2581" (as SentencePiece has it) begins a word; what lacks it goes
  /// on with one; names in angle brackets are not words.
  std::vector<std::string> pieces;
};

/// float16 halves the file; the weights are rounded once, so every later load gives the same numbers.
void save_model(const std::string& path, const Conformer& network, const std::vector<std::string>& pieces);
/// Throws Error(kNoInput), Error(kBadData) or Error(kBadRecipe) as nn::read_model does, naming the file.
RecogniserModel load_model(const std::string& path);

}  // namespace stream::asr
