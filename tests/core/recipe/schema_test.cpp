#include <gtest/gtest.h>

#include "test_operators.hpp"

namespace stream {
namespace {

const Value& at(const Value& v, std::initializer_list<const char*> path) {
  const Value* here = &v;
  for (const char* name : path) {
    here = here->as_object().find(name);
    if (!here) throw std::runtime_error(std::string("no ") + name);
  }
  return *here;
}

/// Every "$ref" below `v` names a definition of `schema`.
void check_references(const Value& v, const Value& schema, int& count) {
  if (v.is_array()) {
    for (const Value& item : v.as_array()) check_references(item, schema, count);
  }
  if (!v.is_object()) return;
  for (const auto& [name, value] : v.as_object()) {
    if (name == "$ref") {
      ++count;
      const std::string& target = value.as_string();
      ASSERT_EQ(target.rfind("#/$defs/", 0), 0u);
      EXPECT_NE(at(schema, {"$defs"}).as_object().find(target.substr(8)), nullptr) << target;
    } else {
      check_references(value, schema, count);
    }
  }
}

TEST(Schema, DescribesTheParametersOfEveryOperator) {
  const Value schema = recipe_schema(test::world());
  EXPECT_EQ(at(schema, {"$schema"}).as_string(), "https://json-schema.org/draft/2020-12/schema");
  const Value& knobs = at(schema, {"$defs", "operator:knobs"});
  EXPECT_EQ(at(knobs, {"properties", "use", "const"}).as_string(), "knobs");
  EXPECT_EQ(at(knobs, {"required"}), Value(Array{"use", "from"}));
  const Value& count = at(knobs, {"properties", "count"});
  EXPECT_EQ(at(count, {"description"}).as_string(), "a count");
  EXPECT_EQ(at(count, {"default"}).as_integer(), 3);
  EXPECT_EQ(at(count, {"anyOf"}).as_array()[0],
            Value(Object{{"type", "integer"}, {"minimum", 0.0}, {"maximum", 10.0}}));
  EXPECT_EQ(at(at(knobs, {"properties", "mood", "anyOf"}).as_array()[0], {"enum"}),
            Value(Array{"calm", "wild"}));
  EXPECT_EQ(at(schema, {"$defs", "operator:recog", "required"}), Value(Array{"use", "from", "model"}));
  for (const std::string& name : test::world().names()) {
    EXPECT_NE(at(schema, {"$defs"}).as_object().find("operator:" + name), nullptr);
  }
}

TEST(Schema, IsJsonWithoutDanglingReferences) {
  const Value schema = recipe_schema(test::world());
  int count = 0;
  check_references(schema, schema, count);
  EXPECT_GT(count, 20);
  EXPECT_EQ(Value::parse(schema.dump(2)).dump(), schema.dump());
}

TEST(Schema, OfNoOperatorsHasNoEmptyAllOf) {
  const Registry empty;
  EXPECT_EQ(at(recipe_schema(empty), {"$defs", "node"}).as_object().find("allOf"), nullptr);
}

}  // namespace
}  // namespace stream
