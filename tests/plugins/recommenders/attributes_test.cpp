/// What playlists give away: features by hand, the DeepSet's rules, the tests' formulas, and wrong input.
#include <gmock/gmock.h>

#include "listeners.hpp"
#include "nn/device.hpp"
#include "program/program.hpp"
#include "recommenders/attribute_baselines.hpp"
#include "recommenders/group_tests.hpp"
#include "recommenders/listener_log.hpp"
#include "recommenders/recommenders_attributes.hpp"
#include "recommenders/recommenders_attributes_report.hpp"
#include "stream/testing.hpp"

namespace stream::recommenders {
namespace {

using stream::testing::ScratchFolder;
using ::testing::HasSubstr;

double feature(const std::vector<double>& x, const std::string& name) {
  const auto& names = playlist_feature_names();
  const auto at = std::find(names.begin(), names.end(), name);
  EXPECT_NE(at, names.end()) << name;
  return x[static_cast<std::size_t>(at - names.begin())];
}

TEST(PlaylistFeatures, ThereAre111EachWithANameOfItsOwn) {
  const auto& names = playlist_feature_names();
  EXPECT_EQ(names.size(), kPlaylistFeatures);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), kPlaylistFeatures);
  EXPECT_EQ(PlaylistSums().features({}, 1e9).size(), kPlaylistFeatures);
}

