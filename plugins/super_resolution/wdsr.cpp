#include "super_resolution/wdsr.hpp"

#include "hdf5/archive_file.hpp"
#include "nn/blocks.hpp"
#include "nn/tensor_view.hpp"
#include "stream/error.hpp"

namespace stream::super_resolution {
namespace {

/// The names of the published checkpoints.
std::string name_of_layer(const WdsrShape& shape, int index) {
  if (index == shape.layers() - 1) return "skip.0";
  if (index == 0) return "body.0";
  if (index == shape.layers() - 2) return "body." + std::to_string(shape.blocks + 1);
  return "body." + std::to_string((index + 1) / 2) + ".body." + (index % 2 == 1 ? "0" : "2");
}

const Tensor* find(const Archive& archive, const std::string& dotted) {
  const Archive* group = &archive;
  std::string_view rest = dotted;
  for (;;) {
    const auto cut = rest.find('.');
    const auto found = group->entries().find(rest.substr(0, cut));
    if (found == group->entries().end()) return nullptr;
    if (cut == std::string_view::npos) {
      const auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&found->second);
      return tensor != nullptr ? tensor->get() : nullptr;
    }
    const auto* next = std::get_if<std::shared_ptr<Archive>>(&found->second);
    if (next == nullptr) return nullptr;
    group = next->get();
    rest.remove_prefix(cut + 1);
  }
}

void put(Archive& archive, const std::string& dotted, const at::Tensor& tensor) {
  Archive* group = &archive;
  std::string_view rest = dotted;
  for (auto cut = rest.find('.'); cut != std::string_view::npos; cut = rest.find('.')) {
    group = &group->group(rest.substr(0, cut));
    rest.remove_prefix(cut + 1);
  }
  group->set(rest, nn::snapshot(tensor));
}

at::Tensor wanted(const Archive& archive, const std::string& dotted, at::IntArrayRef shape) {
  const Tensor* tensor = find(archive, dotted);
  if (tensor == nullptr) throw bad_data("tensor '" + dotted + "' is missing: expected a WDSR checkpoint");
  at::Tensor values = nn::view(*tensor);
  if (values.sizes() != shape) {
    std::string expected, found;
    for (const auto n : shape) expected += " " + std::to_string(n);
    for (const auto n : values.sizes()) found += " " + std::to_string(n);
    throw bad_data("tensor '" + dotted + "' has the shape" + found + ", expected" + expected);
  }
  if (!values.to(at::kFloat).isfinite().all().item<bool>())
    throw bad_data("tensor '" + dotted + "' holds values that are not finite");
  return values;
}

}  // namespace

NormedConvolution::NormedConvolution(WdsrShape::Layer layer, double gain, std::int64_t chunks,
                                     const at::Generator& generator) {
  const std::int64_t fan = std::int64_t{layer.in} * layer.size * layer.size;
  weight_v = register_parameter(
      "weight_v", nn::uniform_init({layer.out, layer.in, layer.size, layer.size}, fan, generator));
  weight_g = register_parameter("weight_g", torch::full({layer.out, 1, 1, 1}, gain));
  bias = register_parameter("bias", torch::zeros({layer.out}));
  if (chunks == 0) return;
  factor = register_parameter("factor", torch::ones({chunks, layer.out}));
  shift = register_parameter("shift", torch::zeros({chunks, layer.out}));
}

std::pair<at::Tensor, at::Tensor> NormedConvolution::folded(std::int64_t chunk) const {
  at::Tensor scale = weight_g / weight_v.flatten(1).norm(2, 1).view_as(weight_g);
  at::Tensor offset = bias;
  if (factor.defined()) {
    scale = scale * factor[chunk].view_as(scale);
    offset = offset * factor[chunk] + shift[chunk];
  }
  return {weight_v * scale, offset};
}

at::Tensor NormedConvolution::forward(const at::Tensor& x, std::int64_t chunk) const {
  const auto [weight, offset] = folded(chunk);
  const std::int64_t half = weight.size(2) / 2;
  return at::conv2d(x, weight, offset, 1, half);
}

Wdsr::Wdsr(WdsrShape shape, const at::Generator& generator, std::int64_t chunks)
    : shape_(shape), chunks_(chunks) {
  if (const std::string wrong = shape.fault(); !wrong.empty()) throw bad_recipe(wrong);
  for (int i = 0; i < shape.layers(); ++i) {
    const bool outer = i == 0 || i >= shape.layers() - 2;
    const double gain = outer ? 1.0 : i % 2 == 1 ? 2.0 : 1.0 / std::sqrt(shape.blocks);
    layers_.push_back(std::make_shared<NormedConvolution>(shape.layer(i), gain, chunks, generator));
    register_module("layer" + std::to_string(i), layers_.back());
  }
}

