#include "llm/weight_memory.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdint>
#include <new>

namespace stream::llm {
namespace {
constexpr std::size_t kPage = std::size_t{2} << 20, kLargest = std::size_t{64} << 20;
}

#if defined(__linux__)
// Straight from the system: what malloc hands out again stays in the small pages that it was first used in.
WeightMemory::Chunk WeightMemory::chunk(std::size_t bytes) {
  const std::size_t mapped = bytes + (bytes >= kPage ? kPage : 0);
  void* const p = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  Chunk out(static_cast<std::byte*>(p), Release{mapped});
  if (bytes >= kPage) madvise(p, mapped, MADV_HUGEPAGE);
  return out;
}
void WeightMemory::Release::operator()(std::byte* p) const { munmap(p, bytes); }
#else
WeightMemory::Chunk WeightMemory::chunk(std::size_t bytes) {
  return Chunk(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{64})), Release{bytes});
}
void WeightMemory::Release::operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{64}); }
#endif

void* WeightMemory::take(std::size_t bytes) {
  bytes = (bytes + 63) / 64 * 64;
  if (bytes > size_ - used_) {
    // As much again as there is, so that small models stay small.
    size_ = std::max(bytes, std::min(std::max(total_, std::size_t{1} << 16), kLargest));
    chunks_.push_back(chunk(size_));
    used_ = 0;
    if (size_ >= kPage)  // from the first whole huge page on: chunk() has mapped one more
      used_ = (kPage - reinterpret_cast<std::uintptr_t>(chunks_.back().get()) % kPage) % kPage;
    size_ += used_;
    total_ += size_;
  }
  void* const out = chunks_.back().get() + used_;
  used_ += bytes;
  return out;
}

}  // namespace stream::llm
