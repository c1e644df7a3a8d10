#include "llm/tokenizers/sentencepiece_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "llm/tokenizers/protobuf.hpp"
#include "llm/tokenizers/utf8.hpp"
#include "stream/error.hpp"

namespace stream::llm {
namespace {

std::string valid(std::string_view text, const std::string& what) {
  Utf8Pieces check;
  if (check.push(text, true) != text) throw bad_data(what + " is not UTF-8");
  return std::string(text);
}

SentencePiece read_piece(ProtobufReader in, std::size_t id) {
  const std::string what = "piece " + std::to_string(id);
  SentencePiece piece;
  while (in.next()) {
    if (in.field() == 1) piece.text = valid(in.bytes(), what);
    if (in.field() == 2) piece.score = in.fixed32();
    if (in.field() == 3) {
      if (in.varint() < 1 || in.varint() > 6)
        throw bad_data(what + " is of the unknown type " + std::to_string(in.varint()));
      piece.type = static_cast<PieceType>(in.varint());
    }
  }
  if (piece.text.empty()) throw bad_data(what + " is empty");
  if (!std::isfinite(piece.score))
    throw bad_data(what + " '" + piece.text + "' has a score that is not finite");
  return piece;
}

void read_trainer(ProtobufReader in, SentencePieceModel& model) {
  while (in.next()) {
    if (in.field() == 3) {
      const std::uint64_t kind = in.varint();
      if (kind == 3 || kind == 4)
        throw bad_data(std::string("a model of kind '") + (kind == 3 ? "word" : "char") +
                       "' is not supported, expected unigram or bpe");
      if (kind != 1 && kind != 2) throw bad_data("a model of the unknown kind " + std::to_string(kind));
      model.kind = static_cast<SentencePieceModel::Kind>(kind);
    }
    if (in.field() == 24 && in.varint() != 0) throw bad_data("treat_whitespace_as_suffix is not supported");
    if (in.field() == 35) model.byte_fallback = in.varint() != 0;
    if (in.field() == 44) model.unknown_surface = valid(in.bytes(), "unk_surface");
  }
}

void read_normalizer(ProtobufReader in, SentencePieceModel& model) {
  while (in.next()) {
    if (in.field() == 2 && !in.bytes().empty()) model.map = CharacterMap(in.bytes());
    if (in.field() == 3) model.add_dummy_prefix = in.varint() != 0;
    if (in.field() == 4) model.remove_extra_whitespaces = in.varint() != 0;
    if (in.field() == 5) model.escape_whitespaces = in.varint() != 0;
  }
}

void check_denormalizer(ProtobufReader in) {
  while (in.next())
    if (in.field() == 2 && !in.bytes().empty()) throw bad_data("a denormalizer is not supported");
}

void find_bytes(SentencePieceModel& model) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    const auto found = model.reserved.find(text);
    if (found == model.reserved.end() ||
        model.pieces[static_cast<std::size_t>(found->second)].type != PieceType::kByte)
      throw bad_data(std::string("byte_fallback needs the piece '") + text + "', which is not there");
    model.bytes.push_back(found->second);
  }
}

std::uint64_t pair_of(std::string_view left, std::string_view right) {
  return std::uint64_t{code_point(left)} << 32 | code_point(right);
}

void note_neighbours(std::string_view piece, std::unordered_set<std::uint64_t>& joined) {
  std::string_view left = first_character(piece);
  for (piece.remove_prefix(left.size()); !piece.empty(); piece.remove_prefix(left.size())) {
    const std::string_view right = first_character(piece);
    joined.insert(pair_of(left, right));
    left = right;
  }
}

