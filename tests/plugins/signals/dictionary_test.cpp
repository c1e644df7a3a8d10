/// The learner: recovery, save and load, what the study claims.
#include <gmock/gmock.h>

#include <cmath>

#include "signals/dictionary_baselines.hpp"
#include "signals/dictionary_learner.hpp"
#include "signals/planted.hpp"
#include "signals/sparse_code.hpp"
#include "signals/study_dictionary.hpp"
#include "stream/error.hpp"
#include "stream/testing.hpp"

namespace stream::signals {
namespace {

TEST(DictionaryLearner, RecoversAPlantedBasis) {
  Random random(1);
  const Planted planted(12, 0.2, 0.02, random);
  DictionaryLearner learner({.size = 12, .batch = 1}, Matrix::random_orthogonal(12, random));
  std::vector<double> y(12);
  const double before = recovery_error(learner.dictionary(), planted.basis());
  while (learner.steps() < 8000) {
    planted.draw(random, y);
    learner.learn(y);
  }
  EXPECT_GT(before, 0.5);
  EXPECT_LT(recovery_error(learner.dictionary(), planted.basis()), 0.004);
}

TEST(DictionaryLearner, TheErrorIsZeroForSignedPermutationsAlone) {
  Random random(2);
  const Matrix a = Matrix::random_orthogonal(6, random);
  Matrix b(6, 6);
  for (std::size_t j = 0; j < 6; ++j)
    for (std::size_t i = 0; i < 6; ++i) b(i, (j + 2) % 6) = (j % 2 == 0 ? -1 : 1) * a(i, j);
  EXPECT_LT(recovery_error(a, b), 1e-12);
  EXPECT_GT(recovery_error(a, Matrix::random_orthogonal(6, random)), 0.3);
}

TEST(DictionaryLearner, SavedAndLoadedItGoesOnTheSame) {
  Random random(3);
  const Planted planted(8, 0.3, 0.1, random);
  const Matrix start = Matrix::random_orthogonal(8, random);
  const DictionaryLearner::Options options{.size = 8, .batch = 3, .polar_every = 2};
  DictionaryLearner whole(options, start), stopped(options, start);
  std::vector<double> y(8);
  for (int t = 0; t < 100; ++t) {
    planted.draw(random, y);
    whole.learn(y);
    stopped.learn(y);
    Archive state;
    stopped.save(state);
    stopped = DictionaryLearner(options, Matrix::identity(8));
    stopped.load(state);
  }
  EXPECT_EQ(whole.iterate().packed(), stopped.iterate().packed());
  DictionaryLearner other({.size = 9, .batch = 3}, Matrix::identity(9));
  Archive state;
  whole.save(state);
  EXPECT_THROW(other.load(state), Error);
}

TEST(Codebook, KeepsTheGreatestCoefficients) {
  Random random(4);
  const Codebook book(Matrix::random_orthogonal(10, random), std::vector<double>(10, 0.5));
  std::vector<double> y(10);
  for (double& v : y) v = random.normal();
  const auto x = book.coefficients(y);
  const SparseCode code = book.encode(y, 4, 0);
  ASSERT_EQ(code.values.size(), 4u);
  std::vector<double> magnitudes;
  for (const double v : x) magnitudes.push_back(std::abs(v));
  std::sort(magnitudes.begin(), magnitudes.end());
  for (const double v : code.values) EXPECT_GE(std::abs(v), magnitudes[6]);
  // What is left out is the energy of the other coefficients.
  double lost = 0, left = 0;
  const auto approximation = book.decode(code);
  for (std::size_t i = 0; i < 10; ++i) lost += std::pow(y[i] - approximation[i], 2);
  for (std::size_t i = 0; i < 6; ++i) left += magnitudes[i] * magnitudes[i];
  EXPECT_NEAR(lost, left, 1e-12);
  EXPECT_EQ(book.encode(y, 10, magnitudes[8]).values.size(), 1u);
  EXPECT_TRUE(book.encode(y, 0, 0).values.empty());
  const auto all = book.decode(book.encode(y, 10, 0));
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(all[i], y[i], 1e-12);
}

TEST(Baselines, WorkWhereTheyShould) {
  Random random(5);
  const Planted planted(10, 0.2, 0, random);
  Matrix vectors(4000, 10);
  for (std::size_t t = 0; t < vectors.rows(); ++t) planted.draw(random, {vectors.row(t), 10});
  const Matrix start = Matrix::random_orthogonal(10, random);
  EXPECT_LT(recovery_error(batch_ascent(vectors, 3, 60, start), planted.basis()), 0.01);
  EXPECT_LT(recovery_error(batch_ascent(vectors, 4, 60, start), planted.basis()), 0.02);
  EXPECT_LT(recovery_error(projected_gradient(vectors, 4, 1.0, start), planted.basis()), 0.05);
  EXPECT_LT(recovery_error(polar(l1_dictionary(vectors, 16, 0.2, start), start), planted.basis()), 0.3);
  EXPECT_LT(recovery_error(polar(ksvd(vectors, 3, 20, start), start), planted.basis()), 0.2);
  EXPECT_LT(sparse_error(vectors, planted.basis(), 6), 0.02 * sparse_error(vectors, start, 0));
  EXPECT_NEAR(pursuit_error(vectors, start, 4), sparse_error(vectors, start, 4), 1e-9) << "orthogonal atoms";
}

TEST(Baselines, PrincipalComponentsDiagonalise) {
  Random random(6);
  Matrix vectors(500, 6);
  for (std::size_t t = 0; t < 500; ++t)
    for (std::size_t i = 0; i < 6; ++i) vectors(t, i) = random.normal() * static_cast<double>(6 - i);
  const Matrix v = principal_components(vectors);
  EXPECT_LT(orthogonality_gap(v), 1e-10);
  Matrix x(500, 6), gram(6, 6);
  multiply(vectors, v, x);
  multiply(x, x, gram, 1, 0, true);
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 6; ++j) {
      if (i == j) continue;
      EXPECT_NEAR(gram(i, j), 0, 1e-6);
      if (j > i) {
        EXPECT_GT(gram(i, i), gram(j, j));
      }
    }
}

TEST(StudyDictionary, WhatIsExactHolds) {
  auto op = testing::make<DictionaryStudy>({{"parts", Array{"exact"}}}, {.seed = 7});
  const auto out = testing::drain(dynamic_cast<Source&>(*op));
  ASSERT_EQ(out.packets[0].size(), 8u);
  for (const Packet& p : out.packets[0])
    EXPECT_TRUE(p.as<Record>().at("held").as_bool()) << p.as<Record>().json();
}

TEST(StudyDictionary, BarsCanBeMissed) {
  auto op = testing::make<DictionaryStudy>({{"parts", Array{"synthetic"}}, {"seeds", 1}, {"steps", 16}});
  const auto out = testing::drain(dynamic_cast<Source&>(*op));
  bool missed = false;
  for (const Packet& p : out.packets[0])
    if (const Value* held = p.as<Record>().find("held")) missed = missed || !held->as_bool();
  EXPECT_TRUE(missed);
}

}  // namespace
}  // namespace stream::signals
