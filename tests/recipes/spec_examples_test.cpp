/// What operators say about themselves: an example at least, and every example a valid recipe.
#include <gtest/gtest.h>

#include "recipe/recipe.hpp"
#include "registry/registry.hpp"

namespace stream {
namespace {

class Specs : public ::testing::Test {
 protected:
  void SetUp() override {
    registry_.scan({STREAM_BINARY_DIR "/lib/stream/plugins"});
    ASSERT_TRUE(registry_.problems().empty()) << registry_.problems().front();
    ASSERT_FALSE(registry_.names().empty());
  }
  Registry registry_;
};

TEST_F(Specs, EveryExampleIsAValidRecipe) {
  for (const std::string& name : registry_.names()) {
    const Spec& spec = registry_.find(name)->spec;
    EXPECT_FALSE(spec.examples().empty()) << name << " has no example";
    for (const Spec::Example& example : spec.examples()) {
      Diagnostics diagnostics;
      plan_recipe_text(example.recipe, registry_, {}, diagnostics);
      EXPECT_FALSE(diagnostics.has_errors()) << name << ", " << example.title << ":\n" << diagnostics.text();
    }
  }
}

TEST_F(Specs, EveryExampleUsesItsOperator) {
  for (const std::string& name : registry_.names()) {
    for (const Spec::Example& example : registry_.find(name)->spec.examples()) {
      EXPECT_NE(example.recipe.find("\"" + name + "\""), std::string::npos) << name << ", " << example.title;
    }
  }
}

TEST_F(Specs, EverythingIsDocumented) {
  for (const std::string& name : registry_.names()) {
    const Spec& spec = registry_.find(name)->spec;
    EXPECT_FALSE(spec.summary().empty()) << name;
    for (const Param& param : spec.params()) EXPECT_FALSE(param.doc.empty()) << name << "." << param.name;
  }
}

}  // namespace
}  // namespace stream
