/// A decoder written down plainly, in double precision: what every query sees, and where everything stands,
/// is given from outside. Independent of the decoder under test but for the reading of weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "llm/model_file.hpp"

namespace stream::llm::plain {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

/// A past token that a query sees, and where it stands.
struct Seen {
  std::int64_t token, position;
};
/// What query t sees (itself included), in any order, and where the query stands.
struct View {
  std::vector<Seen> seen;
  std::int64_t position = 0;
};
/// StreamingLLM's: the first `sinks` tokens and the last `recent` before t, at their places among those that
/// are kept.
inline View window_with_sinks(std::int64_t t, std::int64_t sinks, std::int64_t recent) {
  View view;
  for (std::int64_t s = 0; s <= t; ++s)
    if (s < sinks || t - s <= recent) view.seen.push_back({s, static_cast<std::int64_t>(view.seen.size())});
  view.position = static_cast<std::int64_t>(view.seen.size()) - 1;
  return view;
}

/// A key bias whose key is 0 scores 0 with every query, which is SoftMax1's zero sink: sets the key biases of
/// `model` to 0, and returns the model with that sink instead.
inline LanguageModel zero_sink_of(LanguageModel& model) {
  LanguageModel other;
  other.config = model.config;
  other.config.attention_bias = AttentionBias::kNone, other.config.score = Score::kSoftmaxOne;
  for (auto& [name, tensor] : model.weights)
    if (name.ends_with("key_bias"))
      tensor = Tensor::of(std::vector<float>(static_cast<std::size_t>(tensor.elements())),
                          {tensor.shape().begin(), tensor.shape().end()});
    else
      other.weights.emplace(name, tensor);
  return other;
}

class Decoder {
 public:
  explicit Decoder(const LanguageModel& model) : model_(model), c_(model.config) {}

  /// Logits after every token. `rotations` are those of plain RoPE.
  Rows logits(const std::vector<std::int32_t>& tokens,
              const std::function<View(std::int64_t t)>& view) const {
    return logits_by_head(tokens, [&](std::int64_t t, std::int64_t, std::int64_t) { return view(t); });
  }
  /// The same where layers see different things.
  Rows logits_by_layer(const std::vector<std::int32_t>& tokens,
                       const std::function<View(std::int64_t t, std::int64_t layer)>& view) const {
    return logits_by_head(tokens,
                          [&](std::int64_t t, std::int64_t layer, std::int64_t) { return view(t, layer); });
  }
  /// The same where kv heads do.
  Rows logits_by_head(
      const std::vector<std::int32_t>& tokens,
      const std::function<View(std::int64_t t, std::int64_t layer, std::int64_t kv_head)>& view) const {
    const auto n = tokens.size();
    Rows x(n);
    for (std::size_t t = 0; t < n; ++t) x[t] = embedded(tokens[t], static_cast<std::int64_t>(t));
    const bool post = c_.norm_place == NormPlace::kPost;
    for (std::int64_t l = 0; l < c_.layers; ++l) {
      const std::string name = "layers." + std::to_string(l) + ".";
      Rows q(n), k(n), v(n);
      for (std::size_t t = 0; t < n; ++t) {
        const Row y = post ? x[t] : norm(name + "input_layernorm", x[t]);
        q[t] = linear(name + "self_attn.q_proj", y);
        k[t] = linear(name + "self_attn.k_proj", y);
        v[t] = linear(name + "self_attn.v_proj", y);
      }
      for (std::size_t t = 0; t < n; ++t) {
        const auto of_head = [&](std::int64_t kv) { return view(static_cast<std::int64_t>(t), l, kv); };
        const Row attended = linear(name + "self_attn.o_proj", attend(q[t], k, v, of_head, name));
        Row sum = added(x[t], attended);
        if (post) sum = norm(name + "input_layernorm", sum);
        const Row y = post ? sum : norm(name + "post_attention_layernorm", c_.parallel_residual ? x[t] : sum);
        Row up = linear(name + "mlp.up_proj", y);
        const Row gate = c_.gated ? linear(name + "mlp.gate_proj", y) : up;
        for (std::size_t i = 0; i < up.size(); ++i) up[i] = activated(gate[i]) * (c_.gated ? up[i] : 1);
        x[t] = added(sum, linear(name + "mlp.down_proj", up));
        if (post) x[t] = norm(name + "post_attention_layernorm", x[t]);
      }
    }
    Rows out(n);
    for (std::size_t t = 0; t < n; ++t)
      out[t] = linear(c_.tied_embeddings ? "embed_tokens" : "lm_head", post ? x[t] : norm("norm", x[t]));
    return out;
  }
  /// Dense causal attention at true positions, by the prefix and the window of the model.
  Rows dense(const std::vector<std::int32_t>& tokens) const {
    return logits(tokens, [this, n = static_cast<std::int64_t>(tokens.size())](std::int64_t t) {
      View view;
      for (std::int64_t s = 0; s < n; ++s)
        if ((s <= t && (c_.sliding_window == 0 || s > t - c_.sliding_window)) || s < c_.prefix)
          view.seen.push_back({s, s});
      view.position = t;
      return view;
    });
  }

