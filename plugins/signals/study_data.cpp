#include "signals/study_parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "signals/dictionary_baselines.hpp"
#include "signals/planted.hpp"

namespace stream::signals {

namespace {

using Options = DictionaryStudy::Options;

/// Approximation of sensors and of patches that were held out.
class DataPart final : public StudyPart {
 public:
  explicit DataPart(const Options& options) : options_(options) {}
  /// One data set and seed.
  bool step() override {
    const std::int64_t seeds = std::min<std::int64_t>(3, options_.seeds);
    if (done_ == 2 * seeds) return false;
    const bool sensors = done_ < seeds;
    Random random = seeded(sensors ? "sensors" : "patches", done_ % seeds, options_.seed);
    ++done_;
    const auto count = static_cast<std::size_t>(options_.vectors);
    const std::size_t held_out = std::max<std::size_t>(100, count / 10);
    const Matrix all =
        sensors ? sensor_vectors(count + held_out, random) : patch_vectors(count + held_out, random);
    Matrix train(count, all.cols()), test(held_out, all.cols());
    for (std::size_t t = 0; t < all.rows(); ++t)
      std::copy_n(all.row(t), all.stride(), t < count ? train.row(t) : test.row(t - count));
    const std::size_t n = all.cols();
    double peak = 0;
    for (const double v : test.values()) peak = std::max(peak, std::abs(v));
    const auto psnr = [&](double error) { return 10 * std::log10(peak * peak / error); };
    auto& found = psnr_[sensors ? 0 : 1];
    const DictionaryLearner::Options method{.batch = 16, .polar_every = sensors ? 1 : 8};
    found["method"].push_back(
        psnr(sparse_error(test, learnt(train, method, Matrix::random_orthogonal(n, random)), kTerms)));
    found["DCT"].push_back(psnr(sparse_error(test, sensors ? dct_basis(n) : dct_of_patches(), kTerms)));
    found["PCA"].push_back(psnr(sparse_error(test, leading(principal_components(train), kTerms), kTerms)));
    found["PCA, any components"].push_back(psnr(sparse_error(test, principal_components(train), kTerms)));
    const Matrix start = Matrix::random_orthogonal(n, random);
    found["batch l3"].push_back(psnr(sparse_error(test, batch_ascent(train, 3, 40, start), kTerms)));
    Matrix few_train(std::min<std::size_t>(2000, count), n),
        few_test(std::min<std::size_t>(1000, held_out), n);
    for (std::size_t t = 0; t < few_train.rows(); ++t)
      std::copy_n(train.row(t), train.stride(), few_train.row(t));
    for (std::size_t t = 0; t < few_test.rows(); ++t)
      std::copy_n(test.row(t), test.stride(), few_test.row(t));
    found["K-SVD, not orthogonal"].push_back(
        psnr(pursuit_error(few_test, ksvd(few_train, kTerms, 5, start), kTerms)));
    return true;
  }
  double fraction() const override { return static_cast<double>(done_) / 6; }
  std::string progress() const override { return "data: set " + std::to_string(done_); }
  std::vector<Object> records() const override {
    std::vector<Object> out;
    for (const std::size_t set : {0, 1}) {
      const auto& found = psnr_[set];
      const std::string what = set == 0 ? "sensors" : "patches";
      const double method = mean(found.at("method")), dct = mean(found.at("DCT")),
                   pca = mean(found.at("PCA"));
      const double least = set == 0 ? 0.5 : options_.vectors >= kEnough ? -0.3 : -1.0;
      out.push_back(claim("PSNR of 6 terms over the DCT, dB: " + what, "better", quantity(dct, "dB"),
                          method - dct, ">= " + quantity(least), method - dct >= least));
      out.push_back(claim("PSNR of 6 terms over the 6 first principal components, dB: " + what, "better",
                          quantity(pca, "dB"), method - pca, ">= 1", method - pca >= 1));
      for (const auto& [name, values] : found)
        for (std::size_t s = 0; s < values.size(); ++s)
          out.push_back(point("PSNR of 6 terms by seed: " + what, name, static_cast<double>(s), values[s]));
    }
    return out;
  }

 private:
  static constexpr std::size_t kTerms = 6;
  /// Patches from which the stated bar holds; with fewer, a looser one.
  static constexpr std::int64_t kEnough = 200'000;
  static Matrix leading(const Matrix& basis, std::size_t count) {
    Matrix some(basis.rows(), count);
    for (std::size_t i = 0; i < basis.rows(); ++i) std::copy_n(basis.row(i), count, some.row(i));
    return some;
  }
  /// The DCT in the coordinates of patch_vectors: the inverse of the rotation that it is given in.
  static Matrix dct_of_patches() {
    Random fixed(63);
    return Matrix::random_orthogonal(63, fixed).transposed();
  }
  Options options_;
  std::int64_t done_ = 0;
  std::array<std::map<std::string, std::vector<double>>, 2> psnr_;
};

}  // namespace

std::unique_ptr<StudyPart> data_part(const Options& options) { return std::make_unique<DataPart>(options); }

}  // namespace stream::signals
