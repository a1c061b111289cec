"""Whatever comes in wrong gets one sentence and the right exit code, and nothing is lost."""

import json
import os
import resource
import subprocess
import sys
import unittest

from support import PROGRAM, ProgramTest, main, tiny


class BadInputTest(ProgramTest):
    def test_names(self):
        self.assert_refused(["sweep", "--task", "recal"], 2, "did you mean 'recall'?")
        self.assert_refused(["sweep", "--task", ""], 2)
        self.assert_refused(["sweep", "--task", "copy:symbol=4"], 2, "did you mean 'symbols'?")
        self.assert_refused(["sweep", "--task", "copy:symbols=1e9"], 2, "symbols")
        self.assert_refused(["sweep", "smoke", "--attention", "sofmax"], 2,
                            "did you mean 'softmax'?")
        self.assert_refused(["sweep", "smoke", "--attention", "entmax:0.5"], 2, "alpha")
        self.assert_refused(["sweep", "smoke", "--position", "ropee"], 2, "did you mean 'rope'?")
        self.assert_refused(["sweep"], 2, "a sweep needs a task")

    def test_numbers(self):
        for flag in ("--train-length", "--multiples", "--steps", "--batch-size", "--layers",
                     "--heads", "--d-model", "--d-ff", "--test-samples", "--validation-samples",
                     "--seeds", "--learning-rates", "--threads", "--jobs"):
            for value in ("-1", "0", "1e30", "nan", "abc", "", "1e999"):
                self.assert_refused(["sweep", "--task", "copy", f"{flag}={value}"], 2)
        self.assert_refused(["sweep", *tiny(multiples="1-1e18+1")], 2, "more than 1000")
        self.assert_refused(["sweep", *tiny(multiples="1e7")], 2, "multiple")
        self.assert_refused(["sweep", *tiny(heads="3")], 2, "divide")
        self.assert_refused(["sweep", *tiny(early_stop="maybe")], 2, "true or false")
        self.assert_refused(["sweep", *tiny(), "--seeds", "2", "--seeds", "6"], 2, "--seeds")
        self.assert_refused(["sweep", *tiny(), "--shard", "3/2"], 2, "--shard")

    def test_a_model_that_does_not_fit(self):
        self.assert_refused(["sweep", "--task", "copy", "--d-model", "65536", "--d-ff", "1048576",
                             "--layers", "256", "-o", "out.json"], 2, "memory", "lower", "--d-model")
        self.assert_refused(["sweep", "--task", "copy", "--d-model", "4096", "--layers", "1",
                             "--batch-size", "1", "--multiples", "1000000",
                             "-o", "out.json"], 2, "memory", "lower", "--multiples")
        self.assertEqual(os.listdir(self.folder), [])

    def test_specs(self):
        for content, part in (
                ("", "empty"),
                (" \n", "empty"),
                ("{", "line 1"),
                ('{"task": "copy",}', "line 1"),
                ('{"task": "copy"\n "steps": 5}', "line 2"),
                ('["copy"]', "not a sweep spec"),
                ('{"stepz": 5, "task": "copy"}', "did you mean 'steps'?"),
                ('{"task": "copy", "steps": 5, "steps": 6}', "twice"),
                ('{"task": "copy", "steps": "5"}', "steps must be a whole number"),
                ('{"task": "copy", "steps": 1e400}', "too large"),
                ('{"task": "copy", "train_length": -4}', "train_length must be from 1"),
                ('{"task": "copy", "attention": []}', "at least one value"),
                ('{"task": {"task": "copy", "steps": 0}}', "steps must be from 1"),
                ('{"task": 7}', "task must be a name"),
                ('{"schema_version": 1}', "spec"),
                ('{"schema_version": 99, "spec": {}}', "version"),
                ("[" * 100000, "nested"),
                ('{"task": "copy", "a' + "x" * 100000 + '": 1}', "unknown key"),
                (b"\xff\xfe\x00\x01", "spec.json"),
                (b'{"task": "\xc3\x28"}', "spec.json"),
                (b"\x7fELF" + bytes(range(256)) * 50, "spec.json")):
            self.write("spec.json", content)
            self.assert_refused(["sweep", "spec.json", "-o", "out.json"], 2, part)
            self.assertEqual(os.listdir(self.folder), ["spec.json"])

    def test_files_that_cannot_be_read(self):
        os.mkdir(self.path("folder.json"))
        self.assert_refused(["sweep", "missing.json"], 1, "missing.json", "No such file")
        self.assert_refused(["sweep", "folder.json"], 1, "folder.json", "directory")
        for command in ("compare", "merge"):
            self.assert_refused([command], 2)
            self.assert_refused([command, "missing.json"], 1, "No such file")
            for content in ("", "{}", "[]", '{"schema_version": 1}', '{"schema_version": 2}'):
                self.write("bad.json", content)
                self.assert_refused([command, "bad.json"], 2, "bad.json")

    def test_outputs_that_cannot_be_written(self):
        os.mkdir(self.path("folder"))
        self.assert_refused(["sweep", *tiny(), "-o", "missing/out.json"], 1, "No such file")
        self.assert_refused(["sweep", *tiny(), "-o", "folder"], 1, "folder")
        self.assert_refused(["sweep", *tiny(), "-o", "/proc/out.json"], 1, "/proc/out.json")
        if os.geteuid() != 0:
            os.chmod(self.path("folder"), 0o555)
            self.assert_refused(["sweep", *tiny(), "-o", "folder/out.json"], 1, "Permission denied")
        self.succeed("sweep", *tiny(), "-o", "out.json")
        self.assert_refused(["merge", "out.json", "-o", "missing/merged.json"], 1, "No such file")

    def test_a_file_in_the_way_is_not_replaced(self):
        self.write("notes.txt", "do not lose this")
        self.assert_refused(["sweep", *tiny(), "-o", "notes.txt"], 2, "not a results file")
        self.assertEqual(self.read("notes.txt"), b"do not lose this")
        self.succeed("sweep", *tiny(), "-o", "out.json")
        before = self.read("out.json")
        os.remove(self.path("out.json.journal"))
        self.assert_refused(["sweep", *tiny(steps="31"), "-o", "out.json"], 2,
                            "steps is 30 there and 31 here")
        self.assertEqual(self.read("out.json"), before)

    def test_a_damaged_journal_is_left_alone(self):
        arguments = ["sweep", *tiny(seeds="3"), "-o", "out.json"]
        self.succeed(*arguments)
        good = self.read("out.json.journal")
        os.remove(self.path("out.json"))
        damaged = bytearray(good)
        damaged[good.index(b"\n") + 100] ^= 1  # in the second of four lines
        self.write("out.json.journal", bytes(damaged))
        self.assert_refused(arguments, 2, "line 2", "--fresh")
        self.assertEqual(self.read("out.json.journal"), bytes(damaged))
        self.write("out.json.journal", "something else\n")
        self.assert_refused(arguments, 2, "not a journal", "--fresh")
        self.succeed(*arguments, "--fresh")
        self.assertEqual(len(self.result("out.json")["cells"]), 3)

    @unittest.skipIf(os.environ.get("ATTNSPAN_SANITIZE") == "thread",
                     "the thread sanitizer keeps files of its own, which the limit cuts off")
    def test_a_size_limit_loses_nothing_that_is_finished(self):
        arguments = ["sweep", *tiny(seeds="6"), "-o", "out.json"]
        self.succeed(*arguments)
        whole = json.dumps(self.result("out.json")["spec"])
        one_row = len(self.read("out.json.journal").splitlines()[1])
        header = len(self.read("out.json.journal").splitlines()[0])
        self.succeed("sweep", *tiny(seeds="6"), "-o", "same.json")
        for name in ("out.json", "out.json.journal"):
            os.remove(self.path(name))

        def small_files():
            limit = header + 2 * one_row + one_row // 2
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        code, out, err = self.run_program(*arguments, preexec_fn=small_files)
        self.assertEqual(code, 1, err)
        self.assertRegex(err, r"\Aattnspan: cannot write [^\n]*File too large[^\n]*\n\Z")
        kept = self.read("out.json.journal").count(b"\n") - 1
        self.assertGreaterEqual(kept, 1)
        self.succeed(*arguments)
        self.assertEqual(json.dumps(self.result("out.json")["spec"]), whole)
        self.assert_same_result("out.json", "same.json")

    def run_on_a_small_disk(self, size, *arguments):
        """Runs in a folder with a file system of its own at `disk`, which is copied to `kept`."""
        private = ["unshare", "--mount"] if os.geteuid() == 0 else \
            ["unshare", "--user", "--map-root-user", "--mount"]
        os.mkdir(self.path("disk"))
        script = f"""mount -t tmpfs -o size={size} tmpfs disk || exit 77
            "$0" "$@"; code=$?; cp -r disk kept; exit $code"""
        process = subprocess.run([*private, "sh", "-c", script, PROGRAM, *arguments],
                                 cwd=self.folder, capture_output=True, text=True, timeout=300)
        if process.returncode in (77, 1) and not os.path.exists(self.path("kept")):
            print("SKIPPED: no tmpfs can be mounted here: " + process.stderr, file=sys.stderr)
            self.skipTest("no tmpfs")
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertRegex(process.stderr,
                         r"\Aattnspan: cannot write [^\n]*No space left on device[^\n]*\n\Z")
        return process.stderr

    def finish_after_a_full_disk(self, kept):
        kept = kept.splitlines()[1:]
        self.assertTrue(1 < len(kept) < 60, len(kept))
        self.succeed("sweep", *tiny(seeds="60"), "-o", "out.json")
        self.assertEqual(self.read("out.json.journal").splitlines()[1:][:len(kept)], kept)
        self.succeed("sweep", *tiny(seeds="60"), "-o", "same.json")
        self.assert_same_result("out.json", "same.json")

    def test_a_full_disk_loses_nothing_that_is_finished(self):
        self.run_on_a_small_disk("160k", "sweep", *tiny(seeds="60"), "-o", "disk/out.json")
        self.assertEqual(sorted(os.listdir(self.path("kept"))), ["out.json", "out.json.journal"])
        for name in ("out.json", "out.json.journal"):
            os.rename(self.path("kept/" + name), self.path(name))
        self.finish_after_a_full_disk(self.read("out.json.journal"))

    def test_a_full_disk_under_the_journal_alone(self):
        os.symlink("disk/journal", self.path("out.json.journal"))
        complaint = self.run_on_a_small_disk("88k", "sweep", *tiny(seeds="60"), "-o", "out.json")
        self.assertIn("out.json.journal", complaint)
        os.replace(self.path("kept/journal"), self.path("out.json.journal"))
        self.finish_after_a_full_disk(self.read("out.json.journal"))


if __name__ == "__main__":
    main()
