#pragma once

#include "ops/matrix.hpp"

namespace attnspan {

/// What the parts of one layer's attention are built for.
struct LayerShape {
  Index heads = 1;
  Index d_head = 1;
  Index train_tokens = 64;  ///< of the longest sample of training
  Index model_width = 0;    ///< of the stream; 0: that of all heads

  /// Width of all heads side by side.
  Index width() const { return heads * d_head; }
  Index d_model() const { return model_width > 0 ? model_width : width(); }
};

}  // namespace attnspan
