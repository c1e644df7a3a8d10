/// Parts of studies as lists of jobs, and what they measure with.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llm/pair_text.hpp"
#include "llm/session.hpp"
#include "stream/study.hpp"

namespace stream::llm {

/// Jobs one after the other; each is called until it says that it is done.
class JobsPart : public StudyPart {
 public:
  bool step() override {
    if (at_ == jobs_.size()) return false;
    if (jobs_[at_].work()) ++at_;
    return true;
  }
  std::vector<Object> records() const override { return records_; }
  double fraction() const override {
    return jobs_.empty() ? 1.0 : static_cast<double>(at_) / static_cast<double>(jobs_.size());
  }
  std::string progress() const override { return at_ < jobs_.size() ? jobs_[at_].name : std::string("done"); }

 protected:
  void job(std::string name, std::function<bool()> work) {
    jobs_.push_back({std::move(name), std::move(work)});
  }
  /// A job that is done at once.
  void once(std::string name, std::function<void()> work) {
    job(std::move(name), [work = std::move(work)] {
      work();
      return true;
    });
  }
  void claim(std::string what, Value paper, Value baseline, Value measured, Value bar, bool held) {
    records_.push_back(stream::claim(std::move(what), std::move(paper), std::move(baseline),
                                     std::move(measured), std::move(bar), held));
  }
  void figure(std::string what, Value paper, Value baseline, Value measured) {
    records_.push_back(
        stream::figure(std::move(what), std::move(paper), std::move(baseline), std::move(measured)));
  }
  void point(std::string plot, std::string series, double x, double y) {
    records_.push_back(stream::point(std::move(plot), std::move(series), x, y));
  }

 private:
  struct Job {
    std::string name;
    std::function<bool()> work;
  };
  std::vector<Job> jobs_;
  std::size_t at_ = 0;
  std::vector<Object> records_;
};

/// A text with its begin token in front, and what is known of each token.
struct TestStream {
  std::vector<std::int32_t> tokens;
  std::vector<PairText::Token> facts;  ///< facts[i] of tokens[i]; of the begin token nothing
};
TestStream test_stream(const PairTextShape& shape, double repeat, std::int64_t length, bool begin,
                       Random random);

/// A stream passed through a sequence one token at a time.
struct Scored {
  std::vector<float> nll;             ///< of each token; NaN for the first
  std::vector<std::int32_t> guesses;  ///< the most likely token in its place; -1 for the first
};
Scored scored(Session& session, std::span<const std::int32_t> tokens);

/// Share of the repeated values that the model foretells in 64 texts of this kind, 96 tokens each, which it
/// remembers whole.
double recall_in_context(const std::shared_ptr<const Decoder>& decoder, const PairTextShape& text,
                         std::uint64_t seed);

/// Mean of nll[from, to).
double mean_nll(const std::vector<float>& nll, std::size_t from, std::size_t to);

/// "0.123", with three decimals.
std::string decimals(double value);

}  // namespace stream::llm
