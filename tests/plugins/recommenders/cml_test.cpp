/// Collaborative metric learning: the formulas, the stream against the log, and what must not matter.
#include <gmock/gmock.h>

#include "nn/device.hpp"
#include "program/program.hpp"
#include "recommenders/recommenders_cml.hpp"
#include "recommenders/taste_baselines.hpp"
#include "stream/testing.hpp"
#include "tickets.hpp"

namespace stream::recommenders {
namespace {

using stream::testing::ScratchFolder;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PlotText, WordsAreLettersInLowerCase) {
  EXPECT_THAT(words_of("A Bank-robber's  Überfall, 1973."),
              ElementsAre("a", "bank", "robber", "s", "Überfall"));
  EXPECT_TRUE(words_of(" 12, -- ").empty());
}

TEST(PlotText, VectorsAreIdfMeansWithoutTheFirstDirectionStandardised) {
  const std::vector<std::string> plots{"sea ship storm the the", "sea ship island the",
                                       "law court judge the",    "law judge court storm the",
                                       "sea island the",         "court law the sea"};
  WordVectorOptions options;
  options.kind = "random", options.features = 4, options.least = 2;
  const PlotVectors vectors(plots, options, Random(5));
  EXPECT_EQ(vectors.number("the") >= 0, true);
  EXPECT_EQ(vectors.number("zebra"), -1);
  // By the formula, from the words' vectors.
  const auto mean_of = [&](const std::string& plot) {
    std::vector<double> x(4);
    double sum = 0;
    for (const std::string& w : words_of(plot)) {
      if (vectors.number(w) < 0) continue;
      double documents = 0;
      for (const std::string& p : plots) {
        const auto words = words_of(p);
        documents += std::find(words.begin(), words.end(), w) != words.end() ? 1 : 0;
      }
      const double idf = std::log(6 / documents);
      const auto e = vectors.word_vector(static_cast<std::size_t>(vectors.number(w)));
      for (std::size_t f = 0; f < 4; ++f) x[f] += idf * static_cast<double>(e[f]);
      sum += idf;
    }
    for (double& v : x) v /= sum;
    return x;
  };
  double totals[4] = {}, squares[4] = {};
  for (const std::string& plot : plots) {
    const auto x = vectors(plot);
    for (std::size_t f = 0; f < 4; ++f) totals[f] += x[f], squares[f] += x[f] * x[f];
  }
  for (std::size_t f = 0; f < 4; ++f) {
    EXPECT_NEAR(totals[f], 0, 1e-4);
    EXPECT_NEAR(squares[f] / 6, 1, 1e-4);
  }
  // What was taken away is one direction: differences of raw and final means, rescaled, have rank one.
  Archive group;
  vectors.save(group);
  const auto mean = group.get<std::vector<float>>("mean"),
             deviation = group.get<std::vector<float>>("deviation"),
             direction = group.get<std::vector<float>>("direction");
  double best = 0, other = 0, length = 0;
  for (const float v : direction) length += static_cast<double>(v) * static_cast<double>(v);
  EXPECT_NEAR(length, 1, 1e-5);
  for (const std::string& plot : plots) {
    const auto raw = mean_of(plot);
    const auto x = vectors(plot);
    double along = 0, left = 0;
    for (std::size_t f = 0; f < 4; ++f) along += raw[f] * static_cast<double>(direction[f]);
    for (std::size_t f = 0; f < 4; ++f) {
      const double without =
          static_cast<double>(x[f]) * static_cast<double>(deviation[f]) + static_cast<double>(mean[f]);
      EXPECT_NEAR(without, raw[f] - along * static_cast<double>(direction[f]), 1e-5);
      left += without * static_cast<double>(direction[f]);
    }
    EXPECT_NEAR(left, 0, 1e-5);
    best += along * along;
    // No other direction holds more of the corpus.
    Random random(stable_hash(plot));
    other += raw[0] * raw[0];
  }
  EXPECT_GE(best, other);
}

TEST(PlotText, WordsOfOnePlaceLieTogether) {
  // Two groups of words that never meet.
  std::vector<std::vector<std::int32_t>> documents;
  Random random(2);
  for (int i = 0; i < 400; ++i) {
    auto& document = documents.emplace_back();
    const auto group = static_cast<std::int32_t>(random.below(2));
    for (int w = 0; w < 8; ++w) document.push_back(group * 5 + static_cast<std::int32_t>(random.below(5)));
  }
  SkipGramOptions options;
  options.subsampling = 1, options.epochs = 10;
  const auto v = skip_gram(documents, 10, 16, options, Random(3));
  const auto cosine = [&](std::size_t a, std::size_t b) {
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t f = 0; f < 16; ++f) {
      const double x = v[a * 16 + f], y = v[b * 16 + f];
      dot += x * y, aa += x * x, bb += y * y;
    }
    return dot / std::sqrt(aa * bb);
  };
  double within = 0, between = 0;
  for (std::size_t a = 0; a < 5; ++a)
    for (std::size_t b = 0; b < 5; ++b) {
      if (a != b) within += cosine(a, b) + cosine(5 + a, 5 + b);
      between += cosine(a, 5 + b);
    }
  EXPECT_GT(within / 40, between / 25 + 0.5);
}

