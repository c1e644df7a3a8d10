#include "products/products_train.hpp"

#include "products/cope_model.hpp"
#include "products/cope_retrieval.hpp"
#include "products/product_files.hpp"
#include "products/products_made.hpp"
#include "stream/error.hpp"
#include "stream/log.hpp"

namespace stream::products {

namespace {

/// Frames of a made-up clip that training keeps.
constexpr int kKeptFrames = 8;

CopeTrainerOptions options_of(const Params& p) {
  CopeTrainerOptions o;
  CopeShape& s = o.shape;
  s.size = p.get<std::int64_t>("size"), s.patch = p.get<std::int64_t>("patch");
  s.width = p.get<std::int64_t>("width"), s.blocks = p.get<std::int64_t>("blocks");
  s.heads = p.get<std::int64_t>("heads"), s.frames = p.get<std::int64_t>("frames");
  s.features = s.embedding = p.get<std::int64_t>("embedding");
  s.integration = s.text_heads = s.heads;
  s.title = p.get<std::int64_t>("title"), s.speech = p.get<std::int64_t>("speech");
  s.text_width = p.get<std::int64_t>("text_width"), s.text_layers = p.get<std::int64_t>("text_layers");
  s.vocabulary = p.get<std::int64_t>("vocabulary");
  s.text_everywhere = p.get<std::string>("domains_text") == "all";
  o.objective = objective_of(p.get<std::string>("objective"));
  o.batch = p.get<std::int64_t>("batch"), o.epochs = p.get<std::int64_t>("epochs");
  o.learning_rate = p.get<double>("learning_rate"), o.weight_decay = p.get<double>("weight_decay");
  o.text_factor = p.get<double>("text_factor"), o.visual_factor = p.get<double>("visual_factor");
  o.temperature = p.get<double>("temperature"), o.smoothing = p.get<double>("smoothing");
  o.scale = p.get<double>("scale"), o.margin = p.get<double>("margin");
  o.classification = p.get<double>("classification");
  o.crop = p.get<double>("crop"), o.flip = p.get<bool>("flip");
  o.word_dropout = p.get<double>("word_dropout");
  if (const auto path = p.get<std::string>("bert"); !path.empty()) {
    o.bert = std::make_shared<const nn::ForeignTensors>(bert_tensors(p.input_path("bert")));
    set_bert_sizes(*o.bert, s);
    if (p.get<std::string>("vocabulary_file").empty())
      throw bad_recipe("bert needs vocabulary_file: its tensors belong to the pieces of a vocab.txt");
    o.vocabulary = std::make_shared<const WordPieces>(WordPieces::read(p.input_path("vocabulary_file")));
  } else if (!p.get<std::string>("vocabulary_file").empty()) {
    throw bad_recipe("vocabulary_file goes with bert");
  }
  if (!p.get<std::string>("xclip").empty()) {
    const std::int64_t size = s.size;
    o.xclip = std::make_shared<const nn::ForeignTensors>(xclip_tensors(p.input_path("xclip")));
    set_xclip_sizes(*o.xclip, s);
    if (s.size != size)
      throw bad_recipe(p.input_path("xclip") + " is for pictures of " + std::to_string(s.size) +
                       " pixels: set size = " + std::to_string(s.size));
  }
  try {
    s.check();
  } catch (const Error& e) {
    throw bad_recipe(e.what());
  }
  return o;
}

}  // namespace

Spec CopeTrainSource::spec() {
  const CopeTrainerOptions o;
  const CopeShape& s = o.shape;
  return with_world_params(
             Spec("products.cope_train",
                  "Learn one space for products on pages, in short videos and in live streams (COPE).")
                 .output<Record>("progress",
                                 "{\"epoch\", \"step\", \"loss\", \"validation\": mean rank-1 over the six "
                                 "directions on products held out, by the vectors that the objective "
                                 "trains, anew every ten epochs} after each epoch; "
                                 "at the end {\"test\": "
                                 "{\"rank1\", \"map\", \"one_shot\": by direction, P2V ... L2V, and their "
                                 "mean}, \"parameters\"}")
                 .path("model", nullptr, "the HDF5 file to write"))
      .param("data", "made", "made-up products, tables of pages and clips, or the text files of ROPE",
             choices({"made", "tables", "rope"}))
      .param("pages", "", "tables: CSV or JSON lines with id, title, image")
      .param("clips", "",
             "tables: CSV or JSON lines with id (of the product), domain (video or live), path, text")
      .param("folder", "",
             "tables: where images and clips lie; empty: beside the tables. ROPE: its text files")
      .param("images", "", "ROPE: the folder of the images")
      .param("part", "training", "ROPE: what the names of its files begin with")
      .param("clips_each", std::int64_t{2}, "made-up products: pages, videos and live streams of each",
             range(1, 100))
      .param("held_out", 0.1, "tables and ROPE: share of the products, the last, that is not learnt from",
             range(0, 0.9))
      .param("domains_text", "all", "where text is fused: on pages alone, or in all domains",
             choices({"page", "all"}))
      .param("objective", "cope",
             "cope: the released pairs, fused pairs and classification; released: the seven pairs of the "
             "authors' script; paper: fused pairs and classification; visual, text: of these alone; pages: "
             "two views of a page; within: text against pictures in each domain, as CLIP",
             choices({"cope", "released", "paper", "visual", "text", "pages", "within"}))
      .param("patch", s.patch, "side of a patch", range(2, 512), unit("pixels"))
      .param("width", s.width, "numbers in a token of a picture", range(4, 4096))
      .param("blocks", s.blocks, "of the visual encoder", range(1, 64))
      .param("heads", s.heads, "of every attention", range(1, 64))
      .param("frames", s.frames, "T, of a video or live stream", range(1, 64))
      .param("embedding", s.embedding, "numbers in a product's vector", range(4, 4096))
      .param("vocabulary", s.vocabulary, "numbers that words are hashed to", range(16, 1 << 20))
      .param("title", s.title, "words of a title that are read", range(1, 1024))
      .param("speech", s.speech, "words of what is said that are read", range(1, 1024))
      .param("text_width", s.text_width, "numbers in a token of a text", range(4, 4096))
      .param("text_layers", s.text_layers, "of the text encoder", range(1, 64))
      .param(
          "bert", "",
          "a BERT to start from, as stream import wrote it: it sets text_width, text_layers and vocabulary; "
          "empty: none")
      .param("vocabulary_file", "", "that BERT's vocab.txt")
      .param("xclip", "",
             "an X-CLIP to start from, as stream import wrote it, under the names of its authors' code: it "
             "sets patch, width, blocks and frames, and wants its own size; empty: none")
      .param("batch", o.batch, "products in an update", range(2, 65536))
      .param("epochs", o.epochs, "passes over the products", range(1, 1e6))
      .param("learning_rate", o.learning_rate, "of AdamW, after a warm-up, falling along half a cosine",
             range(0, 1))
      .param("text_factor", o.text_factor, "of the learning rate, for the text encoder", range(0, 1000))
      .param("visual_factor", o.visual_factor, "of the learning rate, for the visual encoder", range(0, 1000))
      .param("weight_decay", o.weight_decay, "of AdamW", range(0, 1))
      .param("temperature", o.temperature, "of the contrasts", range(1e-3, 10))
      .param("smoothing", o.smoothing, "of their labels", range(0, 0.9))
      .param("scale", o.scale, "of CosFace", range(0.1, 1000))
      .param("margin", o.margin, "of CosFace", range(0, 1))
      .param("classification", o.classification, "weight of the classification beside the contrasts",
             range(0, 1000))
      .param("crop", o.crop, "least share of a picture that is shown in training", range(0.05, 1))
      .param("flip", o.flip, "show half of the pictures mirrored")
      .param("word_dropout", o.word_dropout, "share of the words of a text that training leaves out",
             range(0, 0.9))
      .contract({.state = Growth::kConstant, .cost = Cost::kHeavy})
      .about(
          "A batch is so many different products, and of each a page, a video and a live stream drawn at "
          "random. The visual encoder is X-CLIP's: frames exchange messages made of their class tokens in "
          "every block, and a transformer over the frames integrates them; the text encoder is BERT's, over "
          "hashed words; each domain has linear maps of its own for text, for pictures and for both. All "
          "weights but those are shared by the domains, and those begin alike.\n\n"
          "Pictures are kept in memory, shrunk to `size`, at most 64 frames of a clip. What is wrong with a "
          "line or with the file that it names is counted, and the first one named.")
      .paper(
          "Bai, Li, Cheng, Yang, Chen, Li, Cross-Domain Product Representation Learning for Rich-Content "
          "E-Commerce, ICCV 2023; Ni, Peng, Chen, Zhang, Meng, Fu, Xiang, Ling, Expanding Language-Image "
          "Pretrained Models for General Video Recognition, ECCV 2022; Wang et al., CosFace: Large Margin "
          "Cosine Loss for Deep Face Recognition, CVPR 2018")
      .example("A few updates", R"([nodes.train]
use         = "products.cope_train"
products    = 12
unseen      = 4
twin_groups = 0
size        = 16
width       = 8
blocks      = 1
heads       = 2
embedding   = 8
text_width  = 8
vocabulary  = 64
epochs      = 1
model       = "cope.h5"

[nodes.progress]
use  = "jsonl.write"
from = "train"
)");
}

CopeTrainSource::Data CopeTrainSource::data_of(const Params& p) {
  Data out{std::make_shared<ProductSet>(), std::make_shared<ProductSet>()};
  const auto data = p.get<std::string>("data");
  if (data == "made") {
    const MadeProducts world(world_options(p));
    const std::int32_t all = world.options().products, seen = all - world.options().unseen;
    const int clips = p.get<int>("clips_each");
    *out.training = world.set(0, seen, clips, 0, kKeptFrames);
    *out.validation = world.set(seen, all, std::min(clips, 2), 1000);
    return out;
  }
  const int size = p.get<int>("size");
  FaultCount faults;
  if (data == "tables") {
    if (p.get<std::string>("pages").empty() || p.get<std::string>("clips").empty())
      throw bad_recipe("data = \"tables\" needs pages and clips");
    *out.training =
        read_tables(p.input_path("pages"), p.input_path("clips"), p.get<std::string>("folder"), size, faults);
  } else {
    if (p.get<std::string>("folder").empty() || p.get<std::string>("images").empty())
      throw bad_recipe("data = \"rope\" needs folder and images");
    *out.training = read_rope(p.get<std::string>("folder"), p.get<std::string>("part"),
                              p.get<std::string>("images"), size, faults);
  }
  if (faults.total() > 0) log_warning(p.context().node, "refused: " + faults.summary());
  auto& products = out.training->products;
  const auto held =
      static_cast<std::size_t>(static_cast<double>(products.size()) * p.get<double>("held_out"));
  out.validation->size = size;
  out.validation->products.assign(std::make_move_iterator(products.end() - static_cast<std::ptrdiff_t>(held)),
                                  std::make_move_iterator(products.end()));
  products.resize(products.size() - held);
  return out;
}

CopeTrainSource::CopeTrainSource(const Params& p) : CopeTrainSource(p, data_of(p)) {}

CopeTrainSource::CopeTrainSource(const Params& p, const Data& data)
    : TrainSource("rank-1", data.training, data.validation, options_of(p), p.random("training")),
      path_(p.get<std::string>("model")) {}

Object CopeTrainSource::finish() const {
  const CopeTrainer& t = trainer();
  Object line{{"parameters", t.parameters()}};
  if (!t.validation_set().products.empty()) {
    const RetrievalQuality q = retrieval(t.network(), t.validation_set(), searched_of(t.options().objective));
    const auto by_direction = [](const std::array<double, 6>& values, double mean) {
      Object out;
      for (std::size_t k = 0; k < kDirections.size(); ++k) out.set(name_of(kDirections[k]), values[k]);
      return out.set("mean", mean);
    };
    line.set("test", Object{{"rank1", by_direction(q.rank1, q.mean_rank1())},
                            {"map", by_direction(q.precision, q.mean_precision())},
                            {"one_shot", by_direction(q.one_shot, q.mean_one_shot())}});
  }
  write_cope(path_, t.network());
  return line;
}

}  // namespace stream::products
