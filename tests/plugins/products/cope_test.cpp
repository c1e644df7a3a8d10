/// COPE: the network by its formulas, training, the stream against the clip, and the made-up products.
#include <gmock/gmock.h>

#include <set>

#include "products/cope_retrieval.hpp"
#include "products/cope_text.hpp"
#include "products/products_cope.hpp"
#include "products/products_made.hpp"
#include "products/products_train.hpp"
#include "products/study_cope_parts.hpp"
#include "program/program.hpp"
#include "small.hpp"
#include "stream/testing.hpp"

namespace stream::products {
namespace {

using stream::testing::ScratchFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The pieces of each token.
std::vector<std::vector<std::int64_t>> pieces_of(std::string_view text, std::int64_t vocabulary,
                                                 std::int64_t length) {
  const TextTokens tokens = tokens_of(text, vocabulary, length);
  std::vector<std::vector<std::int64_t>> out;
  std::size_t begin = 0;
  for (const std::size_t end : tokens.ends) {
    out.emplace_back(tokens.pieces.begin() + static_cast<std::ptrdiff_t>(begin),
                     tokens.pieces.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end;
  }
  return out;
}

TEST(CopeText, WordsBecomeNumbers) {
  const auto a = pieces_of("Red mug, RED-mug!", 4096, 16);
  ASSERT_EQ(a.size(), 5u);
  EXPECT_THAT(a[0], ElementsAre(kStart));
  EXPECT_EQ(a[1], a[3]);
  EXPECT_EQ(a[2], a[4]);
  EXPECT_NE(a[1], a[2]);
  EXPECT_EQ(pieces_of("", 4096, 16).size(), 1u);
  EXPECT_EQ(pieces_of("a b c d", 4096, 3).size(), 3u);
  const auto signs = pieces_of("\xe7\xba\xa2\xe6\x9d\xaf", 4096, 16);
  ASSERT_EQ(signs.size(), 3u) << "each sign is a word";
  EXPECT_EQ(signs[1].size(), 1u);
  for (const auto& word : pieces_of("one two three \xff\xfe four", 16, 16))
    for (const std::int64_t piece : word) EXPECT_LT(piece, 16);
}

TEST(CopeText, WordsThatWereMisheardShareMostPieces) {
  const auto words = pieces_of(
      "bamodu bamidu \xc3\xbc"
      "ber a",
      1 << 20, 16);
  // The word itself; <ba bam amo mod odu du>.
  ASSERT_EQ(words[1].size(), 7u);
  std::size_t shared = 0;
  for (const std::int64_t piece : words[1]) shared += std::count(words[2].begin(), words[2].end(), piece);
  EXPECT_EQ(shared, 3u) << "<ba bam du>";
  EXPECT_EQ(words[3].size(), 5u) << "characters, not bytes";
  EXPECT_EQ(words[4].size(), 2u);
  EXPECT_EQ(pieces_of(std::string(1000, 'x'), 4096, 4)[1].size(), kMostPieces);
}

TEST(CopeText, WordsThatAreLeftOutChangeNothingElse) {
  const CopeShape shape = testing::small_shape();
  const TextTokens one = tokens_of("red mug", 64, 16), two = tokens_of("red blue mug and so on", 64, 16);
  int asked = 0;
  const TextBatch some = text_batch({one, two}, [&] { return ++asked % 2 == 1; });
  EXPECT_EQ(asked, 8);
  EXPECT_EQ(some.there.sizes(), (std::vector<std::int64_t>{2, 7}));
  EXPECT_EQ(some.there.sum().item<std::int64_t>(), 2 + 1 + 3);
  // Padding does not count: the shorter text alone is the same.
  const TextEncoder encoder(shape, nn::generator(3));
  const at::Tensor both = encoder.forward(text_batch({one, two})), alone = encoder.forward(text_batch({one}));
  EXPECT_LT((both[0] - alone[0]).abs().max().item<double>(), 1e-6);
  EXPECT_GT((both[0] - both[1]).abs().max().item<double>(), 1e-3);
}

TEST(CopeText, FramesAreSpreadOverAClip) {
  EXPECT_THAT(spread(8, 4), ElementsAre(1, 3, 5, 7));
  EXPECT_THAT(spread(1, 3), ElementsAre(0, 0, 0));
  EXPECT_THAT(spread(5, 5), ElementsAre(0, 1, 2, 3, 4));
}

TEST(CopeLosses, TheContrastIsSymmetricAndSmooths) {
  const at::Generator g = nn::generator(1);
  const auto unit = [](const at::Tensor& x) { return x / x.norm(2, -1, true); };
  const at::Tensor a = unit(torch::empty({5, 4}).normal_(0, 1, g)),
                   b = unit(torch::empty({5, 4}).normal_(0, 1, g));
  EXPECT_NEAR(contrast(a, b, 0.05, 0.1).item<double>(), contrast(b, a, 0.05, 0.1).item<double>(), 1e-5);
  // By the formula: 0.9 of the weight on the true one, 0.1 spread over all five.
  const at::Tensor s = at::matmul(a, b.t()).to(at::kDouble) / 0.05;
  double sum = 0;
  for (const at::Tensor& logits : {s, at::Tensor(s.t())})
    for (std::int64_t i = 0; i < 5; ++i) {
      const at::Tensor log_p = logits[i].log_softmax(0);
      sum -= 0.9 * log_p[i].item<double>() + 0.1 * log_p.mean().item<double>();
    }
  EXPECT_NEAR(contrast(a, b, 0.05, 0.1).item<double>(), sum / 10, 1e-4);
}

TEST(CopeLosses, ReleasedPairsAreSeven) {
  EXPECT_EQ(pairs_of(Objective::kReleased, false).size(), 7u);
  EXPECT_EQ(pairs_of(Objective::kCope, true).size(), 10u);
  EXPECT_EQ(classified_of(Objective::kCope, true).size(), 3u);
  for (const ViewPair& pair : pairs_of(Objective::kWithin, true)) EXPECT_EQ(pair.first, pair.second);
  for (const ViewPair& pair : pairs_of(Objective::kPages, true)) EXPECT_EQ(pair.second, Domain::kPage);
  for (const std::string& name : objective_names()) EXPECT_EQ(name_of(objective_of(name)), name);
  EXPECT_THROW(objective_of("copy"), Error);
}

TEST(CopeNetwork, MessagesTellFramesOfEachOther) {
  CopeShape shape = testing::small_shape();
  const CopeNetwork network(shape, nn::generator(2));
  const MadeProducts world = testing::small_world();
  const Clip clip = world.clip(1, Domain::kLive, 0);
  // The same frames in another order are another clip, but not a very different one.
  Clip turned = clip;
  const int last = clip.count() - 1;
  for (int f = 0; f <= last; ++f)
    std::copy_n(clip.frame(last - f).begin(), clip.frame_bytes(),
                turned.frames.begin() +
                    static_cast<std::ptrdiff_t>(static_cast<std::size_t>(f) * clip.frame_bytes()));
  EXPECT_NE(network.embed(clip, Domain::kLive), network.embed(turned, Domain::kLive));
  // Each domain has maps of its own, which begin alike.
  const auto video = network.embed(clip, Domain::kVideo);
  EXPECT_EQ(network.embed(clip, Domain::kLive), video);
  {
    const torch::NoGradGuard no_grad;
    at::Tensor(network.named_parameters()["head.live_fused.weight"]).normal_(0, 1, nn::generator(3));
  }
  EXPECT_NE(network.embed(clip, Domain::kLive), video);
  EXPECT_EQ(network.embed(clip, Domain::kVideo), video);
  double length = 0;
  for (const float v : network.embed(clip, Domain::kPage))
    length += static_cast<double>(v) * static_cast<double>(v);
  EXPECT_NEAR(length, 1, 1e-5);
}

/// The last block of an encoder computes its first token alone.
TEST(CopeNetwork, TheFirstTokenAloneIsThatAmongTheOthers) {
  const at::Generator g = nn::generator(4);
  const at::Tensor x = torch::empty({6, 9, 12}).normal_(0, 1, g);
  const auto apart = [](const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
  };
  SelfAttention attention(12, 3, 2, g);
  for (at::Tensor& p : attention.parameters())
    if (p.dim() == 1) p.set_data(torch::empty(p.sizes()).normal_(0, 1, g));
  at::Tensor mask = torch::zeros({6, 1, 1, 9});
  for (const bool masked : {false, true}) {
    if (masked) mask.narrow(0, 0, 3).narrow(3, 5, 4).fill_(-1e9);
    EXPECT_LT(apart(attention.forward(x, mask).select(1, 0), attention.first(x, mask.squeeze(1))), 1e-5);
  }
  EXPECT_LT(apart(attention.forward(x).select(1, 0), attention.first(x)), 1e-5);
  MessageBlock block(12, 3, g);
  EXPECT_LT(apart(block.forward(x, 3).select(1, 0), block.class_tokens(x, 3)), 1e-5);
  // Gradients, too: those of the keys' bias are zero.
  const auto gradients = [&](const at::Tensor& first) {
    attention.zero_grad();
    first.square().sum().backward();
    std::vector<at::Tensor> out;
    for (const at::Tensor& p : attention.parameters()) out.push_back(p.grad().clone());
    return out;
  };
  const auto among = gradients(attention.forward(x).select(1, 0)), alone = gradients(attention.first(x));
  for (std::size_t i = 0; i < among.size(); ++i) EXPECT_LT(apart(among[i], alone[i]), 1e-3) << i;
}

TEST(CopeNetwork, FeedForwardIsCLIPs) {
  const at::Generator g = nn::generator(5);
  const FeedForward mlp(6, true, g);
  const at::Tensor x = torch::empty({7, 6}).normal_(0, 1, g);
  const auto p = mlp.named_parameters();
  const at::Tensor y = at::linear(x, p["up.weight"], p["up.bias"]);
  const at::Tensor expected = at::linear(y * (1.702 * y).sigmoid(), p["down.weight"], p["down.bias"]);
  EXPECT_LT((mlp.forward(x) - expected).abs().max().item<double>(), 1e-6);
}

TEST(CopeNetwork, TextCountsWhereItIsFused) {
  const MadeProducts world = testing::small_world();
  Clip clip = world.clip(1, Domain::kLive, 0);
  for (const bool everywhere : {true, false}) {
    CopeShape shape = testing::small_shape();
    shape.text_everywhere = everywhere;
    const CopeNetwork network(shape, nn::generator(2));
    for (const Domain domain : kDomains) {
      Clip other = clip;
      other.text = "something else";
      EXPECT_EQ(network.embed(clip, domain) != network.embed(other, domain),
                everywhere || domain == Domain::kPage);
    }
  }
}

TEST(CopeNetwork, ShapesThatCannotBeAreNamed) {
  CopeShape shape = testing::small_shape();
  shape.patch = 5;
  try {
    shape.check();
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("size = 16 is no multiple of patch = 5"));
  }
}

TEST(CopeTrainer, LossFallsAndEveryObjectiveTrains) {
  const MadeProducts world = testing::small_world();
  const auto set = std::make_shared<ProductSet>(world.set(0, 12, 2));
  for (const std::string& name : objective_names()) {
    CopeTrainerOptions options;
    options.shape = testing::small_shape();
    options.objective = objective_of(name);
    options.batch = 6, options.epochs = 30, options.learning_rate = 5e-3, options.warm_up = 2;
    options.classification = 0.1, options.word_dropout = 0;
    CopeTrainer trainer(set, std::make_shared<ProductSet>(), options, Random(1));
    trainer.step();
    const double first = trainer.loss();
    while (!trainer.finished()) trainer.step();
    EXPECT_EQ(trainer.steps(), 60);
    EXPECT_LT(trainer.loss(), first) << name;
  }
}

TEST(CopeTrainer, ProductsWithoutADomainAreNotLearntFrom) {
  auto set = std::make_shared<ProductSet>(testing::small_world().set(0, 3, 1));
  for (std::size_t p : {0u, 1u}) set->products[p].of(Domain::kLive).clear();
  CopeTrainerOptions options;
  options.shape = testing::small_shape();
  try {
    const CopeTrainer trainer(set, std::make_shared<ProductSet>(), options, Random(1));
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("of 3 products, 1 have clips of all of page, video, live"));
  }
}

TEST(CopeRetrieval, RanksByHand) {
  AllVectors all;
  for (DomainVectors& v : all) {
    v.features = 2;
    v.product = {0, 1};
    v.vectors = {1, 0, 0, 1};
  }
  EXPECT_DOUBLE_EQ(retrieval(all).mean_rank1(), 1);
  EXPECT_DOUBLE_EQ(retrieval(all).mean_precision(), 1);
  all[2].vectors = {0, 1, 1, 0};  // live streams look like the other product
  const RetrievalQuality q = retrieval(all);
  EXPECT_THAT(q.rank1, ElementsAre(1, 1, 0, 0, 0, 0));
  EXPECT_DOUBLE_EQ(q.live_rank1(), 0);
  EXPECT_DOUBLE_EQ(q.precision[2], 0.5);
  EXPECT_DOUBLE_EQ(twin_confusion(all, {0, 0}), 4.0 / 6);
  EXPECT_DOUBLE_EQ(twin_confusion(all, {-1, -1}), 0);
}

TEST(MadeProducts, AreDifferentAndTwinsDifferInOneAttribute) {
  const MadeProducts world({.seed = 5});
  ASSERT_EQ(world.products().size(), 600u);
  std::set<std::array<int, kAttributes>> all;
  std::map<int, std::vector<MadeProduct>> groups;
  for (const MadeProduct& p : world.products()) {
    all.insert(p.values);
    if (p.twins >= 0) groups[p.twins].push_back(p);
  }
  EXPECT_EQ(all.size(), 600u);
  EXPECT_EQ(groups.size(), 8u);
  for (const auto& [group, twins] : groups) {
    ASSERT_EQ(twins.size(), 4u);
    std::set<std::size_t> differ;
    for (std::size_t a = 0; a < kAttributes; ++a)
      for (const MadeProduct& p : twins)
        if (p.values[a] != twins[0].values[a]) differ.insert(a);
    EXPECT_EQ(differ.size(), 1u) << group;
  }
  int unseen = 0;
  for (std::size_t p = 500; p < 600; ++p) unseen += world.products()[p].twins >= 0 ? 1 : 0;
  EXPECT_EQ(unseen, 16) << "half of the groups are among those that training does not see";
  EXPECT_THROW(MadeProducts({.products = 100000}), Error);
}

TEST(MadeProducts, ClipsAreFunctionsOfSeedAndNumber) {
  const MadeProducts world = testing::small_world(), again = testing::small_world();
  for (const Domain domain : kDomains) {
    const Clip a = world.clip(4, domain, 1), b = again.clip(4, domain, 1), c = world.clip(4, domain, 2);
    EXPECT_EQ(a.frames, b.frames);
    EXPECT_EQ(a.text, b.text);
    EXPECT_NE(a.frames, c.frames);
    EXPECT_NE(a.text, c.text);
  }
  // Pages are on white; in live streams two frames of five are without the product.
  const Clip page = world.clip(0, Domain::kPage, 0);
  EXPECT_EQ(page.count(), 1);
  EXPECT_GT(page.frame(0)[0], 240);
  const std::size_t words = static_cast<std::size_t>(std::count(page.text.begin(), page.text.end(), ' ') + 1);
  EXPECT_GE(words, 4u);
}

TEST(CopeOperator, AStreamGivesTheClipsVectorBitForBit) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const CopeModel read(model);
  const MadeProducts world = testing::small_world();
  Clip clip = world.clip(3, Domain::kLive, 7);
  clip.text = "what is said";
  const auto op = stream::testing::make<CopeOperator>({{"model", model}, {"index", index}, {"emit", "clip"}});
  stream::testing::Collector out(4);
  for (int f = 0; f < clip.count(); ++f)
    op->process(0, testing::frame_packet(clip.frame(f), 16, Time{f * 40'000'000}), out);
  op->process(1, Packet::of<Record>(Time{900'000'000}, Object{{"text", "what is said"}}), out);
  op->finish(out);
  ASSERT_EQ(out.packets[2].size(), 1u);
  std::vector<float> vector;
  for (const Value& v : out.packets[2][0].as<Record>().at("vector").as_array())
    vector.push_back(static_cast<float>(v.as_double()));
  EXPECT_EQ(vector, read.network().embed(clip, Domain::kLive));
  // The products are those of a search by hand.
  const PageIndex pages(index, {});
  const Array& products = out.packets[0][0].as<Record>().at("products").as_array();
  ASSERT_EQ(products.size(), 5u);
  float best = -2;
  std::string id;
  for (std::size_t p = 0; p < pages.size(); ++p)
    if (const float s = pages.score(vector, p); s > best) best = s, id = pages.id(p);
  EXPECT_EQ(products[0].as_array()[0].as_string(), id);
  EXPECT_EQ(out.packets[0][0].as<Record>().at("frames").as_integer(), clip.count());
}

