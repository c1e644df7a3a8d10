/// csv.to_record: lines of CSV as records.
#pragma once

#include "csv_line.hpp"
#include "stream/plugin.hpp"

namespace stream {

class CsvToRecord final : public Operator {
 public:
  static Spec spec() {
    return Spec{"csv.to_record", "Read lines of CSV as records, named by the header line."}
        .input<Text>("in", "one line of CSV each")
        .output<Record>("out", "one member for each column that is not empty")
        .param("columns", std::vector<std::string>{}, "names of the columns; empty: the first line has them")
        .param("separator", ",", "one character between fields")
        .contract({.order = Order::kStateful, .keyed = true})
        .about(
            "Fields may be quoted as RFC 4180 says, but not hold a line's end. Unquoted numbers become "
            "numbers, but "
            "for those with leading zeros, which are names; everything else is text. An empty field that is "
            "not "
            "quoted is missing: the record lacks the member. A line with more or fewer fields than there are "
            "columns is an error that names both; blank lines are passed over.")
        .example(
            "Columns of a table as JSON Lines",
            "[nodes.lines]\nuse = \"text.read\"\n\n[nodes.rows]\nuse     = \"csv.to_record\"\nfrom    = "
            "\"lines\"\ncolumns = [\"text\"]\n\n[nodes.print]\nuse  = \"jsonl.write\"\nfrom = \"rows\"\n");
  }
  explicit CsvToRecord(const Params& p)
      : names_(p.get<std::vector<std::string>>("columns")), separator_(separator_of(p)) {
    require_distinct(names_);
  }

  void process(Packet in, Output& out) override {
    std::string_view line = in.as<Text>().str();
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) return;
    const auto fields = split_csv(line, separator_);
    if (names_.empty()) {
      std::vector<std::string> names;
      names.reserve(fields.size());
      for (const CsvField& field : fields) names.push_back(field.text);
      require_distinct(names);
      names_ = std::move(names);
      return;
    }
    if (fields.size() != names_.size())
      throw bad_data("the line has " + std::to_string(fields.size()) + " fields, expected " +
                     std::to_string(names_.size()));
    Object row;
    for (std::size_t i = 0; i < fields.size(); ++i)
      if (fields[i].quoted || !fields[i].text.empty()) row.set(names_[i], csv_value(fields[i]));
    out.emit(in.with<Record>(std::move(row)));
  }
  void save(Archive& state) const override {
    state.set("columns", static_cast<std::uint64_t>(names_.size()));
    for (std::size_t i = 0; i < names_.size(); ++i) state.set("column_" + std::to_string(i), names_[i]);
  }
  void load(const Archive& state) override {
    names_.clear();
    for (std::uint64_t i = 0; i < state.get<std::uint64_t>("columns"); ++i)
      names_.push_back(state.get<std::string>("column_" + std::to_string(i)));
  }
  std::size_t state_bytes() const override {
    std::size_t bytes = sizeof *this;
    for (const std::string& name : names_) bytes += sizeof(std::string) + name.size();
    return bytes;
  }

  static char separator_of(const Params& p) {
    const auto text = p.get<std::string>("separator");
    if (text.size() != 1 || text == "\"" || text == "\n" || text == "\r")
      throw bad_recipe("separator is '" + text + "', expected one character that is no quote");
    return text[0];
  }

 private:
  static void require_distinct(const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) throw bad_data("column " + std::to_string(i + 1) + " has no name");
      for (std::size_t j = 0; j < i; ++j)
        if (names[i] == names[j]) throw bad_data("two columns are named '" + names[i] + "'");
    }
  }
  std::vector<std::string> names_;
  char separator_;
};

}  // namespace stream
