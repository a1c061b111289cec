#pragma once

#include <chrono>
#include <string>

namespace attnspan {

/// One line on stderr that is redrawn in place a few times a second and is gone in the end. Does
/// nothing unless stderr is a terminal that can do so (TERM is set and not "dumb").
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  bool visible() const { return visible_; }

  /// Whether it is time to draw again; making the text is then worth the while.
  bool due() const;

  /// Replaces the line, cut to the width of the terminal.
  void draw(const std::string& text);

  void clear();

 private:
  bool visible_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace attnspan