TEST(CopeOperator, AWindowIsWhatItsFramesAndWordsAre) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const CopeModel read(model);
  const auto input = testing::show(2, 3);
  const auto op = stream::testing::make<CopeOperator>(
      {{"model", model}, {"index", index}, {"window", "3s"}, {"hop", "1s"}, {"steady", 1}});
  stream::testing::Collector out(4);
  op->process(1, Packet::of<Record>(Time{0}, Object{{"text", "first words"}}), out);
  for (const Packet& p : input) op->process(0, p, out);
  op->finish(out);
  const auto& vectors = out.packets[2];
  ASSERT_GE(vectors.size(), 10u);
  for (const Packet& packet : vectors) {
    Clip clip;
    clip.size = 16;
    const Time end = packet.time;
    for (const Packet& p : input)
      if (p.time > end - std::chrono::seconds(3) && p.time <= end)
        for (const Frame::Plane& plane : p.as<Frame>().planes()) {
          const auto* from = reinterpret_cast<const std::uint8_t*>(plane.data.data());
          clip.frames.insert(clip.frames.end(), from, from + 256);
        }
    if (end < std::chrono::seconds(3)) clip.text = "first words";
    std::vector<float> found;
    for (const Value& v : packet.as<Record>().at("vector").as_array())
      found.push_back(static_cast<float>(v.as_double()));
    EXPECT_EQ(found, read.network().embed(clip, Domain::kLive)) << end.count();
  }
  // A line for each change, and for nothing else.
  std::string shown;
  std::size_t changes = 0;
  for (const Packet& packet : out.packets[0]) {
    const std::string best = packet.as<Record>().at("products").as_array()[0].as_array()[0].as_string();
    if (best != shown) {
      ASSERT_LT(changes, out.packets[1].size());
      EXPECT_EQ(out.packets[1][changes].as<Record>().at("id").as_string(), best);
      EXPECT_EQ(out.packets[1][changes].time, packet.time);
      ++changes;
    }
    shown = best;
  }
  EXPECT_EQ(changes, out.packets[1].size());
}

