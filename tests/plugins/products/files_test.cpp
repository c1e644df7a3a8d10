/// Products in files: what is read, and what is counted and named.
#include <gmock/gmock.h>

#include "png.hpp"
#include "products/product_files.hpp"
#include "products/product_frames.hpp"
#include "products/products_index.hpp"
#include "program/program.hpp"
#include "small.hpp"
#include "stream/testing.hpp"

namespace stream::products {
namespace {

using stream::testing::ScratchFolder;
using stream::testing::write_contents;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// A page's picture of the small world as a PNG file.
void write_picture(const std::filesystem::path& path, std::int32_t product, int size = 16) {
  const MadeProducts world(
      {.products = 20, .unseen = 8, .twin_groups = 2, .twins = 3, .size = size, .seed = 3});
  const Clip clip = world.clip(product, Domain::kPage, 0);
  const Packet packet = testing::frame_packet(clip.frame(0), size, Time{0});
  write_contents(path, PngEncoder().encode(std::static_pointer_cast<const Frame>(packet.payload)));
}

/// YUV4MPEG2 of gray frames.
std::string y4m(int frames, int size) {
  std::string out = "YUV4MPEG2 W" + std::to_string(size) + " H" + std::to_string(size) + " F2:1 C444\n";
  for (int f = 0; f < frames; ++f)
    out += "FRAME\n" + std::string(static_cast<std::size_t>(3 * size * size), static_cast<char>(100 + f));
  return out;
}

TEST(ProductFrames, PicturesComeBackAsTheyWere) {
  const ScratchFolder folder;
  write_picture(folder / "a.png", 4);
  const Clip read = read_picture((folder / "a.png").string(), 16);
  EXPECT_EQ(read.frames, testing::small_world().clip(4, Domain::kPage, 0).frames);
  write_picture(folder / "large.png", 4, 64);
  EXPECT_EQ(read_picture((folder / "large.png").string(), 16).frames.size(), read.frames.size());
}

TEST(ProductFrames, ManyFramesAreThinnedEvenly) {
  FrameKeeper kept(1);
  for (int f = 0; f < 1000; ++f) {
    const auto v = static_cast<std::uint8_t>(f / 4);
    const std::uint8_t sample[3] = {v, v, v};
    if (kept.wants())
      kept.add(sample);
    else
      kept.pass();
  }
  EXPECT_LE(kept.kept(), FrameKeeper::kMost);
  EXPECT_GE(kept.kept(), FrameKeeper::kMost / 2);
  for (std::size_t f = 1; f < kept.kept(); ++f) EXPECT_EQ(kept.frames()[3 * f] - kept.frames()[3 * f - 3], 4);
}

TEST(ProductTables, EveryFaultIsCountedAndNamed) {
  const ScratchFolder folder;
  write_picture(folder / "a.png", 1), write_picture(folder / "b.png", 2);
  write_contents(folder / "broken.png", "no picture");
  write_contents(folder / "clip.y4m", y4m(5, 24));
  write_contents(folder / "cut.y4m", y4m(2, 24).substr(0, 700));
  const std::string pages = (folder / "pages.csv").string(), clips = (folder / "clips.csv").string();
  write_contents(pages,
                 "title,id,image\n"
                 "\"red, round\",p1,a.png\n"
                 ",p2,b.png\n"
                 "gone,p3,missing.png\n"
                 "bad,p4,broken.png\n"
                 "too,many,fields,here\n"
                 "open \"quote,p5,a.png\n"
                 "\"open,p5,a.png\n"
                 "no id,,a.png\n"
                 "\xff\xfe,p6,a.png\n");
  write_contents(clips,
                 "id,domain,path,text\n"
                 "p1,video,clip.y4m,words\n"
                 "p1,live,clip.y4m,\n"
                 "p1,radio,clip.y4m,words\n"
                 "p9,live,clip.y4m,words\n"
                 "p1,live,nothing.y4m,words\n"
                 "p1,live,cut.y4m,words\n");
  FaultCount faults;
  const ProductSet set = read_tables(pages, clips, "", 16, faults);
  EXPECT_THAT(
      faults.counts(),
      UnorderedElementsAre(Pair("empty-title", 1), Pair("missing-image", 1), Pair("unreadable-picture", 1),
                           Pair("fields", 1), Pair("csv", 1), Pair("no-id", 1), Pair("utf8", 1),
                           Pair("empty-text", 1), Pair("domain", 1), Pair("unknown-id", 1),
                           Pair("missing-video", 1), Pair("unreadable-video", 1)));
  EXPECT_THAT(faults.summary(), HasSubstr("pages.csv, line 6: fields, 4 where the first line has 3"));
  ASSERT_EQ(set.products.size(), 3u) << "p1, p2, and the one whose title has a quote in the middle";
  EXPECT_EQ(set.products[0].title, "red, round");
  EXPECT_EQ(set.products[0].of(Domain::kVideo).size(), 1u);
  EXPECT_EQ(set.products[0].of(Domain::kVideo)[0].count(), 5);
  EXPECT_EQ(set.products[0].of(Domain::kLive).size(), 1u);
}

TEST(ProductTables, AColumnThatIsMissingIsNamed) {
  const ScratchFolder folder;
  write_contents(folder / "pages.csv", "id,titel,image\n1,a,b\n");
  FaultCount faults;
  try {
    read_tables((folder / "pages.csv").string(), "", "", 16, faults);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::kBadData);
    EXPECT_THAT(e.what(), HasSubstr("line 1: no column 'title' (did you mean 'titel'?)"));
  }
}

TEST(ProductRope, TextFilesAreReadAndFaultsNamed) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "images");
  write_picture(folder / "images" / "a.png", 1), write_picture(folder / "images" / "b.png", 2);
  const auto write = [&](const std::string& name, const std::string& text) {
    write_contents(folder / ("training_" + name + ".txt"), text);
  };
  write("product_pages_pair", "1,10\n1,11\n2,10\nalone\n");
  write("product_videos_pair", "1,20\n");
  write("product_lives_pair", "1,30\n2,31\n");
  write("page_titles", "10,a title, with a comma\n99,unknown\n");
  write("video_asrs", "20,\n");
  write("live_asrs", "30,what is said\n");
  write("page_images", "10,https://host/folder/a.png\n11,https://host/folder/none.png\n");
  write("video_frames", "20,0,x/a.png\n20,1,x/b.png\n20,one,x/b.png\n");
  write("live_clips", "30,-5,x/a.png\n30,1000,x/a.png\n30,500,x/b.png\n30,2000,x/b.png\n");
  FaultCount faults;
  const ProductSet set =
      read_rope(folder.path().string(), "training", (folder / "images").string(), 16, faults);
  EXPECT_THAT(faults.counts(),
              UnorderedElementsAre(Pair("duplicate-id", 1), Pair("fields", 1), Pair("unknown-id", 1),
                                   Pair("empty-text", 1), Pair("missing-image", 1), Pair("number", 1),
                                   Pair("negative-time", 1), Pair("time-order", 1), Pair("no-picture", 2)));
  ASSERT_EQ(set.products.size(), 1u);
  const Product& product = set.products[0];
  EXPECT_EQ(product.title, "a title, with a comma");
  EXPECT_EQ(product.of(Domain::kVideo)[0].count(), 2);
  EXPECT_EQ(product.of(Domain::kLive)[0].count(), 2);
  EXPECT_EQ(product.of(Domain::kLive)[0].text, "what is said");
  EXPECT_THROW(read_rope(folder.path().string(), "test", folder.path().string(), 16, faults), Error);
}

