#pragma once

#include <string_view>

#include "catalog/part.hpp"
#include "task/task.hpp"

namespace attnspan {

/// What a list of tasks says of it. Its first argument is a folder, which no catalog knows.
const Part& file_part();

/// Whether this text names it: "file" or "file:...".
bool is_file_task(std::string_view text);

/// A person's own data, "file:FOLDER" with further arguments after commas:
///   targets=after  FOLDER/train.src and train.trg hold one sample a line, token numbers with
///                  blanks between; what stands in the .trg comes after what stands in the .src
///   targets=each   the .trg has a label for each token of the .src, -1 for none
///   hash=...       of the names and bytes of all files: refuses others; part of the resolved text
/// FOLDER/validation_0_64.src, test_1_256.src and so on have the samples of one length each, named
/// last; the length in the names with _0_ is that of training. What is NAME.jsonl instead has an
/// object a line with "tokens", "answers" and perhaps "targets", as in Sample. Training samples are
/// drawn from the lines of train; the others are taken in their order. Throws FileError, and
/// InputError that names file and line.
NamedTask make_file_task(std::string_view text);

}  // namespace attnspan
