/// InfLLM's memory and its block store.
#include <gmock/gmock.h>

#include <filesystem>

#include "llm/memory_full.hpp"
#include "llm/memory_inf.hpp"
#include "models.hpp"
#include "program/program.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;
using stream::testing::ScratchFolder;
using Options = InfMemory::Options;

struct Fixture {
  Fixture() : model(random_model(small_config(), 41, 2)), decoder(std::make_shared<const Decoder>(model)) {}
  Session session(Options options) const {
    options.owner = decoder->fingerprint();
    return Session(decoder, std::make_unique<InfMemory>(decoder->config(), decoder->rope(), options));
  }
  LanguageModel model;
  std::shared_ptr<const Decoder> decoder;
};

InfMemory& inf(Session& s) { return dynamic_cast<InfMemory&>(s.memory()); }

/// What a query sees with `read` blocks: init and what is in no block yet at distance n_local - 1, the last
/// n_local at true distances.
View view_of(std::int64_t t, const Options& o, std::int64_t start, std::int64_t moved,
             const std::vector<std::int64_t>& read) {
  View view;
  view.position = o.local - 1;
  const std::int64_t init = std::min(o.init, std::max<std::int64_t>(0, start - o.local));
  for (std::int64_t s = 0; s <= t; ++s) {
    if (t - s < o.local) {
      view.seen.push_back({s, o.local - 1 - (t - s)});
    } else if (s < init || s >= (moved > 0 ? o.init + moved * o.block : init) ||
               std::find(read.begin(), read.end(), (s - o.init) / o.block) != read.end()) {
      view.seen.push_back({s, 0});
    }
  }
  return view;
}

TEST(Inf, EqualsAPlainReferenceOverWhatItReads) {
  const Fixture f;
  const auto tokens = random_tokens(90, 31);
  for (const Options& o :
       {Options{.init = 2, .local = 10, .block = 4, .representatives = 2, .topk = 0, .execution = 5},
        Options{.init = 2, .local = 10, .block = 4, .representatives = 2, .topk = 2, .execution = 1},
        Options{.init = 0, .local = 7, .block = 1, .representatives = 1, .topk = 3, .execution = 1},
        Options{.init = 3,
        .local = 8,
        .block = 5,
        .representatives = 5,
        .topk = 100,
        .execution = 6,
        .working_set = 100}}) {
    Session session = f.session(o);
    std::vector<std::vector<View>> views(2);
    Logits found;
    for (std::size_t at = 0; at < tokens.size();) {
      const auto n = std::min(static_cast<std::size_t>(o.execution), tokens.size() - at);
      const std::int64_t moved = inf(session).store().size(0);
      session.feed({tokens.data() + at, n},
                   [&](std::size_t, std::span<const float> l) { found.emplace_back(l.begin(), l.end()); });
      for (std::size_t i = at; i < at + n; ++i)
        for (const std::size_t layer : {0, 1})
          views[layer].push_back(view_of(static_cast<std::int64_t>(i), o, static_cast<std::int64_t>(at),
                                         moved, inf(session).chosen(static_cast<std::int64_t>(layer))));
      at += n;
    }
    const Rows expected =
        plain::Decoder(f.model).logits_by_layer(tokens, [&](std::int64_t t, std::int64_t layer) {
          return views[static_cast<std::size_t>(layer)][static_cast<std::size_t>(t)];
        });
    EXPECT_LT(difference(found, expected), 5e-5) << o.block << ' ' << o.topk;
  }
}

TEST(Inf, AStreamWithinTheLocalWindowIsDense) {
  const Fixture f;
  const auto tokens = random_tokens(30, 31);
  Session session =
      f.session({.init = 2, .local = 30, .block = 4, .representatives = 2, .topk = 2, .execution = 8});
  EXPECT_LT(difference(run(session, tokens, 8), plain::Decoder(f.model).dense(tokens)), 3e-5);
}

TEST(Inf, HowATextIsFedDoesNotMatterWhereItsBlocksCoincide) {
  const Fixture f;
  const auto tokens = random_tokens(96, 31);
  const Options o{.init = 2, .local = 12, .block = 4, .representatives = 2, .topk = 3, .execution = 6};
  Session whole = f.session(o), parts = f.session(o);
  EXPECT_EQ(run(whole, tokens, 96), run(parts, tokens, 24));
}

TEST(Inf, TheWorkingSetChangesNothingAndStaysWithinItsLimit) {
  const Fixture f;
  const ScratchFolder folder;
  const auto tokens = random_tokens(90, 31);
  Options o{.init = 1, .local = 10, .block = 2, .representatives = 1, .topk = 3, .execution = 1};
  Session memory = f.session(o);
  const Logits expected = run(memory, tokens, 1);
  std::int64_t misses = INT64_MAX;
  for (const std::int64_t set : {3, 6, 100}) {
    o.folder = (folder / ("set-" + std::to_string(set))).string();
    o.working_set = set;
    Session disk = f.session(o);
    EXPECT_EQ(run(disk, tokens, 1), expected);
    const BlockStore& store = inf(disk).store();
    EXPECT_TRUE(store.on_disk());
    EXPECT_LE(store.largest_working_set(), static_cast<std::size_t>(2 * set * 2 * 2 * 2 * 6) * sizeof(float));
    EXPECT_LE(store.misses(), misses);
    EXPECT_GT(store.misses(), 0);
    misses = store.misses();
    EXPECT_EQ(store.size(1), (90 - 10 - 1) / 2);
  }
}

