/// Parameters that training has in common wherever it happens.
#pragma once

#include "stream/params.hpp"
#include "stream/spec.hpp"
#include "super_resolution/overfit.hpp"
#include "super_resolution/stream_file.hpp"

namespace stream::super_resolution {

struct TrainingSettings {
  OverfitOptions options;
  int columns = 10, rows = 6;
  Halo halo = Halo::kNone;
  Precision precision = Precision::kFloat16;
  std::shared_ptr<Wdsr> general;  ///< M0; null when none is wanted
};

/// Adds them to a spec.
Spec with_training_params(Spec spec);
/// Reads them, and M0. Throws Error(kBadRecipe).
TrainingSettings training_settings(const Params& params);
StreamHeader header_of(const TrainingSettings& settings, const PatchGrid& grid, int models, Duration period);

}  // namespace stream::super_resolution
