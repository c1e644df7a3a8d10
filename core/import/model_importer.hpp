/// Models of other programs, for a program that starts without any of the families: the library that knows
/// them is loaded when the first is imported.
#pragma once

#include <string>

namespace stream {

/// What libstream-import offers, behind its `extern "C" const ModelImporter* stream_model_importer()`.
struct ModelImporter {
  /// Whether the path looks like a model, of whatever kind (a folder with config.json).
  bool (*accepts)(const std::string& path);
  /// Writes `to`, or nothing at all; with `dtype` ("float32", "bfloat16", "float16") its matrices are stored
  /// as that, else as they are. Returns what it was, in a few words. Throws Error.
  std::string (*import)(const std::string& from, const std::string& to, const std::string& dtype);
};
/// Loads libstream-import beside libstream. Throws Error(kFailed).
const ModelImporter& model_importer();

}  // namespace stream
