#include "environments/push_t.hpp"

#include <algorithm>
#include <numbers>

namespace stream {

using std::numbers::pi;

Spec PushT::spec() {
  return Spec{"push-t", "Push a T-shaped block onto its outline with a round pusher."}
      .about(
          "A window of 512 by 512; the pusher, of radius 15, is drawn to where an action says by a spring "
          "(acc = 100 "
          "(target - p) - 20 v, 100 steps a second, an action every tenth of one). The T has a bar of 120 by "
          "30 and a "
          "stem of 30 by 90. It slides quasi-statically: a push moves and turns it as a force along the "
          "contact's "
          "normal does on a uniformly supported body, by as much as takes it out of the pusher. A step earns "
          "min(coverage / 0.95, 1); the episode ends when 0.95 of the outline is covered. The walls stop the "
          "pusher and "
          "the block's centre.")
      .paper("Chi et al., Diffusion Policy: Visuomotor Policy Learning via Action Diffusion, RSS 2023")
      .param("limit", 300, "steps after which an episode is cut off, 0 for never", at_least(0))
      .param("observe", "pose",
             "pose: pusher, and the block's place and turn; keypoints: pusher, and the block's eight corners "
             "and "
             "its centre, which do not jump where a full turn ends",
             choices({"pose", "keypoints"}));
}

Spaces PushT::spaces(const Params& params) {
  if (params.get<std::string>("observe") == "keypoints") {
    std::vector<std::string> names{"pusher x", "pusher y"};
    for (std::size_t i = 0; i <= kTeeOutline.size(); ++i) {
      const std::string what = i < kTeeOutline.size() ? "corner " + std::to_string(i + 1) : "centre";
      names.push_back(what + " x"), names.push_back(what + " y");
    }
    std::vector<double> low(names.size(), -200), high(names.size(), kWindow + 200);
    low[0] = low[1] = 0, high[0] = high[1] = kWindow;
    return {Space::box(std::move(low), std::move(high), std::move(names)),
            Space::box({2}, 0, kWindow, {"target x", "target y"})};
  }
  return {Space::box({0, 0, -200, -200, 0}, {kWindow, kWindow, kWindow + 200, kWindow + 200, 2 * pi},
                     {"pusher x", "pusher y", "block x", "block y", "block angle"}),
          Space::box({2}, 0, kWindow, {"target x", "target y"})};
}

PushT::PushT(const Params& params)
    : Environment(spaces(params), params.get<std::int64_t>("limit")),
      keypoints_(params.get<std::string>("observe") == "keypoints") {}

void PushT::start(std::span<double> observation) {
  pusher_ = {};
  pusher_.position = {random().uniform(50, 450), random().uniform(50, 450)};
  block_ = {random().uniform(100, 400), random().uniform(100, 400), random().uniform(0, 2 * pi)};
  push();
  observe(observation);
}

Environment::Outcome PushT::move(std::span<const double> action, std::span<double> observation) {
  pusher_.track({clipped(action, 0), clipped(action, 1)}, [&] {
    for (std::size_t i = 0; i < 2; ++i) {
      const double stopped = std::clamp(pusher_.position[i], kPusher, kWindow - kPusher);
      if (stopped != pusher_.position[i]) pusher_.velocity[i] = 0;
      pusher_.position[i] = stopped;
    }
    push();
  });
  observe(observation);
  const double coverage = tee_coverage(block_, kGoal);
  return {std::clamp(coverage / kSuccess, 0.0, 1.0), coverage > kSuccess};
}

void PushT::observe(std::span<double> observation) const {
  observation[0] = pusher_.position[0], observation[1] = pusher_.position[1];
  if (keypoints_) {
    for (std::size_t i = 0; i <= kTeeOutline.size(); ++i) {
      const TeePoint p = tee_to_world(block_, i < kTeeOutline.size() ? kTeeOutline[i] : kTeeCentre);
      observation[2 + 2 * i] = p[0], observation[3 + 2 * i] = p[1];
    }
    return;
  }
  observation[2] = block_.x, observation[3] = block_.y, observation[4] = block_.angle;
}

void PushT::store(Archive& state) const {
  state.set("pusher",
            std::vector{pusher_.position[0], pusher_.position[1], pusher_.velocity[0], pusher_.velocity[1]});
  state.set("block", std::vector{block_.x, block_.y, block_.angle});
}

void PushT::restore(const Archive& state) {
  const auto pusher = stored(state, "pusher", 4), block = stored(state, "block", 3);
  pusher_.position = {pusher[0], pusher[1]}, pusher_.velocity = {pusher[2], pusher[3]};
  block_ = {block[0], block[1], block[2]};
}

}  // namespace stream
