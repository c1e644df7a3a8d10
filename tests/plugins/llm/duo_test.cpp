/// DuoAttention's memory and its table of heads.
#include <gmock/gmock.h>

#include <filesystem>

#include "llm/memory_duo.hpp"
#include "llm/memory_full.hpp"
#include "models.hpp"
#include "program/program.hpp"
#include "sequences.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

using namespace testing;
using Table = std::vector<std::vector<bool>>;

struct Fixture {
  Fixture() : model(random_model(small_config(), 31, 2)), decoder(std::make_shared<const Decoder>(model)) {}
  Session session(Table full, std::int64_t sinks, std::int64_t recent, bool exact) const {
    return Session(decoder,
                   std::make_unique<DuoMemory>(decoder->config(), decoder->rope(),
                                               DuoMemory::Options{std::move(full), sinks, recent, exact}));
  }
  LanguageModel model;
  std::shared_ptr<const Decoder> decoder;
};

/// True positions; what a streaming head sees, when chunks are `chunk` tokens (0: the mask of training).
View streaming_view(std::int64_t t, std::int64_t sinks, std::int64_t recent, std::int64_t chunk) {
  const std::int64_t start = chunk > 0 ? t / chunk * chunk : t + 1;
  View view{{}, t};
  for (std::int64_t s = 0; s <= t; ++s)
    if (s < sinks || s >= start - recent) view.seen.push_back({s, s});
  return view;
}

TEST(Duo, StreamingHeadsSeeWhatTheMaskSays) {
  const Fixture f;
  const auto tokens = random_tokens(60, 31);
  const Table none(2, std::vector<bool>(2, false));
  for (const auto& [sinks, recent] : {std::pair<std::int64_t, std::int64_t>{1, 5}, {4, 3}, {0, 7}, {9, 1}}) {
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{6}, std::size_t{60}}) {
      Session chunked = f.session(none, sinks, recent, false), exact = f.session(none, sinks, recent, true);
      const auto view = [&, s = sinks, r = recent](std::int64_t c) {
        return plain::Decoder(f.model).logits(tokens,
                                              [=](std::int64_t t) { return streaming_view(t, s, r, c); });
      };
      EXPECT_LT(difference(run(chunked, tokens, chunk), view(static_cast<std::int64_t>(chunk))), 3e-5)
          << sinks << ' ' << chunk;
      EXPECT_LT(difference(run(exact, tokens, chunk), view(0)), 3e-5) << sinks << ' ' << chunk;
    }
  }
}

TEST(Duo, HeadsOfBothKindsSeeWhatIsTheirs) {
  const Fixture f;
  const auto tokens = random_tokens(60, 31);
  const Table table{{true, false}, {false, true}};
  for (const std::int64_t chunk : {1, 6}) {
    Session session = f.session(table, 2, 5, false);
    const auto expected =
        plain::Decoder(f.model).logits_by_head(tokens, [&](std::int64_t t, std::int64_t l, std::int64_t h) {
          return table[static_cast<std::size_t>(l)][static_cast<std::size_t>(h)]
                     ? streaming_view(t, 0, t + 1, 0)
                     : streaming_view(t, 2, 5, chunk);
        });
    EXPECT_LT(difference(run(session, tokens, static_cast<std::size_t>(chunk)), expected), 3e-5) << chunk;
  }
}