/// Looks up what the reader of ids and texts needs.
void finish(SentencePieceModel& model) {
  std::vector<std::pair<std::string, std::int32_t>> all, user_defined;
  std::optional<TokenId> unknown;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const SentencePiece& piece = model.pieces[i];
    const auto id = static_cast<TokenId>(i);
    const bool ordinary = piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined ||
                          piece.type == PieceType::kUnused;
    if (!(ordinary ? model.ids : model.reserved).emplace(piece.text, id).second)
      throw bad_data("piece '" + piece.text + "' is there twice");
    if (ordinary) {
      all.emplace_back(piece.text, id);
      note_neighbours(piece.text, model.joined);
      model.longest = std::max(model.longest, piece.text.size());
    }
    if (piece.type == PieceType::kUserDefined) user_defined.emplace_back(piece.text, id);
    if (piece.type == PieceType::kUnknown) {
      if (unknown)
        throw bad_data("pieces " + std::to_string(*unknown) + " and " + std::to_string(i) +
                       " are both the unknown one");
      unknown = id;
    }
    if (piece.type == PieceType::kNormal) {
      model.lowest = std::min(model.lowest, piece.score);
      model.highest = std::max(model.highest, piece.score);
    }
  }
  if (!unknown) throw bad_data("no piece is the unknown one");
  model.unknown = *unknown;
  model.index = PieceIndex(std::move(all));
  model.user_defined = PieceIndex(std::move(user_defined));
  if (model.byte_fallback) find_bytes(model);
}

}  // namespace

CharacterMap::CharacterMap(std::string_view compiled) {
  const auto word = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(compiled[at + i]);
    return value;
  };
  if (compiled.size() < 4) throw bad_data("the character map is cut short");
  const std::size_t size = word(0);
  if (size > compiled.size() - 4 || size % 4 != 0 || size == 0)
    throw bad_data("the character map says that its trie has " + std::to_string(size) + " bytes, of the " +
                   std::to_string(compiled.size() - 4) + " that are there");
  for (std::size_t at = 4; at < 4 + size; at += 4) units_.push_back(word(at));
  replacements_ = valid(compiled.substr(4 + size), "the text of the character map");
}

CharacterMap::Match CharacterMap::longest(std::string_view text) const {
  Match best{0, {}, false};
  if (units_.empty()) return best;
  const auto unit = [&](std::size_t at) {
    if (at >= units_.size()) throw bad_data("the character map leads out of itself");
    return units_[at];
  };
  const auto offset = [](std::uint32_t u) {
    return static_cast<std::size_t>(u >> 10) << ((u & (1u << 9)) >> 6);
  };
  std::size_t node = offset(unit(0));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    const std::uint32_t u = unit(node);
    if ((u & ((1u << 31) | 0xFFu)) != byte) return best;
    node ^= offset(u);
    if ((u >> 8 & 1) == 0) continue;
    const std::size_t at = unit(node) & ((1u << 31) - 1);
    const std::size_t end = at < replacements_.size() ? replacements_.find('\0', at) : std::string::npos;
    if (end == std::string::npos) throw bad_data("the character map leads out of its text");
    // The longest of Unicode's own takes 33.
    if (end - at > 1000)
      throw bad_data("the character map replaces a character by " + std::to_string(end - at) + " bytes");
    if (at > 0 && utf8_continues(replacements_[at]))
      throw bad_data("the character map leads into a character");
    best = {i + 1, std::string_view(replacements_).substr(at, end - at), false};
  }
  best.open = true;  // whether it goes on shows with the next byte
  return best;
}

bool SentencePieceModel::joins(std::string_view left, std::string_view right) const {
  // A run of unknown characters is one unknown piece.
  const auto known = [this](std::string_view c) {
    const auto found = ids.find(c);
    return found != ids.end() && pieces[static_cast<std::size_t>(found->second)].type != PieceType::kUnused;
  };
  if (!byte_fallback && !known(left) && !known(right)) return true;
  return joined.contains(pair_of(left, right));
}

SentencePieceModel read_sentencepiece_model(std::string_view file) {
  SentencePieceModel model;
  ProtobufReader in(file);
  while (in.next()) {
    try {
      if (in.field() == 1) model.pieces.push_back(read_piece(in.message(), model.pieces.size()));
      if (in.field() == 2) read_trainer(in.message(), model);
      if (in.field() == 3) read_normalizer(in.message(), model);
      if (in.field() == 5) check_denormalizer(in.message());
    } catch (const Error& e) {
      if (std::string_view(e.what()).starts_with("offset")) throw;
      throw e.within("offset " + std::to_string(in.offset()));
    }
  }
  finish(model);
  return model;
}

}  // namespace stream::llm
