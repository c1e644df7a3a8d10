#include "llm/memory.hpp"

#include "stream/error.hpp"

namespace stream::llm {

void Memory::on_scores(std::int64_t, std::size_t, std::span<const float>) {}
void Memory::on_nll(std::span<const float>) {}
void Memory::reserve(std::int64_t) {}
void Memory::end_of_turn() {}
void Memory::evict(std::int64_t, std::int64_t) {
  throw failed("this memory cannot forget a range of tokens");
}
std::span<const std::int32_t> Memory::replay(std::int32_t) { return {}; }

}  // namespace stream::llm
