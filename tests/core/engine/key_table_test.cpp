#include "engine/key_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "harness.hpp"
#include "hdf5/archive_file.hpp"
#include "program/program.hpp"
#include "stream/testing.hpp"

namespace stream::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// State of every kind, whose shape depends on the key and on how often it was called.
class Varied final : public Operator {
 public:
  void process(Packet in, Output&) override {
    key_ = in.key.str();
    ++calls_;
    history_.push_back(static_cast<float>(calls_) / 3);
    if (key_.size() > 2) last_ = in;
  }
  void save(Archive& state) const override {
    state.set("calls", calls_);
    if (calls_ == 0) return;
    state.set("key", key_);
    state.set("odd", calls_ % 2 == 1);
    state.set("mean", static_cast<double>(calls_) / 7);
    Archive& inner = state.group("inner");
    inner.set("history", history_);
    inner.set("square", Tensor::of(std::vector<std::int32_t>{1, 2, 3, static_cast<int>(calls_)}, {2, 2}));
    inner.set("bytes", std::vector<std::uint8_t>(static_cast<std::size_t>(calls_ % 3), 9));
    inner.set("point", Tensor::of(std::vector<double>{0.1}, {}));
    state.group("empty");
    if (last_.payload) state.set("last", last_);
  }
  void load(const Archive& state) override {
    calls_ = state.get<std::int64_t>("calls");
    if (calls_ == 0) return;
    key_ = state.get<std::string>("key");
    EXPECT_EQ(state.get<bool>("odd"), calls_ % 2 == 1);
    EXPECT_EQ(state.get<double>("mean"), static_cast<double>(calls_) / 7);
    const Archive& inner = state.group("inner");
    history_ = inner.get<std::vector<float>>("history");
    EXPECT_EQ(inner.tensor("square").values<std::int32_t>()[3], calls_);
    EXPECT_EQ(inner.tensor("square").shape().size(), 2u);
    EXPECT_EQ(inner.tensor("bytes").elements(), calls_ % 3);
    EXPECT_TRUE(inner.tensor("point").shape().empty());
    EXPECT_TRUE(state.group("empty").entries().empty());
    if (state.has("last")) last_ = state.packet("last");
  }
  std::string words() const {
    std::string text = key_ + " " + std::to_string(calls_);
    for (const float h : history_) text += " " + std::to_string(h);
    if (last_.payload) text += std::string(last_.as<Record>().json());
    return text;
  }

 private:
  std::int64_t calls_ = 0;
  std::string key_;
  std::vector<float> history_;
  Packet last_;
};

class KeyTableTest : public ::testing::Test {
 protected:
  KeyTable table(std::size_t in_memory) const { return KeyTable(make(), {in_memory, folder_.string()}); }
  static KeyTable::Make make() {
    return [] { return std::make_unique<Varied>(); };
  }
  static std::string name(std::uint64_t i) {
    return (i % 5 == 0 ? "a rather long name of key " : "k") + std::to_string(i);
  }
  static void call(KeyTable& keys, const std::string& key, std::uint64_t n) {
    Collector out;
    Packet packet = Packet::of<Record>(Time{static_cast<std::int64_t>(n)}, Object{{"n", n}});
    packet.key = Key(key);
    keys.at(key).process(std::move(packet), out);
    keys.keep_limit();
  }
  static std::map<std::string, std::string> all(KeyTable& keys) {
    std::map<std::string, std::string> out;
    std::string before;
    keys.each(
        [&](const std::string& key, Operator& op) {
          EXPECT_LT(before, key);
          before = key;
          out[key] = dynamic_cast<Varied&>(op).words();
        },
        false);
    return out;
  }
  std::size_t files() const {
    return fs::exists(folder_) ? static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}))
                               : 0;
  }
  ScratchFolder scratch_;
  fs::path folder_ = scratch_ / "not there yet";
};

