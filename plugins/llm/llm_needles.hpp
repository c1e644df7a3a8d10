/// llm.needles: a long text with needles in it, and questions for them: needle in a haystack.
#pragma once

#include <algorithm>

#include "llm/needle_text.hpp"
#include "stream/error.hpp"
#include "stream/file.hpp"
#include "stream/operator.hpp"

namespace stream::llm {

class NeedleSource final : public Source {
 public:
  static Spec spec() {
    const NeedleShape s;
    return Spec("llm.needles", "Hide needles in a long text, and ask for them: needle in a haystack.")
        .output<Record>(
            "out",
            "first {\"text\" or \"ids\", \"read\": true}: the haystack; then for each needle {\"text\" or "
            "\"ids\", "
            "\"choices\", \"answer\": index, \"depth\": 0 to 1, \"distance\": to the end, in bytes or "
            "tokens}, as "
            "llm.generate takes them")
        .path("book", "", "a text file to hide them in; empty: pair text, for the small models of recall")
        .param("length", s.length, "tokens of pair text, or most bytes of the book", range(64, 1 << 28))
        .param("needles", s.needles, "hidden, and asked for", range(1, 1000))
        .param("margin", s.margin, "tokens of pair text, or bytes, without a needle at the end",
               range(0, 1e8))
        .param("choices", std::int64_t{4}, "of a question on a book: the needle's number and others",
               range(2, 100))
        .contract({.order = Order::kStateful})
        .about(
            "In a book needles are sentences that name a number for an animal, in between two of its lines; "
            "a question "
            "asks "
            "for one, and other needles' numbers and some that were never named are offered beside it. In "
            "pair text "
            "(llm.pair_text with the shape of the InfLLM study) needles are pairs whose key occurs nowhere "
            "else, and all "
            "values "
            "are offered. Packets are stamped with their number, in nanoseconds.")
        .paper("Mohtashami, Jaggi, Landmark Attention (passkey retrieval), 2023; Xiao et al., InfLLM, 2024")
        .example("A short haystack", R"(title = "Needles"
[nodes.needles]
use    = "llm.needles"
length = 1000
[nodes.out]
use  = "jsonl.write"
from = "needles"
)");
  }
  explicit NeedleSource(const Params& p)
      : book_(p.input_path("book")),
        shape_{.length = p.get<std::int64_t>("length"),
               .needles = p.get<std::int64_t>("needles"),
               .margin = p.get<std::int64_t>("margin")},
        choices_(p.get<std::int64_t>("choices")),
        seed_(p.random("needles")()) {
    if (book_.empty())
      make_pairs();
    else
      make_book();
  }
  bool read(Output& out) override {
    if (done_ == static_cast<std::int64_t>(records_.size())) return false;
    out.emit(Packet::of<Record>(Time{done_}, records_[static_cast<std::size_t>(done_)]));
    ++done_;
    return true;
  }
  double fraction() const override {
    return static_cast<double>(done_) / static_cast<double>(records_.size());
  }
  void save(Archive& state) const override { state.set("done", done_); }
  void load(const Archive& state) override {
    done_ = state.get<std::int64_t>("done");
    if (done_ < 0 || done_ > static_cast<std::int64_t>(records_.size()))
      throw bad_data("the saved place is behind the last question");
  }
  std::string progress() const override {
    return done_ == 0 ? std::string("haystack") : "question " + std::to_string(done_);
  }

 private:
  template <typename Ids>
  static Array list(const Ids& ids) {
    Array out;
    for (const auto id : ids) out.emplace_back(static_cast<std::int64_t>(id));
    return out;
  }
  void make_pairs() {
    const NeedleStream s = needle_stream(shape_, Random(seed_));
    // The model puts its begin token in front itself.
    records_.push_back(Object{{"ids", list(std::vector<std::int32_t>(s.tokens.begin() + 1, s.tokens.end()))},
                              {"read", true}});
    Array values;
    for (std::int64_t v = 0; v < shape_.text.values; ++v)
      values.emplace_back(list(std::vector<std::int32_t>{shape_.text.value(v)}));
    for (const Needle& n : s.needles)
      records_.push_back(Object{{"ids", list(std::vector<std::int32_t>{n.filler, n.key})},
                                {"choices", values},
                                {"answer", std::int64_t{n.value} - shape_.text.value(0)},
                                {"depth", static_cast<double>(n.at) / static_cast<double>(shape_.length)},
                                {"distance", shape_.length - n.at}});
  }
  void make_book();

  std::string book_;
  NeedleShape shape_;
  std::int64_t choices_;
  std::uint64_t seed_;
  std::vector<Object> records_;
  std::int64_t done_ = 0;
};

}  // namespace stream::llm
