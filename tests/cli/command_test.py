"""Help, version, lists and samples; unknown words; a stdout that does not take what is written."""

import json
import os
import re
import subprocess

from support import PROGRAM, SOURCE, ProgramTest, main


class CommandTest(ProgramTest):
    def test_every_command_has_help_with_an_example(self):
        top = self.succeed("--help")
        for command in ("list", "data", "sweep", "merge", "compare"):
            self.assertIn(command, top)
            text = self.succeed(command, "--help")
            self.assertIn(f"  attnspan {command}", text)

    def test_bench_says_what_is_wrong_before_it_prints(self):
        for wrong in (["--attention", "softmx"], ["--position", "nap"], ["--heads", "7"],
                      ["--long", "--attention", "softmx"], ["--long", "--heads", "7"],
                      ["--learning-rate", "nan"], ["--learning-rate", "-1"], ["--time-limit", "nan"]):
            self.assert_refused(["bench", *wrong], 2)

    def test_bench_does_not_time_steps_that_are_none(self):
        code, out, err = self.run_program("bench", "--learning-rate", "1e30", "--layers", "1", "--d-model", "16",
                                          "--heads", "2", "--attention", "softmax", "--steps", "2")
        self.assertEqual((code, len(out.splitlines())), (1, 1), out)
        self.assertIn("training diverged", err)

    def test_version_names_compiler_and_instruction_set(self):
        self.assertEqual(self.succeed("-v"), self.succeed("--version"))
        self.assertRegex(self.succeed("--version"),
                         r"\Aattnspan \d+\.\d+\.\d+ \(\S+\), (GCC|Clang) \d\S+.*, \S+\n\Z")

    def test_unknown_words_get_a_guess(self):
        self.assert_refused([], 2, "a command is needed")
        self.assert_refused(["swep"], 2, "did you mean 'sweep'?")
        self.assert_refused(["list", "task"], 2, "did you mean 'tasks'?")
        self.assert_refused(["sweep", "quik"], 2, "did you mean 'quick'?")
        self.assert_refused(["sweep", "smoke", "--stepz", "3"], 2, "did you mean '--steps'?")
        self.assert_refused(["sweep", "smoke", "smoke"], 2, "unexpected argument")
        self.assert_refused(["sweep", "smoke", "--steps"], 2, "--steps")
        self.assert_refused(["--verison"], 2, "unknown option '--verison'; did you mean '--version'?")
        self.assert_refused(["-x"], 2, "unknown option '-x'")
        self.assert_refused(["--stepz=3", "sweep"], 2, "unknown option '--stepz'. See attnspan --help")
        self.assert_refused(["data", "recal"], 2, "did you mean 'recall'?")
        self.assert_refused(["data", "copy", "--split", "tset"], 2, "did you mean 'test'?")

    def test_list_names_everything_once(self):
        whole = self.succeed("list")
        for what, names in (("tasks", ["copy", "sort", "recall", "needle", "mqmtar", "flip-flop"]),
                            ("attention", ["softmax", "ssmax", "entmax", "asentmax"]),
                            ("positions", ["nope", "rope", "alibi", "nape"]),
                            ("presets", ["quick", "smoke"])):
            part = self.succeed("list", what)
            self.assertIn(part, whole)
            for name in names:
                self.assertRegex(part, rf"(?m)^  {name}\b")
        self.assertRegex(" ".join(self.succeed("list", "positions").split()),
                         r"rope queries and keys turned by position \(Su et al\. 2021, arXiv 2104\.09864\) "
                         r"base=10000, scaling=none")
        self.assertIn("(a~b) takes turns", whole)
        self.assertLessEqual(max(len(line) for line in whole.splitlines()), 80)

    def test_list_explains_one(self):
        recall = self.succeed("list", "recall")
        self.assertRegex(recall, r"(?m)^  source: arXiv 2506\.16640$")
        self.assertRegex(" ".join(recall.split()), r"alphabet=64 symbols .* a whole number from 2 to 65536")
        self.assertRegex(" ".join(recall.split()), r"\? s\d+ s\d+ = \[s\d+\] \[s\d+\]")
        entmax = self.succeed("list", "entmax")
        self.assertRegex(entmax, r"(?m)^    alpha=1\.5 ")
        self.assertIn("formula: p_j = [(alpha-1) z_j - tau]_+^(1/(alpha-1))", entmax)
        self.assertIn("(nope~rope:window=16", self.succeed("list", "swan-gpt"))
        for name in re.findall(r"(?m)^  ([a-z][a-z0-9-]*)  ", self.succeed("list", "attention") +
                               self.succeed("list", "positions")):
            explained = self.succeed("list", name)
            self.assertRegex(explained, r"formula: |stands for\s", name)
            self.assertLessEqual(max(len(line) for line in explained.splitlines()), 80, name)
        self.assertIn("sparsemax is entmax:2", entmax)
        self.assertIn("attnspan list adaptive", " ".join(self.succeed("list", "asentmax").split()))
        self.assert_refused(["list", "recal"], 2, "did you mean 'recall'?")

    def test_data_marks_the_answers(self):
        self.assertRegex(self.succeed("data", "copy:symbols=4", "--length", "3", "--samples", "1"),
                         r"\ABOS (s\d s\d s\d) SEP \[s\d\] \[s\d\] \[s\d\] \[EOS\]\n\Z")
        lines = self.succeed("data", "sort", "--length", "5", "--samples", "3", "--format",
                             "jsonl").splitlines()
        self.assertEqual(len(lines), 3)
        for index, line in enumerate(lines):
            sample = json.loads(line)
            self.assertEqual(sample["index"], index)
            answers = [sample["tokens"][place] for place in sample["answers"]]
            self.assertEqual(sorted(sample["tokens"][1:6]), answers[:5])

    def test_every_task_is_explained_and_shown(self):
        tasks = re.findall(r"(?m)^  ([a-z]+(?:-[a-z]+)*)  ", self.succeed("list", "tasks"))
        self.assertGreater(len(tasks), 20)
        for task in tasks:
            explained = self.succeed("list", task)
            self.assertIn(f"task {task}: ", explained)
            if task == "file":  # has no samples without a folder
                continue
            if " file=" in explained:  # by default a text that may not be installed
                task += f":file={os.path.abspath(SOURCE)}/docs"
            line = json.loads(self.succeed("data", task, "--length", "256", "--samples", "1",
                                           "--format", "jsonl"))
            self.assertLess(max(line["answers"]), len(line["tokens"]))
            self.assertEqual(len(re.findall(r"\[\S+\]", line["text"])), len(line["answers"]), task)
            self.assertEqual(len(line.get("targets", line["answers"])), len(line["answers"]))

    def test_data_says_how_many_distractors_there_are(self):
        line = json.loads(self.succeed("data", "mqmtar", "--length", "65536", "--samples", "1",
                                       "--format", "jsonl"))
        self.assertEqual((line["length"], line["pairs"], line["context_tokens"]),
                         (65536, 8738, 61166))

    def test_data_is_the_same_each_time_and_differs_by_split_and_seed(self):
        def data(*more):
            return self.succeed("data", "recall", "--samples", "3", *more)
        self.assertEqual(data(), data())
        self.assertEqual(data("--split", "test"), data())
        self.assertEqual(data("-o", "-"), data())
        texts = {data(), data("--split", "validation"), data("--split", "train"),
                 data("--seed", "1"), data("--length", "32")}
        self.assertEqual(len(texts), 5)

    def test_bad_numbers_for_data(self):
        for flag in ("--length", "--samples"):
            for value in ("0", "-1", "1e3", "x", "", "99999999999999999999"):
                self.assert_refused(["data", "copy", flag, value], 2, flag)

    def test_a_full_or_closed_stdout_is_a_failure(self):
        for command in (["list"], ["--help"], ["--version"], ["data", "copy"]):
            with open("/dev/full", "w") as full:
                process = subprocess.run([PROGRAM, *command], stdout=full, stderr=subprocess.PIPE,
                                         text=True)
            self.assertEqual(process.returncode, 1, command)
            self.assertIn("standard output: No space left", process.stderr)
        reader, writer = os.pipe()
        os.close(reader)
        process = subprocess.run([PROGRAM, "list"], stdout=writer, stderr=subprocess.PIPE,
                                 text=True)
        os.close(writer)
        self.assertEqual(process.returncode, 1)
        self.assertIn("Broken pipe", process.stderr)


if __name__ == "__main__":
    main()
