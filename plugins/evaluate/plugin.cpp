/// Plugin "evaluate": how good rankings, scores, likelihoods and predictions are, with intervals.
#include "stream/plugin.hpp"
#include "evaluate/evaluate_auc.hpp"
#include "evaluate/evaluate_average.hpp"
#include "evaluate/evaluate_ranking.hpp"

STREAM_PLUGIN("evaluate", stream::evaluate::RankingOperator, stream::evaluate::AucOperator,
              stream::evaluate::AverageOperator);
