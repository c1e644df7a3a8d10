#include "events/event_model.hpp"

#include <cmath>

#include "stream/error.hpp"

namespace stream::events {

void Affine::add(const float* x, float* y) const {
  if (!bias.empty())
    for (std::size_t o = 0; o < out; ++o) y[o] += bias[o];
  const float* row = weight.data();
  for (std::size_t i = 0; i < in; ++i, row += out)
    for (std::size_t o = 0; o < out; ++o) y[o] += row[o] * x[i];
}

void Affine::save(Archive& group) const {
  group.set("weight", Tensor::of(weight, {static_cast<std::int64_t>(in), static_cast<std::int64_t>(out)}));
  group.set("bias", bias);
}

void Affine::load(const Archive& group, std::size_t inputs, std::size_t outputs) {
  weight = group.get<std::vector<float>>("weight"), bias = group.get<std::vector<float>>("bias");
  in = inputs, out = outputs;
  if (weight.size() != in * out || (!bias.empty() && bias.size() != out))
    throw bad_data("a matrix of the event model is not " + std::to_string(out) + " x " + std::to_string(in));
  for (const auto* values : {&weight, &bias})
    for (const float value : *values)
      if (!std::isfinite(value)) throw bad_data("the event model holds a number that is not finite");
}

void VipoolMaps::embedding(const float* x, float* e) const {
  std::fill_n(e, embed.out, 0.f);
  embed.add(x, e);
  for (std::size_t i = 0; i < embed.out; ++i)
    if (e[i] < 0) e[i] *= slope;
}

float VipoolMaps::affinity(const float* e, const float* neighbourhood) const {
  const std::size_t d = embed.out;
  std::vector<float> p(d), image(d);
  around.add(neighbourhood, p.data());
  bilinear.add(e, image.data());
  float logit = 0;
  for (std::size_t i = 0; i < d; ++i) logit += image[i] / (1 + std::exp(-p[i]));
  return 1 / (1 + std::exp(-logit));
}

void EventModel::save(Archive& group) const {
  vocabulary.save(group.group("vocabulary"));
  group.set("delay", delay);
  group.set("unit", unit);
  group.set("mean", mean);
  group.set("scale", scale);
  group.set("hidden", static_cast<std::int64_t>(hidden()));
  group.set("embedded", static_cast<std::int64_t>(embedded()));
  for (std::size_t l = 0; l < 2; ++l) {
    Archive& level = group.group("level_" + std::to_string(l));
    level.set("keep", keep[l]);
    level.set("threshold", threshold[l]);
    level.set("slope", pool[l].slope);
    pool[l].embed.save(level.group("embed"));
    pool[l].around.save(level.group("around"));
    pool[l].bilinear.save(level.group("bilinear"));
    Archive& layer = group.group("convolution_" + std::to_string(l));
    convolution[l].self.save(layer.group("self"));
    for (std::size_t r = 0; r < convolution[l].relations.size(); ++r)
      convolution[l].relations[r].save(layer.group("relation_" + std::to_string(r)));
  }
}

EventModel EventModel::load(const Archive& group) {
  EventModel m;
  m.vocabulary = SceneVocabulary::load(group.group("vocabulary"));
  m.delay = group.get<std::int64_t>("delay");
  m.unit = group.get<double>("unit");
  m.mean = group.get<std::vector<float>>("mean"), m.scale = group.get<std::vector<float>>("scale");
  const auto hidden = group.get<std::int64_t>("hidden"), embedded = group.get<std::int64_t>("embedded");
  const auto numbers = 2 * static_cast<std::size_t>(m.vocabulary.features);
  if (m.delay < 0 || m.delay > 2 || !(m.unit > 0) || m.mean.size() != numbers || m.scale.size() != numbers ||
      hidden < 1 || hidden > 1024 || embedded < 1 || embedded > 1024)
    throw bad_data("the event model's sizes are not ones that can be");
  const auto h = static_cast<std::size_t>(hidden), e = static_cast<std::size_t>(embedded);
  for (std::size_t l = 0; l < 2; ++l) {
    const Archive& level = group.group("level_" + std::to_string(l));
    m.keep[l] = level.get<double>("keep");
    m.threshold[l] = level.get<float>("threshold");
    m.pool[l].slope = level.get<float>("slope");
    m.pool[l].embed.load(level.group("embed"), l == 0 ? m.seen() : m.seen() + h, e);
    m.pool[l].around.load(level.group("around"), e, e);
    m.pool[l].bilinear.load(level.group("bilinear"), e, e);
    const Archive& layer = group.group("convolution_" + std::to_string(l));
    const std::size_t in = l == 0 ? m.seen() : h;
    m.convolution[l].self.load(layer.group("self"), in, h);
    m.convolution[l].relations.resize(m.relations());
    for (std::size_t r = 0; r < m.relations(); ++r)
      m.convolution[l].relations[r].load(layer.group("relation_" + std::to_string(r)), in, h);
    if (!(m.keep[l] > 0 && m.keep[l] < 1)) throw bad_data("a share that is kept must be between 0 and 1");
  }
  return m;
}

}  // namespace stream::events
