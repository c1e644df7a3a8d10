#include "bandits/single_pass.hpp"

#include <algorithm>
#include <cmath>

#include "stream/error.hpp"

namespace stream::bandits {

SinglePass::SinglePass(const Problem& problem, const PolicyOptions& options)
    : problem_(problem), arms_(memory_of(problem, options)), policy_(make_policy(problem, options, arms_)) {}

SinglePass::Step SinglePass::arrive(Arm arm) {
  if (ended_) throw bad_data("arm " + arm.id + " is announced after the end of the arms");
  if (arrived_ == problem_.arms)
    throw bad_data("arm " + arm.id + " is announced after the last of the " + std::to_string(problem_.arms) +
                   " arms declared");
  if (awaited_ != kNowhere)
    throw bad_data("arm " + arm.id + " is announced while " + std::to_string(wanted_ - got_) +
                   " pulls of arm " + arms_.at(awaited_).id + " are awaited");
  if (arms_.find(arm.id) != kNowhere) throw bad_data("arm " + arm.id + " is announced, but held already");
  best_mean_ = arrived_ == 0 ? arm.mean : std::max(arm.mean, best_mean_);
  if (std::isnan(arm.mean)) expected_ = arm.mean;  // and stays so: the regret is not known
  ++arrived_;
  arms_.arrive(std::move(arm));
  if (spent_) {
    arms_.drop(kArriving);
    return {Step::Kind::kDecided};
  }
  return follow(policy_->arrive());
}

SinglePass::Step SinglePass::answer(const std::string& id, std::uint64_t n, double mean) {
  if (awaited_ == kNowhere)
    throw bad_data(
        "rewards of arm " + id +
        (pulls_ == problem_.trials ? " come after the last trial" : " come without having been asked for"));
  const Arm& arm = arms_.at(awaited_);
  if (arm.id != id) {
    throw bad_data("rewards of arm " + id + " come where those of arm " + arm.id + " are awaited" +
                   (arms_.find(id) == kNowhere ? "; arm " + id + " is not held" : ""));
  }
  if (n == 0 || n > wanted_ - got_)
    throw bad_data(std::to_string(n) + " pulls of arm " + id + " are answered, expected 1 to " +
                   std::to_string(wanted_ - got_));
  const auto count = static_cast<double>(n);
  got_ += n;
  pulls_ += n;
  sum_ += mean * count;
  reward_ += mean * count;
  expected_ += arm.mean * count;
  if (!committed_) explored_ += n;
  if (got_ < wanted_) return {Step::Kind::kWait};
  awaited_ = kNowhere;
  if (committed_) return {Step::Kind::kDone};
  if (!cut_) return follow(policy_->answer(sum_ / static_cast<double>(wanted_)));
  spent_ = true;
  return follow(Request::done());
}

SinglePass::Step SinglePass::end() {
  if (ended_) throw bad_data("the end of the arms is announced twice");
  if (awaited_ != kNowhere)
    throw bad_data("the end of the arms is announced while " + std::to_string(wanted_ - got_) +
                   " pulls of arm " + arms_.at(awaited_).id + " are awaited");
  if (arrived_ == 0) throw bad_data("the end of the arms is announced before the first");
  ended_ = true;
  return follow(spent_ ? Request::done() : policy_->end());
}

SinglePass::Step SinglePass::follow(const Request& request) {
  if (request.kind == Request::Kind::kPull && pulls_ < problem_.trials) {
    awaited_ = request.place;
    arms_.at(awaited_);  // throws for an arm that is not held
    wanted_ = std::min(request.pulls, problem_.trials - pulls_);
    cut_ = wanted_ < request.pulls;
    got_ = 0;
    sum_ = 0;
    return {Step::Kind::kPull, awaited_, wanted_};
  }
  if (request.kind == Request::Kind::kPull) spent_ = true;
  if (ended_) return commit();
  // With nothing left to pull it with, an arrival that was not decided on goes; the first is kept, so that
  // there is something to commit to.
  if (arms_.holds(kArriving)) {
    if (arms_.held() == 0)
      arms_.move(kArriving, 0);
    else
      arms_.drop(kArriving);
  }
  return {Step::Kind::kDecided};
}

SinglePass::Step SinglePass::commit() {
  committed_ = true;
  const Place place = policy_->best();
  const std::uint64_t left = problem_.trials - pulls_;
  if (left > 0) awaited_ = place, wanted_ = left, got_ = 0, sum_ = 0, cut_ = false;
  return {Step::Kind::kCommit, place, left};
}

double SinglePass::regret() const { return best_mean_ * static_cast<double>(pulls_) - expected_; }

double SinglePass::regret_with(Place place) const {
  return regret() + (best_mean_ - arms_.at(place).mean) * static_cast<double>(problem_.trials - pulls_);
}

void SinglePass::save(Archive& state) const {
  arms_.save(state.group("arms"));
  policy_->save(state.group("policy"));
  state.set("arrived", arrived_);
  state.set("pulls", pulls_);
  state.set("explored", explored_);
  state.set("ended", ended_);
  state.set("committed", committed_);
  state.set("spent", spent_);
  state.set("awaited", static_cast<std::int64_t>(awaited_));
  state.set("wanted", wanted_);
  state.set("got", got_);
  state.set("sum", sum_);
  state.set("cut", cut_);
  state.set("reward", reward_);
  state.set("expected", expected_);
  state.set("best_mean", best_mean_);
}

void SinglePass::load(const Archive& state) {
  arms_.load(state.group("arms"));
  policy_->load(state.group("policy"));
  arrived_ = state.get<std::uint64_t>("arrived");
  pulls_ = state.get<std::uint64_t>("pulls");
  explored_ = state.get<std::uint64_t>("explored");
  ended_ = state.get<bool>("ended");
  committed_ = state.get<bool>("committed");
  spent_ = state.get<bool>("spent");
  awaited_ = static_cast<Place>(state.get<std::int64_t>("awaited"));
  wanted_ = state.get<std::uint64_t>("wanted");
  got_ = state.get<std::uint64_t>("got");
  sum_ = state.get<double>("sum");
  cut_ = state.get<bool>("cut");
  reward_ = state.get<double>("reward");
  expected_ = state.get<double>("expected");
  best_mean_ = state.get<double>("best_mean");
}

}  // namespace stream::bandits