TEST(Duo, AllFullIsTheWholeModelAndBytesAreThoseOfTheHeads) {
  const Fixture f;
  const auto tokens = random_tokens(50, 31);
  Session all = f.session(Table(2, std::vector<bool>(2, true)), 2, 6, false);
  Session full(f.decoder, std::make_unique<FullMemory>(f.decoder->config(), f.decoder->rope()));
  EXPECT_LT(difference(run(all, tokens, 1), run(full, tokens, 1)), 1e-6);
  EXPECT_EQ(all.memory().resident_bytes(), full.memory().resident_bytes());
  // Per layer 2 d 4 (F L + S min(L, sinks + recent)) bytes.
  Session some = f.session({{true, false}, {false, false}}, 2, 6, false);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    some.step(tokens[t]);
    const std::size_t n = t + 1, kept = std::min<std::size_t>(n, 8);
    EXPECT_EQ(some.memory().resident_bytes(), 2 * 6 * 4 * (n + 3 * kept));
  }
  EXPECT_EQ(some.memory().stored_tokens(0, 0), 50);
  EXPECT_EQ(some.memory().stored_tokens(0, 1), 8);
  // A head that keeps everything changes what comes out.
  Session none = f.session(Table(2, std::vector<bool>(2, false)), 2, 6, false);
  EXPECT_GT(difference(run(none, tokens, 1), run(all, {tokens.begin(), tokens.end()}, 1), 20), 1e-3);
}

TEST(Duo, ResumedAnywhere) {
  const Fixture f;
  const auto tokens = random_tokens(30, 31);
  const Table table{{true, false}, {false, true}};
  Session whole = f.session(table, 2, 6, false);
  run(whole, tokens, 1);
  for (std::size_t stop = 0; stop <= tokens.size(); stop += 3) {
    Session first = f.session(table, 2, 6, false), second = f.session(table, 2, 6, false),
            other = f.session({{true, true}, {false, true}}, 2, 6, false);
    for (std::size_t t = 0; t < stop; ++t) first.step(tokens[t]);
    Archive state;
    first.save(state);
    second.load(state);
    for (std::size_t t = stop; t < tokens.size(); ++t) second.step(tokens[t]);
    EXPECT_TRUE(std::ranges::equal(second.logits(), whole.logits())) << stop;
    if (stop > 8) {
      EXPECT_THROW(other.load(state), Error);
    }
  }
}

