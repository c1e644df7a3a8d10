/// bytes.read: a file or pipe as it is.
#pragma once

#include "stream/file.hpp"
#include "stream/plugin.hpp"

namespace stream {

class BytesRead final : public Source {
 public:
  static Spec spec() {
    return Spec{"bytes.read", "Read raw bytes from a file or stdin."}
        .output<Bytes>("out", "what one read brought; how bytes are cut into packets carries no meaning")
        .path("path", "-", "file to read; - is stdin")
        .param("block", std::int64_t{64} << 10, "most bytes in one packet", range(1, 16 << 20), unit("bytes"))
        .about(
            "Bytes are passed on as they arrive. Packets are stamped with the offset of their first byte, in "
            "nanoseconds. A checkpoint records the offset: resuming seeks to it in a file, and on a pipe "
            "reads and drops "
            "the same number of bytes.")
        .contract({.order = Order::kStateful})
        .example("Copy a file",
                 "[nodes.in]\nuse  = \"bytes.read\"\npath = \"-\"\n\n"
                 "[nodes.out]\nuse  = \"bytes.write\"\nfrom = \"in\"\npath = \"-\"\n");
  }

  explicit BytesRead(const Params& p) : input_(p.input_path("path")), block_(p.get<std::size_t>("block")) {}

  bool read(Output& out) override {
    const std::uint64_t offset = input_.offset();
    auto memory = std::make_shared_for_overwrite<std::byte[]>(block_);
    const auto result = input_.read({memory.get(), block_});
    if (result.status == InputFile::Status::kEnd) return false;
    if (result.size == 0) return true;
    const std::byte* data = memory.get();
    Buffer bytes(std::move(memory), data, result.size);
    // A small packet must not hold on to a large block: memory in flight is counted in the bytes that packets
    // show.
    if (result.size < block_ / 2) bytes = Buffer::copy(bytes.bytes());
    out.emit(Packet::of<Bytes>(Time{static_cast<std::int64_t>(offset)}, std::move(bytes)));
    return true;
  }

  void interrupt() override { input_.interrupt(); }
  double fraction() const override {
    return input_.size() > 0 ? static_cast<double>(input_.offset()) / static_cast<double>(input_.size()) : -1;
  }
  void save(Archive& state) const override { state.set("offset", input_.offset()); }
  void load(const Archive& state) override { input_.skip_to(state.get<std::uint64_t>("offset")); }

 private:
  InputFile input_;
  std::size_t block_;
};

}  // namespace stream
