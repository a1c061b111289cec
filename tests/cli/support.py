"""What the command-line tests share: running the program, tiny sweeps, comparing results."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ.get("ATTNSPAN", "build/attnspan"))
SOURCE = os.environ.get("ATTNSPAN_SOURCE", ".")

def tiny(**settings):
    """Flags of a sweep whose cells take some hundredths of a second."""
    flags = dict(task="copy:symbols=4", train_length="4", steps="30", layers="1", heads="2",
                 d_model="16", d_ff="16", batch_size="8", warmup_steps="5", learning_rates="3e-3",
                 multiples="1,2", test_samples="16", validation_samples="16",
                 threads="1")  # tests run side by side
    flags.update({name: str(value) for name, value in settings.items()})
    return [part for name, value in flags.items()
            for part in ("--" + name.replace("_", "-"), value)] + ["--quiet"]


def loud(arguments):
    """The same arguments, with what goes to stderr."""
    return [argument for argument in arguments if argument != "--quiet"]


def without_timings(value):
    """The part of a result that must be equal in every run of a sweep."""
    if isinstance(value, dict):
        return {key: without_timings(item) for key, item in value.items()
                if key not in ("context", "seconds", "tokens_per_second")}
    if isinstance(value, list):
        return [without_timings(item) for item in value]
    return value


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="attnspan-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(self.path(name), mode) as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def start(self, *arguments, **options):
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, text=True, **options)

    def run_program(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def succeed(self, *arguments, **options):
        code, out, err = self.run_program(*arguments, **options)
        self.assertEqual((code, err), (0, ""), f"{arguments}\n{out}")
        return out

    def assert_refused(self, arguments, code, *parts, **options):
        """One sentence on stderr that has all the parts, nothing on stdout, and the exit code."""
        got, out, err = self.run_program(*arguments, **options)
        self.assertEqual(got, code, f"{arguments}\n{err}")
        self.assertEqual(out, "", arguments)
        self.assertRegex(err, r"\Aattnspan: [^\n]+[.?)]\n\Z", arguments)
        self.assertNotRegex(err, r"terminate|exception|basic_string|stack|core dumped")
        for part in parts:
            self.assertIn(part, err, arguments)
        return err

    def result(self, name):
        return json.loads(self.read(name))

    def assert_same_result(self, one, other):
        """Byte for byte, timings and context aside: the order of keys counts."""
        texts = [json.dumps(without_timings(self.result(name))) for name in (one, other)]
        self.assertEqual(texts[0], texts[1])


def main():
    unittest.main(verbosity=1)
