"""The files shown in docs/adding.md compile as they stand there, with the warnings of the project as errors."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["ATTNSPAN_SOURCE"])
CACHE = pathlib.Path(os.environ["ATTNSPAN"]).parent / "CMakeCache.txt"
SHOWN = re.compile(r"^`([\w/]+\.cpp)`\n\n```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def compiler():
    return re.search(r"^CMAKE_CXX_COMPILER:\w+=(.+)$", CACHE.read_text(), re.MULTILINE).group(1)


def compile_text(text):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "shown.cpp"
        file.write_text(text)
        return subprocess.run([compiler(), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
                               "-Wshadow", "-Wconversion", "-Werror", f"-I{SOURCE / 'src'}", file],
                              capture_output=True, text=True)


class Adding(unittest.TestCase):
    def setUp(self):
        self.files = dict(SHOWN.findall((SOURCE / "docs/adding.md").read_text()))

    def test_one_of_each_kind_is_shown(self):
        self.assertEqual([str(pathlib.Path(name).parent) for name in self.files],
                         ["tasks", "src/attention/normalizers", "src/attention/scalers", "src/position/encodings"])
        for name, text in self.files.items():
            self.assertIn(f"Entry {pathlib.Path(name).stem}() {{", text)

    def test_they_compile(self):
        for name, text in self.files.items():
            done = compile_text(text)
            self.assertEqual(done.returncode, 0, f"{name}: {done.stderr}")

    def test_what_is_wrong_does_not(self):
        text = next(iter(self.files.values()))
        self.assertNotEqual(compile_text(text.replace("Layout::each", "Layout::none")).returncode, 0)


if __name__ == "__main__":
    unittest.main()
