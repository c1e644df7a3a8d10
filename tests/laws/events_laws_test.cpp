/// The laws for the operators of plugins/events.
#include <gmock/gmock.h>

#include "events/events_council.hpp"
#include "events/events_hawkes.hpp"
#include "events/events_pitch.hpp"
#include "events/events_read.hpp"
#include "events/events_scenes.hpp"
#include "fed_pipe.hpp"
#include "laws.hpp"

namespace stream::events {
namespace {

TEST(Laws, EventsRead) {
  std::string text;
  Random random(4);
  for (int i = 0; i < 200; ++i) {
    const auto t = static_cast<std::int64_t>(i + random.below(9)) - 4;
    text += "{\"user\": \"u" + std::to_string(i % 7) + "\", \"item\": \"a\", \"ts\": " + std::to_string(t) +
            "}\n";
    if (i % 20 == 0) text += "broken\n";
  }
  const laws::ScratchFile file(text, ".jsonl");
  laws::resuming_a_source_is_exact(
      [&] {
        auto op = testing::make<EventsRead>({{"path", file.path()}, {"tolerance", "5s"}, {"jump", "40s"}});
        return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
      },
      2);
}

TEST(Laws, EventsReadOfDocuments) {
  std::string json = "[", xes = "<log>\n<!-- two\nlines -->\n";
  for (int i = 0; i < 120; ++i) {
    const std::string number = std::to_string(i), minute = (i < 70 ? "0" : "1") + std::to_string(i / 7 % 10);
    if (i % 30 == 0) xes += "<trace><string\nkey='concept:name' value='" + number + "'/>\n";
    xes += "<event><string key='concept:name' value='a" + number +
           "'/>\n<date key='time:timestamp' value='2020-01-01T00:" + minute + ":0" + std::to_string(i % 7) +
           "Z'/>" + (i % 11 == 0 ? "<int key='n' value='few'/>" : "") + "</event>\n";
    if (i % 30 == 29) xes += "</trace>\n";
    json += (i > 0 ? ",\n" : "") + std::string("{\"id\": \"") + number +
            "\", \"period\": 1,\n\"timestamp\": \"00:" + minute + ":0" + std::to_string(i % 7) +
            "\", \"player\": 1" + (i % 9 == 0 ? "}" : ", \"location\": [1, 2]}");
    if (i % 20 == 0) json += ",\nnull";
  }
  json += "]\n", xes += "</log>\n";
  std::string moma = "[";
  for (int i = 0; i < 40; ++i) {
    const std::string number = std::to_string(i);
    moma += (i > 0 ? ",\n" : "") + std::string("{\"file_name\": \"v\",\n\"activity\": {\"id\": \"") + number +
            "\", \"sub_activities\": [";
    for (int k = 0; k < i % 4; ++k)
      moma += (k > 0 ? ",\n" : "") + std::string("{\"higher_order_interactions\": [{\"id\": \"") + number +
              "-" + std::to_string(k) + "\", \"time\": " + std::to_string(2 * k) +
              (k == 2 ? "" : ", \"actors\": []") + ", \"objects\": []}]}";
    moma += "]}}";
    if (i % 9 == 0) moma += ",\n7";
  }
  moma += "]\n";
  for (const auto& log : {std::pair("statsbomb", json), std::pair("xes", xes), std::pair("moma", moma)}) {
    const laws::ScratchFile file(log.second, ".log");
    laws::resuming_a_source_is_exact(
        [&] {
          auto op =
              testing::make<EventsRead>({{"path", file.path()}, {"dialect", log.first}, {"tolerance", "9s"}});
          return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
        },
        2);
  }
}

TEST(Laws, EventsHawkes) {
  laws::resuming_a_source_is_exact([] {
    auto op = testing::make<HawkesSource>({{"sequences", 7}, {"each", 2}, {"length", 6}}, {.seed = 2});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  });
}

TEST(Laws, EventsPitch) {
  for (const char* task : {"counter", "next"})
    laws::resuming_a_source_is_exact(
        [&] {
          auto op = testing::make<PitchSource>(
              {{"task", task}, {"games", 3}, {"players", 4}, {"steps", 80}, {"most_gap", 10}}, {.seed = 2});
          return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
        },
        2);
}

TEST(Laws, EventsCouncil) {
  laws::resuming_a_source_is_exact(
      [] {
        auto op = testing::make<CouncilSource>({{"games", 3}, {"rounds", 3}}, {.seed = 2});
        return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
      },
      2);
}

TEST(Laws, EventsScenes) {
  const laws::ScratchFile mapping(
      R"({"id": "item", "as": "player", "features": ["x"], "near": [{"name": "near", "over": [0], "count": 1}]})",
      ".json");
  std::vector<Packet> rows;
  Random random(4);
  for (int i = 0; i < 60; ++i) {
    Object row{{"item", "p" + std::to_string(random.below(5))}, {"line", i}};
    if (i % 13 != 0) row.set("x", random.uniform());
    rows.push_back(Packet::of<Record>(std::chrono::seconds(i / 4), std::move(row)));
  }
  laws::check_all(laws::subject<ScenesOperator>({{"mapping", mapping.path()}}), rows);
}

}  // namespace
}  // namespace stream::events
