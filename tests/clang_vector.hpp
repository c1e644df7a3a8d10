// Included before everything where clang reads this code (clang-tidy, fuzzing). Clang checks the bodies of
// constexpr functions where they are defined, and libtorch 1.13 has a std::vector of a type that is not
// complete there, which C++20's constexpr vector of libstdc++ 12 does not survive; GCC looks later. So
// std::vector is declared as it is in C++17, without constexpr.
#pragma once

// NOLINTBEGIN(bugprone-reserved-identifier): they are the library's.

// A forward declaration (of std::fill for vector<bool>) would be constexpr while its definition is not: it
// gets another type, and the general std::fill serves.
#define _Bit_iterator _Bit_iterator_of_nobody
#include <bits/stl_algobase.h>
#undef _Bit_iterator
#include <memory>
#include <string>
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include <vector>
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr
// NOLINTEND(bugprone-reserved-identifier)