TEST(PlotText, FilesOfWordVectorsAreReadInBothFormats) {
  const ScratchFolder folder;
  const std::unordered_map<std::string, std::size_t> wanted{{"sea", 0}, {"law", 1}, {"zebra", 2}};
  stream::testing::write_contents(folder / "w2v.txt", "2 3\nsea 1 2 3\nlaw -1 0.5 1e-2 \n");
  stream::testing::write_contents(folder / "glove.txt", "sea 1 2 3\nlaw -1 0.5 1e-2\n");
  for (const char* name : {"w2v.txt", "glove.txt"}) {
    std::size_t features = 0;
    const auto v = read_word_vectors((folder / name).string(), wanted, features);
    EXPECT_EQ(features, 3u);
    EXPECT_THAT(v, ElementsAre(1, 2, 3, -1, 0.5, 0.01f, 0, 0, 0));
  }
  std::size_t features = 0;
  for (const auto& [text, message] : {std::pair{"sea 1 2\nlaw 1 2 3\n", "line 2"},
                                      {"sea 1 x\n", "column 7"},
                                      {"", "no word vectors"},
                                      {"sea 1 nan\n", "column 7"}}) {
    stream::testing::write_contents(folder / "bad.txt", text);
    try {
      read_word_vectors((folder / "bad.txt").string(), wanted, features);
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kBadData);
      EXPECT_THAT(e.what(), HasSubstr(message));
    }
  }
}

TEST(Films, WrongLinesAreCountedAndNamed) {
  const ScratchFolder folder;
  stream::testing::write_contents(folder / "films.jsonl",
                                  R"({"film": "a", "release": 10, "plot": "x", "budget": 5}
{"film": "b", "release": "2020-02-30", "plot": "x"}
{"film": "c", "plot": 7}
{"film": "a", "plot": "again"}
nonsense
{"film": 12, "plot": "y", "budget": 0}
{"plot": "z"}
)");
  std::string faults;
  const auto films = read_films((folder / "films.jsonl").string(), {}, &faults);
  ASSERT_EQ(films.size(), 2u);
  EXPECT_EQ(films[0].release, 10);
  EXPECT_EQ(films[1].name, "12");
  EXPECT_TRUE(std::isnan(films[1].release));
  EXPECT_TRUE(std::isnan(films[1].amounts[0])) << "0 says that it is not known";
  EXPECT_EQ(faults, "1 duplicate, 1 missing, 1 not-json, 1 time, 1 type (the first at line 2)");
  stream::testing::write_contents(folder / "cmu.txt", "31186339\tA poor girl.\nno tab\n");
  const auto cmu = read_films((folder / "cmu.txt").string(), {.format = "cmu"}, &faults);
  ASSERT_EQ(cmu.size(), 1u);
  EXPECT_EQ(cmu[0].plot, "A poor girl.");
  EXPECT_EQ(faults, "1 columns (the first at line 2)");
  stream::testing::write_contents(
      folder / "tmdb.jsonl",
      R"({"id": 603, "overview": "Set in the 22nd century.", "release_date": "1999-03-30", "budget": 63000000})"
      "\n"
      R"({"id": 604, "overview": "More.", "release_date": ""})");
  const auto tmdb = read_films((folder / "tmdb.jsonl").string(), {.format = "tmdb"}, &faults);
  ASSERT_EQ(tmdb.size(), 2u);
  EXPECT_EQ(tmdb[0].name, "603");
  EXPECT_EQ(tmdb[0].release, 922752000);
  EXPECT_TRUE(std::isnan(tmdb[1].release));
}

