"""What docs/showing.md shows of Python runs as it stands there, on results like the quick preset's."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ.get("ATTNSPAN", "build/attnspan"))
SOURCE = pathlib.Path(os.environ.get("ATTNSPAN_SOURCE", "."))


class PythonTest(unittest.TestCase):
    def test_every_example_runs(self):
        examples = re.findall(r"```python\n(.*?)```", (SOURCE / "docs/showing.md").read_text(), re.DOTALL)
        self.assertEqual(len(examples), 3)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("quick.csv", "quick.json"):
                subprocess.run([PROGRAM, "compare", (SOURCE / "tests/golden/three-tasks.json").resolve(), "-o", name],
                               cwd=folder, check=True)
            said = []
            for example in examples:
                self.assertEqual(len(example.splitlines()), 3)
                done = subprocess.run([sys.executable, "-c", example], cwd=folder, capture_output=True, text=True,
                                      env={**os.environ, "MPLBACKEND": "Agg", "MPLCONFIGDIR": folder})
                self.assertEqual(done.returncode, 0, done.stderr)
                said.append(done.stdout)
            self.assertRegex(said[0], r"(?m)^multiple .* 1000\.0")
            self.assertRegex(said[0], r"softmax +[01]\.\d")
            self.assertRegex(said[1], r"^\{'softmax': '\d+', ")
            self.assertTrue(pathlib.Path(folder, "quick.png").read_bytes().startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
