#include "asr/asr_train.hpp"

#include <cstdio>

#include "asr/model_file.hpp"
#include "stream/error.hpp"
#include "stream/params.hpp"

namespace stream::asr {

namespace {
std::vector<std::string> word_pieces() {
  std::vector<std::string> out;
  for (const auto& word : vocabulary()) out.push_back("\u2581" + word);
  out.emplace_back(kUnknown);
  return out;
}
}  // namespace

Spec TrainOperator::spec() {
  const ConformerShape shape;
  const TrainerOptions options;
  return Spec("asr.train",
              "Train the streaming Conformer on speech and its texts, for several look-aheads at once.")
      .input<Audio>("audio", "one utterance a packet, 16 kHz mono")
      .input<Record>("text", "{\"words\": [{\"word\", \"start\", \"end\"}]} of each, at the same time")
      .output<Record>("progress", "{\"step\", \"loss\", \"time_error\"}, every hundred steps")
      .path("model", nullptr, "the HDF5 file to write when the steps are done")
      .param("steps", options.steps, "updates in all", range(1, 1e9))
      .param("batch", options.batch, "utterances in an update", range(1, 4096))
      .param("pool", options.pool, "utterances kept to draw batches from", range(1, 1e6))
      .param("new_utterances", static_cast<std::int64_t>(4), "utterances that arrive between two updates",
             range(1, 1e6))
      .param("learning_rate", options.learning_rate, "at its peak", range(0, 1))
      .param("warmup", options.warmup, "updates until the peak", range(1, 1e9))
      .param("features", shape.features, "width of the encoder", range(8, 1024))
      .param("layers", shape.layers, "of the encoder", range(1, 32))
      .param("heads", shape.heads, "of the attention", range(1, 64))
      .param("channels", shape.channels, "of the subsampling", range(1, 512))
      .param("left", shape.left, "encoder frames of left context", range(0, 4096))
      .param("lookaheads", shape.lookaheads,
             "encoder frames of 80 ms, one drawn for each batch; the first is the default", range(0, 256))
      .contract({.lookahead = kUnbounded, .state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "Utterances go into a pool of bounded size; every few of them one update is made from a batch "
          "drawn from the pool, under one of the "
          "look-aheads. So training streams: memory is constant, a checkpoint may fall anywhere, and the "
          "same seed gives the same model. Words that are not "
          "spelt-out numbers or dates are learnt as \"<unk>\".")
      .paper("Noroozi et al., arXiv 2312.17279")
      .example("A few steps", R"(title = "Training"
[nodes.corpus]
use = "corpus.spoken_text"
count = 100
[nodes.train]
use = "asr.train"
from = ["corpus.audio", "corpus.text"]
model = "captions.h5"
steps = 9
[nodes.log]
use = "jsonl.write"
from = "train"
path = "-"
)");
}

TrainOperator::TrainOperator(const Params& p)
    : path_(p.get<std::string>("model")),
      first_(std::min<std::int64_t>(64, p.get<std::int64_t>("pool"))),
      each_(p.get<std::int64_t>("new_utterances")),
      trainer_(
          [&] {
            ConformerShape s;
            s.features = p.get<std::int64_t>("features"), s.layers = p.get<std::int64_t>("layers");
            s.heads = p.get<std::int64_t>("heads"), s.channels = p.get<std::int64_t>("channels");
            s.left = p.get<std::int64_t>("left"),
            s.lookaheads = p.get<std::vector<std::int64_t>>("lookaheads");
            if (s.features % (2 * s.heads) != 0)
              throw bad_recipe("features must be an even multiple of heads");
            if (s.lookaheads.empty()) throw bad_recipe("lookaheads is empty");
            for (const auto r : s.lookaheads)
              if (s.left % (r + 1) != 0)
                throw bad_recipe("lookaheads: " + std::to_string(r) +
                                 " + 1 does not divide the left context of " + std::to_string(s.left));
            return s;
          }(),
          word_pieces(),
          TrainerOptions{.steps = p.get<std::int64_t>("steps"),
                         .batch = p.get<std::int64_t>("batch"),
                         .pool = p.get<std::int64_t>("pool"),
                         .learning_rate = p.get<double>("learning_rate"),
                         .warmup = p.get<std::int64_t>("warmup")},
          p.random("training")) {}

void TrainOperator::process(std::size_t port, Packet in, Output& out) {
  time_ = in.time;
  if (port == 0) {
    audio_ = std::move(in);
    return;
  }
  if (trainer_.finished()) return;
  if (!audio_.payload || audio_.time != in.time)
    throw bad_data("a text came without the audio of the same time");
  const Audio& audio = audio_.as<Audio>();
  if (audio.rate() != kRate || audio.channels() != 1) throw bad_data("the audio is not 16000 Hz mono");
  const double offset = seconds(in.time), length = static_cast<double>(audio.frames()) / kRate;
  std::vector<SpokenWord> words;
  for (const Value& item : in.as<Record>().at("words").as_array()) {
    const Record word(item.as_object());
    const SpokenWord w{word.at("word").as_string(), word.at("start").as_double() - offset,
                       word.at("end").as_double() - offset};
    if (!(w.start >= -0.001 && w.start <= w.end + 0.001 && w.end <= length + 1))
      throw bad_data("the word '" + w.text + "' does not lie inside its utterance");
    words.push_back(w);
  }
  if (audio.frames() >= static_cast<std::size_t>(kRate / 10) && !words.empty())
    trainer_.add(trainer_.example(audio.samples(), words));
  audio_ = Packet{};
  ++seen_;
  if (seen_ < first_ || seen_ % each_ != 0 || trainer_.pool_size() == 0) return;
  trainer_.step();
  if (trainer_.steps() % 100 == 0 || trainer_.finished())
    out.emit(Packet::of<Record>(in.time, Object{{"step", trainer_.steps()},
                                                {"loss", trainer_.loss()},
                                                {"time_error", trainer_.time_error()}}));
}

void TrainOperator::finish(Output&) {
  if (!trainer_.finished())
    throw bad_data("the corpus ended after " + std::to_string(trainer_.steps()) +
                   " updates; nothing was written to " + path_);
  save_model(path_, trainer_.model(), trainer_.pieces());
}

void TrainOperator::save(Archive& state) const {
  state.set("seen", seen_);
  state.set("time", time_);
  state.set("waiting", static_cast<bool>(audio_.payload));
  if (audio_.payload) state.set("audio", audio_);
  trainer_.save(state.group("trainer"));
}

void TrainOperator::load(const Archive& state) {
  seen_ = state.get<std::int64_t>("seen");
  time_ = state.get<Duration>("time");
  if (state.get<bool>("waiting")) audio_ = state.packet("audio");
  trainer_.load(state.group("trainer"));
}

std::string TrainOperator::progress() const {
  char text[80];
  std::snprintf(text, sizeof text, "step %lld, loss %.3f", static_cast<long long>(trainer_.steps()),
                trainer_.loss());
  return text;
}

}  // namespace stream::asr
