/// The laws for the operators of plugins/recommenders.
#include <gmock/gmock.h>

#include "laws.hpp"
#include "plugins/recommenders/models.hpp"
#include "program/program.hpp"
#include "recommenders/recommenders_listening.hpp"
#include "recommenders/recommenders_pisa.hpp"
#include "recommenders/recommenders_pisa_train.hpp"
#include "recommenders/study_pisa.hpp"

namespace stream::recommenders {
namespace {

using stream::testing::ScratchFolder;

template <typename Op>
void expect_resumable(const Object& params) {
  laws::resuming_a_source_is_exact([&params] {
    auto made = stream::testing::make<Op>(params, Context{.node = "source", .seed = 3});
    return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
  });
}

TEST(Laws, RecommendersPisa) {
  const ScratchFolder folder;
  const std::string path = (folder / "pisa.h5").string();
  testing::write_small_model(path);
  auto packets = testing::packets_of(1);
  packets.resize(60);
  packets.push_back(packets.back().with<Record>(Object{{"item", "unknown"}, {"line", 61}}));
  laws::check_all(laws::subject<PisaOperator>({{"model", path}}), packets);
  laws::check_all(
      laws::subject<PisaOperator>({{"model", path}, {"emit", "event"}, {"times", 2}, {"remembered", 20}}),
      packets);
}

TEST(Laws, RecommendersPisaTrain) {
  const ScratchFolder folder;
  const std::string log = (folder / "log.jsonl").string();
  std::string text;
  const ListeningWorld world(testing::small_world());
  for (const Play& play : all_plays(world))
    text += Value(Object{{"user", "u" + std::to_string(play.user)},
                         {"item", "t" + std::to_string(play.track)},
                         {"ts", play.time}})
                .dump() +
            "\n";
  stream::testing::write_contents(log, text);
  expect_resumable<PisaTrainSource>({{"log", log},
                                     {"model", (folder / "pisa.h5").string()},
                                     {"features", 8},
                                     {"length", 3},
                                     {"epochs", 2},
                                     {"batch", 8}});
}

TEST(Laws, RecommendersListening) {
  expect_resumable<ListeningSource>({{"tracks", 100}, {"genres", 5}, {"users", 4}, {"sessions", 20}});
}

TEST(Laws, RecommendersPisaStudy) { expect_resumable<PisaStudy>({{"parts", Array{"exact"}}}); }

}  // namespace
}  // namespace stream::recommenders