TEST(Duo, TablesOfHeads) {
  const HeadGates gates{{{0.9, 0.1, 1.0}, {0.0, 0.5, 0.95}}};
  const auto count = [](const Table& t) {
    std::ptrdiff_t n = 0;
    for (const auto& layer : t) n += std::count(layer.begin(), layer.end(), true);
    return n;
  };
  EXPECT_EQ(count(gates.full(0, 1)), 6);
  EXPECT_EQ(count(gates.full(1, 1)), 0);
  EXPECT_EQ(gates.full(0.5, 1), (Table{{true, false, true}, {false, false, true}}));
  const HeadGates equal{{{1, 1}, {1, 1}}};
  EXPECT_EQ(count(equal.full(0.5, 1)), 2) << "equal gates are parted";
  const stream::testing::ScratchFolder folder;
  const std::string path = (folder / "full_attention_heads.tsv").string();
  write_gates(path, gates);
  EXPECT_EQ(read_gates(path).layers, gates.layers);
  const auto fault = [&](const std::string& text) -> std::string {
    stream::testing::write_contents(path, text);
    try {
      read_gates(path);
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_THAT(fault("0.5\t0.1\n0.5\n"), ::testing::HasSubstr(":2: 1 gates, the first layer has 2"));
  EXPECT_THAT(fault("0.5\tx\n"), ::testing::HasSubstr(":1: 'x' is no gate"));
  EXPECT_THAT(fault(""), ::testing::HasSubstr("without gates"));
  // As published: tab-separated, in scientific notation, rounded gates a little below zero among them.
  stream::testing::write_contents(path,
                                  "-9.584426879882812500e-05\t5.585937500000000000e-01\n"
                                  "1.000000000000000000e+00\t7.812500000000000000e-01\n");
  EXPECT_EQ(read_gates(path).full(0.5, 1), (Table{{false, false}, {true, true}}));
  write_gates(path, {{{0.5, 1}}});
  EXPECT_EQ(stream::testing::contents(path), "5.000000000000000000e-01\t1.000000000000000000e+00\n");
  const Fixture f;
  EXPECT_THROW(f.session({{true, true}}, 1, 2, false), Error);
  EXPECT_THROW(f.session({{true}, {true}}, 1, 2, false), Error);
}

TEST(Duo, FoldersOfHeadsAsTheyArePublished) {
  const stream::testing::ScratchFolder folder;
  const HeadGates gates{{{0.25, 1}, {0, 0.125}}};
  const std::string at = (folder / "deep" / "heads").string();
  write_head_table(at, gates, {{"sink_size", 128}, {"recent_size", 256}, {"num_steps", 2000}, {"lr", 0.02}});
  const HeadTable table = read_head_table(at);
  EXPECT_EQ(table.gates.layers, gates.layers);
  EXPECT_EQ(table.sinks, 128);
  EXPECT_EQ(table.recent, 256);
  const HeadTable bare = read_head_table(at + "/full_attention_heads.tsv");
  EXPECT_EQ(bare.gates.layers, gates.layers);
  EXPECT_FALSE(bare.recent.has_value());
  const auto fault = [&](const std::string& config) -> std::string {
    stream::testing::write_contents(std::filesystem::path(at) / "config.json", config);
    try {
      read_head_table(at);
    } catch (const Error& e) {
      return e.what();
    }
    return "none";
  };
  EXPECT_THAT(fault(R"({"sink_size": 4})"), ::testing::HasSubstr("config.json: no recent_size"));
  EXPECT_THAT(fault(R"({"sink_size": -1, "recent_size": 2})"), ::testing::HasSubstr("sink_size is -1"));
  EXPECT_THAT(fault(R"({"sink_size": 4, "recent_size": null})"), ::testing::HasSubstr("recent_size is null"));
  EXPECT_THAT(fault("{"), ::testing::HasSubstr("config.json"));
  EXPECT_THAT(fault("[]"), ::testing::HasSubstr("config.json"));
  EXPECT_THROW(write_head_table("/proc/nowhere/heads", gates, {}), Error);
}

TEST(Duo, NoHeadLooksBehindTheModelsWindow) {
  ModelConfig c = small_config();
  c.sliding_window = 9;
  const LanguageModel model = random_model(c, 31, 2);
  const auto decoder = std::make_shared<const Decoder>(model);
  const auto tokens = random_tokens(60, 31);
  const Table table{{true, false}, {false, true}};
  const auto session = [&](Table full, std::int64_t recent, bool exact) {
    return Session(decoder,
                   std::make_unique<DuoMemory>(decoder->config(), decoder->rope(),
                                               DuoMemory::Options{std::move(full), 2, recent, exact}));
  };
  // The recent ones of a streaming head may reach farther than the window, or less far.
  for (const std::int64_t recent : {5, 20})
    for (const std::int64_t chunk : {1, 6})
      for (const bool exact : {false, true}) {
        const auto expected =
            plain::Decoder(model).logits_by_head(tokens, [&](std::int64_t t, std::int64_t l, std::int64_t h) {
              const bool all = table[static_cast<std::size_t>(l)][static_cast<std::size_t>(h)];
              View view =
                  all ? streaming_view(t, 0, t + 1, 0) : streaming_view(t, 2, recent, exact ? 0 : chunk);
              std::erase_if(view.seen, [&](const auto& slot) { return slot.token <= t - 9; });
              return view;
            });
        Session found = session(table, recent, exact);
        EXPECT_LT(difference(run(found, tokens, static_cast<std::size_t>(chunk)), expected), 3e-5)
            << recent << ' ' << chunk << ' ' << exact;
      }
  Session all = session(Table(2, std::vector<bool>(2, true)), 5, false);
  Session full(decoder, std::make_unique<FullMemory>(decoder->config(), decoder->rope()));
  EXPECT_LT(difference(run(all, tokens, 7), run(full, tokens, 7)), 3e-5);
}

}  // namespace
}  // namespace stream::llm
