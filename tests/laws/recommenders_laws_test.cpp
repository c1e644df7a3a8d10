/// The laws for the operators of plugins/recommenders.
#include <gmock/gmock.h>

#include "laws.hpp"
#include "plugins/recommenders/listeners.hpp"
#include "plugins/recommenders/models.hpp"
#include "plugins/recommenders/tickets.hpp"
#include "program/program.hpp"
#include "recommenders/recommenders_attributes.hpp"
#include "recommenders/recommenders_attributes_report.hpp"
#include "recommenders/recommenders_attributes_train.hpp"
#include "recommenders/recommenders_cml.hpp"
#include "recommenders/recommenders_cml_train.hpp"
#include "recommenders/recommenders_listening.hpp"
#include "recommenders/recommenders_pisa.hpp"
#include "recommenders/recommenders_pisa_train.hpp"
#include "recommenders/recommenders_tickets.hpp"
#include "recommenders/study_attributes.hpp"
#include "recommenders/study_cml.hpp"
#include "recommenders/study_pisa.hpp"

namespace stream::recommenders {
namespace {

using stream::testing::ScratchFolder;

template <typename Op>
void expect_resumable(const Object& params, std::size_t outputs = 1) {
  laws::resuming_a_source_is_exact(
      [&params] {
        auto made = stream::testing::make<Op>(params, Context{.node = "source", .seed = 3});
        return std::unique_ptr<Source>(dynamic_cast<Source*>(made.release()));
      },
      outputs);
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

TEST(Laws, RecommendersTickets) { expect_resumable<TicketsSource>({{"films", 30}, {"customers", 20}}, 2); }

TEST(Laws, RecommendersCml) {
  const ScratchFolder folder;
  const std::string path = (folder / "cml.h5").string();
  testing::write_small_cml(path);
  auto packets = testing::cinema_packets(70, 6);
  packets.resize(std::min<std::size_t>(packets.size(), 120));
  packets.push_back(packets.back().with<Record>(Object{{"item", "unknown"}, {"line", 900}}));
  packets.push_back(packets.front().with<Record>(packets.front().as<Record>().object()));
  packets.back().time = packets[packets.size() - 2].time;
  laws::check_all(laws::subject<CmlOperator>({{"model", path}}), packets);
}

TEST(Laws, RecommendersCmlTrain) {
  const ScratchFolder folder;
  const std::string log = (folder / "tickets.jsonl").string(), films = (folder / "films.jsonl").string();
  const TicketWorld world({.films = 80, .customers = 20, .years = 2, .seed = 3});
  std::string tickets, plots;
  for (const MadeTicket& t : world.tickets())
    tickets += Value(Object{{"cust", "c" + std::to_string(t.customer)},
                            {"film", "f" + std::to_string(t.film)},
                            {"ts", t.time}})
                   .dump() +
               "\n";
  for (const MadeFilm& f : world.films())
    plots += Value(Object{{"film", f.name}, {"release", f.release}, {"plot", f.plot}, {"budget", f.budget}})
                 .dump() +
             "\n";
  stream::testing::write_contents(log, tickets);
  stream::testing::write_contents(films, plots);
  expect_resumable<CmlTrainSource>({{"log", log},
                                    {"films", films},
                                    {"model", (folder / "cml.h5").string()},
                                    {"features", 8},
                                    {"hidden", 4},
                                    {"word_epochs", 1},
                                    {"epochs", 2},
                                    {"batch", 64}});
}

TEST(Laws, RecommendersCmlStudy) { expect_resumable<CmlStudy>({{"parts", Array{"exact"}}}); }

TEST(Laws, RecommendersPlaylists) { expect_resumable<PlaylistsSource>({{"users", 4}}, 2); }

TEST(Laws, RecommendersAttributes) {
  const ScratchFolder folder;
  const std::string path = (folder / "attributes.h5").string();
  testing::write_small_attributes(path);
  auto packets = testing::playlist_packets(1);
  packets.resize(std::min<std::size_t>(packets.size(), 6));
  const auto and_then = [&](Object record) {
    packets.push_back(packets.back().with<Record>(std::move(record)));
    packets.back().time += std::chrono::minutes(1);
  };
  const Value first = packets[0].as<Record>().at("item");
  and_then({{"item", first}, {"event", "playlist_update"}, {"added", packets[1].as<Record>().at("tracks")}});
  and_then({{"item", first}, {"event", "playlist_remove"}});
  and_then({{"item", first}, {"event", "playlist_remove"}, {"line", 9}});
  laws::check_all(laws::subject<AttributesOperator>({{"model", path}}), packets);
}

/// Files of a few made-up listeners.
Object listener_files(const ScratchFolder& folder) {
  const std::string log = (folder / "playlists.jsonl").string(),
                    attributes = (folder / "listeners.jsonl").string();
  auto made = stream::testing::make<PlaylistsSource>({{"users", 12}}, Context{.node = "world", .seed = 3});
  const auto out = stream::testing::drain(dynamic_cast<Source&>(*made), 2);
  const auto write = [](const std::string& path, const std::vector<Packet>& packets) {
    std::string text;
    for (const Packet& packet : packets) text += std::string(packet.as<Record>().json()) + "\n";
    stream::testing::write_contents(path, text);
  };
  write(log, out.packets[0]);
  write(attributes, out.packets[1]);
  return {{"log", log}, {"attributes", attributes}};
}

TEST(Laws, RecommendersAttributesTrain) {
  const ScratchFolder folder;
  Object params = listener_files(folder);
  params.set("model", (folder / "attributes.h5").string()).set("epochs", 2).set("batch", 4);
  expect_resumable<AttributesTrainSource>(params);
}

TEST(Laws, RecommendersAttributesReport) {
  const ScratchFolder folder;
  Object params = listener_files(folder);
  // Two attributes, and few tests: whatever is said is resumed from, and the log read anew.
  std::string text = "user,side,size\n";
  for (int u = 0; u < 12; ++u)
    text += "u" + std::to_string(u) + (u % 2 ? ",left," : ",right,") + std::to_string(u) + "\n";
  stream::testing::write_contents(folder / "few.csv", text);
  params.set("attributes", (folder / "few.csv").string()).set("permutations", 20).set("level", 1e-9);
  expect_resumable<AttributesReportSource>(params);
}

TEST(Laws, RecommendersAttributesStudy) { expect_resumable<AttributesStudy>({{"parts", Array{"exact"}}}); }

TEST(Laws, RecommendersPisaStudy) { expect_resumable<PisaStudy>({{"parts", Array{"exact"}}}); }

}  // namespace
}  // namespace stream::recommenders
