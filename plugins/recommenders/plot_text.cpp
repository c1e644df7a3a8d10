#include "recommenders/plot_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "line_reader.hpp"
#include "stream/error.hpp"

namespace stream::recommenders {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if ((lower >= 'a' && lower <= 'z') || byte >= 128) {
      word += lower;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::vector<float> skip_gram(std::span<const std::vector<std::int32_t>> documents, std::size_t words,
                             std::size_t features, const SkipGramOptions& options, Random random) {
  std::vector<float> in(words * features), out(words * features);
  for (float& v : in) v = static_cast<float>((random.uniform() - 0.5) / static_cast<double>(features));
  std::vector<double> counts(words), noise(words);
  double total = 0;
  for (const auto& document : documents)
    for (const std::int32_t w : document) counts[static_cast<std::size_t>(w)] += 1, total += 1;
  double sum = 0;
  for (std::size_t w = 0; w < words; ++w) noise[w] = sum += std::pow(counts[w], 0.75);
  const auto drawn = [&] {
    const auto at = std::upper_bound(noise.begin(), noise.end(), random.uniform() * sum);
    return std::min(static_cast<std::size_t>(at - noise.begin()), words - 1);
  };
  std::vector<float> change(features);
  const double passes = total * static_cast<double>(options.epochs);
  double done = 0;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch)
    for (const auto& document : documents) {
      const double rate = options.learning_rate * std::max(1e-4, 1 - done / passes);
      done += static_cast<double>(document.size());
      std::vector<std::size_t> kept;
      for (const std::int32_t w : document) {
        const auto word = static_cast<std::size_t>(w);
        if (random.uniform() < std::sqrt(options.subsampling * total / counts[word])) kept.push_back(word);
      }
      for (std::size_t i = 0; i < kept.size(); ++i) {
        const std::size_t reach = 1 + random.below(static_cast<std::uint64_t>(options.window));
        float* e = in.data() + kept[i] * features;
        for (std::size_t j = i - std::min(i, reach); j <= std::min(kept.size() - 1, i + reach); ++j) {
          if (j == i) continue;
          std::fill(change.begin(), change.end(), 0.0f);
          for (std::int64_t n = 0; n <= options.negatives; ++n) {
            const std::size_t other = n == 0 ? kept[j] : drawn();
            if (n > 0 && other == kept[j]) continue;
            float* o = out.data() + other * features;
            float dot = 0;
            for (std::size_t f = 0; f < features; ++f) dot += e[f] * o[f];
            const double p = 1 / (1 + std::exp(-static_cast<double>(dot)));
            const auto g = static_cast<float>(rate * ((n == 0 ? 1 : 0) - p));
            for (std::size_t f = 0; f < features; ++f) {
              change[f] += g * o[f];
              o[f] += g * e[f];
            }
          }
          for (std::size_t f = 0; f < features; ++f) e[f] += change[f];
        }
      }
    }
  return in;
}

std::vector<float> read_word_vectors(const std::string& path,
                                     const std::unordered_map<std::string, std::size_t>& wanted,
                                     std::size_t& features) {
  LineReader lines(path, {});
  LineReader::Batch batch;
  std::vector<float> vectors;
  features = 0;
  while (lines.next(batch))
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
      std::string_view text = batch.text(batch.lines[i]);
      const std::size_t end = text.find(' ');
      if (end == std::string_view::npos)
        throw bad_data(batch.where(path, i) + ": expected a word and numbers");
      const std::string word(text.substr(0, end));
      std::vector<float> row;
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
      for (std::size_t at = end; at < text.size();) {
        at = text.find_first_not_of(' ', at);
        if (at == std::string_view::npos) break;
        float value = 0;
        const auto [stop, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
        if (error != std::errc() || !std::isfinite(value))
          throw bad_data(batch.where(path, i) + ": no number at column " + std::to_string(at + 1));
        row.push_back(value);
        at = static_cast<std::size_t>(stop - text.data());
      }
      const bool header = batch.first_line + i == 0 && row.size() == 1;
      if (header) continue;
      if (features == 0) {
        features = row.size();
        if (features == 0 || features > 4096)
          throw bad_data(batch.where(path, i) + ": expected 1 to 4096 numbers");
        vectors.assign(wanted.size() * features, 0.0f);
      }
      if (row.size() != features)
        throw bad_data(batch.where(path, i) + ": " + std::to_string(row.size()) + " numbers, expected " +
                       std::to_string(features));
      if (const auto at = wanted.find(word); at != wanted.end())
        std::copy(row.begin(), row.end(),
                  vectors.begin() + static_cast<std::ptrdiff_t>(at->second * features));
    }
  if (features == 0) throw bad_data(path + " holds no word vectors");
  return vectors;
}

PlotVectors::PlotVectors(std::span<const std::string> plots, const WordVectorOptions& options,
                         Random random) {
  std::map<std::string, std::size_t> counts, documents;
  std::vector<std::vector<std::string>> corpus;
  for (const std::string& plot : plots) {
    corpus.push_back(words_of(plot));
    for (const std::string& w : corpus.back()) ++counts[w];
    for (const std::string& w : std::set<std::string>(corpus.back().begin(), corpus.back().end()))
      ++documents[w];
  }
  for (const auto& [word, count] : counts) {
    if (count < options.least) continue;
    numbers_.emplace(word, names_.size());
    names_.push_back(word);
    idf_.push_back(static_cast<float>(
        std::log(static_cast<double>(plots.size()) / static_cast<double>(documents[word]))));
  }
  if (names_.empty())
    throw bad_data("no word occurs " + std::to_string(options.least) + " times in the plots");
  std::size_t features = options.features;
  if (options.kind == "file") {
    vectors_ = read_word_vectors(options.path, numbers_, features);
  } else if (options.kind == "random") {
    vectors_.resize(names_.size() * features);
    for (float& v : vectors_) v = static_cast<float>(random.normal());
  } else {
    std::vector<std::vector<std::int32_t>> numbered;
    for (const auto& words : corpus) {
      auto& document = numbered.emplace_back();
      for (const std::string& w : words)
        if (const std::int64_t n = number(w); n >= 0) document.push_back(static_cast<std::int32_t>(n));
    }
    vectors_ = skip_gram(numbered, names_.size(), features, options.skip_gram, Random(random()));
  }
  mean_.assign(features, 0.0f), deviation_.assign(features, 1.0f), direction_.assign(features, 0.0f);
  std::vector<std::vector<double>> x;
  std::size_t known = 0;
  for (const std::string& plot : plots) x.push_back(mean_of_words(plot, known));
  // The first right singular vector, by power iteration.
  std::vector<double> v(features);
  for (double& e : v) e = random.normal();
  for (int round = 0; round < 100; ++round) {
    std::vector<double> next(features);
    for (const auto& row : x) {
      double dot = 0;
      for (std::size_t f = 0; f < features; ++f) dot += row[f] * v[f];
      for (std::size_t f = 0; f < features; ++f) next[f] += dot * row[f];
    }
    double length = 0;
    for (const double e : next) length += e * e;
    if (!(length > 0)) break;
    for (std::size_t f = 0; f < features; ++f) v[f] = next[f] / std::sqrt(length);
  }
  direction_.assign(v.begin(), v.end());
  std::vector<double> sum(features), squares(features);
  for (const auto& row : x) {
    double along = 0;
    for (std::size_t f = 0; f < features; ++f) along += row[f] * static_cast<double>(direction_[f]);
    for (std::size_t f = 0; f < features; ++f) {
      const double r = row[f] - along * static_cast<double>(direction_[f]);
      sum[f] += r, squares[f] += r * r;
    }
  }
  const auto n = static_cast<double>(x.size());
  for (std::size_t f = 0; f < features; ++f) {
    mean_[f] = static_cast<float>(sum[f] / n);
    const double variance = squares[f] / n - sum[f] / n * (sum[f] / n);
    deviation_[f] = static_cast<float>(variance > 1e-12 ? std::sqrt(variance) : 1.0);
  }
}

std::int64_t PlotVectors::number(const std::string& word) const {
  const auto at = numbers_.find(word);
  return at == numbers_.end() ? -1 : static_cast<std::int64_t>(at->second);
}

std::vector<double> PlotVectors::mean_of_words(std::string_view text, std::size_t& known) const {
  const std::size_t features = mean_.size();
  std::vector<double> x(features);
  double sum = 0;
  known = 0;
  for (const std::string& w : words_of(text)) {
    const std::int64_t n = number(w);
    if (n < 0) continue;
    ++known;
    const auto row = static_cast<std::size_t>(n);
    const auto idf = static_cast<double>(idf_[row]);
    sum += idf;
    for (std::size_t f = 0; f < features; ++f)
      x[f] += idf * static_cast<double>(vectors_[row * features + f]);
  }
  if (sum > 0)
    for (double& v : x) v /= sum;
  return x;
}

std::vector<float> PlotVectors::operator()(std::string_view text, std::size_t* known) const {
  std::size_t count = 0;
  const std::vector<double> x = mean_of_words(text, count);
  if (known) *known = count;
  double along = 0;
  for (std::size_t f = 0; f < x.size(); ++f) along += x[f] * static_cast<double>(direction_[f]);
  std::vector<float> out(x.size());
  for (std::size_t f = 0; f < x.size(); ++f)
    out[f] = static_cast<float>(
        (x[f] - along * static_cast<double>(direction_[f]) - static_cast<double>(mean_[f])) /
        static_cast<double>(deviation_[f]));
  return out;
}

void PlotVectors::save(Archive& group) const {
  std::string text;
  for (const std::string& name : names_) text += name + "\n";
  group.set("words", std::vector<std::uint8_t>(text.begin(), text.end()));
  group.set("idf", idf_);
  group.set("vectors", vectors_);
  group.set("direction", direction_);
  group.set("mean", mean_);
  group.set("deviation", deviation_);
}

void PlotVectors::load(const Archive& group) {
  const auto text = group.get<std::vector<std::uint8_t>>("words");
  names_.clear(), numbers_.clear();
  std::string name;
  for (const std::uint8_t c : text) {
    if (c != '\n') {
      name += static_cast<char>(c);
      continue;
    }
    numbers_.emplace(name, names_.size());
    names_.push_back(std::move(name));
    name.clear();
  }
  idf_ = group.get<std::vector<float>>("idf");
  vectors_ = group.get<std::vector<float>>("vectors");
  direction_ = group.get<std::vector<float>>("direction");
  mean_ = group.get<std::vector<float>>("mean");
  deviation_ = group.get<std::vector<float>>("deviation");
  if (numbers_.size() != names_.size() || idf_.size() != names_.size() || mean_.empty() ||
      direction_.size() != mean_.size() || deviation_.size() != mean_.size() ||
      vectors_.size() != names_.size() * mean_.size())
    throw bad_data("the words and their vectors do not belong together");
}

}  // namespace stream::recommenders
