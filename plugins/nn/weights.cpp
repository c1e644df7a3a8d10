#include "nn/weights.hpp"

#include "hdf5/archive_file.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::nn {

namespace {
std::map<std::string, at::Tensor> named(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> out;
  for (const auto& item : module.named_parameters()) out.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) out.emplace(item.key(), item.value());
  return out;
}

std::string shape_text(at::IntArrayRef shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}
}  // namespace

void save_weights(const torch::nn::Module& module, Archive& group, bool half) {
  for (const auto& [name, tensor] : named(module))
    group.set(name, snapshot(half && tensor.is_floating_point() ? tensor.to(at::kHalf) : tensor));
}

void load_weights(torch::nn::Module& module, const Archive& group) {
  const auto wanted = named(module);
  std::vector<std::string> names;
  names.reserve(wanted.size());
  for (const auto& entry : wanted) names.push_back(entry.first);
  for (const auto& entry : group.entries())
    if (!wanted.contains(entry.first))
      throw bad_data("weight '" + entry.first + "' is not part of this model" +
                     did_you_mean(entry.first, names));
  const torch::NoGradGuard no_grad;
  for (const auto& [name, target] : wanted) {
    if (!group.has(name)) throw bad_data("weight '" + name + "' is missing");
    const at::Tensor source = view(group.tensor(name));
    if (source.sizes() != target.sizes())
      throw bad_data("weight '" + name + "' has the shape " + shape_text(source.sizes()) + ", expected " +
                     shape_text(target.sizes()));
    at::Tensor(target).copy_(source);
    if (target.is_floating_point() && !target.isfinite().all().item<bool>())
      throw bad_data("weight '" + name + "' holds values that are not finite");
  }
}

void write_model(const std::string& path, const Archive& archive) { write_archive(path, archive); }

Archive read_model(const std::string& path, const std::string& architecture) {
  Archive archive = read_archive(path);
  if (!archive.has("model") || !archive.has("weights"))
    throw bad_recipe(path + ": not a model (a checkpoint?); expected one of architecture '" + architecture +
                     "'");
  const auto found = [&] {
    try {
      return archive.group("model").get<std::string>("architecture");
    } catch (const Error& error) {
      throw error.within(path);
    }
  }();
  if (found != architecture)
    throw bad_recipe(path + ": a model of architecture '" + found + "', expected '" + architecture + "'");
  return archive;
}

}  // namespace stream::nn
