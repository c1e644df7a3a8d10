/// A DeepSet over playlists: each through phi, mean and maximum over them, and a head for each attribute. The
/// plain forward, and what it keeps of a listener.
///
/// Tricomi, Pajola, Pasa, Conti, "'All of Me': Mining Users' Attributes from their Public Spotify Playlists",
/// arXiv 2401.14296, 2024; Zaheer et al., "Deep Sets", NIPS 2017.
#pragma once

#include <map>
#include <memory>

#include "nn/dense.hpp"
#include "recommenders/listener_table.hpp"

namespace stream::recommenders {

inline constexpr std::size_t kDeepSetUnits = 64;

/// What was measured on listeners that training never saw: said beside every prediction.
struct AttributeQuality {
  double balanced_accuracy = 0, calibration = 0;
  std::vector<double> shares;  ///< of the classes among the listeners for training
};

/// Probabilities of the classes of each attribute.
using AttributeProbabilities = std::vector<std::vector<double>>;

class DeepSetModel {
 public:
  /// Named float32 weights, row-major: "phi1.weight" [64, 111] ... as libtorch has them.
  struct Weights {
    std::vector<float> phi1, phi1_bias, phi2, phi2_bias, rho, rho_bias, heads, heads_bias;
  };
  DeepSetModel(Weights weights, Standardiser standardiser, std::vector<AttributeClasses> attributes,
               std::vector<AttributeQuality> quality);
  /// h = phi(standardised x) [64].
  std::vector<float> playlist(std::span<const double> x) const;
  /// From the mean and maximum of h and the number of playlists, one or more.
  AttributeProbabilities attributes_of(std::span<const double> mean, std::span<const float> most,
                                       std::size_t playlists) const;
  const std::vector<AttributeClasses>& attributes() const { return attributes_; }
  const std::vector<AttributeQuality>& quality() const { return quality_; }
  void set_quality(std::vector<AttributeQuality> quality) { quality_ = std::move(quality); }

  void write(const std::string& path) const;
  /// Throws Error(kNoInput), Error(kBadData) or Error(kBadRecipe) that names the file.
  static std::shared_ptr<const DeepSetModel> read(const std::string& path);

 private:
  Weights weights_;
  Standardiser standardiser_;
  std::vector<AttributeClasses> attributes_;
  std::vector<AttributeQuality> quality_;
  nn::DenseLinear phi1_, phi2_, rho_, heads_;
};

/// The set of a listener's h: their sum in double, their maximum, and each of them.
class PlaylistSet {
 public:
  /// Adds, or replaces, a playlist. `h`: kDeepSetUnits numbers.
  void put(const std::string& playlist, std::vector<float> h);
  /// Throws Error(kBadData) when there is no such playlist.
  void remove(const std::string& playlist);
  bool has(const std::string& playlist) const { return units_.contains(playlist); }
  std::size_t size() const { return units_.size(); }
  std::vector<double> mean() const;
  const std::vector<float>& most() const { return most_; }
  /// Mean and maximum without one of at least two playlists.
  std::pair<std::vector<double>, std::vector<float>> without(const std::string& playlist) const;
  const std::map<std::string, std::vector<float>>& units() const { return units_; }
  void save(Archive& group) const;
  void load(const Archive& group);

 private:
  void changed();
  void find_most();
  std::map<std::string, std::vector<float>> units_;  ///< h by playlist
  std::vector<double> sum_ = std::vector<double>(kDeepSetUnits);
  std::vector<float> most_ = std::vector<float>(kDeepSetUnits), second_ = most_;  ///< the greatest, the next
  std::int64_t changes_ = 0;  ///< every thousandth makes the sum anew
};

}  // namespace stream::recommenders
