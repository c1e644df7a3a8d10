#include "nn/device.hpp"

#include "stream/error.hpp"

namespace stream::nn {

torch::Device device(const std::string& name) {
  if (name.empty() || name == "cpu") return torch::Device(torch::kCPU);
  if (name == "cuda" || name.rfind("cuda:", 0) == 0) {
    int index = 0;
    if (name.size() > 4) {
      const std::string digits = name.substr(5);
      if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos)
        throw bad_recipe("device '" + name + "': expected cuda:N with N a small number");
      index = std::stoi(digits);
    }
    if (!torch::cuda::is_available())
      throw bad_recipe("device '" + name + "': this libtorch or this machine has no CUDA; use cpu");
    if (index >= static_cast<int>(torch::cuda::device_count()))
      throw bad_recipe("device '" + name + "': there are only " +
                       std::to_string(torch::cuda::device_count()) + " CUDA devices");
    return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(index));
  }
  throw bad_recipe("device '" + name + "': expected cpu, cuda or cuda:N");
}

}  // namespace stream::nn