TEST(CmlSamples, NothingThatCameLaterIsKnown) {
  const auto data = testing::small_data();
  const TicketLog& log = data->log();
  EXPECT_LT(data->training().end, data->validation().begin + 1);
  EXPECT_LE(log.shown[data->training().end - 1] + 28 * kSecondsOfDay, log.shown[data->validation().begin]);
  EXPECT_LE(log.shown[data->validation().end - 1] + 28 * kSecondsOfDay, log.shown[data->test().begin]);
  for (const CmlSample& s : data->samples(data->test(), 1, 0)) {
    const auto history = data->history(s);
    ASSERT_GE(history.size(), 3u);
    for (const Ticket& t : history) {
      ASSERT_LT(t.time, log.shown[static_cast<std::size_t>(s.film)]);
      ASSERT_NE(t.film, s.film);
    }
  }
}

TEST(CmlSamples, AFilmSoldBeforeItsReleaseIsScoredBeforeItsFirstTicket) {
  const std::vector<events::Event> tickets{{Time{5'000'000'000}, "c", "a", 1, {}},
                                           {Time{6'000'000'000}, "c", "b", 2, {}},
                                           {Time{9'000'000'000}, "c", "nowhere", 3, {}}};
  const TicketLog log = ticket_log(tickets, {{"b", "", 8, {}}, {"a", "", 2, {}}, {"never", ""}});
  ASSERT_EQ(log.films.size(), 2u);
  EXPECT_EQ(log.films[1].name, "b");
  EXPECT_EQ(log.shown[1], 6);
  EXPECT_EQ(log.unknown, 1);
  EXPECT_EQ(log.first_unknown, 3);
  EXPECT_EQ(tickets_before(log.tickets[0], log.shown[1]), 1u);
}

TEST(CmlSamples, WhatIsLeftOutIsAHashOfThePairAlone) {
  const auto data = testing::small_data();
  const auto some = data->samples(data->training(), 0.3, 7), again = data->samples(data->training(), 0.3, 7),
             other = data->samples(data->training(), 0.3, 8), all = data->samples(data->training(), 1, 7);
  const auto count = [](const auto& samples, bool bought) {
    return std::count_if(samples.begin(), samples.end(),
                         [&](const CmlSample& s) { return s.bought == bought; });
  };
  EXPECT_EQ(count(some, true), count(all, true));
  EXPECT_NEAR(static_cast<double>(count(some, false)) / static_cast<double>(count(all, false)), 0.3, 0.03);
  const auto same = [](const auto& a, const auto& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const CmlSample& x, const CmlSample& y) {
      return x.customer == y.customer && x.film == y.film;
    });
  };
  EXPECT_TRUE(same(some, again));
  EXPECT_FALSE(same(some, other));
}

TEST(Cml, FilmsAndCustomersLieOnTheSphere) {
  const auto trainer = testing::small_cml();
  while (!trainer->finished()) trainer->step();
  const auto samples = trainer->data().samples(trainer->data().test(), 1, 0);
  const CmlBatch batch = trainer->batch_of(std::span(samples).first(50), nullptr);
  const at::Tensor z = trainer->network().films(batch.x, nullptr), u = trainer->network().customers(batch, z);
  EXPECT_LT((z.norm(2, -1) - 1).abs().max().item<double>(), 1e-5);
  EXPECT_LT((u.norm(2, -1) - 1).abs().max().item<double>(), 1e-5);
  const at::Tensor apart = (u - at::embedding(z, batch.film)).square().sum(-1) -
                           (2 - 2 * (u * at::embedding(z, batch.film)).sum(-1));
  EXPECT_LT(apart.abs().max().item<double>(), 1e-5);
}

TEST(Cml, ThePlainForwardIsThatOfLibtorch) {
  for (const bool deep : {true, false})
    for (const bool ageing : {true, false}) {
      const auto trainer = testing::small_cml(1, deep, ageing);
      while (!trainer->finished()) trainer->step();
      const CmlData& data = trainer->data();
      const auto samples = data.samples(data.test(), 1, 0);
      const CmlBatch batch = trainer->batch_of(samples, nullptr);
      const at::Tensor z = trainer->network().films(batch.x, nullptr);
      const at::Tensor logits =
          trainer->network().logits(batch, trainer->network().customers(batch, z), z).detach();
      const PurchaseHead head = trainer->network().head();
      EXPECT_EQ(head.tau > 0, ageing);
      const auto taste = by_distance(data, trainer->tower(), head.tau)(samples);
      for (std::size_t i = 0; i < samples.size(); ++i)
        ASSERT_NEAR(head.logit(-taste[i], data.habit(samples[i]), data.covariates(samples[i].film)),
                    logits[static_cast<std::int64_t>(i)].item<double>(), 1e-4);
    }
}

TEST(Cml, TheTowerStartsWhereThePlotsLie) {
  const auto data = testing::small_data();
  for (const bool deep : {true, false}) {
    const CmlNetwork network({.deep = deep, .features = 16, .hidden = 8},
                             {.intercept = -3, .covariates = {0.5}}, nn::generator(1));
    EXPECT_EQ(network.head().intercept, -3);
    EXPECT_EQ(network.head().covariates[0], 0.5);
    const FilmTower tower = network.tower(), none;
    for (const std::int32_t film : {0, 7}) {
      const auto z = tower(data->x(film)), x = none(data->x(film));
      for (std::size_t f = 0; f < 16; ++f) EXPECT_NEAR(z[f], x[f], 1e-6);
    }
  }
}

TEST(Cml, PushAndPullWeighByTheEstimatedRank) {
  const at::Tensor positive = torch::tensor({1.0f, 0.2f}),
                   negative = torch::tensor({{0.8f, 1.2f, 3.f, 3.f}, {2.f, 2.f, 2.f, 2.f}});
  // The first: two of four inside the margin, of 100 films: ln(1 + 50) (.5 + 1 - .8). The second: none.
  EXPECT_NEAR(push_pull(positive, negative, 0.5, 100).item<double>(), std::log(51.0) * 0.7 / 2, 1e-5);
  const at::Tensor z = torch::tensor({{1.f, 2.f}, {3.f, 2.f}, {5.f, 5.f}});
  // C = [[8/3, 2], [2, 2]]
  const double frobenius = std::sqrt(64.0 / 9 + 4 + 4 + 4), diagonal = 64.0 / 9 + 4;
  EXPECT_NEAR(covariance_term(z).item<double>(), (frobenius - diagonal) / 3, 1e-4);
}

TEST(Cml, TheInterceptBringsTheMeanToWhatWasBought) {
  const auto trainer = testing::small_cml(2);
  while (!trainer->finished()) trainer->step();
  const CmlData& data = trainer->data();
  const PurchaseHead head = trainer->head();
  const auto samples = data.samples(data.training(), 1, 0);
  const auto taste = by_distance(data, trainer->tower(), head.tau)(samples);
  double sum = 0, bought = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    sum += sigmoid(head.logit(-taste[i], data.habit(samples[i]), data.covariates(samples[i].film)));
    bought += samples[i].bought ? 1 : 0;
  }
  EXPECT_NEAR(sum / bought, 1, 0.05) << "the small sample's own error included";
  EXPECT_NEAR(corrected_intercept(std::vector<double>{0, 0}, std::vector<std::uint8_t>{1, 0}, 0.1),
              std::log(1.0 / 10), 1e-9);
}

TEST(Cml, TheLogisticIsFitted) {
  Random random(4);
  std::vector<double> x;
  std::vector<std::uint8_t> y;
  for (int i = 0; i < 20000; ++i) {
    const double a = random.normal(), b = random.normal();
    x.insert(x.end(), {1, a, b});
    y.push_back(random.uniform() < sigmoid(-1 + 0.7 * a - 1.5 * b) ? 1 : 0);
  }
  const auto w = fit_logistic(x, y, 3);
  EXPECT_NEAR(w[0], -1, 0.08);
  EXPECT_NEAR(w[1], 0.7, 0.08);
  EXPECT_NEAR(w[2], -1.5, 0.08);
}

TEST(Cml, TopicsOfAPlotAreSharesAndFoundAgain) {
  const auto data = testing::small_data();
  TopicOptions options;
  options.topics = 8, options.sweeps = 30;
  const auto shares = topic_shares(*data, data->training().end, options, Random(1));
  ASSERT_EQ(shares.size(), data->log().films.size() * 8);
  for (std::size_t m = 0; m < data->log().films.size(); ++m) {
    double sum = 0;
    for (std::size_t k = 0; k < 8; ++k) sum += shares[m * 8 + k];
    EXPECT_NEAR(sum, 1, 1e-9);
  }
}

TEST(Cml, TrainingGoesOnWhereItStopped) {
  const auto whole = testing::small_cml(2), first = testing::small_cml(2), second = testing::small_cml(2);
  while (!whole->finished()) whole->step();
  for (int i = 0; i < 5; ++i) first->step();
  Archive state;
  first->save(state);
  second->load(state);
  while (!second->finished()) second->step();
  EXPECT_EQ(whole->steps(), second->steps());
  EXPECT_EQ(whole->tower().second, second->tower().second);
  EXPECT_EQ(whole->head().intercept, second->head().intercept);
}

class CmlStream : public ::testing::Test {
 protected:
  CmlStream() { testing::write_small_cml(path_); }
  std::unique_ptr<Operator> make() { return stream::testing::make<CmlOperator>({{"model", path_}}); }
  ScratchFolder folder_;
  std::string path_ = (folder_ / "cml.h5").string();
};

TEST_F(CmlStream, ForecastsAreThoseOfTheLog) {
  const auto packets = testing::cinema_packets(120, 60);
  const auto op = make();
  const auto out = stream::testing::run(*op, packets, 3);
  EXPECT_TRUE(out.packets[2].empty());
  const CmlModel model = CmlModel::read(path_);
  const auto log = log_of_world(TicketWorld(testing::small_cinema()));
  ASSERT_GT(out.packets[0].size(), 100u);
  for (std::size_t at : {30u, 80u, 100u}) {
    const auto& line = out.packets[0][at].as<Record>();
    const std::string film = line.at("film").as_string();
    const auto number = static_cast<std::size_t>(std::stoi(film.substr(1)));
    const double now = static_cast<double>(out.packets[0][at].time.count()) / 1e9;
    const auto z = model.tower(model.plots(log->films[number].plot));
    const auto covariates =
        covariates_of(log->films[number], model.covariate_means, model.covariate_deviations);
    double expected = 0;
    std::size_t eligible = 0;
    for (const auto& tickets : log->tickets) {
      const auto before = std::span(tickets).first(tickets_before(tickets, now));
      if (before.size() < 3) continue;
      ++eligible;
      const auto u = customer_point(before, 16, 0, [&](std::int32_t m) {
        return model.tower(model.plots(log->films[static_cast<std::size_t>(m)].plot));
      });
      expected += sigmoid(model.head.logit(
          2 - 2 * std::inner_product(u.begin(), u.end(), z.begin(), 0.0),
          habit_of(static_cast<double>(before.size()), before.back().time, log->begin, now), covariates));
    }
    EXPECT_NEAR(line.at("expected").as_double(), expected, 1e-6 * expected);
    const Object& tiers = line.at("tiers").as_object();
    EXPECT_NEAR(tiers.find("casual")->as_double() + tiers.find("regular")->as_double() +
                    tiers.find("frequent")->as_double(),
                expected, 1e-9 + 1e-6 * expected);
    const Array &customers = line.at("customers").as_array(), &near = line.at("near").as_array();
    ASSERT_EQ(customers.size(), std::min<std::size_t>(20, eligible));
    for (std::size_t i = 1; i < customers.size(); ++i)
      EXPECT_GE(customers[i - 1].as_array()[1].as_double(), customers[i].as_array()[1].as_double());
    ASSERT_EQ(near.size(), 5u);
    for (std::size_t i = 1; i < near.size(); ++i)
      EXPECT_LE(near[i - 1].as_array()[1].as_double(), near[i].as_array()[1].as_double());
  }
  const auto& point = out.packets[1].back().as<Record>().at("point").as_array();
  double length = 0;
  for (const Value& v : point) length += v.as_double() * v.as_double();
  EXPECT_NEAR(length, 1, 1e-9);
}

TEST_F(CmlStream, FaultsAreNamedWithTheirLineAndChangeNothing) {
  const auto packets = testing::cinema_packets(40, 20);
  const auto clean = make(), soiled = make();
  stream::testing::Collector a(3), b(3);
  for (const Packet& packet : packets) {
    clean->process(packet, a);
    soiled->process(packet, b);
    Packet strange = packet.with<Record>(Object{{"item", "nobody described"}, {"line", 77}});
    soiled->process(strange, b);
    strange = packet.with<Record>(Object{{"item", "f1"}, {"line", 78}});
    strange.key = Key();
    soiled->process(strange, b);
    if (packet.as<Record>().find("plot")) soiled->process(packet, b);
  }
  ASSERT_EQ(a.packets[0].size(), b.packets[0].size());
  for (std::size_t i = 0; i < a.packets[0].size(); ++i)
    EXPECT_EQ(a.packets[0][i].as<Record>().json(), b.packets[0][i].as<Record>().json());
  std::map<std::string, std::size_t> counts;
  for (const Packet& packet : b.packets[2]) ++counts[packet.as<Record>().at("fault").as_string()];
  EXPECT_EQ(counts["unknown-film"], packets.size());
  EXPECT_EQ(counts["no-customer"], packets.size());
  EXPECT_EQ(counts["film-twice"], a.packets[0].size());
  EXPECT_EQ(b.packets[2][0].as<Record>().at("line").as_integer(), 77);
  EXPECT_THROW(soiled->process(packets[0].with<Record>(Object{{"item", 1.5}}), b), Error);
  EXPECT_THROW(soiled->process(packets[0].with<Record>(Object{{"item", "x"}, {"plot", 3}}), b), Error);
}

TEST_F(CmlStream, AnotherModelGoesOnWithTheSameTickets) {
  const auto packets = testing::cinema_packets(120, 60);
  const std::size_t half = packets.size() / 2;
  const auto first = make();
  stream::testing::Collector before(3);
  for (std::size_t i = 0; i < half; ++i) first->process(packets[i], before);
  const std::string other = (folder_ / "other.h5").string();
  testing::write_small_cml(other, true);
  const auto resumed = stream::testing::make<CmlOperator>({{"model", other}}),
             fresh = stream::testing::make<CmlOperator>({{"model", other}});
  resumed->load(stream::testing::saved(*first));
  stream::testing::Collector a(3), b(3), c(3);
  for (std::size_t i = 0; i < half; ++i) fresh->process(packets[i], c);
  for (std::size_t i = half; i < packets.size(); ++i)
    resumed->process(packets[i], a), fresh->process(packets[i], b);
  ASSERT_EQ(a.packets[0].size(), b.packets[0].size());
  ASSERT_GT(a.packets[0].size(), 10u);
  for (std::size_t i = 0; i < a.packets[0].size(); ++i)
    EXPECT_EQ(a.packets[0][i].as<Record>().at("expected").as_double(),
              b.packets[0][i].as<Record>().at("expected").as_double());
}

TEST_F(CmlStream, DamagedModelsAreNamed) {
  stream::testing::write_contents(folder_ / "bad.h5", "no model");
  EXPECT_THROW(CmlModel::read((folder_ / "bad.h5").string()), Error);
  CmlModel model = CmlModel::read(path_);
  model.tower.first.pop_back();
  model.write((folder_ / "cut.h5").string());
  try {
    CmlModel::read((folder_ / "cut.h5").string());
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), HasSubstr("cut.h5"));
    EXPECT_THAT(e.what(), HasSubstr("'first' has 127 numbers, expected 128"));
  }
}

TEST(CmlControl, ShuffledTicketsKeepTheirNumbers) {
  auto options = testing::small_cinema();
  const TicketWorld world(options);
  options.shuffled = true;
  const TicketWorld shuffled(options);
  std::map<std::int32_t, int> customers, films;
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  std::size_t moved = 0;
  for (const MadeTicket& t : world.tickets()) ++customers[t.customer], ++films[t.film];
  std::set<std::pair<std::int32_t, std::int32_t>> before;
  for (const MadeTicket& t : world.tickets()) before.emplace(t.customer, t.film);
  for (const MadeTicket& t : shuffled.tickets()) {
    --customers[t.customer], --films[t.film];
    EXPECT_TRUE(pairs.emplace(t.customer, t.film).second) << "nobody sees a film twice";
    moved += before.contains({t.customer, t.film}) ? 0 : 1;
  }
  for (const auto& [c, n] : customers) EXPECT_EQ(n, 0);
  for (const auto& [m, n] : films) EXPECT_EQ(n, 0);
  EXPECT_GT(static_cast<double>(moved), 0.4 * static_cast<double>(pairs.size()));
}

}  // namespace
}  // namespace stream::recommenders