at::Tensor Wdsr::forward(const at::Tensor& in, std::int64_t chunk) const {
  const at::Tensor x = in - 0.5;
  at::Tensor h = layers_[0]->forward(x, chunk);
  for (int b = 0; b < shape_.blocks; ++b) {
    const auto at = static_cast<std::size_t>(std::ptrdiff_t{2} * b + 1);
    h = h + layers_[at + 1]->forward(layers_[at]->forward(h, chunk).relu_(), chunk);
  }
  const std::size_t tail = layers_.size() - 2;
  const at::Tensor sum = layers_[tail]->forward(h, chunk) + layers_[tail + 1]->forward(x, chunk);
  return at::pixel_shuffle(sum, shape_.scale) + 0.5;
}

Weights Wdsr::folded(std::int64_t chunk) const {
  const torch::NoGradGuard no_grad;
  Weights out{shape_, {}};
  for (const auto& layer : layers_) {
    const auto [weight, bias] = layer->folded(chunk);
    for (const at::Tensor& part : {weight.contiguous(), bias.contiguous()})
      out.values.insert(out.values.end(), part.data_ptr<float>(), part.data_ptr<float>() + part.numel());
  }
  return out;
}

std::int64_t Wdsr::modulation() const {
  std::int64_t count = 0;
  for (int i = 0; i < shape_.layers() && chunks_ > 0; ++i) count += 2 * shape_.layer(i).out;
  return count;
}

void assign(Wdsr& to, const Wdsr& from) {
  const torch::NoGradGuard no_grad;
  auto into = to.named_parameters();
  for (const auto& item : from.named_parameters()) into[item.key()].copy_(item.value());
}

std::shared_ptr<Wdsr> widened(const Wdsr& from, int features, const at::Generator& generator) {
  WdsrShape shape = from.shape();
  shape.features = features;
  auto out = std::make_shared<Wdsr>(shape, generator);
  const torch::NoGradGuard no_grad;
  auto into = out->named_parameters();
  for (const auto& item : from.named_parameters()) {
    at::Tensor rows = into[item.key()].narrow(0, 0, item.value().size(0));
    if (item.key().find("weight_v") == std::string::npos) {
      rows.copy_(item.value());
      continue;
    }
    // Old channels do not hear new ones yet.
    rows.zero_();
    rows.narrow(1, 0, item.value().size(1)).copy_(item.value());
  }
  return out;
}

std::shared_ptr<Wdsr> copy_of(const Wdsr& network) {
  auto out = std::make_shared<Wdsr>(network.shape(), nn::generator(0));
  const torch::NoGradGuard no_grad;
  const auto from = network.named_parameters();
  for (auto& item : out->named_parameters()) item.value().copy_(from[item.key()]);
  return out;
}

void save_wdsr(const std::string& path, const Wdsr& network) {
  Archive file;
  const auto all = network.named_parameters();
  for (int i = 0; i < network.shape().layers(); ++i) {
    const std::string name = name_of_layer(network.shape(), i), key = "layer" + std::to_string(i);
    for (const char* part : {"weight_v", "weight_g", "bias"})
      put(file, name + "." + part, all[key + "." + part].detach().to(at::kHalf));
  }
  write_archive(path, file);
}

std::shared_ptr<Wdsr> wdsr_of(const Archive& tensors, const std::string& name) {
  try {
    const Tensor* head = find(tensors, "body.0.weight_v");
    const Tensor* first = find(tensors, "body.1.body.0.weight_v");
    const Tensor* skip = find(tensors, "skip.0.weight_v");
    for (const Tensor* t : {head, first, skip})
      if (t == nullptr || t->shape().size() != 4)
        throw bad_data(
            "no WDSR checkpoint: expected body.0.weight_v, body.1.body.0.weight_v and skip.0.weight_v of "
            "four "
            "dimensions");
    WdsrShape shape;
    shape.features = static_cast<int>(head->shape()[0]);
    shape.expansion = static_cast<int>(first->shape()[0] / std::max<std::int64_t>(1, head->shape()[0]));
    shape.blocks = 0;
    while (find(tensors, "body." + std::to_string(shape.blocks + 1) + ".body.0.weight_v") != nullptr)
      ++shape.blocks;
    shape.scale = 0;
    for (int s = 2; s <= 4; ++s)
      if (skip->shape()[0] == 3 * s * s) shape.scale = s;
    if (const std::string fault = shape.fault(); !fault.empty()) throw bad_data(fault);
    auto out = std::make_shared<Wdsr>(shape, nn::generator(0));
    const torch::NoGradGuard no_grad;
    auto all = out->named_parameters();
    for (int i = 0; i < shape.layers(); ++i) {
      const std::string from = name_of_layer(shape, i), key = "layer" + std::to_string(i);
      for (const char* part : {"weight_v", "weight_g", "bias"}) {
        at::Tensor& to = all[key + "." + part];
        to.copy_(wanted(tensors, from + "." + part, to.sizes()));
      }
    }
    return out;
  } catch (const Error& e) {
    throw e.within(name);
  }
}

std::shared_ptr<Wdsr> load_wdsr(const std::string& path) {
  const Archive file = read_archive(path);
  // A whole training state keeps its weights a level deeper.
  return wdsr_of(file.has("model_state_dict") ? file.group("model_state_dict") : file, path);
}

}  // namespace stream::super_resolution
