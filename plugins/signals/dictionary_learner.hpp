/// Online orthogonal dictionary learning by Frank and Wolfe.
#pragma once

#include <cstdint>
#include <span>

#include "signals/matrix.hpp"
#include "stream/archive.hpp"

namespace stream::signals {

/// Finds the orthogonal basis in which vectors are sparse, from a stream of them: maximises E||D^T y||_p^p
/// over the ball ||D||_2 <= 1, whose extreme points are the orthogonal matrices. Every mini-batch moves the
/// averaged gradient G by rho = t^-1/2 and D by gam = t^-3/4 towards -polar(G), where a linear function is
/// least. (Xue and Lau, arXiv 2103.01484; the constants are ours.)
class DictionaryLearner {
 public:
  struct Options {
    std::size_t size = 8;                   ///< n
    std::size_t batch = 4;                  ///< b
    int power = 3;                          ///< p, 3 or 4
    std::int64_t polar_every = 1;           ///< mini-batches from one new direction to the next
    double least_rho = 0, least_gamma = 0;  ///< floors, to follow a dictionary that changes
    // For comparison, what the method is not:
    bool average = true;      ///< false: rho = 1
    bool small_steps = true;  ///< false: gam = 1
    bool operator==(const Options&) const = default;
  };
  DictionaryLearner(const Options& options, Matrix start);

  /// One vector of n finite numbers that are not all zero. True when it completed a mini-batch.
  bool learn(std::span<const double> y);
  /// Inside the ball, and on its way to being orthogonal.
  const Matrix& iterate() const { return d_; }
  /// polar(D): exactly orthogonal.
  Matrix dictionary() const { return polar(d_, d_); }
  std::int64_t steps() const { return t_; }
  /// <G, D - S> of the newest direction: how far the linear model can still fall; 0 before the first.
  double gap() const { return gap_; }
  /// Of the true gradient on these vectors, one a row.
  double gap_on(const Matrix& vectors) const;
  std::size_t bytes() const;
  void save(Archive& state) const;
  void load(const Archive& state);

 private:
  void step();
  Options options_;
  Matrix d_, g_, s_;
  Matrix y_, z_, w_;  ///< the mini-batch, one vector a row, and what is computed of it
  std::size_t filled_ = 0;
  std::int64_t t_ = 0;
  double gap_ = 0;
};

/// |1 - ||a^T b||_4^4 / n|: 0 exactly when the columns of a are those of b, in any order and with any signs.
double recovery_error(const Matrix& a, const Matrix& b);

}  // namespace stream::signals