 private:
  static Row added(Row a, const Row& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
  }
  Row embedded(std::int32_t token, std::int64_t t) const {
    Row x = matrix_row("embed_tokens.weight", token);
    if (c_.position == Position::kLearned) x = added(x, matrix_row("position_embedding.weight", t));
    for (std::size_t i = 0; c_.position == Position::kSinusoidal && i < x.size() / 2; ++i) {
      const double angle = static_cast<double>(t) /
                           std::pow(10000.0, 2.0 * static_cast<double>(i) / static_cast<double>(x.size()));
      x[i] += std::sin(angle), x[i + x.size() / 2] += std::cos(angle);
    }
    return x;
  }
  Row matrix_row(const std::string& name, std::int64_t r) const {
    const auto values = floats(model_.weights.at(name));
    const auto cols = model_.weights.at(name).shape()[1];
    return {values.begin() + r * cols, values.begin() + (r + 1) * cols};
  }
  Row linear(const std::string& name, const Row& x) const {
    const auto w = floats(model_.weights.at(name + ".weight"));
    Row y(w.size() / x.size());
    for (std::size_t r = 0; r < y.size(); ++r)
      for (std::size_t i = 0; i < x.size(); ++i) y[r] += static_cast<double>(w[r * x.size() + i]) * x[i];
    if (const auto bias = model_.weights.find(name + ".bias"); bias != model_.weights.end()) {
      const auto b = floats(bias->second);
      for (std::size_t r = 0; r < y.size(); ++r) y[r] += b[r];
    }
    return y;
  }
  Row norm(const std::string& name, const Row& x) const {
    double mean = 0, square = 0;
    if (c_.norm == Norm::kLayer) {
      for (const double v : x) mean += v / static_cast<double>(x.size());
    }
    for (const double v : x) square += (v - mean) * (v - mean) / static_cast<double>(x.size());
    const auto w = floats(model_.weights.at(name + ".weight"));
    Row y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      y[i] = (x[i] - mean) / std::sqrt(square + c_.norm_epsilon) * w[i];
    if (c_.norm == Norm::kLayer) {
      const auto b = floats(model_.weights.at(name + ".bias"));
      for (std::size_t i = 0; i < x.size(); ++i) y[i] += b[i];
    }
    return y;
  }
  double activated(double v) const {
    switch (c_.activation) {
      case Activation::kSilu:
        return v / (1 + std::exp(-v));
      case Activation::kGelu:
        return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0)));
      case Activation::kGeluTanh:
        return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
      default:
        return std::max(v, 0.0);
    }
  }
  Row head(const Row& all, std::int64_t index) const {
    return {all.begin() + index * c_.head_dim, all.begin() + (index + 1) * c_.head_dim};
  }
  void rotate(Row& x, std::int64_t position) const {
    const std::int64_t half = c_.rotary_dims() / 2;
    const Row before = x;
    for (std::int64_t i = 0; i < half; ++i) {
      const double f = std::pow(c_.rope_base, -static_cast<double>(i) / static_cast<double>(half));
      const double a = static_cast<double>(position) * f;
      const auto p = static_cast<std::size_t>(i), r = static_cast<std::size_t>(i + half);
      x[p] = before[p] * std::cos(a) - before[r] * std::sin(a);
      x[r] = before[r] * std::cos(a) + before[p] * std::sin(a);
    }
  }
  /// Row h of [heads, d], or of one that all share.
  Row bias(const std::string& name, std::int64_t h) const {
    return matrix_row(name, model_.weights.at(name).shape()[0] == 1 ? 0 : h);
  }
  /// phi of a head.
  Row feature(Row x, const std::string& layer) const {
    if (c_.score == Score::kEluKernel || c_.score == Score::kEluKernelNormalised)
      for (double& v : x) v = v > 0 ? v + 1 : std::exp(v);
    if (c_.score == Score::kMlpKernel || c_.score == Score::kMlpKernelNormalised) {
      x = linear(layer + "self_attn.kernel_in", x);
      for (double& v : x) v = std::max(0.0, v);
      x = linear(layer + "self_attn.kernel_out", x);
    }
    return x;
  }
  /// What the place of a key so far behind its query adds.
  double of_distance(std::int64_t h, std::int64_t behind) const {
    if (c_.position == Position::kAlibi)
      return -std::pow(2.0, -8.0 * static_cast<double>(h + 1) / static_cast<double>(c_.heads)) *
             static_cast<double>(behind);
    if (c_.position != Position::kRelative) return 0;
    double bucket = static_cast<double>(behind);
    if (behind >= 16)
      bucket =
          std::min(31.0, 16 + std::floor(16 * std::log(static_cast<double>(behind) / 16) / std::log(8.0)));
    return matrix_row("relative_attention_bias.weight", h)[static_cast<std::size_t>(std::max(0.0, bucket))];
  }
  /// Scores become weights; the equations of Gu et al., section 7.
  void weigh(Row& scores) const {
    double sum = 0;
    for (double& s : scores) {
      switch (c_.score) {
        case Score::kSoftmax:
        case Score::kSoftmaxOne:
          s = std::exp(s);
          break;
        case Score::kSigmoid:
        case Score::kSigmoidNormalised:
          s = 1 / (1 + std::exp(-(s - c_.score_offset)));
          break;
        case Score::kElu:
        case Score::kEluNormalised:
          s = s > 0 ? s + 1 : std::exp(s);
          break;
        default:
          break;
      }
      sum += s;
    }
    switch (c_.score) {
      case Score::kSoftmax:
      case Score::kSigmoidNormalised:
      case Score::kEluNormalised:
      case Score::kEluKernelNormalised:
        break;
      case Score::kSoftmaxOne:
        sum += 1;
        break;
      case Score::kIdentityKernelNormalised:
      case Score::kMlpKernelNormalised:
        sum = std::max(1.0, std::abs(sum));
        break;
      default:
        sum = 1;
    }
    for (double& s : scores) s /= sum;
  }
  Row attend(const Row& q, const Rows& k, const Rows& v, const std::function<View(std::int64_t)>& of_head,
             const std::string& layer) const {
    Row out;
    for (std::int64_t h = 0; h < c_.heads; ++h) {
      const std::int64_t kv = h / (c_.heads / c_.kv_heads);
      const View view = of_head(kv);
      Row query = head(q, h);
      const Row raw = feature(query, layer);
      rotate(query, view.position);
      query = feature(query, layer);
      const auto dot = [&](const Row& a, const Row& b) {
        double s = 0;
        for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
        return s / std::sqrt(static_cast<double>(c_.head_dim));
      };
      Row scores;
      Rows values;
      for (const Seen& seen : view.seen) {
        Row key = head(k[static_cast<std::size_t>(seen.token)], kv);
        rotate(key, seen.position);
        scores.push_back(dot(query, feature(key, layer)) + of_distance(h, view.position - seen.position));
        values.push_back(head(v[static_cast<std::size_t>(seen.token)], kv));
      }
      if (c_.attention_bias == AttentionBias::kKey || c_.attention_bias == AttentionBias::kKeyValue) {
        scores.push_back(dot(raw, feature(bias(layer + "self_attn.key_bias", kv), layer)));
        Row value(static_cast<std::size_t>(c_.head_dim));
        if (c_.bias_value == BiasValue::kFirst) value[0] = c_.bias_scale;
        if (c_.bias_value == BiasValue::kUniform)
          for (double& x : value) x = c_.bias_scale / std::sqrt(static_cast<double>(c_.head_dim));
        if (c_.attention_bias == AttentionBias::kKeyValue) value = bias(layer + "self_attn.value_bias", kv);
        values.push_back(value);
      }
      weigh(scores);
      Row mixed(static_cast<std::size_t>(c_.head_dim));
      if (c_.attention_bias == AttentionBias::kValue) mixed = bias(layer + "self_attn.value_bias", kv);
      for (std::size_t s = 0; s < scores.size(); ++s)
        for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] += scores[s] * values[s][i];
      out.insert(out.end(), mixed.begin(), mixed.end());
    }
    return out;
  }

  const LanguageModel& model_;
  const ModelConfig& c_;
};

}  // namespace stream::llm::plain