TEST(PlaylistFeatures, AreTheMomentsSharesAndCountsOfTheTracks) {
  PlaylistSums sums;
  sums.add(track_of(
      Value::parse(R"({"popularity": 40, "explicit": true, "duration_ms": 180000, "energy": 0.5, "key": 3,
    "mode": 1, "time_signature": 4, "album": {"release_date": "1999-03-30"}, "added_at": "2020-01-01T10:00:00Z",
    "artists": [{"id": "a", "popularity": 10, "followers": {"total": 99}, "genres": ["k-pop", "dance pop"]}]})")));
  sums.add(track_of(
      Value::parse(R"({"added_at": "2020-01-01T12:00:00Z", "track": {"popularity": 60, "explicit": false,
    "duration_ms": 240000, "album": {"release_date": "2004"}, "audio_features": {"energy": 0.9, "key": 4, "mode": 0,
    "time_signature": 3}, "artists": [{"id": "a", "popularity": 10, "followers": 99, "genres": ["k-pop"]}, {"name": "b"}]}})")));
  PlaylistFacts facts{
      .name = "r\xc3\xa4in \xf0\x9f\x8e\xb5", .described = true, .followers = std::exp(2.0) - 1};
  const auto x = sums.features(facts, 1577872800 + 10 * 86400.0);  // ten days after the first was added
  EXPECT_DOUBLE_EQ(feature(x, "popularity_mean"), 50);
  EXPECT_DOUBLE_EQ(feature(x, "popularity_std"), 10);
  EXPECT_DOUBLE_EQ(feature(x, "popularity_min"), 40);
  EXPECT_DOUBLE_EQ(feature(x, "popularity_max"), 60);
  EXPECT_DOUBLE_EQ(feature(x, "explicit_mean"), 0.5);
  EXPECT_DOUBLE_EQ(feature(x, "year_max"), 2004);
  EXPECT_NEAR(feature(x, "energy_mean"), 0.7, 1e-12);
  EXPECT_TRUE(std::isnan(feature(x, "valence_mean")));
  EXPECT_DOUBLE_EQ(feature(x, "key_3"), 0.5);
  EXPECT_DOUBLE_EQ(feature(x, "major"), 0.5);
  EXPECT_DOUBLE_EQ(feature(x, "four_four"), 0.5);
  EXPECT_DOUBLE_EQ(feature(x, "artists"), 2);
  EXPECT_DOUBLE_EQ(feature(x, "artists_distinct"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(feature(x, "artist_followers_mean"), std::log1p(99.0));
  EXPECT_DOUBLE_EQ(feature(x, "artist_genres"), 1);
  EXPECT_DOUBLE_EQ(feature(x, "top_artist"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(feature(x, "genre_k-pop"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(feature(x, "genre_dance"), 1.0 / 3);
  EXPECT_NEAR(feature(x, "genre_entropy"), -(2.0 / 3 * std::log(2.0 / 3) + 1.0 / 3 * std::log(1.0 / 3)),
              1e-12);
  EXPECT_DOUBLE_EQ(feature(x, "tracks"), std::log(3.0));
  EXPECT_DOUBLE_EQ(feature(x, "name_length"), 6);
  EXPECT_DOUBLE_EQ(feature(x, "name_emoji"), 1);
  EXPECT_DOUBLE_EQ(feature(x, "described"), 1);
  EXPECT_DOUBLE_EQ(feature(x, "followers"), 2);
  EXPECT_DOUBLE_EQ(feature(x, "age_days"), 10);
  EXPECT_DOUBLE_EQ(feature(x, "additions_per_month"), 2);
  EXPECT_DOUBLE_EQ(feature(x, "added_in_one_day"), 1);
  EXPECT_DOUBLE_EQ(feature(x, "hours"), 7.0 / 60);
  EXPECT_NEAR(feature(x, "decade_entropy"), std::log(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(feature(x, "artist_runs"), 1);
}

TEST(PlaylistFeatures, OfExportsWithoutAudioAreNotKnown) {
  PlaylistSums sums;
  sums.add(track_of(
      Value::parse(R"({"track": {"trackName": "x", "artistName": "y"}, "addedDate": "2021-05-06"})")));
  const auto x = sums.features({}, 1.7e9);
  EXPECT_TRUE(std::isnan(feature(x, "tempo_mean")));
  EXPECT_DOUBLE_EQ(feature(x, "artists"), 1);
  EXPECT_DOUBLE_EQ(feature(x, "added_in_one_day"), 1);
  Standardiser standardiser{std::vector<float>(kPlaylistFeatures, 5),
                            std::vector<float>(kPlaylistFeatures, 2)};
  const auto z = standardiser(std::span<const double>(x));
  const auto& names = playlist_feature_names();
  EXPECT_EQ(z[static_cast<std::size_t>(std::find(names.begin(), names.end(), "tempo_mean") - names.begin())],
            0);
  for (const char* wrong : {"[1]", "{\"artists\": 3}", "{\"energy\": \"loud\"}", "{\"artists\": [{}]}"})
    EXPECT_THROW(track_of(Value::parse(wrong)), Error) << wrong;
}

TEST(PlaylistFeatures, SumsAreKeptThroughACheckpoint) {
  PlaylistSums sums, other;
  const auto listener = PlaylistWorld({.users = 1}).listener(0);
  for (const Track& track : listener.playlists[0].tracks) sums.add(track);
  Archive group;
  sums.save(group);
  other.load(group);
  for (const Track& track : listener.playlists[1].tracks) sums.add(track), other.add(track);
  EXPECT_EQ(sums.features({}, 1.7e9), other.features({}, 1.7e9));
}

TEST(Genres, AreFoundByTheirMostTellingWord) {
  EXPECT_STREQ(coarse_genres()[static_cast<std::size_t>(coarse_genre("canadian indie rock"))], "indie");
  EXPECT_STREQ(coarse_genres()[static_cast<std::size_t>(coarse_genre("k-pop girl group"))], "k-pop");
  EXPECT_STREQ(coarse_genres()[static_cast<std::size_t>(coarse_genre("atl hip hop"))], "hip-hop");
  EXPECT_EQ(coarse_genre("polka"), -1);
}

TEST(Listeners, NobodyIsInTwoPartsAndOnlyTrainingSetsScalesAndCuts) {
  const ListenerSplit split = split_listeners(100, 0.1, 0.2, Random(3));
  EXPECT_EQ(split.training.size(), 70u);
  EXPECT_EQ(split.validation.size(), 10u);
  std::set<std::size_t> all(split.training.begin(), split.training.end());
  all.insert(split.validation.begin(), split.validation.end());
  all.insert(split.test.begin(), split.test.end());
  EXPECT_EQ(all.size(), 100u);
  ListenerTable table{{"age"}, {}};
  for (int i = 0; i < 9; ++i)
    table.listeners.push_back(
        {"u", {std::vector<float>(kPlaylistFeatures, static_cast<float>(i))}, {Value(i < 6 ? i : 1000)}});
  const std::size_t training[] = {0, 1, 2, 3, 4, 5};
  const AttributeClasses halves = classes_of(table, 0, training, 2),
                         thirds = classes_of(table, 0, training, 3);
  EXPECT_THAT(halves.classes, ::testing::ElementsAre("<= 3.0", "> 3.0"));
  EXPECT_EQ(halves.of(Value(3)), 0);
  EXPECT_EQ(halves.of(Value(1000)), 1);
  EXPECT_EQ(halves.of(Value()), -1);
  EXPECT_EQ(thirds.classes.size(), 3u);
  EXPECT_THROW(halves.of(Value("old")), Error);
  EXPECT_FLOAT_EQ(standardiser_of(table, training).mean[0], 2.5f);
}

TEST(DeepSet, PaddingCountsNeitherInTheMeanNorInTheMaximum) {
  const auto data = testing::small_listeners();
  const DeepSetTrainer trainer(data, {.epochs = 1}, Random(1));
  std::size_t few = 0, many = 0;
  for (std::size_t i = 0; i < data->x.size(); ++i) {
    if (data->playlists(i) < data->playlists(few)) few = i;
    if (data->playlists(i) > data->playlists(many)) many = i;
  }
  ASSERT_LT(data->playlists(few), data->playlists(many));
  const std::size_t alone[] = {few}, together[] = {few, many};
  const auto a = trainer.predict(alone), b = trainer.predict(together);
  for (std::size_t i = 0; i < a[0].size(); ++i)
    for (std::size_t c = 0; c < a[0][i].size(); ++c) EXPECT_NEAR(a[0][i][c], b[0][i][c], 1e-6);
}

TEST(DeepSet, IsNoNetworkOnTheMean) {
  const auto data = testing::small_listeners();
  const DeepSetTrainer trainer(data, {.epochs = 1}, Random(1));
  const DeepSetModel model = trainer.model();
  // Two playlists against twice their mean: the average before the network is the same.
  const auto& x = data->table->listeners[0].playlists;
  std::vector<double> a(x[0].begin(), x[0].end()), b(x[1].begin(), x[1].end()), mean(kPlaylistFeatures);
  for (std::size_t f = 0; f < kPlaylistFeatures; ++f) mean[f] = (a[f] + b[f]) / 2;
  PlaylistSet apart, alike;
  apart.put("a", model.playlist(a)), apart.put("b", model.playlist(b));
  alike.put("a", model.playlist(mean)), alike.put("b", model.playlist(mean));
  double difference = 0;
  for (std::size_t f = 0; f < kDeepSetUnits; ++f)
    difference = std::max(difference, std::abs(apart.mean()[f] - alike.mean()[f]));
  EXPECT_GT(difference, 1e-3);
}

TEST(DeepSet, ListenersOfWhomLittleIsKnownAreLearntFrom) {
  auto table = *testing::small_listeners()->table;
  for (std::size_t i = 0; i < table.listeners.size(); i += 2) table.listeners[i].attributes[0] = Value();
  const auto data = std::make_shared<ListenerData>(
      std::make_shared<ListenerTable>(table), split_listeners(table.listeners.size(), 0.2, 0.2, Random(1)));
  DeepSetTrainer trainer(data, {.batch = 4, .epochs = 1}, Random(1));
  while (!trainer.finished()) {
    trainer.step();
    ASSERT_TRUE(std::isfinite(trainer.loss()));
  }
}

TEST(DeepSet, TrainingGoesOnWhereItStopped) {
  const auto data = testing::small_listeners();
  const DeepSetOptions options{.batch = 8, .epochs = 3};
  DeepSetTrainer whole(data, options, Random(1)), first(data, options, Random(1)),
      second(data, options, Random(1));
  while (!whole.finished()) whole.step();
  for (int i = 0; i < 5; ++i) first.step();
  Archive state;
  first.save(state);
  second.load(state);
  while (!second.finished()) second.step();
  const std::size_t all[] = {0, 1, 2};
  EXPECT_EQ(whole.predict(all), second.predict(all));
}

TEST(PlaylistSet, WithoutAPlaylistIsTheSetThatNeverHadIt) {
  Random random(3);
  PlaylistSet set, other;
  for (int j = 0; j < 5; ++j) {
    std::vector<float> h(kDeepSetUnits);
    for (float& v : h) v = static_cast<float>(random.uniform());
    set.put(std::to_string(j), h);
    if (j != 2) other.put(std::to_string(j), h);
  }
  const auto [mean, most] = set.without("2");
  for (std::size_t f = 0; f < kDeepSetUnits; ++f) {
    EXPECT_NEAR(mean[f], other.mean()[f], 1e-12);
    EXPECT_EQ(most[f], other.most()[f]);
  }
  EXPECT_THROW(set.remove("nobody"), Error);
}

TEST(GroupTests, MannWhitneyByHand) {
  // U of the first group: 4 > none, 6 > 5: 1 + ... by counting pairs.
  const std::vector<double> a{4, 6, 8}, b{5, 7, 9, 10};
  const TestResult exact = mann_whitney(a, b);
  EXPECT_DOUBLE_EQ(exact.statistic, 3);
  EXPECT_NEAR(exact.p, 14.0 / 35, 1e-12);  // of 35 ways to choose, 14 are as far from 6
  EXPECT_LT(exact.effect, 0);
  // With ties, as scipy.stats.mannwhitneyu(method="asymptotic") has it.
  const std::vector<double> c{1, 2, 2, 3, 3, 3, 4, 5, 5, 6}, d{2, 3, 4, 4, 5, 6, 6, 7, 8, 9, 9, 10};
  EXPECT_DOUBLE_EQ(mann_whitney(c, d).statistic, 23.5);
  EXPECT_NEAR(mann_whitney(c, d).p, 0.016753461, 1e-8);
  EXPECT_EQ(mann_whitney(std::vector<double>{1, 1}, std::vector<double>{1, 1, 1}).p, 1);
}

TEST(GroupTests, KruskalWallisAndSpearmanByReference) {
  const std::vector<std::vector<double>> groups{{1, 3, 5, 7, 9}, {2, 4, 6, 8, 10, 12}, {9, 11, 12, 13, 15}};
  // scipy.stats.kruskal
  const TestResult kruskal = kruskal_wallis(groups);
  EXPECT_NEAR(kruskal.statistic, 7.756268437, 1e-8);
  EXPECT_NEAR(kruskal.p, 0.0206893911, 1e-9);
  EXPECT_NEAR(kruskal.effect, kruskal.statistic * 17 / 255, 1e-12);
  const std::vector<double> a{1, 2, 3, 4, 5, 6, 7}, b{2, 1, 4, 3, 7, 6, 5};
  const TestResult spearman = spearman_test(a, b);
  EXPECT_NEAR(spearman.effect, 0.7857142857, 1e-9);
  EXPECT_NEAR(spearman.p, 0.0362384627, 1e-9);
}

TEST(GroupTests, BenjaminiHochbergByHand) {
  const std::vector<double> p{0.01, 0.04, 0.03, 0.5, std::nan("")};
  const auto q = benjamini_hochberg(p);
  EXPECT_NEAR(q[0], 0.04, 1e-12);
  EXPECT_NEAR(q[1], 0.04 * 4 / 3, 1e-12);
  EXPECT_NEAR(q[2], 0.04 * 4 / 3, 1e-12);
  EXPECT_NEAR(q[3], 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(q[4]));
}

TEST(GroupTests, SimilarityIsFoundWhereItIs) {
  Random random(6);
  std::vector<float> rows;
  std::vector<int> groups, coins;
  for (int i = 0; i < 60; ++i) {
    groups.push_back(i % 2), coins.push_back(static_cast<int>(random.below(2)));
    for (int c = 0; c < 8; ++c)
      rows.push_back(static_cast<float>(random.normal() + (c == 0 ? 2 * (i % 2) - 1 : 0)));
  }
  const Similarity alike = group_similarity(rows, groups, 8, 199, Random(1)),
                   none = group_similarity(rows, coins, 8, 199, Random(1));
  EXPECT_LT(alike.within, alike.between);
  EXPECT_DOUBLE_EQ(alike.p, 1.0 / 200);
  EXPECT_GT(none.p, 0.02);
}

TEST(Baselines, ForestAndRegressionLearnWhatIsThere) {
  Random random(9);
  std::vector<float> rows;
  std::vector<int> truth;
  for (int i = 0; i < 300; ++i) {
    const int k = static_cast<int>(random.below(2));
    truth.push_back(k);
    rows.push_back(static_cast<float>(random.normal() + 3 * k)),
        rows.push_back(static_cast<float>(random.normal()));
  }
  const RandomForest forest(rows, truth, 2, 2, 1);
  const ClassRegression regression(rows, truth, 2, 2);
  int right = 0, also = 0;
  for (int i = 0; i < 100; ++i) {
    const int k = static_cast<int>(random.below(2));
    const std::vector<float> row{static_cast<float>(random.normal() + 3 * k),
                                 static_cast<float>(random.normal())};
    right += forest(row) == k ? 1 : 0;
    also += (regression(row)[1] > 0.5) == (k == 1) ? 1 : 0;
  }
  EXPECT_GT(right, 85);
  EXPECT_GT(also, 85);
}

class Attributes : public ::testing::Test {
 protected:
  Attributes() { testing::write_small_attributes(path_); }
  std::unique_ptr<Operator> make() { return stream::testing::make<AttributesOperator>({{"model", path_}}); }
  ScratchFolder folder_;
  std::string path_ = (folder_ / "attributes.h5").string();
};

TEST_F(Attributes, EveryLineSaysChanceAndHowFarToTrust) {
  const auto packets = testing::playlist_packets(2);
  const auto op = make();
  const auto out = stream::testing::run(*op, packets, 2);
  ASSERT_EQ(out.packets[0].size(), packets.size());
  const auto& line = out.packets[0].back().as<Record>();
  for (const std::string& name : PlaylistWorld::attributes()) {
    const Object& attribute = line.at("attributes").as_object().find(name)->as_object();
    double sum = 0;
    for (const auto& [c, p] : attribute.find("classes")->as_object()) sum += p.as_double();
    EXPECT_NEAR(sum, 1, 1e-9);
    EXPECT_EQ(attribute.find("chance")->as_double(), 0.5);
    EXPECT_TRUE(attribute.find("balanced_accuracy")->is_number());
    EXPECT_TRUE(attribute.find("calibration")->is_number());
    EXPECT_EQ(attribute.find("moved")->as_array().size(), std::min<std::size_t>(3, packets.size()));
  }
}

TEST_F(Attributes, TheStreamSaysWhatTheWholeLogWould) {
  const auto packets = testing::playlist_packets(1);
  const auto op = make();
  const auto out = stream::testing::run(*op, packets, 2);
  const auto model = DeepSetModel::read(path_);
  const MadeListener listener = PlaylistWorld(testing::small_playlists()).listener(1);
  PlaylistSet set;
  double now = 0;
  for (std::size_t j = listener.playlists.size(); j-- > 0;) {
    PlaylistSums sums;
    for (const Track& track : listener.playlists[j].tracks) sums.add(track_of(record_of_track(track, "t")));
    now = static_cast<double>(packets[j].time.count()) / 1e9;
    set.put(listener.playlists[j].id, model->playlist(sums.features(listener.playlists[j].facts, now)));
  }
  const auto wanted = model->attributes_of(set.mean(), set.most(), set.size());
  const Object& found = out.packets[0].back().as<Record>().at("attributes").as_object();
  for (std::size_t a = 0; a < wanted.size(); ++a) {
    const Object& classes = found.find(model->attributes()[a].name)->as_object().find("classes")->as_object();
    for (std::size_t c = 0; c < wanted[a].size(); ++c)
      EXPECT_NEAR(classes.find(model->attributes()[a].classes[c])->as_double(), wanted[a][c], 1e-6);
  }
}

TEST_F(Attributes, WrongEventsAreNamedWithTheirLineAndChangeNothing) {
  const auto packets = testing::playlist_packets(0);
  const auto clean = make(), soiled = make();
  stream::testing::Collector a(2), b(2);
  for (const Packet& packet : packets) {
    clean->process(packet, a);
    soiled->process(packet, b);
  }
  const Packet& last = packets.back();
  const std::string known = last.as<Record>().at("item").as_string();
  const auto fault = [&](Object record) {
    record.set("line", 77);
    soiled->process(last.with<Record>(std::move(record)), b);
    const auto& said = b.packets[1].back().as<Record>();
    EXPECT_EQ(said.at("line").as_integer(), 77);
    return said.at("fault").as_string();
  };
  EXPECT_EQ(fault({{"item", "x"}, {"event", "playlist_remove"}}), "unknown-playlist");
  EXPECT_EQ(fault({{"item", "x"}, {"event", "playlist_update"}, {"tracks", Array{}}}), "unknown-playlist");
  EXPECT_EQ(fault({{"item", known}, {"event", "playlist_add"}, {"tracks", Array{}}}), "playlist-twice");
  EXPECT_EQ(fault({{"item", "x"}, {"event", "playlist_ad"}}), "event");
  EXPECT_EQ(fault({{"item", "x"}}), "missing");
  EXPECT_EQ(fault({{"item", "x"}, {"event", "playlist_add"}, {"tracks", 3}}), "type");
  EXPECT_EQ(fault({{"item", "x"}, {"event", "playlist_add"}, {"tracks", Array{Object{}, 5}}}), "tracks");
  EXPECT_THAT(b.packets[1].back().as<Record>().at("detail").as_string(), HasSubstr("track 2"));
  EXPECT_EQ(fault({{"item", known}, {"event", "playlist_update"}, {"name", 5}}), "type");
  EXPECT_EQ(b.packets[1].size(), 8u);
  // Nothing of it has left a trace.
  const Object touch{{"item", known}, {"event", "playlist_update"}};
  clean->process(last.with<Record>(touch), a);
  soiled->process(last.with<Record>(touch), b);
  ASSERT_EQ(a.packets[0].size(), b.packets[0].size());
  EXPECT_EQ(a.packets[0].back().as<Record>().json(), b.packets[0].back().as<Record>().json());
}

TEST_F(Attributes, WhatIsAddedAndRemovedIsGone) {
  const auto packets = testing::playlist_packets(0);
  const auto op = make();
  stream::testing::Collector out(2);
  for (const Packet& packet : packets) op->process(packet, out);
  const auto probabilities = [&] {
    std::vector<double> p;
    for (const auto& [name, of] : out.packets[0].back().as<Record>().at("attributes").as_object())
      for (const auto& [c, v] : of.as_object().find("classes")->as_object()) p.push_back(v.as_double());
    return p;
  };
  const auto before = probabilities();
  const Packet& last = packets.back();
  op->process(last.with<Record>(Object{
                  {"item", "x"}, {"event", "playlist_add"}, {"tracks", last.as<Record>().at("tracks")}}),
              out);
  const auto between = probabilities();
  op->process(last.with<Record>(Object{{"item", "x"}, {"event", "playlist_remove"}}), out);
  const auto after = probabilities();
  double moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_NEAR(before[i], after[i], 1e-6);
    moved = std::max(moved, std::abs(before[i] - between[i]));
  }
  EXPECT_GT(moved, 1e-4);
  // All are taken away: there is nothing to say.
  for (const Packet& packet : packets)
    op->process(
        last.with<Record>(Object{{"item", packet.as<Record>().at("item")}, {"event", "playlist_remove"}}),
        out);
  EXPECT_TRUE(out.packets[0].back().as<Record>().at("attributes").as_object().empty());
}

TEST_F(Attributes, TracksAddedOneByOneAreTheWholePlaylist) {
  const auto packets = testing::playlist_packets(0);
  const auto& record = packets[0].as<Record>();
  const auto whole = make(), parts = make();
  stream::testing::Collector a(2), b(2);
  whole->process(packets[0], a);
  const Array& tracks = record.at("tracks").as_array();
  Object first = record.object();
  first.set("tracks", Array{tracks[0]});
  parts->process(packets[0].with<Record>(first), b);
  for (std::size_t i = 1; i < tracks.size(); ++i)
    parts->process(
        packets[0].with<Record>(
            Object{{"item", record.at("item")}, {"event", "playlist_update"}, {"added", Array{tracks[i]}}}),
        b);
  EXPECT_EQ(Value(a.packets[0].back().as<Record>().at("attributes")),
            Value(b.packets[0].back().as<Record>().at("attributes")));
}

TEST(AttributeFiles, WrongLinesAreCountedAndNamed) {
  const ScratchFolder folder;
  stream::testing::write_contents(folder / "a.jsonl", R"({"user": "a", "age": 30, "sport": "yes"}
{"user": 7, "age": 31}
{"age": 31}
{"user": "a", "age": 32}
nonsense
{"user": "b", "sport": "no", "age": null}
)");
  std::string faults;
  const auto json = read_attributes((folder / "a.jsonl").string(), &faults);
  EXPECT_THAT(json.attributes, ::testing::ElementsAre("age", "sport"));
  EXPECT_EQ(json.of.size(), 2u);
  EXPECT_FALSE(json.of.at("b").contains("age"));
  EXPECT_EQ(faults, "1 duplicate, 1 id-kind, 1 missing, 1 not-json (the first at line 2)");
  stream::testing::write_contents(folder / "a.csv", "user,age,sport\n007,30,yes\n8,,no\n9,1\n");
  const auto csv = read_attributes((folder / "a.csv").string(), &faults);
  EXPECT_EQ(csv.of.at("007").at("age").as_integer(), 30);
  EXPECT_FALSE(csv.of.at("8").contains("age"));
  EXPECT_EQ(faults, "1 columns (the first at line 4)");
}

TEST(Report, PlantedPairsAreFoundAndCoinsAreNot) {
  const ListenerTable table = table_of_world(PlaylistWorld({.users = 250, .seed = 4}));
  const auto tests = test_features(table);
  EXPECT_EQ(tests.size(), kPlaylistFeatures * table.attributes.size());
  std::size_t found = 0, coins = 0, all = 0;
  for (const FeatureTest& test : tests) {
    const std::string& attribute = table.attributes[test.attribute];
    EXPECT_STREQ(test.test, attribute == "age" ? "spearman" : "mann-whitney");
    if (test.q > 0.05) continue;
    ++all;
    coins += attribute.starts_with("null") ? 1 : 0;
    found += attribute == "openness" ? 1 : 0;
  }
  EXPECT_GT(found, 0u);
  EXPECT_LE(static_cast<double>(coins), 0.2 * static_cast<double>(all)) << "one in twenty is to be expected";
}

}  // namespace
}  // namespace stream::recommenders
