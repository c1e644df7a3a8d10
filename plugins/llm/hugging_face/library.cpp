/// The entry of libstream-import for the program, which loads it when a model is to be imported.
#include <filesystem>

#include "import/model_importer.hpp"
#include "llm/hugging_face/import.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

bool accepts(const std::string& path) {
  return std::filesystem::is_directory(path) &&
         std::filesystem::exists(std::filesystem::path(path) / "config.json");
}

std::string import(const std::string& from, const std::string& to, const std::string& dtype_name) {
  const LanguageModel model = read_hugging_face(from);
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