TEST_F(KeyTableTest, WhatWasAwayComesBackIdentical) {
  for (const std::size_t limit : {1, 7, 64, 499}) {
    KeyTable bounded = table(limit), free = table(0);
    Random random(limit);
    for (std::uint64_t n = 0; n < 40 * limit + 300 && n < 3000; ++n) {
      // Some keys often, most of them now and then.
      const std::string key = name(n % 3 == 0 ? random.below(10) : random.below(limit < 64 ? 60 : 700));
      call(bounded, key, n), call(free, key, n);
      ASSERT_LE(bounded.resident(), limit);
    }
    EXPECT_EQ(bounded.size(), free.size());
    EXPECT_EQ(free.resident(), free.size());
    EXPECT_EQ(all(bounded), all(free));
    EXPECT_EQ(files(), 0u) << "files without names";
  }
}

TEST_F(KeyTableTest, TheLeastRecentlyUsedLeave) {
  KeyTable keys = table(16);
  for (std::uint64_t n = 0; n < 17; ++n) call(keys, name(n), n);
  ASSERT_EQ(keys.resident(), 14u);
  Varied* const kept = dynamic_cast<Varied*>(&keys.at(name(16)));
  for (std::uint64_t n = 0; n < 3; ++n) {  // 0, 1 and 2 had left: they come back as others
    call(keys, name(100 + n), n);
    EXPECT_EQ(&keys.at(name(16)), kept);
  }
}

TEST_F(KeyTableTest, ACheckpointHoldsEveryKey) {
  KeyTable keys = table(100);
  Random random(1);
  for (std::uint64_t n = 0; n < 700; ++n) call(keys, name(random.below(300)), n);
  Archive state;
  keys.save(state);
  const std::string file = (scratch_ / "state.h5").string();
  write_archive(file, state);
  for (std::uint64_t n = 0; n < 700; ++n)
    call(keys, name(random.below(300)), n);  // the snapshot stays as it was
  const Archive whole = read_archive(file), mapped = map_archive(file);
  for (const Archive* from : {&whole, &mapped}) {
    for (const std::size_t limit : {0, 100}) {
      KeyTable resumed = table(limit);
      resumed.load(*from);
      Random same(1);
      for (std::uint64_t n = 0; n < 700; ++n) same.below(300);
      for (std::uint64_t n = 0; n < 700; ++n) call(resumed, name(same.below(300)), n);
      EXPECT_EQ(all(resumed), all(keys));
    }
  }
}

TEST_F(KeyTableTest, HolesAndSegmentsStayFew) {
  int moves = 0;
  std::map<std::string, KeySpill::Place> where;
  KeySpill spill(folder_.string(), [&](std::string_view key, KeySpill::Place to) {
    ++moves;
    where[std::string(key)] = to;
  });
  Random random(3);
  for (std::uint64_t n = 0; n < 900; ++n) {
    const std::string key = name(n);
    Archive state;
    state.set("n", n);
    StatePacker one;
    one.add(key, state);
    spill.write(one);
    if (n % 3 == 2) {
      const auto some = std::next(where.begin(), static_cast<std::ptrdiff_t>(random.below(where.size())));
      spill.erase(some->second);
      where.erase(some);
    }
    ASSERT_LE(spill.segments(), 258u);
  }
  EXPECT_EQ(spill.size(), where.size());
  for (const auto& [key, place] : where) {
    ASSERT_EQ(spill.key(place), key);
    ASSERT_EQ(name(spill.state(place).get<std::uint64_t>("n")), key);
  }
  EXPECT_LT(moves, 3600) << "every state is copied a few times, not again and again";
}

TEST_F(KeyTableTest, AFolderThatCannotBeMadeIsSaid) {
  write_contents(scratch_ / "file", "not a folder");
  KeyTable keys(make(), {2, (scratch_ / "file" / "inside").string()});
  call(keys, "a", 0), call(keys, "b", 1);
  try {
    call(keys, "c", 2);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kCannotWrite);
    EXPECT_THAT(e.what(), HasSubstr("inside"));
  }
  EXPECT_EQ(keys.resident(), 3u) << "nothing is lost";
}

