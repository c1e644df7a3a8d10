/// The laws for the operators of plugins/events that learn.
#include <gmock/gmock.h>

#include "events/events_hawkes.hpp"
#include "events/events_prompt_tpp.hpp"
#include "events/events_prompt_tpp_train.hpp"
#include "events/study_prompt_tpp.hpp"
#include "laws.hpp"
#include "program/program.hpp"

namespace stream::events {
namespace {

TEST(Laws, EventsPromptTpp) {
  const testing::ScratchFolder folder;
  const std::string path = (folder / "tpp.h5").string();
  write_tpp(path, PromptTpp({}, 3), {"a", "b", "c", "d", "e", "f"}, 10);
  std::vector<Packet> packets;
  Random random(2);
  for (int i = 0; i < 30; ++i)
    packets.push_back(Packet::of<Record>(
        std::chrono::milliseconds(100 * i * i),
        Object{{"item", std::string(1, static_cast<char>('a' + random.below(7)))}, {"line", i}}));
  laws::check_all(laws::subject<PromptTppOperator>({{"model", path}}), packets);
}

TEST(Laws, EventsPromptTppTrain) {
  const testing::ScratchFolder folder;
  const auto made =
      testing::make<HawkesSource>({{"sequences", 24}, {"each", 12}, {"length", 10}}, {.seed = 2});
  const auto records = testing::drain(dynamic_cast<Source&>(*made));
  std::string text;
  for (const Packet& p : records.packets[0]) text += std::string(p.as<Record>().json()) + "\n";
  testing::write_contents(folder / "log.jsonl", text);
  laws::resuming_a_source_is_exact([&] {
    auto op = testing::make<PromptTppTrainSource>({{"log", (folder / "log.jsonl").string()},
                                                   {"model", (folder / "tpp.h5").string()},
                                                   {"slices", 2},
                                                   {"length", 10},
                                                   {"batch", 4},
                                                   {"first_epochs", 1},
                                                   {"epochs", 1}},
                                                  Context{.node = "source", .seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  });
}

TEST(Laws, EventsPromptTppStudy) {
  laws::resuming_a_source_is_exact([] {
    auto made =
        testing::make<PromptTppStudy>({{"parts", Array{"exact"}}}, Context{.node = "source", .seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
  });
}

}  // namespace
}  // namespace stream::events
