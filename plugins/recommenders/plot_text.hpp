/// Plots as points: words, word vectors, and documents as their weighted means.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "stream/archive.hpp"
#include "stream/random.hpp"

namespace stream::recommenders {

/// Runs of letters, ASCII letters in lower case. Bytes above 127 count as letters, so words of other scripts
/// stay whole.
std::vector<std::string> words_of(std::string_view text);

struct SkipGramOptions {
  std::int64_t window = 5, negatives = 5, epochs = 15;
  double subsampling = 1e-3;  ///< t: a word of frequency f is kept with probability min(1, sqrt(t/f))
  double learning_rate = 0.025;
};

/// Where word vectors come from.
struct WordVectorOptions {
  std::string kind = "skip-gram";  ///< "skip-gram", "random" or "file"
  std::string path;                ///< with "file": word2vec's or GloVe's text format
  std::size_t features = 64;       ///< D; with "file" that of the file
  std::size_t least = 3;           ///< words that the corpus has less often are not known
  SkipGramOptions skip_gram;
};

/// x_m = sum over words of idf(w) e_w / sum of idf(w), less its projection on the first principal direction
/// of the corpus (Arora, Liang, Ma, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR
/// 2017), then standardised by the corpus. Whatever it learns, it learns from the corpus that it is made
/// from.
class PlotVectors {
 public:
  PlotVectors() = default;
  /// `plots`: those of the films for training alone. Throws Error(kBadData) when they hold no word often
  /// enough, and what reading a file of vectors throws.
  PlotVectors(std::span<const std::string> plots, const WordVectorOptions& options, Random random);
  /// x [features]; `known`, when given, says how many of the text's words are known. All zeros but for
  /// the standardisation when none is.
  std::vector<float> operator()(std::string_view text, std::size_t* known = nullptr) const;
  std::size_t features() const { return mean_.size(); }
  std::size_t words() const { return idf_.size(); }
  /// Number of the word, or -1.
  std::int64_t number(const std::string& word) const;
  std::span<const float> word_vector(std::size_t number) const {
    return std::span(vectors_).subspan(number * features(), features());
  }
  void save(Archive& group) const;
  /// Throws Error(kBadData) when the parts do not belong together.
  void load(const Archive& group);

 private:
  std::vector<double> mean_of_words(std::string_view text, std::size_t& known) const;
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<float> idf_, vectors_;  ///< [words], [words, features]
  std::vector<float> direction_, mean_, deviation_;
};

/// Skip-gram with negative sampling (Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed Representations of
/// Words and Phrases and their Compositionality", NIPS 2013): noise in proportion to count^.75, frequent
/// words subsampled, windows of random width, a rate that falls linearly to nothing. `documents`: numbers of
/// words below `words`. Returns [words, features].
std::vector<float> skip_gram(std::span<const std::vector<std::int32_t>> documents, std::size_t words,
                             std::size_t features, const SkipGramOptions& options, Random random);

/// Reads the vectors of the wanted words from word2vec's text format (a first line with two numbers) or
/// GloVe's (none). Words that the file lacks get zeros. Returns [wanted, features] and sets `features`.
/// Throws Error(kNoInput), Error(kBadData) with the line.
std::vector<float> read_word_vectors(const std::string& path,
                                     const std::unordered_map<std::string, std::size_t>& wanted,
                                     std::size_t& features);

}  // namespace stream::recommenders
