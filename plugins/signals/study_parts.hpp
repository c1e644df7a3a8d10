/// The parts of signals.study_dictionary, and what they share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "signals/dictionary_learner.hpp"
#include "signals/study_dictionary.hpp"
#include "stream/random.hpp"

namespace stream::signals {

/// Recovery of planted bases, one set of constants for all.
std::unique_ptr<StudyPart> synthetic_part(const DictionaryStudy::Options& options);
/// Against projected gradient under a sweep of steps, batch methods, and the method without its parts.
std::unique_ptr<StudyPart> sweep_part(const DictionaryStudy::Options& options);
/// How the Frank-Wolfe gap falls, on vectors that nobody learns from.
std::unique_ptr<StudyPart> rate_part(const DictionaryStudy::Options& options);
/// What holds exactly, for every stream.
std::unique_ptr<StudyPart> exact_part(const DictionaryStudy::Options& options);
/// Approximation of sensors and of patches that were held out.
std::unique_ptr<StudyPart> data_part(const DictionaryStudy::Options& options);

double mean(const std::vector<double>& values);
/// One generator for each purpose and number, so that no part's draws depend on another's.
Random seeded(const std::string& purpose, std::int64_t number, std::uint64_t seed);
/// The dictionary after all vectors, one a row, in their order.
Matrix learnt(const Matrix& vectors, DictionaryLearner::Options options, Matrix start);

}  // namespace stream::signals
