/// Memory for weights in huge pages. A product reads all weights of a model once for each token, and with
/// pages of 4 kB a processor spends a tenth (float32) to a third (8-bit weights) of that time on finding
/// them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace stream::llm {

/// One model's weights side by side. What is taken lives as long as this.
class WeightMemory {
 public:
  /// Aligned to 64 bytes. Throws std::bad_alloc.
  void* take(std::size_t bytes);

 private:
  struct Release {
    std::size_t bytes = 0;
    void operator()(std::byte* p) const;
  };
  using Chunk = std::unique_ptr<std::byte, Release>;
  /// One huge page more than `bytes` from that size on, for its beginning to be aligned.
  static Chunk chunk(std::size_t bytes);
  std::vector<Chunk> chunks_;
  std::size_t used_ = 0, size_ = 0;  ///< of the last chunk
  std::size_t total_ = 0;            ///< of all chunks
};

/// For std::vector: takes from a WeightMemory and gives nothing back.
template <typename T>
struct WeightAllocator {
  using value_type = T;
  explicit WeightAllocator(std::shared_ptr<WeightMemory> from) : memory(std::move(from)) {}
  template <typename U>
  explicit WeightAllocator(const WeightAllocator<U>& other) : memory(other.memory) {}
  T* allocate(std::size_t n) { return static_cast<T*>(memory->take(n * sizeof(T))); }
  void deallocate(T*, std::size_t) {}
  template <typename U>
  bool operator==(const WeightAllocator<U>& other) const {
    return memory == other.memory;
  }
  std::shared_ptr<WeightMemory> memory;
};

}  // namespace stream::llm
