#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "recipe/recipe.hpp"
#include "stream/error.hpp"

namespace stream {
namespace {

namespace fs = std::filesystem;

class Locate : public ::testing::Test {
 protected:
  Locate() : dir_(fs::temp_directory_path() / ("stream-locate-" + std::to_string(::getpid()))) {
    fs::create_directories(dir_ / "one");
    fs::create_directories(dir_ / "two/studies");
    for (const char* file : {"one/captions.toml", "two/captions.toml", "two/studies/drift.toml"})
      std::ofstream(dir_ / file) << "x";
    ::setenv("STREAM_RECIPES", ((dir_ / "one").string() + "::" + (dir_ / "two").string()).c_str(), 1);
  }
  ~Locate() override {
    ::unsetenv("STREAM_RECIPES");
    fs::remove_all(dir_);
  }
  std::string fault(const std::string& name) {
    try {
      return "found " + find_recipe(name);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::kNoInput);
      return e.what();
    }
  }
  fs::path dir_;
};

TEST_F(Locate, FirstFolderWins) {
  EXPECT_EQ(find_recipe("captions"), (dir_ / "one/captions.toml").string());
  EXPECT_EQ(find_recipe("captions.toml"), (dir_ / "one/captions.toml").string());
  EXPECT_EQ(find_recipe("drift"), (dir_ / "two/studies/drift.toml").string());
}

TEST_F(Locate, APathIsTakenAsItIs) {
  const std::string path = (dir_ / "two/captions.toml").string();
  EXPECT_EQ(find_recipe(path), path);
}

TEST_F(Locate, NearestNameWhenThereIsNone) {
  EXPECT_EQ(fault("captoins"), "there is no recipe 'captoins' (did you mean 'captions'?)");
  EXPECT_EQ(fault("./captions"), "there is no recipe './captions'");
  EXPECT_EQ(fault(dir_.string()), "'" + dir_.string() + "' is a folder, not a recipe");
  EXPECT_EQ(fault(""), "there is no recipe ''");
}

TEST_F(Locate, FoldersAreThoseThatExist) {
  const auto folders = recipe_folders();
  ASSERT_GE(folders.size(), 3u);
  EXPECT_EQ(folders[0], (dir_ / "one").string());
  EXPECT_EQ(folders[1], (dir_ / "two").string());
  EXPECT_EQ(folders[2], (dir_ / "two/studies").string());
  for (const auto& f : folders) EXPECT_TRUE(fs::is_directory(f)) << f;
}

TEST(Share, LiesBesideTheLibrary) { EXPECT_EQ(share_dir(), STREAM_BINARY_DIR "/share/stream"); }

}  // namespace
}  // namespace stream
