/// tokenizer.json, the format of Hugging Face's tokenizers.
#pragma once

#include <memory>
#include <string_view>

#include "llm/tokenizers/chain_tokenizer.hpp"

namespace stream::llm {

/// Models of kind BPE, byte-level (GPT-2, GPT-NeoX, Llama 3, Qwen 2) or with byte fallback (Llama 2,
/// Mistral).
///
/// Ids and texts are those of the reference. What differs: bytes that are not UTF-8, which the reference
/// cannot be given, count as U+FFFD, one for each maximal invalid part; NFKC and NFKD are those of ICU's
/// version of Unicode, where the reference has an older one; of a run of byte tokens that is no UTF-8 as a
/// whole, what is a character stays one; ids that no token has decode to nothing; truncation and padding,
/// which make no sense for a stream, are passed over; `Precompiled` normalisers, and WordPiece, WordLevel and
/// Unigram models, are refused. A text of more than a megabyte without any place at which it could be cut is
/// cut there.
///
/// Throws Error(kBadData) that says where the text is no tokenizer.json, and names kinds that are not
/// supported.
std::shared_ptr<const ChainTokenizer> read_json_tokenizer(std::string_view json);

}  // namespace stream::llm
