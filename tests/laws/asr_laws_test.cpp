/// The laws for the operators of plugins/asr, with tiny models: what they promise does not depend on what
/// they have learnt.
#include <gmock/gmock.h>

#include <filesystem>

#include "asr/asr_conformer.hpp"
#include "asr/asr_score.hpp"
#include "asr/asr_train.hpp"
#include "asr/corpus_spoken_text.hpp"
#include "asr/study_conformer.hpp"
#include "fed_pipe.hpp"
#include "laws.hpp"
#include "stream/file.hpp"

namespace stream::asr {
namespace {

/// An operator with several inputs as one with a single input: the key of a packet is the number of its port.
/// What the operator leaves in a file counts as its output, too.
class PortByKey final : public Operator {
 public:
  explicit PortByKey(std::unique_ptr<Operator> inner, std::string file = {})
      : inner_(std::move(inner)), file_(std::move(file)) {}
  void process(Packet in, Output& out) override {
    const auto port = static_cast<std::size_t>(std::stoi(std::string(in.key.str())));
    in.key = {};
    inner_->process(port, std::move(in), out);
  }
  void finish(Output& out) override {
    inner_->finish(out);
    if (!file_.empty()) out.emit(Packet::of<Bytes>(kTimeMax, Buffer::own(read_file(file_))));
  }
  void save(Archive& state) const override { inner_->save(state); }
  void load(const Archive& state) override { inner_->load(state); }
  std::size_t state_bytes() const override { return inner_->state_bytes(); }

