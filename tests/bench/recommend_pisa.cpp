/// recommenders.pisa with a catalogue of 100 000 items: one event of a session to its ranked list.
///
/// usage: bench-recommend-pisa EVENTS [exact]     prints microseconds of processor time at the median, and
/// the recall@10 of the search on the queries of the run
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "clock.hpp"
#include "program/program.hpp"
#include "recommenders/recommenders_pisa.hpp"
#include "stream/testing.hpp"

namespace stream::recommenders {
namespace {

constexpr std::int64_t kItems = 100'000, kFeatures = 64, kGroup = 8;

/// Untrained, but for items that lie in groups, as items do: speed does not depend on what was learnt.
void write_model(const std::string& path) {
  PisaNetwork network({.items = kItems, .features = kFeatures, .length = 10, .blocks = 1}, nn::generator(1));
  const at::Generator g = nn::generator(2);
  const at::Tensor centres = torch::randn({kItems / kGroup + 1, kFeatures}, g);
  const at::Tensor group = torch::arange(kItems + 1).div(kGroup, "floor");
  network.start_at((centres.index_select(0, group) + 0.7 * torch::randn({kItems + 1, kFeatures}, g)) / 8);
  SessionLog log;
  for (std::int64_t i = 0; i < kItems; ++i) log.catalogue.add("t" + std::to_string(i));
  write_pisa(path, network, log.catalogue, Cooccurrence(log, std::vector<std::size_t>{}), 0.4);
}

void run(int events, bool exact) {
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "pisa.h5").string();
  write_model(path);
  const auto op = stream::testing::make<PisaOperator>(
      {{"model", path}, {"emit", "event"}, {"exact_up_to", exact ? 1'000'000'000 : 20'000}});
  stream::testing::Collector out(3);
  Random random(3);
  std::vector<double> times;
  std::int64_t second = 0;
  const auto event = [&](std::int64_t gap) {
    second += gap;
    // A listener of some 800 items.
    Packet packet = Packet::of<Record>(std::chrono::seconds(second),
                                       Object{{"item", "t" + std::to_string(random.below(800) * 100)}});
    const double start = bench::thread_seconds();
    op->process(std::move(packet), out);
    times.push_back(bench::thread_seconds() - start);
    out.packets[0].resize(std::min<std::size_t>(out.packets[0].size(), 1));
  };
  for (int i = 0; i < 1500; ++i) event(i % 8 == 0 ? 40'000 : 200);  // some 190 sessions
  times.clear();
  for (int i = 0; i < events; ++i) event(i % 8 == 0 ? 40'000 : 200);
  std::nth_element(times.begin(), times.begin() + events / 2, times.end());
  const auto model =
      PisaModel::shared(path, {.exact_up_to = exact ? std::size_t{1'000'000'000} : std::size_t{20'000}});
  std::vector<float> queries;
  for (int q = 0; q < 1000; ++q) {  // as the network's are: near some items
    const float* a = model->index().vector(static_cast<std::int32_t>(1 + random.below(kItems)));
    const float* b = model->index().vector(static_cast<std::int32_t>(1 + random.below(kItems)));
    for (std::int64_t i = 0; i < kFeatures; ++i) queries.push_back(a[i] + 0.5f * b[i]);
  }
  std::printf("%.2f %.4f\n", 1e6 * times[static_cast<std::size_t>(events / 2)],
              model->index().recall(queries, 10));
}

}  // namespace
}  // namespace stream::recommenders

int main(int argc, char** argv) {
  at::set_num_threads(1);
  stream::recommenders::run(argc > 1 ? std::atoi(argv[1]) : 500, argc > 2);
}