TEST_F(KeyTableTest, LeftoversOfAKilledProcessAreRemoved) {
  fs::create_directories(folder_);
  for (const char* name : {"stream-keys-1-1.h5", "stream-keys-1-2.h5", "keys-1-3.h5"})
    write_contents(folder_ / name, "x");
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(3);
  fs::last_write_time(folder_ / "stream-keys-1-1.h5", old);
  fs::last_write_time(folder_ / "keys-1-3.h5", old);
  KeyTable keys = table(1);
  for (std::uint64_t n = 0; n < 3; ++n) call(keys, name(n), n);
  EXPECT_FALSE(fs::exists(folder_ / "stream-keys-1-1.h5"));
  EXPECT_TRUE(fs::exists(folder_ / "stream-keys-1-2.h5")) << "may be another process's that is being written";
  EXPECT_TRUE(fs::exists(folder_ / "keys-1-3.h5"));
}

/// Checkpoints of version 1: a group for each key, with its name and its state.
TEST_F(KeyTableTest, KeysOfVersionOneAreRead) {
  KeyTable written = table(0);
  for (std::uint64_t n = 0; n < 200; ++n) call(written, name(n % 40), n);
  Archive old;
  std::size_t index = 0;
  written.each(
      [&](const std::string& key, Operator& op) {
        Archive& group = old.group(std::to_string(index++));
        group.set("key", key);
        op.save(group.group("state"));
      },
      false);
  KeyTable read = table(7);
  read.load(old);
  EXPECT_EQ(all(read).size(), 40u);
  EXPECT_EQ(all(read), all(written));
}

TEST_F(KeyTableTest, ColumnsThatDoNotFitAreRefused) {
  StatePacker packer;
  for (std::uint64_t n = 0; n < 5; ++n) {
    Archive state;
    state.set("n", n);
    state.set("text", std::string(n, 'x'));
    state.set("values", std::vector<double>(n, 1.0));
    packer.add(name(n), state);
  }
  const Archive good = packer.take();
  EXPECT_EQ(PackedStates(good).state(3).get<std::string>("text"), "xxx");
  const auto refused = [&](const std::function<void(Archive&)>& damage) {
    const std::string file = (scratch_ / "packed.h5").string();
    write_archive(file, good);
    Archive bad = read_archive(file);  // a copy that shares no group
    damage(bad);
    const auto read_all = [&] {
      const PackedStates states(bad);
      for (std::size_t i = 0; i < 5; ++i) states.key(i), states.state(i);
    };
    EXPECT_THROW(read_all(), Error);
  };
  const auto entry = [](Archive& a, const char* name) -> Archive& {
    return a.group("layouts").group("0").group("entries").group(name);
  };
  refused([](Archive& a) { a.set("key_ends", std::vector<std::int64_t>{1, 2}); });
  refused([](Archive& a) { a.set("key_ends", std::vector<std::int64_t>{9, 2, 3, 4, 5}); });
  refused([](Archive& a) { a.set("key_ends", std::vector<std::int64_t>{1, 2, 3, 4, 1 << 20}); });
  refused([](Archive& a) { a.set("layout_of", std::vector<std::int32_t>{0, 0, 7, 0, 0}); });
  refused([](Archive& a) { a.set("layout_of", std::vector<std::int32_t>{0, 0, -1, 0, 0}); });
  refused([](Archive& a) { a.group("layouts").group("0").set("columns", "no end"); });
  refused([](Archive& a) { a.group("layouts").group("0").set("columns", "z n\n"); });
  refused([&](Archive& a) { entry(a, "n").set("values", std::vector<std::int64_t>{1}); });
  refused([&](Archive& a) { entry(a, "n").set("values", std::vector<float>(5)); });
  refused([&](Archive& a) { entry(a, "text").set("ends", std::vector<std::int64_t>{0, 1, 2, 3, 99}); });
  refused([&](Archive& a) { entry(a, "text").set("ends", std::vector<std::int64_t>{-4, 1, 2, 3, 3}); });
  refused([&](Archive& a) {
    entry(a, "values").set("shapes", Tensor::of(std::vector<std::int64_t>{0, 1, 2, 3, 1 << 30}, {5, 1}));
  });
  refused([&](Archive& a) {
    entry(a, "values").set("shapes", Tensor::of(std::vector<std::int64_t>{0, -1, 2, 3, 4}, {5, 1}));
  });
  refused([&](Archive& a) { entry(a, "values").set("shapes", std::vector<std::int64_t>{0, 1, 2, 3, 4}); });
}

