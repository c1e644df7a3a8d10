#include "nn/foreign_tensors.hpp"

#include <algorithm>

#include "hdf5/archive_file.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::nn {

namespace {

std::string text_of(at::IntArrayRef shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

void collect(const Archive& archive, const std::string& before, std::map<std::string, Tensor>& into) {
  for (const auto& [name, entry] : archive.entries())
    if (const auto* group = std::get_if<std::shared_ptr<Archive>>(&entry))
      collect(**group, before + name + '.', into);
    else if (const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&entry))
      into.emplace(before + name, **tensor);
}

}  // namespace

ForeignTensors::ForeignTensors(const std::string& path, std::initializer_list<std::string_view> prefixes)
    : path_(path) {
  std::map<std::string, Tensor> all;
  collect(read_archive(path), "", all);
  std::string_view cut;
  for (const std::string_view prefix : prefixes)
    if (std::any_of(all.begin(), all.end(), [&](const auto& t) { return t.first.starts_with(prefix); }))
      cut = prefix;
  for (auto& [name, tensor] : all)
    tensors_.emplace(name.starts_with(cut) ? name.substr(cut.size()) : name, std::move(tensor));
}

at::Tensor ForeignTensors::get(const std::string& name) const {
  const auto at = tensors_.find(name);
  if (at == tensors_.end()) {
    std::vector<std::string> names;
    for (const auto& entry : tensors_) names.push_back(entry.first);
    throw bad_data(path_ + ": tensor '" + name + "' is missing" + did_you_mean(name, names));
  }
  const at::Tensor stored = view(at->second);
  if (!stored.is_floating_point())
    throw bad_data(path_ + ": tensor '" + name + "' is of " + std::string(name_of(at->second.dtype())) +
                   ", expected floating point");
  at::Tensor out = stored.to(at::kFloat);
  if (!out.isfinite().all().item<bool>())
    throw bad_data(path_ + ": tensor '" + name + "' holds values that are not finite");
  return out;
}

at::Tensor ForeignTensors::get(const std::string& name, at::IntArrayRef shape) const {
  at::Tensor out = get(name);
  if (out.sizes() != shape)
    throw bad_data(path_ + ": tensor '" + name + "' has the shape " + text_of(out.sizes()) + ", expected " +
                   text_of(shape));
  return out;
}

}  // namespace stream::nn
