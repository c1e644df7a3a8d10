/// usage: bench-peers [NAME...]: runs all comparisons, or those named, and prints one table in Markdown on
/// stdout. Exit code 1 when a bar is missed or a benchmark could not run.
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "compare.hpp"

namespace {

using stream::bench::Benchmark;
using stream::bench::Row;

std::vector<Benchmark> all() {
  std::vector<Benchmark> benchmarks;
  for (auto group : {stream::bench::graph_benchmarks, stream::bench::text_benchmarks,
                     stream::bench::captions_benchmarks, stream::bench::event_benchmarks,
                     stream::bench::learner_benchmarks, stream::bench::language_model_benchmarks,
                     stream::bench::video_benchmarks, stream::bench::user_benchmarks}) {
    for (Benchmark& b : group()) benchmarks.push_back(std::move(b));
  }
  return benchmarks;
}

void print(const Row& r) {
  std::printf("| %s | %s | %.4g %s | %.4g %s | %.3f ± %.1f %% | %.4g | %s |\n", r.what.c_str(),
              r.peer.c_str(), r.ours, r.unit.c_str(), r.theirs, r.unit.c_str(), r.ratio, 100 * r.spread,
              r.bar, r.held() ? "yes" : "NO");
  std::fflush(stdout);
}

bool wanted(const Benchmark& benchmark, const std::vector<std::string_view>& names) {
  if (names.empty()) return true;
  for (std::string_view name : names) {
    if (name == benchmark.name) return true;
  }
  return false;
}

bool known(std::string_view name, const std::vector<Benchmark>& benchmarks) {
  for (const Benchmark& b : benchmarks) {
    if (b.name == name) return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> names(argv + 1, argv + argc);
  const std::vector<Benchmark> benchmarks = all();
  for (std::string_view name : names) {
    if (known(name, benchmarks)) continue;
    std::fprintf(stderr, "bench-peers: no benchmark named '%.*s'; there are:\n",
                 static_cast<int>(name.size()), name.data());
    for (const Benchmark& b : benchmarks)
      std::fprintf(stderr, "  %-12s %s\n", b.name.c_str(), b.about.c_str());
    return 2;
  }
  bool good = true;
  std::puts(
      "| what | peer | ours | theirs | ratio | bar | held |\n| --- | --- | ---: | ---: | ---: | ---: | --- "
      "|");
  for (const Benchmark& benchmark : benchmarks) {
    if (!wanted(benchmark, names)) continue;
    std::fprintf(stderr, "bench-peers: %s: %s\n", benchmark.name.c_str(), benchmark.about.c_str());
    try {
      for (const Row& r : benchmark.measure()) {
        print(r);
        good = good && r.held();
      }
    } catch (const std::exception& e) {
      std::fprintf(stderr, "bench-peers: %s: not measured: %s\n", benchmark.name.c_str(), e.what());
      good = false;
    }
  }
  return good ? 0 : 1;
}
