#pragma once

#include "sweep/spec.hpp"

namespace attnspan {

/// The sweep that has every cell and test of both, those that are there first. Axes, seeds, tasks
/// and tests may differ: an axis is attention, position, training length, learning rate, and
/// whatever has several values in one of the two. Any other difference throws InputError, which
/// says in what they differ, unless `add` is set. Nothing is named that neither of them names: what
/// is no product of axes becomes another entry of the same task.
SweepSpec grow(const SweepSpec& there, const SweepSpec& here, bool add);

}  // namespace attnspan
