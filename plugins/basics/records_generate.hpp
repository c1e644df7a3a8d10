/// records.generate: records to test and measure with.
#pragma once

#include <string>

#include "stream/plugin.hpp"

namespace stream {

class RecordsGenerate final : public Source {
 public:
  static Spec spec() {
    return Spec{"records.generate", "Make records from a seed: the same for the same seed, on every machine."}
        .output<Record>("out",
                        "{\"index\": 0, 1, ..., \"value\": 0 to 999999, \"text\": random lower-case letters}")
        .param("count", std::int64_t{1000}, "records to make; 0: without end", at_least(0))
        .param("bytes", std::int64_t{100}, "length of each record as a line of JSON", range(64, 1 << 20),
               unit("bytes"))
        .param("rate", 1000.0, "records for each second of event time", range(1e-6, 1e9), unit("1/s"))
        .about(
            "Record i is stamped with i / rate seconds. Records are made as fast as the rest of the graph "
            "takes them; "
            "`--pace realtime` holds them to their times.")
        .contract({.order = Order::kStateful})
        .example("Ten thousand records of 200 bytes",
                 "[nodes.records]\nuse   = \"records.generate\"\ncount = 10000\nbytes = 200\n\n"
                 "[nodes.print]\nuse  = \"jsonl.write\"\nfrom = \"records\"\n");
  }

  explicit RecordsGenerate(const Params& p)
      : count_(p.get<std::int64_t>("count")),
        bytes_(p.get<std::size_t>("bytes")),
        rate_(p.get<double>("rate")),
        random_(p.random()) {}

  bool read(Output& out) override {
    for (int i = 0; i < kBatch; ++i) {
      if (count_ > 0 && index_ == count_) return false;
      out.emit(Packet::of<Record>(time_of(index_), Buffer::own(next())));
      ++index_;
    }
    return true;
  }

  double fraction() const override {
    return count_ > 0 ? static_cast<double>(index_) / static_cast<double>(count_) : -1;
  }
  void save(Archive& state) const override {
    state.set("index", index_);
    state.set("random", random_.state());
  }
  void load(const Archive& state) override {
    index_ = state.get<std::int64_t>("index");
    random_.restore(state.get<std::vector<std::int64_t>>("random"));
  }

 private:
  static constexpr int kBatch = 64;

  /// In long double: exact to the nanosecond for as long as int64 can count them.
  Time time_of(std::int64_t index) const {
    return Time{
        static_cast<std::int64_t>(static_cast<long double>(index) * 1e9L / static_cast<long double>(rate_))};
  }

  std::string next() {
    std::string json = "{\"index\": " + std::to_string(index_) +
                       ", \"value\": " + std::to_string(random_.below(1'000'000)) + ", \"text\": \"";
    json.reserve(bytes_);
    // Thirteen letters from each random number (26^13 < 2^64).
    for (std::uint64_t letters = 0; json.size() + 2 < bytes_; letters /= 26) {
      if (letters == 0) letters = random_();
      json += static_cast<char>('a' + letters % 26);
    }
    return json += "\"}";
  }

  std::int64_t count_;
  std::size_t bytes_;
  double rate_;
  Random random_;
  std::int64_t index_ = 0;
};

}  // namespace stream
