/// The laws for the operators of plugins/events that learn.
#include <gmock/gmock.h>

#include "events/events_hawkes.hpp"
#include "events/events_pitch.hpp"
#include "events/events_prompt_tpp.hpp"
#include "events/events_prompt_tpp_train.hpp"
#include "events/events_timegraphs.hpp"
#include "events/events_timegraphs_train.hpp"
#include "events/study_prompt_tpp.hpp"
#include "events/study_timegraphs.hpp"
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

/// Three short games, and their labels.
testing::Collector pitch() {
  const auto made = testing::make<PitchSource>(
      {{"games", 3}, {"players", 4}, {"steps", 60}, {"most_gap", 10}}, {.seed = 2});
  return testing::drain(dynamic_cast<Source&>(*made), 2);
}
std::string lines(const std::vector<Packet>& packets) {
  std::string text;
  for (const Packet& p : packets) text += std::string(p.as<Record>().json()) + "\n";
  return text;
}

TEST(Laws, EventsTimegraphs) {
  const testing::ScratchFolder folder;
  const std::string path = (folder / "model.h5").string();
  const auto games = pitch();
  auto streams = std::make_shared<EventPretraining::Streams>(1);
  std::vector<Packet> packets;
  for (const Packet& p : games.packets[0]) {
    if (p.key.str() != "g0") break;
    streams->front().push_back(
        pitch_vocabulary().scene(p.as<Record>().object(), static_cast<double>(p.time.count()) / 1e9));
    packets.push_back(p);
    packets.back().key = {};
    if (packets.size() % 9 == 0)
      packets.push_back(packets.back().with<Record>(Object{{"nodes", "none"}, {"line", 3}}));
  }
  for (const std::int64_t delay : {0, 2}) {
    PretrainingOptions o;
    o.steps = 3, o.batch = 1, o.delay = delay;
    EventPretraining learning(pitch_vocabulary(), streams, o, 3);
    while (!learning.finished()) learning.step();
    const Asked asked{{"pass", "shot"}, true, false, {"home", "away"}};
    HeadShape shape = head_shape(*learning.model(), asked);
    shape.hidden = 8, shape.layers = 1;
    write_timegraphs(path, {learning.model(),
                            std::make_shared<ReasoningHead>(shape, 2),
                            asked,
                            {.horizon = 3, .most_events = 20}});
    for (const bool adaptive : {false, true})
      laws::check_all(
          laws::subject<TimeGraphsOperator>({{"model", path}, {"every", 7}, {"adaptive", adaptive}}),
          packets);
  }
}

TEST(Laws, EventsTimegraphsTrain) {
  const testing::ScratchFolder folder;
  const auto games = pitch();
  testing::write_contents(folder / "log.jsonl", lines(games.packets[0]));
  testing::write_contents(folder / "labels.jsonl", lines(games.packets[1]));
  for (const bool joint : {false, true})
    laws::resuming_a_source_is_exact([&] {
      auto op = testing::make<TimeGraphsTrainSource>({{"joint", joint},
                                                      {"log", (folder / "log.jsonl").string()},
                                                      {"labels", (folder / "labels.jsonl").string()},
                                                      {"model", (folder / "model.h5").string()},
                                                      {"validation", 0.4},
                                                      {"event_steps", joint ? 2 : 3},
                                                      {"event_batch", 1},
                                                      {"steps", joint ? 2 : 3},
                                                      {"games", joint ? 1 : 2},
                                                      {"report", 1}},
                                                     Context{.node = "source", .seed = 3});
      return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
    });
}

TEST(Laws, EventsTimegraphsStudy) {
  laws::resuming_a_source_is_exact([] {
    auto made =
        testing::make<TimeGraphsStudy>({{"parts", Array{"exact"}}}, Context{.node = "source", .seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
  });
}

}  // namespace
}  // namespace stream::events
