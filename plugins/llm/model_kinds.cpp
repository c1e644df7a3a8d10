#include "llm/model_kinds.hpp"

#include <array>

#include "stream/error.hpp"

namespace stream::llm {
namespace {

// In the order of their enumerators.
constexpr std::array kNorms{"rms", "layer"};
constexpr std::array kNormPlaces{"pre", "post"};
constexpr std::array kPositions{"rope", "none", "alibi", "learned", "sinusoidal", "relative"};
constexpr std::array kActivations{"silu", "gelu", "gelu_tanh", "relu"};
constexpr std::array kScalings{"none", "linear", "llama3"};
constexpr std::array kBiases{"none", "key", "key_value", "value"};
constexpr std::array kBiasValues{"zero", "first", "uniform"};

struct Operation {
  const char* name;
  AttentionOperation operation;
};
constexpr std::array kOperations{
    Operation{"softmax", {Similarity::kExp, Normaliser::kSum}},
    Operation{"softmax_one", {Similarity::kExp, Normaliser::kSumAndOne}},
    Operation{"sigmoid", {Similarity::kSigmoid, Normaliser::kNone}},
    Operation{"sigmoid_normalised", {Similarity::kSigmoid, Normaliser::kSum}},
    Operation{"elu", {Similarity::kElu, Normaliser::kNone}},
    Operation{"elu_normalised", {Similarity::kElu, Normaliser::kSum}},
    Operation{"elu_kernel", {Similarity::kEluKernel, Normaliser::kNone}},
    Operation{"elu_kernel_normalised", {Similarity::kEluKernel, Normaliser::kSum}},
    Operation{"identity_kernel", {Similarity::kIdentityKernel, Normaliser::kNone}},
    Operation{"identity_kernel_normalised", {Similarity::kIdentityKernel, Normaliser::kSumAboveOne}},
    Operation{"mlp_kernel", {Similarity::kMlpKernel, Normaliser::kNone}},
    Operation{"mlp_kernel_normalised", {Similarity::kMlpKernel, Normaliser::kSumAboveOne}},
};

constexpr std::array kFeedForwards{
    FeedForward{"swiglu", Activation::kSilu, true}, FeedForward{"geglu", Activation::kGelu, true},
    FeedForward{"reglu", Activation::kRelu, true},  FeedForward{"swish", Activation::kSilu, false},
    FeedForward{"gelu", Activation::kGelu, false},  FeedForward{"relu", Activation::kRelu, false},
};

const char* name(const char* row) { return row; }
template <typename Row>
const char* name(const Row& row) {
  return row.name;
}

template <typename Table>
std::vector<std::string> names(const Table& table) {
  std::vector<std::string> out;
  out.reserve(table.size());
  for (const auto& row : table) out.emplace_back(name(row));
  return out;
}

template <typename Table>
std::size_t index_of(const Table& table, const std::string& wanted, const char* what) {
  const std::vector<std::string> known = names(table);
  for (std::size_t i = 0; i < known.size(); ++i)
    if (wanted == known[i]) return i;
  std::string list;
  for (const std::string& n : known) list += (list.empty() ? "" : ", ") + n;
  throw bad_data(std::string("unknown ") + what + " '" + wanted + "', expected one of " + list +
                 did_you_mean(wanted, known));
}

template <typename Table, typename E>
const auto& row(const Table& table, E value) {
  return table.at(static_cast<std::size_t>(value));
}

}  // namespace

const char* name_of(Norm v) { return row(kNorms, v); }
const char* name_of(NormPlace v) { return row(kNormPlaces, v); }
const char* name_of(Position v) { return row(kPositions, v); }
const char* name_of(Activation v) { return row(kActivations, v); }
const char* name_of(RopeScaling v) { return row(kScalings, v); }
const char* name_of(Score v) { return row(kOperations, v).name; }
const char* name_of(AttentionBias v) { return row(kBiases, v); }
const char* name_of(BiasValue v) { return row(kBiasValues, v); }

Norm norm_named(const std::string& n) { return static_cast<Norm>(index_of(kNorms, n, "norm")); }
NormPlace norm_place_named(const std::string& n) {
  return static_cast<NormPlace>(index_of(kNormPlaces, n, "place of the norm"));
}
Position position_named(const std::string& n) {
  return static_cast<Position>(index_of(kPositions, n, "position"));
}
Activation activation_named(const std::string& n) {
  return static_cast<Activation>(index_of(kActivations, n, "activation"));
}
RopeScaling rope_scaling_named(const std::string& n) {
  return static_cast<RopeScaling>(index_of(kScalings, n, "rope scaling"));
}
Score score_named(const std::string& n) { return static_cast<Score>(index_of(kOperations, n, "score")); }
AttentionBias attention_bias_named(const std::string& n) {
  return static_cast<AttentionBias>(index_of(kBiases, n, "attention bias"));
}
BiasValue bias_value_named(const std::string& n) {
  return static_cast<BiasValue>(index_of(kBiasValues, n, "value of the key bias"));
}
const FeedForward& feed_forward_named(const std::string& n) {
  return kFeedForwards.at(index_of(kFeedForwards, n, "feed-forward layer"));
}

AttentionOperation operation_of(Score score) { return row(kOperations, score).operation; }
bool is_kernel(Score score) {
  const Similarity similarity = operation_of(score).similarity;
  return similarity == Similarity::kEluKernel || similarity == Similarity::kIdentityKernel ||
         similarity == Similarity::kMlpKernel;
}
bool is_signed(Score score) {
  return is_kernel(score) && operation_of(score).similarity != Similarity::kEluKernel;
}
bool sums_to_one(Score score) { return operation_of(score).similarity == Similarity::kExp; }

std::vector<std::string> norm_place_names() { return names(kNormPlaces); }
std::vector<std::string> position_names() { return names(kPositions); }
std::vector<std::string> feed_forward_names() { return names(kFeedForwards); }
std::vector<std::string> score_names() { return names(kOperations); }
std::vector<std::string> attention_bias_names() { return names(kBiases); }
std::vector<std::string> bias_value_names() { return names(kBiasValues); }

}  // namespace stream::llm
