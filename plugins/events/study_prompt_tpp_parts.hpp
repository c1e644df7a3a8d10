/// The parts of events.prompt_tpp_study.
#pragma once

#include "events/tpp_trainer.hpp"
#include "stream/study.hpp"

namespace stream::events {

inline constexpr std::size_t kTppLength = 40, kTppTypes = 6;  ///< events of a sequence; types, regimes

/// Six regimes in turn, then the first, third and fifth again; every arm on the same sequences, with the same
/// number of updates.
class TppStreamPart final : public StudyPart {
 public:
  struct Options {
    std::uint64_t seed = 0;
    std::int64_t seeds = 3, train = 300, test = 100, first_epochs = 30, epochs = 10;
    bool quick = false;
  };
  explicit TppStreamPart(Options options) : options_(options) {}
  bool step() override;
  std::vector<Object> records() const override;
  double fraction() const override;
  std::string progress() const override;

 private:
  /// Online, slow online, random retrieval, PromptTPP; and, for comparison, online with consolidated weights,
  /// online with replay, the neural Hawkes process online.
  static constexpr std::size_t kArms = 7;
  struct Result {
    std::vector<std::vector<double>> regret;  ///< [tasks trained][regime], of the regimes seen
    std::vector<std::vector<double>> type_error;
    double information = 0;  ///< between regime and prompt
    double gap_error = 0;    ///< of the times foretold after task 6, over the first five regimes
    std::int64_t parameters = 0;
  };
  void begin_seed();
  void begin_arm();
  void end_task();
  double information() const;
  double mean_old(std::size_t seed, std::size_t arm, bool types) const;
  Options options_;
  std::vector<Hawkes> regimes_;
  std::vector<std::vector<Sequence>> train_, test_;  ///< by task, by regime
  std::vector<double> truth_;                        ///< log-likelihood for each event, by regime
  std::unique_ptr<TppTrainer> trainer_;
  std::size_t seed_ = 0, arm_ = 0, task_ = 0;
  bool begun_ = false;
  std::vector<std::vector<Result>> results_;              ///< [seed][arm]
  std::vector<double> true_type_error_, true_gap_error_;  ///< of each seed, over the first five regimes
};

class TppExactPart final : public OneStepPart {
 public:
  explicit TppExactPart(std::uint64_t seed) : seed_(seed) {}

 private:
  void measure() override;
  std::uint64_t seed_;
};

/// Sequences of kTppLength events.
std::vector<Sequence> simulated(const Hawkes& process, std::int64_t count, Random& random);
/// Of the sample against the unit exponential: sup |F_n(x) - (1 - exp(-x))|.
double exponential_distance(std::vector<double> sample);
/// Normalised by the geometric mean of the entropies; 0 when one of them is 0.
double mutual_information(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

}  // namespace stream::events
