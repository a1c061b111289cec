#pragma once

#include <functional>
#include <string>
#include <vector>

#include "task/haystack.hpp"
#include "task/task.hpp"

namespace attnspan {

/// What associative recall's kin change in it.
struct RecallForm {
  std::string task;
  std::int64_t noise = 0;  ///< symbols of noise that stands instead of blanks; 0: blanks

  /// The pairs in their order, where they are not HaystackItems::draw's. Keys may come again; the
  /// last value holds.
  std::function<Dictionary(const HaystackItems& pairs, Rng& rng, std::int64_t length,
                           Purpose purpose)>
      draw = {};

  /// Pairs in a haystack, where they are fewer than HaystackItems::count says.
  std::function<std::int64_t(const HaystackItems& pairs, std::int64_t length)> count = {};

  bool tells_again = false;  ///< whether keys come again
};

/// Associative recall. The haystack is `_ _ k k = v v _ _ k k = v v _ ...`: pairs, each closed by a
/// blank of its own, with the spare blanks spread between them. Then the queries, each pair once
/// before any twice, since an answer given before could be copied:
///   interleaved  ? k k = v v ? k k = v v ...              (v scored)
///   grouped      BOS haystack ? k k ? k k ... SEP ? v v ? v v ... EOS
/// The grouped layout is that of the multi-query multi-token recall of arXiv 2506.16640; its `?`
/// and EOS in the target are given, only the v are scored.
std::unique_ptr<Task> make_recall(const RecallForm& form, const Arguments& arguments);

/// Its parameters.
std::vector<ParameterSpec> recall_parameters();

}  // namespace attnspan