TEST(CopeOperator, SmoothingIsTheFormula) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const auto input = testing::show(2, 2);
  const auto run = [&](double z) {
    const auto op = stream::testing::make<CopeOperator>(
        {{"model", model}, {"index", index}, {"smoothing", z}, {"k", 20}});
    return stream::testing::run(*op, input, 4);
  };
  const auto plain = run(0), smooth = run(0.7);
  std::map<std::string, double> z;
  for (std::size_t i = 0; i < plain.packets[0].size(); ++i) {
    for (const Value& v : plain.packets[0][i].as<Record>().at("products").as_array()) {
      const std::string& id = v.as_array()[0].as_string();
      const double now = v.as_array()[1].as_double();
      z[id] = i == 0 ? now : 0.7 * z[id] + 0.3 * now;
    }
    for (const Value& v : smooth.packets[0][i].as<Record>().at("products").as_array())
      EXPECT_NEAR(v.as_array()[1].as_double(), z[v.as_array()[0].as_string()], 1e-5);
  }
}

TEST(CopeOperator, WhatIsWrongIsNamedAndHarmsNothing) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const auto op = stream::testing::make<CopeOperator>({{"model", model}, {"index", index}});
  stream::testing::Collector out(4);
  const auto input = testing::show(2, 1);
  op->process(0, input[0], out);
  op->process(0, testing::frame_packet(std::vector<std::uint8_t>(3 * 32 * 32, 90), 32, input[1].time), out);
  for (const Value& text : {Value(), Value(7), Value(""), Value(std::string(5000, 'x'))}) {
    Object record;
    if (!text.is_null()) record.set("text", text);
    op->process(1, Packet::of<Record>(input[1].time, record), out);
  }
  op->process(0, input[10], out);
  op->finish(out);
  std::vector<std::string> faults;
  for (const Packet& p : out.packets[3]) faults.push_back(p.as<Record>().at("fault").as_string());
  EXPECT_THAT(faults,
              ElementsAre("frame-size", "no-text", "text-kind", "empty-text", "long-text", "frame-size"));
  EXPECT_FALSE(out.packets[0].empty());
  // An index of another model, and files that are none.
  const std::string other = (folder / "other.h5").string();
  write_cope(other, CopeNetwork(testing::small_shape(), nn::generator(2)));
  EXPECT_THROW(stream::testing::make<CopeOperator>({{"model", other}, {"index", index}}), Error);
  EXPECT_THROW(stream::testing::make<CopeOperator>({{"model", index}, {"index", index}}), Error);
  EXPECT_THROW(
      stream::testing::make<CopeOperator>({{"model", (folder / "no.h5").string()}, {"index", index}}), Error);
}