 private:
  std::unique_ptr<Operator> inner_;
  std::string file_;
};

/// The packets of both ports in the order in which the graph would bring them: by time, ties by port.
std::vector<Packet> merged(const std::vector<Packet>& first, const std::vector<Packet>& second) {
  std::vector<Packet> packets;
  for (const auto* port : {&first, &second}) {
    for (Packet packet : *port) {
      packet.key = Key(port == &first ? "0" : "1");
      packets.push_back(std::move(packet));
    }
  }
  std::stable_sort(packets.begin(), packets.end(),
                   [](const Packet& a, const Packet& b) { return a.time < b.time; });
  return packets;
}

/// Noise that swells and fades, so that a model with random weights sees more than one thing.
std::vector<float> sound(std::size_t frames) {
  Random random(9);
  std::vector<float> out(frames);
  for (std::size_t i = 0; i < frames; ++i)
    out[i] = static_cast<float>((i / 4000 % 2 != 0 ? 0.3 : 0.01) * random.normal());
  return out;
}

std::vector<Packet> in_packets(const std::vector<float>& samples, std::size_t frames) {
  std::vector<Packet> packets;
  for (std::size_t at = 0; at < samples.size(); at += frames) {
    const std::size_t n = std::min(frames, samples.size() - at);
    const auto first = samples.begin() + static_cast<std::ptrdiff_t>(at);
    const auto offset = static_cast<std::int64_t>(at);
    packets.push_back(Packet::of<Audio>(duration_of(offset, kRate),
                                        std::vector<float>(first, first + static_cast<std::ptrdiff_t>(n)), 1,
                                        kRate));
    packets.back().duration = duration_of(offset + static_cast<std::int64_t>(n), kRate) - packets.back().time;
  }
  return packets;
}

class Laws : public ::testing::Test {
 protected:
  /// A recogniser with random weights.
  std::string model() const {
    ConformerShape shape;
    shape.features = 16, shape.layers = 2, shape.heads = 2, shape.channels = 4, shape.vocabulary = 4;
    const Conformer network(shape, nn::generator(3));
    save_model(model_.path(), network, {"\u2581one", "\u2581two", "\u2581three", "<unk>"});
    return model_.path();
  }
  laws::ScratchFile model_{"", ".h5"};
};

TEST_F(Laws, AsrConformer) {
  const std::string path = model();
  for (const int lookahead : {0, 3}) {
    const Object params{{"model", path}, {"lookahead", lookahead}};
    const laws::Subject subject{[params] { return testing::make<ConformerOperator>(params); },
                                ConformerOperator::spec().contract(Params(ConformerOperator::spec(), params)),
                                2};
    const auto samples = sound(24000);
    const auto input = in_packets(samples, 800);
    ASSERT_FALSE(laws::run(subject, input)[0].empty()) << "a subject that says nothing proves nothing";
    laws::check_all(subject, input);
    laws::chunking_does_not_matter(subject, {input, in_packets(samples, 24000), in_packets(samples, 37)});
  }
}

/// Utterances of a second and three words each, noise for speech: (audio, text) pairs from the `first` on.
std::vector<Packet> utterances(int first, int count) {
  const char* const vocabulary[] = {"one", "two", "three", "monkey"};
  const auto samples = sound(static_cast<std::size_t>(kRate));
  std::vector<Packet> audio, texts;
  for (int i = first; i < first + count; ++i) {
    const Time time = std::chrono::seconds(i);
    Array words;
    for (int k = 0; k < 3; ++k) {
      const double start = i + 0.1 + 0.25 * k;
      words.push_back(Object{{"word", vocabulary[(i + k) % 4]}, {"start", start}, {"end", start + 0.2}});
    }
    audio.push_back(Packet::of<Audio>(time, samples, 1, kRate));
    texts.push_back(Packet::of<Record>(time, Object{{"words", std::move(words)}}));
    audio.back().duration = texts.back().duration = std::chrono::seconds(1);
  }
  return merged(audio, texts);
}

TEST_F(Laws, AsrTrain) {
  const auto subject = [&](int steps) {
    const Object params{{"model", model_.path()},
                        {"steps", steps},
                        {"batch", 2},
                        {"pool", 6},
                        {"warmup", 1},
                        {"new_utterances", 2},
                        {"features", 8},
                        {"layers", 1},
                        {"heads", 1},
                        {"channels", 2},
                        {"left", 6},
                        {"lookaheads", Array{1, 0}}};
    return laws::Subject{[params] {
                           return std::make_unique<PortByKey>(
                               testing::make<TrainOperator>(params, {.node = "train", .seed = 1}),
                               params.find("model")->as_string());
                         },
                         TrainOperator::spec().contract()};
  };
  const auto input = utterances(0, 12);
  const laws::Subject whole = subject(3);
  EXPECT_GT(laws::run(whole, input)[0].size(), 1u);
  laws::resuming_is_exact(whole, input);
  laws::output_is_punctual(whole, input);

  // It declares constant state: while training goes on and the pool is full.
  const auto op = subject(1000).make();
  testing::Collector out;
  std::size_t bound = 0;
  const auto state = [&] { return op->state_bytes() + testing::saved(*op).bytes(); };
  for (Packet& packet : utterances(0, 8))
    op->process(std::move(packet), out), bound = std::max(bound, state());
  for (Packet& packet : utterances(8, 24)) {
    op->process(std::move(packet), out);
    ASSERT_LE(state(), bound);
  }
}

TEST_F(Laws, AsrScore) {
  std::vector<Packet> words, texts;
  Random random(4);
  const char* const vocabulary[] = {"one", "two", "three"};
  for (int i = 0; i < 12; ++i) {
    const Time time = std::chrono::seconds(i);
    Array meant;
    for (int k = 0; k < 3; ++k) {
      const double start = i + 0.2 + 0.25 * k;
      meant.push_back(Object{{"word", vocabulary[random.below(3)]}, {"start", start}, {"end", start + 0.2}});
      words.push_back(Packet::of<Record>(time + std::chrono::milliseconds(300 + 250 * k),
                                         Object{{"word", vocabulary[random.below(3)]},
                                                {"start", start},
                                                {"end", start + 0.2},
                                                {"confidence", random.uniform()}}));
    }
    texts.push_back(Packet::of<Record>(time, Object{{"words", std::move(meant)}, {"outside", i % 4 == 0}}));
    texts.back().duration = std::chrono::seconds(1);
  }
  const laws::Subject subject{[] { return std::make_unique<PortByKey>(testing::make<ScoreOperator>()); },
                              ScoreOperator::spec().contract()};
  const auto input = merged(words, texts);
  laws::resuming_is_exact(subject, input);
  laws::output_is_punctual(subject, input);

  // It declares linear growth, in words: twice the input, at most twice the state.
  ASSERT_EQ(subject.contract.state, Growth::kLinear);
  const auto state_after = [&](std::size_t times) {
    const auto op = subject.make();
    testing::Collector out;
    for (std::size_t i = 0; i < times; ++i)
      for (Packet packet : input) {
        packet.time += std::chrono::seconds(12 * i);
        op->process(std::move(packet), out);
      }
    return op->state_bytes();
  };
  EXPECT_GT(state_after(1), 0u);
  EXPECT_LE(state_after(8), 8 * state_after(1));
}

std::unique_ptr<Source> spoken_text() {
  auto op = testing::make<SpokenTextSource>(Object{{"count", 4}, {"snr_low", 10.0}}, {.seed = 2});
  return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
}

TEST_F(Laws, CorpusSpokenText) {
  laws::resuming_a_source_is_exact(spoken_text, 2);
  const auto source = spoken_text();
  testing::Collector out(2);
  const std::size_t bytes = source->state_bytes() + testing::saved(*source).bytes();
  while (source->read(out)) EXPECT_EQ(source->state_bytes() + testing::saved(*source).bytes(), bytes);
}

std::unique_ptr<Source> study() {
  // What it says of times is measured anew by every run; what it says of outputs is not.
  auto op = testing::make<ConformerStudy>(Object{{"model", STREAM_SOURCE_DIR "/share/models/captions-en.h5"},
                                                 {"parts", Array{"equality"}},
                                                 {"utterances", 2}});
  return std::unique_ptr<Source>(dynamic_cast<Source*>(op.release()));
}

TEST_F(Laws, AsrStudyConformer) {
  laws::resuming_a_source_is_exact(study, 1);
  const auto source = study();
  testing::Collector out(1);
  const std::size_t bytes = source->state_bytes() + testing::saved(*source).bytes();
  while (source->read(out)) EXPECT_EQ(source->state_bytes() + testing::saved(*source).bytes(), bytes);
}

}  // namespace
}  // namespace stream::asr