TEST(CopeIndex, PagesAreIndexedAndFaultsNamed) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  write_picture(folder / "a.png", 1), write_picture(folder / "b.png", 2);
  write_contents(folder / "broken.png", "no picture");
  const std::string pages = (folder / "pages.jsonl").string();
  write_contents(pages, R"({"id": "p1", "title": "one", "image": "a.png"})"
                        "\n"
                        R"({"id": 7, "title": "a number", "image": "a.png"})"
                        "\n"
                        R"({"id": "p1", "title": "again", "image": "b.png"})"
                        "\n"
                        R"({"id": "p2", "title": "", "image": "b.png"})"
                        "\n"
                        R"({"id": "p3", "title": "no image"})"
                        "\n"
                        R"({"id": "p4", "title": 5, "image": "b.png"})"
                        "\n"
                        R"({"id": "p5", "title": "x", "image": "none.png"})"
                        "\n"
                        R"({"id": "p6", "title": "x", "image": "broken.png"})"
                        "\n"
                        "[]\n{\n");
  auto made = stream::testing::make<CopeIndexSource>({{"model", model}, {"pages", pages}, {"index", index}});
  const auto out = stream::testing::drain(dynamic_cast<Source&>(*made), 2);
  std::vector<std::string> faults;
  for (const Packet& p : out.packets[1])
    faults.push_back(std::to_string(p.as<Record>().at("line").as_integer()) + " " +
                     p.as<Record>().at("fault").as_string());
  EXPECT_THAT(faults,
              UnorderedElementsAre("2 id-kind", "3 duplicate-id", "4 empty-title", "5 missing", "6 type",
                                   "7 missing-image", "8 unreadable-picture", "9 json", "10 json"));
  const auto& last = out.packets[0].back().as<Record>();
  EXPECT_EQ(last.at("pages").as_integer(), 2);
  EXPECT_EQ(last.at("recall").as_double(), 1.0);
  // The vectors are those of the pages, each by itself.
  const IndexedPages read = IndexedPages::read(index);
  EXPECT_EQ(read.ids, (std::vector<std::string>{"p1", "p2"}));
  Clip clip = testing::small_world().clip(1, Domain::kPage, 0);
  clip.text = "one";
  const auto e = CopeModel(model).network().embed(clip, Domain::kPage);
  EXPECT_EQ(std::vector<float>(read.vectors.begin(), read.vectors.begin() + 8), e);
}

TEST(CopeIndex, NothingToIndexIsAnError) {
  const ScratchFolder folder;
  const std::string model = (folder / "cope.h5").string(), index = (folder / "pages.h5").string();
  testing::write_small_model(model, index);
  write_contents(folder / "pages.csv", "id,title,image\n1,a,none.png\n");
  std::filesystem::remove(index);
  auto made = stream::testing::make<CopeIndexSource>(
      {{"model", model}, {"pages", (folder / "pages.csv").string()}, {"index", index}});
  try {
    stream::testing::drain(dynamic_cast<Source&>(*made), 2);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("no page could be indexed: 1 missing-image"));
  }
  EXPECT_FALSE(std::filesystem::exists(index));
}

}  // namespace
}  // namespace stream::products
