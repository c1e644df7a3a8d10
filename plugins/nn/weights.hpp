/// Trained models as archives: metadata in the group "model", one dataset for each named parameter in the
/// group "weights".
#pragma once

#include <string>

#include "nn/torch.hpp"
#include "stream/archive.hpp"

namespace stream::nn {

/// Copies every parameter and buffer of the module into `group`, as float32 or, with `half`, as float16.
void save_weights(const torch::nn::Module& module, Archive& group, bool half = false);
/// Fills every parameter and buffer of the module from `group` (converting from float16). Throws
/// Error(kBadData) that names the parameter when one is missing, has another shape, or when the file holds
/// one that the module lacks.
void load_weights(torch::nn::Module& module, const Archive& group);

/// Writes the archive to `path` atomically.
void write_model(const std::string& path, const Archive& archive);
/// Reads the model at `path` and checks that its metadata name `architecture`. Throws Error(kNoInput) when it
/// is not there, Error(kBadData) when it is damaged or cut short, Error(kBadRecipe) when it is a model of
/// another architecture.
Archive read_model(const std::string& path, const std::string& architecture);

}  // namespace stream::nn