TEST(Inf, LayersChooseForThemselvesWithTheModelsOwnKeys) {
  const Fixture f;
  const auto tokens = random_tokens(90, 31);
  Session s =
      f.session({.init = 1, .local = 10, .block = 1, .representatives = 1, .topk = 3, .execution = 1});
  int differ = 0;
  for (const std::int32_t token : tokens) {
    s.step(token);
    differ += inf(s).chosen(0) != inf(s).chosen(1);
    for (const std::int64_t l : {0, 1}) {
      EXPECT_LE(inf(s).chosen(l).size(), 3u);
      EXPECT_TRUE(std::is_sorted(inf(s).chosen(l).begin(), inf(s).chosen(l).end()));
    }
  }
  EXPECT_GT(differ, 20);
  EXPECT_EQ(inf(s).block_of(0), -1);
  EXPECT_EQ(inf(s).block_of(5), 4);
  EXPECT_EQ(inf(s).block_of(85), -1);
}

TEST(Inf, ResumedAnywhereWithBlocksInMemoryAndInFiles) {
  const Fixture f;
  const ScratchFolder folder;
  const auto tokens = random_tokens(60, 31);
  for (const bool disk : {false, true}) {
    Options o{.init = 1, .local = 10, .block = 2, .representatives = 1, .topk = 3, .execution = 1};
    if (disk) o.folder = (folder / "blocks").string();
    Session whole = f.session(o);
    run(whole, tokens, 1);
    for (std::size_t stop = 0; stop <= tokens.size(); stop += 7) {
      Archive state;
      {
        Session first = f.session(o);
        for (std::size_t t = 0; t < stop; ++t) first.step(tokens[t]);
        first.save(state);
        // It goes on after the checkpoint, and is then lost: blocks that the checkpoint does not count lie
        // about.
        for (std::size_t t = stop; t < std::min(stop + 9, tokens.size()); ++t) first.step(tokens[t]);
      }
      Session second = f.session(o);
      second.load(state);
      Session fork = second.fork();
      for (const std::int32_t token : {3, 4, 5, 6, 7}) fork.step(token);  // must not show in the other
      for (std::size_t t = stop; t < tokens.size(); ++t) second.step(tokens[t]);
      EXPECT_TRUE(std::ranges::equal(second.logits(), whole.logits())) << stop;
    }
  }
}

TEST(Inf, DamagedBlocksAreNamed) {
  const Fixture f;
  const ScratchFolder folder;
  const auto tokens = random_tokens(40, 31);
  Options o{
      .init = 1, .local = 8, .block = 4, .representatives = 1, .topk = 8, .execution = 1, .working_set = 8};
  o.folder = (folder / "blocks").string();
  Session session = f.session(o);
  run(session, tokens, 1);
  Archive state;
  session.save(state);
  const std::string file = (folder / "blocks" / "layer-1" / "block-2.h5").string();
  ASSERT_TRUE(std::filesystem::exists(file));
  const auto fault = [&]() -> std::string {
    Session again = f.session(o);
    again.load(state);
    try {
      again.step(3);
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(fault(), "none");
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_THAT(fault(), ::testing::HasSubstr("layer-1/block-2.h5"));
  std::filesystem::copy_file(folder / "blocks" / "layer-0" / "block-2.h5", file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(fault(), ::testing::HasSubstr("a block of another model or place"));
  std::filesystem::remove(file);
  EXPECT_THAT(fault(), ::testing::HasSubstr("layer-1/block-2.h5"));
  EXPECT_THROW(f.session({.local = 33}), Error);
  EXPECT_THROW(f.session({.local = 8, .topk = 5, .working_set = 4}), Error);
  EXPECT_THROW(f.session({.local = 8, .block = 2, .representatives = 3}), Error);
}

TEST(Inf, TheLocalWindowLiesWithinTheModels) {
  ModelConfig c = small_config();
  c.sliding_window = 8;
  const LanguageModel windowed = random_model(c, 41, 2);
  c.sliding_window = 0;
  const LanguageModel open = random_model(c, 41, 2);
  const auto tokens = random_tokens(60, 31);
  const auto session = [](const LanguageModel& model, std::int64_t local) {
    const auto decoder = std::make_shared<const Decoder>(model);
    Options o{.init = 2, .local = local, .block = 4, .representatives = 2, .topk = 2, .execution = 5};
    o.owner = decoder->fingerprint();
    return Session(decoder, std::make_unique<InfMemory>(decoder->config(), decoder->rope(), o));
  };
  // Within it nothing stands farther back than a token has learnt to see.
  Session a = session(windowed, 8), b = session(open, 8);
  EXPECT_EQ(run(a, tokens, 5), run(b, tokens, 5));
  try {
    session(windowed, 9);
    FAIL() << "a local window of 9 was accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), ::testing::HasSubstr(
                              "local window of 9 tokens is larger than the model's sliding window of 8"));
  }
}

}  // namespace
}  // namespace stream::llm
