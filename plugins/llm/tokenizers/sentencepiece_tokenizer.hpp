/// tokenizer.model, the format of SentencePiece.
#pragma once

#include <memory>
#include <string_view>

#include "llm/tokenizers/sentencepiece_model.hpp"

namespace stream::llm {

/// Unigram and BPE models, with byte fallback or without.
///
/// Our own reader and encoder, not libsentencepiece, for three reasons. A file need not be trusted: the
/// library follows a character map wherever it leads, and dies of a damaged one. Ids are needed while the
/// text still arrives, and the library cannot say which are certain. And a text must have no end: the
/// library's sums of float32 scores run out of digits. The library is what the tests compare with.
///
/// Ids and texts are the library's (0.1.97, Debian's; where two ways to cut are equally probable, 0.2 rounds
/// to another one now and then). What differs: bytes that are not UTF-8 count as one U+FFFD for each maximal
/// invalid part, not for each byte; sums of scores begin anew as SentencePieceWords says; a text of more than
/// a megabyte without any place at which it could be cut is cut there; ids that no piece has decode to
/// nothing.
///
/// Throws Error(kBadData) that says where the file is no such model, and names what is not supported.
std::shared_ptr<const Tokenizer> read_sentencepiece_tokenizer(std::string_view file);

}  // namespace stream::llm