class KeysInMemoryTest : public ::testing::Test {
 protected:
  std::string recipe(const char* op, int keys_in_memory, const char* out) const {
    return "[limits]\npackets = 100\n[nodes.numbers]\nuse = \"test.numbers\"\ncount = 600\nkeys = 31\n"
           "[nodes.work]\nuse = \"" +
           std::string(op) + "\"\nfrom = \"numbers\"\n" +
           (keys_in_memory > 0 ? "keys_in_memory = " + std::to_string(keys_in_memory) + "\n" : "") +
           "[nodes.lines]\nuse = \"test.lines\"\nfrom = \"work\"\npath = \"" + (scratch_ / out).string() +
           "\"\n";
  }
  RunOptions options(int threads) const {
    RunOptions o = with_threads(threads);
    o.cache_dir = (scratch_ / "cache").string();
    return o;
  }
  ScratchFolder scratch_;
};

TEST_F(KeysInMemoryTest, DoNotShowWithAnyNumberOfThreads) {
  for (const char* op : {"test.keyed_count", "test.keyed_work"}) {
    ASSERT_EQ(run_recipe(recipe(op, 0, "all"), options(1)).exit_code, 0);
    for (const int keys : {5, 30, 31}) {
      for (const int threads : {1, 4}) {
        const RunResult result = run_recipe(recipe(op, keys, "some"), options(threads));
        ASSERT_EQ(result.exit_code, 0) << result.error;
        EXPECT_EQ(read_file((scratch_ / "some").string()), read_file((scratch_ / "all").string()));
      }
    }
  }
}

TEST_F(KeysInMemoryTest, MayChangeWhenARunIsResumed) {
  ASSERT_EQ(run_recipe(recipe("test.keyed_work", 0, "whole"), options(2)).exit_code, 0);
  RunOptions o = options(2);
  o.checkpoint = (scratch_ / "state.h5").string();
  o.every = std::chrono::milliseconds(10);
  o.resume = true;
  o.max_time = std::chrono::milliseconds(60);
  bool over = false;
  for (int round = 0; round < 200 && !over; ++round) {
    const RunResult result = run_recipe(recipe("test.keyed_work", 1 + round * 7 % 40, "part"), o);
    ASSERT_EQ(result.exit_code, 0) << result.error;
    over = result.already_finished;
  }
  ASSERT_TRUE(over);
  EXPECT_EQ(read_file((scratch_ / "part").string()), read_file((scratch_ / "whole").string()));
}

TEST_F(KeysInMemoryTest, ADiskThatCannotBeWrittenEndsTheRun) {
  write_contents(scratch_ / "cache", "a file");
  const RunResult result = run_recipe(recipe("test.keyed_count", 3, "out"), options(1));
  EXPECT_EQ(result.exit_code, static_cast<int>(ExitCode::kCannotWrite));
  EXPECT_THAT(result.error, HasSubstr("node 'work'"));
}

TEST_F(KeysInMemoryTest, AreForKeyedOperators) {
  try {
    run_recipe(recipe("test.sum", 3, "out"), options(1));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadRecipe);
    EXPECT_THAT(e.what(), HasSubstr("keys_in_memory is for operators that keep a state for each key"));
  }
  EXPECT_THROW(run_recipe(recipe("test.keyed_count", 3, "out") + "keys_in_memory = 0\n", options(1)), Error);
}

}  // namespace
}  // namespace stream::testing
