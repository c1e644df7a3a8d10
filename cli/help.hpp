/// `--help` and the option sections of the man pages, from a verb's table.
#pragma once

#include <string>
#include <vector>

#include "verb.hpp"

namespace stream::cli {

std::string help_of(const Verb& verb);
/// Of the program: every verb with its summary.
std::string program_help();
/// "-i", "--input", ... of a verb, -h and --help included.
std::vector<std::string> flags_of(const Verb& verb);
/// "stream run RECIPE [options]"
std::string usage_of(const Verb& verb);
/// Options and examples of a verb in scdoc's markup.
std::string man_sections_of(const Verb& verb);
/// The names of verbs that have a page; the first words only when `first` is set.
std::vector<std::string> verb_names(bool first = false);

}  // namespace stream::cli
