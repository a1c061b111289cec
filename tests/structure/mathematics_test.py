"""No result depends on the processor or on the C library: the rooms that a result comes from use no mathematics
but + - * / and square roots, and no sum whose order the compiler may choose. And of the kernels, which are
compiled once for each instruction set, nothing is shared."""

import os
import pathlib
import re
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["ATTNSPAN_SOURCE"])
BUILD = pathlib.Path(os.environ["ATTNSPAN"]).parent
ROOMS = ["src/core", "src/ops", "src/task", "src/position", "src/attention", "src/model", "src/train", "tasks"]
# What IEEE 754 does not fix to the last bit, and what leaves the order of a sum open.
LOOSE = re.compile(
    r"\bstd::(?:exp|exp2|expm1|log|log2|log10|log1p|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|"
    r"asinh|acosh|atanh|erf|erfc|tgamma|lgamma|reduce|transform_reduce)[fl]?\b|\breduction\s*\(|\bfast-math\b")


def loose(text):
    return LOOSE.findall(text)


class Mathematics(unittest.TestCase):
    def test_results_use_no_mathematics_but_our_own(self):
        found = {str(file.relative_to(SOURCE)): loose(file.read_text())
                 for room in ROOMS for file in sorted((SOURCE / room).rglob("*.[ch]pp"))}
        self.assertGreater(len(found), 50)
        self.assertEqual({file: names for file, names in found.items() if names}, {})

    def test_what_is_loose_is_found(self):
        for text in ["std::exp(x)", "std::powf(x, y)", "std::reduce(a, b)", "#pragma omp simd reduction(+ : sum)"]:
            self.assertEqual(len(loose(text)), 1, text)
        for text in ["std::sqrt(x)", "std::max(a, b)", "std::expected", "math::exp(x)", "std::string log"]:
            self.assertEqual(loose(text), [], text)

    def test_kernels_share_nothing(self):
        objects = sorted(BUILD.glob("CMakeFiles/attnspan_kernels_*.dir/**/*.o"))
        self.assertGreaterEqual(len(objects), 1)
        for file in objects:
            listing = subprocess.run(["nm", "--defined-only", file], capture_output=True, text=True, check=True).stdout
            # Weak and unique symbols (W, V, u) are those of which the linker keeps one copy; what a sanitizer adds,
            # names of types among it, is the same in all.
            shared = [line for line in listing.splitlines() if re.search(r" [WVu] ", line)
                      and not re.search(r"san_|\.module_|__odr_| _ZTI| _ZTS", line)]
            self.assertEqual(shared, [], file)


if __name__ == "__main__":
    unittest.main()
