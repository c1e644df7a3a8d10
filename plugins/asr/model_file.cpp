#include "asr/model_file.hpp"

#include <algorithm>
#include <sstream>

#include "nn/weights.hpp"
#include "stream/error.hpp"

namespace stream::asr {

namespace {
constexpr const char* kArchitecture = "cache-aware-conformer-ctc";
}

void save_model(const std::string& path, const Conformer& network, const std::vector<std::string>& pieces) {
  Archive file;
  Archive& about = file.group("model");
  about.set("architecture", kArchitecture);
  network.shape().save(about);
  std::string joined;
  for (const auto& piece : pieces) joined += piece + '\n';
  about.set("pieces", joined);
  nn::save_weights(network, file.group("weights"), /*half=*/true);
  nn::write_model(path, file);
}

RecogniserModel load_model(const std::string& path) {
  const Archive file = nn::read_model(path, kArchitecture);
  try {
    const Archive& about = file.group("model");
    const ConformerShape shape = ConformerShape::load(about);
    RecogniserModel model;
    std::istringstream lines(about.get<std::string>("pieces"));
    for (std::string piece; std::getline(lines, piece);) model.pieces.push_back(piece);
    if (static_cast<std::int64_t>(model.pieces.size()) != shape.vocabulary)
      throw bad_data("model: it names " + std::to_string(model.pieces.size()) + " pieces, expected " +
                     std::to_string(shape.vocabulary));
    if (std::find(model.pieces.begin(), model.pieces.end(), "") != model.pieces.end())
      throw bad_data("model: a piece is empty");
    // What is about to be allocated is bounded by what the file really holds.
    const double wanted = static_cast<double>(shape.layers) * static_cast<double>(shape.features) *
                          static_cast<double>(shape.features) *
                          (4 * static_cast<double>(shape.expansion) + 8);
    if (wanted * 1.5 > static_cast<double>(file.group("weights").bytes()) * 2)
      throw bad_data("model: its weights are fewer than its hyper-parameters say");
    model.network = std::make_shared<Conformer>(shape, nn::generator(0));
    nn::load_weights(*model.network, file.group("weights"));
    model.network->eval();
    return model;
  } catch (const Error& error) {
    throw error.within(path);
  }
}

}  // namespace stream::asr