TEST(CopeOperator, ALongSilenceCostsNothing) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  const auto op = stream::testing::make<CopeOperator>({{"model", model}, {"index", index}, {"hop", "100ms"}});
  stream::testing::Collector out(4);
  const auto frame = testing::show(2, 1)[0];
  for (const double hours : {-1e5, 0.0, 1e6}) {
    Packet p = frame;
    p.time = Time{static_cast<std::int64_t>(hours * 3.6e12 / 2)};
    op->process(0, p, out);
    op->process(1, Packet::of<Record>(p.time, Object{{"text", "words"}}), out);
  }
  op->finish(out);
  EXPECT_LT(out.packets[0].size(), 300u);
  EXPECT_GE(out.packets[1].size(), 3u) << "shown, nothing, shown";
}

TEST(PageIndex, LargeIndicesAreSearchedThroughAGraph) {
  const ScratchFolder folder;
  IndexedPages pages;
  pages.features = 8, pages.fingerprint = "x";
  Random random(4);
  for (int p = 0; p < 600; ++p) {
    std::vector<float> v;
    double square = 0;
    for (int f = 0; f < 8; ++f)
      v.push_back(static_cast<float>(random.normal())), square += v.back() * v.back();
    for (float& x : v) x /= static_cast<float>(std::sqrt(square));
    pages.ids.push_back(std::to_string(p)), pages.titles.emplace_back("title");
    pages.vectors.insert(pages.vectors.end(), v.begin(), v.end());
  }
  const std::string path = (folder / "pages.h5").string();
  pages.write(path);
  const PageIndex graph(path, {.exact_up_to = 100}), exact(path, {});
  EXPECT_TRUE(exact.index().exact());
  EXPECT_FALSE(graph.index().exact());
  EXPECT_GE(graph.index().recall(pages.vectors, 10), 0.95);
  EXPECT_EQ(exact.best(std::span(pages.vectors).first(8), 1)[0].page, 0u);
}

TEST(CopeStudy, DealtClipsKeepNothing) {
  const ProductSet set = testing::small_world().set(0, 12, 2);
  const ProductSet dealt = dealt_anew(set, Random(1));
  std::size_t kept = 0, all = 0;
  for (std::size_t p = 0; p < set.products.size(); ++p)
    for (const Clip& clip : set.products[p].of(Domain::kLive))
      for (const Clip& other : dealt.products[p].of(Domain::kLive))
        kept += clip.frames == other.frames ? 1 : 0, ++all;
  EXPECT_LT(kept, all / 4);
}

}  // namespace
}  // namespace stream::products
