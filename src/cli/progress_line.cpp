#include "cli/progress_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace attnspan {
namespace {

constexpr std::chrono::milliseconds interval{250};

bool can_redraw() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal && *terminal != '\0' &&
         std::string_view(terminal) != "dumb";
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

void write_to_terminal(const std::string& text) {
  // A line of progress is not worth an error.
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

ProgressLine::ProgressLine() : visible_(can_redraw()) {}

ProgressLine::~ProgressLine() { clear(); }

bool ProgressLine::due() const {
  return visible_ && (!drawn_ || std::chrono::steady_clock::now() - last_ >= interval);
}

void ProgressLine::draw(const std::string& text) {
  if (!visible_) return;
  write_to_terminal("\r" + text.substr(0, terminal_width() - 1) + "\x1b[K");
  drawn_ = true;
  last_ = std::chrono::steady_clock::now();
}

void ProgressLine::clear() {
  if (drawn_) write_to_terminal("\r\x1b[K");
  drawn_ = false;
}

}  // namespace attnspan
