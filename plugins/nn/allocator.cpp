/// Memory of tensors on the CPU comes from mimalloc. Tensors of ever-changing sizes (utterances, batches,
/// frames) tear glibc's heap into pieces that it cannot give back: a training run with 0.3 GB in use grew
/// to 2.6 GB resident. mimalloc returns what has not been used for some seconds.
///
/// Only libtorch's memory: the program itself starts without mimalloc, and its malloc stays the system's.
#include <mimalloc.h>

#include "nn/torch.hpp"
#include "stream/error.hpp"

namespace stream::nn {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and libtorch's own choice

class TensorMemory final : public c10::Allocator {
 public:
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 3)
  c10::DataPtr allocate(std::size_t bytes) override { return take(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
#else
  c10::DataPtr allocate(std::size_t bytes) const override { return take(bytes); }
#endif
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

 private:
  static c10::DataPtr take(std::size_t bytes) {
    if (bytes == 0) return {nullptr, c10::Device(c10::DeviceType::CPU)};
    void* data = mi_malloc_aligned(bytes, kAlignment);
    if (data == nullptr)
      throw failed("there is no memory for a tensor of " + std::to_string(bytes) + " bytes");
    return {data, data, &give_back, c10::Device(c10::DeviceType::CPU)};
  }
  static void give_back(void* data) {
    if (data != nullptr) mi_free(data);
  }
};

/// When the library is loaded: before that, no operator has made a tensor.
[[maybe_unused]] const bool installed = [] {
  // Free blocks are kept for reuse for some seconds: given back at once, every batch would fault its pages in
  // anew.
  constexpr long kMilliseconds = 10000;
#if MI_MALLOC_VERSION >= 210
  mi_option_set(mi_option_purge_delay, kMilliseconds);
#else
  mi_option_set(mi_option_decommit_delay, kMilliseconds);
#endif
  static TensorMemory memory;
  c10::SetAllocator(c10::DeviceType::CPU, &memory, /*priority=*/100);
  return true;
}();

}  // namespace
}  // namespace stream::nn
