#include "recommenders/random_forest.hpp"

#include <cmath>
#include <opencv2/ml.hpp>

namespace stream::recommenders {

struct RandomForest::Trees {
  cv::Ptr<cv::ml::RTrees> forest;
};

RandomForest::RandomForest(std::span<const float> rows, std::span<const int> truth, std::size_t columns,
                           std::size_t classes, std::uint64_t seed)
    : trees_(std::make_unique<Trees>()) {
  const int n = static_cast<int>(truth.size()), d = static_cast<int>(columns);
  const cv::Mat x(n, d, CV_32F, const_cast<float*>(rows.data()));
  const cv::Mat y(n, 1, CV_32S, const_cast<int*>(truth.data()));
  // One number of OpenCV's is global; it belongs to this thread.
  cv::setRNGSeed(static_cast<int>(seed & 0x7fffffff));
  auto& forest = trees_->forest = cv::ml::RTrees::create();
  forest->setMaxDepth(25);
  forest->setMinSampleCount(2);
  forest->setActiveVarCount(static_cast<int>(std::lround(std::sqrt(static_cast<double>(columns)))));
  forest->setCalculateVarImportance(false);
  forest->setPriors(cv::Mat(1, static_cast<int>(classes), CV_32F, cv::Scalar(1)));
  forest->setTermCriteria({cv::TermCriteria::MAX_ITER, 200, 0});
  forest->train(cv::ml::TrainData::create(x, cv::ml::ROW_SAMPLE, y));
}

RandomForest::~RandomForest() = default;

int RandomForest::operator()(std::span<const float> row) const {
  const cv::Mat x(1, static_cast<int>(row.size()), CV_32F, const_cast<float*>(row.data()));
  return static_cast<int>(std::lround(trees_->forest->predict(x)));
}

}  // namespace stream::recommenders
