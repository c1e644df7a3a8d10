/// The laws for the operators of plugins/events.
#include <gmock/gmock.h>

#include "events/events_hawkes.hpp"
#include "events/events_read.hpp"
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

TEST(Laws, EventsHawkes) {
  laws::resuming_a_source_is_exact([] {
    auto op = testing::make<HawkesSource>({{"sequences", 7}, {"each", 2}, {"length", 6}}, {.seed = 2});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
  });
}

}  // namespace
}  // namespace stream::events
