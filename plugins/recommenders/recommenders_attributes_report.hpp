/// recommenders.attributes_report: which features of playlists go with which attribute.
#pragma once

#include "recommenders/listener_table.hpp"
#include "stream/operator.hpp"

namespace stream::recommenders {

/// One test of a feature's mean over a listener's playlists against an attribute.
struct FeatureTest {
  std::size_t attribute, feature;
  const char* test;  ///< "mann-whitney", "kruskal-wallis" or "spearman"
  double statistic, p, q, effect;
};
/// Of all features with all attributes, q corrected over all of them. Attributes of two names are tested by
/// Mann and Whitney, of more by Kruskal and Wallis, numbers by Spearman. What is not known is left out.
std::vector<FeatureTest> test_features(const ListenerTable& table);

class AttributesReportSource final : public Source {
 public:
  static Spec spec();
  explicit AttributesReportSource(const Params& params);
  bool read(Output& out) override;
  double fraction() const override;
  void save(Archive& state) const override { state.set("next", next_); }
  void load(const Archive& state) override;

 private:
  Object similarity(std::size_t attribute) const;
  std::shared_ptr<const ListenerTable> table_;
  std::vector<FeatureTest> tests_;
  std::size_t permutations_;
  std::uint64_t seed_;
  std::int64_t next_ = 0;  ///< tests, then one line for each attribute
};

}  // namespace stream::recommenders
