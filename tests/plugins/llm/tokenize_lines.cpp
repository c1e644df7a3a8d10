/// tokenize-lines FILE: a JSON string on each line of stdin -> {"ids": [...], "text": decoded} on stdout. For
/// comparing many strings with a reference by hand: tests/golden/tokenizers/compare.py.
#include <fstream>
#include <iostream>
#include <iterator>

#include "llm/tokenizers/json_tokenizer.hpp"
#include "llm/tokenizers/sentencepiece_tokenizer.hpp"
#include "stream/error.hpp"
#include "stream/value.hpp"

int main(int, char** argv) {
  using namespace stream;
  try {
    std::ifstream in(argv[1], std::ios::binary);
    const std::string file{std::istreambuf_iterator<char>(in), {}};
    const std::shared_ptr<const llm::Tokenizer> tokenizer = std::string_view(argv[1]).ends_with(".model")
                                                                ? llm::read_sentencepiece_tokenizer(file)
                                                                : llm::read_json_tokenizer(file);
    for (std::string line; std::getline(std::cin, line);) {
      const auto ids = tokenizer->encode(Value::parse(line).as_string());
      Array list;
      for (const auto id : ids) list.emplace_back(std::int64_t{id});
      std::cout << Value(Object{{"ids", std::move(list)}, {"text", tokenizer->decode(ids)}}).dump() << '\n';
    }
  } catch (const Error& e) {
    std::cerr << e.what() << '\n';
    return static_cast<int>(e.code());
  }
}
