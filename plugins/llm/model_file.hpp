/// A language model as a file, and in memory.
///
/// HDF5 (core/hdf5/archive_file.hpp) with three groups: `model` (architecture "decoder" and the members of
/// ModelConfig by name), `weights` (one dataset for each of `weight_shapes`; float32, bfloat16 or float16,
/// not all of the same type) and `tokenizer` (kind, and data [n] of uint8: whatever the kind needs).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "llm/model_config.hpp"
#include "stream/payload.hpp"

namespace stream::llm {

struct LanguageModel {
  ModelConfig config;
  /// By the names of `weight_shapes`; row-major.
  std::map<std::string, Tensor, std::less<>> weights;
  /// "ids": none, the stream is token ids. "bytes": a byte is a token (tokenizer.hpp). "tokenizer.json" and
  /// "tokenizer.model": `tokenizer` holds such a file.
  std::string tokenizer_kind = "ids";
  std::string tokenizer;
};

/// Throws Error(kBadData) unless exactly the weights of `weight_shapes` are there, of floating-point types
/// and of those shapes: names the first that is missing, misshapen, or not part of such a model, and the
/// nearest name.
void check_weights(const LanguageModel& model);

/// The tensor in float32, float16 or bfloat16 (rounded to nearest, ties to even).
Tensor converted(const Tensor& tensor, DType type);
/// The tensor's values as float32.
std::vector<float> floats(const Tensor& tensor);

/// Writes atomically, after `check_weights`; with `type` the matrices are stored as that (vectors stay as
/// they are).
void write_language_model(const std::string& path, const LanguageModel& model);
void write_language_model(const std::string& path, const LanguageModel& model, DType type);
/// Throws Error(kNoInput), Error(kBadData) when it is damaged or its weights do not fit its config, or
/// Error(kBadRecipe) when it is no language model; names the file.
LanguageModel read_language_model(const std::string& path);

/// A digest of config and weights: what a saved state belongs to.
std::string fingerprint(const LanguageModel& model);

}  // namespace stream::llm
