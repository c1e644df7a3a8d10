#include "llm/llm_identify.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "stream/error.hpp"
#include "stream/log.hpp"
#include "stream/params.hpp"

namespace stream::llm {
namespace {

IdentificationOptions options_of(const Params& p) {
  return {.steps = p.get<std::int64_t>("steps"),
          .sinks = p.get<std::int64_t>("sinks"),
          .recent = p.get<std::int64_t>("recent"),
          .regularisation = p.get<double>("regularisation"),
          .learning_rate = p.get<double>("learning_rate"),
          .mix = p.get<std::string>("mix") == "self" ? Mix::kSelf : Mix::kTeacher};
}

Array rows_of(const HeadGates& gates) {
  Array rows;
  for (const auto& layer : gates.layers) {
    Array row;
    for (const double gate : layer) row.emplace_back(gate);
    rows.emplace_back(std::move(row));
  }
  return rows;
}

}  // namespace

Spec IdentifyOperator::spec() {
  const IdentificationOptions o;
  return Spec("llm.identify_heads", "Find the heads of a language model that need the whole context.")
      .input("in", PayloadType::kTensor,
             "samples: [2, n] of int32, token ids and, below, 1 where hidden states are compared "
             "(llm.passkeys or "
             "llm.pair_samples)")
      .output<Record>("progress",
                      "{\"step\", \"loss\", \"gates\": [layers][key and value heads]}, every `report` steps")
      .path("model", nullptr,
            "a language model in HDF5, of `llm.train` or `stream import`; it is not changed")
      .path("table", nullptr,
            "the folder to write full_attention_heads.tsv and config.json to when the steps are done: the "
            "published format, "
            "which memory duo reads")
      .param("steps", o.steps, "updates in all", range(1, 1e7))
      .param("batch", std::int64_t{1}, "samples in an update", range(1, 4096))
      .param("sinks", o.sinks, "first tokens that a streaming head sees", range(0, 1 << 20), unit("tokens"))
      .param("recent", o.recent, "last tokens that it sees, itself included", range(1, 1 << 20),
             unit("tokens"))
      .param("regularisation", o.regularisation, "weight of the gates' mean in the loss", range(0, 1e3))
      .param("learning_rate", o.learning_rate,
             "in the middle; a tenth at the ends, linear over the first and the last fifth", range(0, 1))
      .param("mix", "teacher",
             "full attention that is mixed in: of the untouched copy (the released code), or computed from "
             "the mixed "
             "activations (the paper's formula)",
             choices({"teacher", "self"}))
      .param("report", std::int64_t{50}, "updates between two lines of progress", range(1, 1e9))
      .contract({.lookahead = kUnbounded, .state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "A sample passes the frozen model twice: with full attention, and with each head's output mixed, "
          "by a gate, "
          "from full attention and attention to the first and last tokens alone. The gates, one for each key "
          "and "
          "value head, are optimised (AdamW without decay) so that the last hidden states of labelled tokens "
          "stay, and "
          "the gates fall: a head that need not look far ends at 0.\n\n"
          "Memory for a step is that of the attention matrices of one sample in all layers. When the stream "
          "ends "
          "before the steps are done, the table is written as it then is, with a warning; before the first "
          "step that is an "
          "error.")
      .paper("Xiao et al., DuoAttention, ICLR 2025 (arXiv 2410.10819), section 2.2")
      .example("A few steps", R"(title = "Identification"
[nodes.samples]
use     = "llm.pair_samples"
samples = 12
[nodes.identify]
use    = "llm.identify_heads"
from   = "samples"
model  = "models/pairs-filler-0.h5"
table  = "heads"
steps  = 3
batch  = 4
sinks  = 1
recent = 12
report = 1
[nodes.log]
use  = "jsonl.write"
from = "identify"
path = "-"
)");
}

IdentifyOperator::IdentifyOperator(const Params& p)
    : node_(p.context().node),
      model_path_(p.input_path("model")),
      table_(p.get<std::string>("table")),
      identification_(read_language_model(model_path_), options_of(p)),
      size_(p.get<std::int64_t>("batch")),
      report_(p.get<std::int64_t>("report")) {}

void IdentifyOperator::process(Packet in, Output& out) {
  const Tensor& sample = in.as<Tensor>();
  if (sample.shape().size() != 2 || sample.shape()[0] != 2 || sample.dtype() != DType::kI32)
    throw bad_data(
        "a tensor that is no sample, expected [2, n] of int32: ids, and 1 where they are labelled");
  if (identification_.finished()) return;
  const std::int64_t length = sample.shape()[1];
  if (length > identification_.config().context)
    throw bad_data("a sample of " + std::to_string(length) + " tokens, and the model's context is " +
                   std::to_string(identification_.config().context));
  if (!batch_.empty() && length != length_)
    throw bad_data("a sample of " + std::to_string(length) + " tokens behind one of " +
                   std::to_string(length_) + " in the same batch; with batch = 1 they may differ");
  const auto values = sample.values<std::int32_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t most = static_cast<std::int64_t>(i) < length ? identification_.config().vocabulary : 2;
    if (values[i] < 0 || values[i] >= most)
      throw bad_data(std::to_string(values[i]) +
                     (most == 2 ? " among the labels, expected 0 or 1"
                                : " is not in the model's vocabulary of " + std::to_string(most)));
  }
  if (std::count(values.begin() + static_cast<std::ptrdiff_t>(length), values.end(), 1) == 0)
    throw bad_data("a sample in which no token is labelled");
  length_ = length;
  batch_.insert(batch_.end(), values.begin(), values.end());
  if (static_cast<std::int64_t>(batch_.size()) == size_ * 2 * length_) update(in.time, out);
}

void IdentifyOperator::update(Time time, Output& out) {
  const at::Tensor all = at::from_blob(batch_.data(), {size_, 2, length_}, at::kInt).to(at::kLong);
  identification_.step(all.select(1, 0), all.select(1, 1).to(at::kBool));
  batch_.clear();
  if (identification_.steps() % report_ == 0 || identification_.finished())
    out.emit(Packet::of<Record>(time, Object{{"step", identification_.steps()},
                                             {"loss", identification_.loss()},
                                             {"gates", rows_of(identification_.gates())}}));
}

void IdentifyOperator::finish(Output&) {
  const IdentificationOptions& o = identification_.options();
  if (identification_.steps() == 0)
    throw bad_data("the samples ended before the first update; nothing was written to " + table_);
  if (!identification_.finished())
    log_warning(node_, "the samples ended after " + std::to_string(identification_.steps()) + " of " +
                           std::to_string(o.steps) + " updates; " + table_ +
                           " holds the gates as they then were");
  // The names of the released configuration, as far as they mean something here.
  write_head_table(table_, identification_.gates(),
                   Object{{"model_name", std::filesystem::path(model_path_).filename().string()},
                          {"lr", o.learning_rate},
                          {"num_steps", identification_.steps()},
                          {"batch_size", size_},
                          {"sink_size", o.sinks},
                          {"recent_size", o.recent},
                          {"reg_weight", o.regularisation},
                          {"initial_value", 1.0},
                          {"supervision", "distill"},
                          {"mix", o.mix == Mix::kSelf ? "self" : "teacher"}});
}

void IdentifyOperator::save(Archive& state) const {
  identification_.save(state.group("identification"));
  state.set("batch", batch_);
  state.set("length", length_);
}

void IdentifyOperator::load(const Archive& state) {
  identification_.load(state.group("identification"));
  batch_ = state.get<std::vector<std::int32_t>>("batch");
  length_ = state.get<std::int64_t>("length");
  if (length_ < 0 || length_ > identification_.config().context ||
      (!batch_.empty() && (length_ == 0 || static_cast<std::int64_t>(batch_.size()) % (2 * length_) != 0)))
    throw bad_data("the saved batch is damaged");
}

std::string IdentifyOperator::progress() const {
  char text[80];
  std::snprintf(text, sizeof text, "step %lld, loss %.4f", static_cast<long long>(identification_.steps()),
                identification_.loss());
  return text;
}

}  // namespace stream::llm
