/// What must be decided for the whole process before the first tensor library is mapped: those libraries read
/// their environment in static constructors.
#include <cstdlib>

#include "engine/engine.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace stream {
namespace {

struct CoreType {
  const char* name;
  const char* reason;
};

#if defined(__x86_64__)
/// Family as CPUID gives it, extended part added; 0 when it cannot be told.
unsigned cpu_family(bool& amd) {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(0, &eax, &ebx, &ecx, &edx) == 0) return 0;
  amd = ebx == signature_AMD_ebx && edx == signature_AMD_edx && ecx == signature_AMD_ecx;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return 0;
  const unsigned base = (eax >> 8) & 0xf;
  return base == 0xf ? base + ((eax >> 20) & 0xff) : base;
}

/// OpenBLAS 0.3.21 does not know cores newer than itself and falls back to SSE3 kernels ("Prescott"). AVX-512
/// kernels win where a core has full-width units: on Zen 4 (family 25), which splits each 512-bit operation
/// in two, the AVX2 kernels were measured 7 % faster for 1024^3 and 14 % faster for 16x512x512 products.
CoreType openblas_core() {
  bool amd = false;
  const unsigned family = cpu_family(amd);
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512 && amd && family <= 25)
    return {"Haswell", "AMD core that splits AVX-512 in two: AVX2 kernels are faster"};
  if (avx512) return {"SkylakeX", "the processor has AVX-512"};
  if (avx2) return {"Haswell", "the processor has AVX2"};
  return {nullptr, "no AVX2: left to OpenBLAS"};
}
#else
CoreType openblas_core() { return {nullptr, "not an x86-64 processor: left to OpenBLAS"}; }
#endif

ProcessSetting choose(const char* variable, const char* value, const char* reason) {
  if (const char* set = std::getenv(variable)) return {variable, set, "set by the user"};
  if (value == nullptr) return {variable, "", reason};
  ::setenv(variable, value, 0);
  return {variable, value, reason};
}

}  // namespace

std::vector<ProcessSetting> prepare_process() {
  // Called once: a second call would take the first one's choices for the user's.
  static const std::vector<ProcessSetting> settings = [] {
    const CoreType core = openblas_core();
    const char* one =
        "results must not depend on how a product is split; streams and operators run in parallel instead";
    return std::vector<ProcessSetting>{
        choose("OPENBLAS_CORETYPE", core.name, core.reason),
        choose("OPENBLAS_NUM_THREADS", "1", one),
        choose("OMP_NUM_THREADS", "1", one),
        choose("MKL_NUM_THREADS", "1", one),
    };
  }();
  return settings;
}

}  // namespace stream
