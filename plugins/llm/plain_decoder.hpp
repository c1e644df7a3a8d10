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
    for (std::size_t t = 0; t < n; ++t) x[t] = matrix_row("embed_tokens.weight", tokens[t]);
    for (std::int64_t l = 0; l < c_.layers; ++l) {
      const std::string name = "layers." + std::to_string(l) + ".";
      Rows q(n), k(n), v(n);
      for (std::size_t t = 0; t < n; ++t) {
        const Row y = norm(name + "input_layernorm", x[t]);
        q[t] = linear(name + "self_attn.q_proj", y);
        k[t] = linear(name + "self_attn.k_proj", y);
        v[t] = linear(name + "self_attn.v_proj", y);
      }
      for (std::size_t t = 0; t < n; ++t) {
        const auto of_head = [&](std::int64_t kv) { return view(static_cast<std::int64_t>(t), l, kv); };
        const Row attended = linear(name + "self_attn.o_proj", attend(q[t], k, v, of_head, name));
        Row sum = added(x[t], attended);
        const Row y = norm(name + "post_attention_layernorm", c_.parallel_residual ? x[t] : sum);
        Row up = linear(name + "mlp.up_proj", y);
        const Row gate = c_.gated ? linear(name + "mlp.gate_proj", y) : up;
        for (std::size_t i = 0; i < up.size(); ++i) up[i] = activated(gate[i]) * (c_.gated ? up[i] : 1);
        x[t] = added(sum, linear(name + "mlp.down_proj", up));
      }
    }
    Rows out(n);
    for (std::size_t t = 0; t < n; ++t)
      out[t] = linear(c_.tied_embeddings ? "embed_tokens" : "lm_head", norm("norm", x[t]));
    return out;
  }
  /// Dense causal attention at true positions.
  Rows dense(const std::vector<std::int32_t>& tokens) const {
    return logits(tokens, [](std::int64_t t) {
      View view;
      for (std::int64_t s = 0; s <= t; ++s) view.seen.push_back({s, s});
      view.position = t;
      return view;
    });
  }

 private:
  static Row added(Row a, const Row& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
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
  Row attend(const Row& q, const Rows& k, const Rows& v, const std::function<View(std::int64_t)>& of_head,
             const std::string& layer) const {
    Row out;
    for (std::int64_t h = 0; h < c_.heads; ++h) {
      const std::int64_t kv = h / (c_.heads / c_.kv_heads);
      const View view = of_head(kv);
      Row query = head(q, h);
      const Row raw = query;
      rotate(query, view.position);
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
        double score = dot(query, key);
        if (c_.position == Position::kAlibi)
          score += std::pow(2.0, -8.0 * static_cast<double>(h + 1) / static_cast<double>(c_.heads)) *
                   static_cast<double>(seen.position - view.position);
        scores.push_back(score);
        values.push_back(head(v[static_cast<std::size_t>(seen.token)], kv));
      }
      if (c_.attention_bias != AttentionBias::kNone) {
        const auto keys = floats(model_.weights.at(layer + "self_attn.key_bias"));
        scores.push_back(dot(raw, head({keys.begin(), keys.end()}, kv)));
        Row value(static_cast<std::size_t>(c_.head_dim));
        if (c_.attention_bias == AttentionBias::kKeyValue) {
          const auto all = floats(model_.weights.at(layer + "self_attn.value_bias"));
          value = head({all.begin(), all.end()}, kv);
        }
        values.push_back(value);
      }
      double sum = c_.score == Score::kSoftmaxOne ? 1 : 0;
      const bool sigmoid = c_.score == Score::kSigmoid || c_.score == Score::kSigmoidNormalised;
      for (double& s : scores) {
        s = sigmoid ? 1 / (1 + std::exp(-(s - c_.score_offset))) : std::exp(s);
        sum += s;
      }
      if (c_.score == Score::kSigmoid) sum = 1;
      Row mixed(static_cast<std::size_t>(c_.head_dim));
      for (std::size_t s = 0; s < scores.size(); ++s)
        for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] += scores[s] / sum * values[s][i];
      out.insert(out.end(), mixed.begin(), mixed.end());
    }
    return out;
  }

  const LanguageModel& model_;
  const ModelConfig& c_;
};

}  // namespace stream::llm::plain
