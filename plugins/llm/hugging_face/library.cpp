/// The entry of libstream-import for the program, which loads it when a model is to be imported.
#include <filesystem>

#include "import/model_importer.hpp"
#include "llm/hugging_face/import.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

bool holds(const std::string& folder, const char* file) {
  return std::filesystem::exists(std::filesystem::path(folder) / file);
}

bool accepts(const std::string& path) {
  return std::filesystem::is_directory(path) &&
         (holds(path, "config.json") || holds(path, "lit_config.json"));
}

std::string import(const std::string& from, const std::string& to, const std::string& dtype_name) {
  // A folder of Hugging Face's from which lit-gpt has made one of its own has both.
  const bool lit_gpt =
      holds(from, "lit_config.json") && (holds(from, "lit_model.pth") || !holds(from, "config.json"));
  const LanguageModel model = lit_gpt ? read_lit_gpt(from) : read_hugging_face(from);
  if (dtype_name.empty())
    write_language_model(to, model);
  else
    write_language_model(to, model, dtype(dtype_name));
  return model.config.family + ", " + std::to_string(model.config.layers) + " layers, " +
         std::to_string(model.config.parameters()) + " parameters, " +
         (model.tokenizer_kind == "ids" ? "no tokenizer" : model.tokenizer_kind);
}

}  // namespace
}  // namespace stream::llm

extern "C" __attribute__((visibility("default"))) const stream::ModelImporter* stream_model_importer() {
  static constexpr stream::ModelImporter kImporter{&stream::llm::accepts, &stream::llm::import};
  return &kImporter;
}
