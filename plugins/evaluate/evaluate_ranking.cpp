#include "evaluate/evaluate_ranking.hpp"

#include <cstdio>

#include "stream/error.hpp"

namespace stream::evaluate {

namespace {

/// Ids are strings or integers; one that is a number is another than the string of its digits.
std::string id_of(const Value& value, const std::string& member) {
  if (!value.is_string() && !value.is_integer())
    throw bad_data("member '" + member + "' holds an id of type " + value.kind() +
                   ", expected a string or an integer");
  return value.dump();
}

/// Ids, or lists that begin with one ([id, score, ...]).
std::vector<std::string> ids_of(const Record& record, const std::string& member) {
  const Value& list = record.at(member);
  if (!list.is_array())
    throw bad_data("member '" + member + "' is of type " + list.kind() + ", expected an array of ids");
  std::vector<std::string> out;
  for (const Value& item : list.as_array()) {
    if (item.is_array() && item.as_array().empty())
      throw bad_data("member '" + member + "' holds an empty array where [id, ...] was expected");
    out.push_back(id_of(item.is_array() ? item.as_array()[0] : item, member));
  }
  return out;
}

}  // namespace

Spec RankingOperator::spec() {
  return with_params(
             Spec("evaluate.ranking", "Score ranked lists by NDCG and recall, with bootstrap intervals.")
                 .input<Record>("in", "one ranked list each, and what it should have held")
                 .output<Record>(
                     "score",
                     "{\"period\", \"events\", \"ndcg\", \"ndcg_interval\", \"recall\", "
                     "\"recall_interval\"}; with `known` the same with _repeat and _explore; the last "
                     "of a period has \"final\": true")
                 .param("items", "items", "member with the ranked list: ids, or arrays that begin with one")
                 .param("targets", "targets", "member with the ids that were wanted")
                 .param("known", std::string(),
                        "member with the ids that were known before: scores the wanted ones among them "
                        "(_repeat) and the others (_explore) apart; empty: none")
                 .param("k", std::int64_t{10}, "how much of a list counts", range(1, 1e6))
                 .contract({.order = Order::kStateful}))
      .about(
          "Of each list with at least one wanted id: NDCG@k = DCG / best DCG there is, with gain 1 and "
          "discount "
          "1/log2(rank + 1); recall@k = wanted ids among the first k / wanted ids. A list without any is "
          "passed "
          "over, and so is a part without any for that part. The mean over lists is said after 1, 2, 4, 8 "
          "... of "
          "them (prequential when the list was made before the ids were learnt from), and at every time of "
          "`split`, where the count begins anew. Intervals are percentiles over Poisson resamplings of whole "
          "units.")
      .paper(
          "Jarvelin, Kekalainen, Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4), 2002; "
          "Chamandy, "
          "Muralidharan, Najmi, Naidu, Estimating uncertainty for massive data streams, 2012")
      .example("Lists in JSON Lines", R"([nodes.lists]
use = "jsonl.read"

[nodes.score]
use  = "evaluate.ranking"
from = "lists"
k    = 3

[nodes.out]
use  = "jsonl.write"
from = "score"
)");
}

RankingOperator::RankingOperator(const Params& p)
    : ScoreLines(p),
      items_(p.get<std::string>("items")),
      targets_(p.get<std::string>("targets")),
      known_(p.get<std::string>("known")),
      k_(p.get<std::size_t>("k")) {
  for (const char* suffix : {"", "_repeat", "_explore"})
    if (*suffix == '\0' || !known_.empty())
      parts_.push_back({suffix, Resampled(replicates(), seed()), Resampled(replicates(), seed())});
}

bool RankingOperator::score(const Packet& in, std::uint64_t unit) {
  const auto& record = in.as<Record>();
  const auto ranked = ids_of(record, items_), wanted_list = ids_of(record, targets_);
  const std::unordered_set<std::string> wanted(wanted_list.begin(), wanted_list.end());
  std::unordered_set<std::string> known;
  if (!known_.empty())
    for (std::string& id : ids_of(record, known_)) known.insert(std::move(id));
  if (wanted.empty()) return false;
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    std::unordered_set<std::string> part;
    for (const std::string& id : wanted)
      if (p == 0 || known.contains(id) == (p == 1)) part.insert(id);
    if (part.empty()) continue;
    const auto hits = hits_of(ranked, part);
    parts_[p].ndcg.add(unit, ndcg(hits, part.size(), k_));
    parts_[p].recall.add(unit, recall(hits, part.size(), k_));
  }
  return true;
}

void RankingOperator::report(Object& line) const {
  const auto say = [&](const std::string& name, const Resampled& measure) {
    const Interval interval = measure.interval(level());
    put(line, name, measure.mean(), interval.low, interval.high);
  };
  for (const Part& part : parts_) {
    say("ndcg" + part.suffix, part.ndcg);
    say("recall" + part.suffix, part.recall);
  }
}

void RankingOperator::clear() {
  for (Part& part : parts_) part.ndcg.clear(), part.recall.clear();
}

void RankingOperator::save_score(Archive& group) const {
  for (const Part& part : parts_) {
    part.ndcg.save(group.group("ndcg" + part.suffix));
    part.recall.save(group.group("recall" + part.suffix));
  }
}

void RankingOperator::load_score(const Archive& group) {
  for (Part& part : parts_) {
    part.ndcg.load(group.group("ndcg" + part.suffix));
    part.recall.load(group.group("recall" + part.suffix));
  }
}

std::size_t RankingOperator::state_bytes() const { return parts_.size() * 2 * parts_.front().ndcg.bytes(); }

std::string RankingOperator::progress() const {
  if (parts_.front().ndcg.count() == 0) return {};
  char text[64];
  std::snprintf(text, sizeof text, "NDCG %.4f, recall %.4f", parts_.front().ndcg.mean(),
                parts_.front().recall.mean());
  return text;
}

}  // namespace stream::evaluate
