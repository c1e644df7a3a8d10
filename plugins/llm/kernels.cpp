#include "llm/kernels.hpp"

namespace stream::llm {

extern const Kernels kBaseline;
#if defined(__x86_64__)
extern const Kernels kAvx2, kAvx512, kAvx512Vnni;
#endif

std::vector<const Kernels*> all_kernels() {
  std::vector<const Kernels*> out;
#if defined(__x86_64__)
  // Every processor with AVX2 has F16C.
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f");
  if (avx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
    out.push_back(&kAvx512Vnni);
  if (avx512) out.push_back(&kAvx512);
  if (avx2) out.push_back(&kAvx2);
#endif
  out.push_back(&kBaseline);
  return out;
}

const Kernels& kernels() {
  static const Kernels& best = *all_kernels().front();
  return best;
}

}  // namespace stream::llm
