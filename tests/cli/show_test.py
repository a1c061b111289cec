"""Commands that show results: compare, report, plot."""

import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import unittest

from support import PROGRAM, SOURCE, ProgramTest, main

RESULTS = str(pathlib.Path(SOURCE, "tests/golden/three-tasks.json").resolve())


class CompareTest(ProgramTest):
    def test_format_follows_the_file_and_is_text_otherwise(self):
        text = self.succeed("compare", RESULTS)
        self.assertEqual(text, self.succeed("compare", RESULTS, "--format", "text"))
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        for extension, start in (("txt", "recall:"), ("md", "###"), ("csv", "task,"), ("json", "{"), ("tex", "% needs")):
            name = self.path("table." + extension)
            self.assertEqual(self.succeed("compare", RESULTS, "-o", name), "")
            self.assertTrue(self.read(name).decode().startswith(start), extension)
        self.succeed("compare", RESULTS, "--format", "csv", "-o", self.path("table.md"))
        self.assertEqual(self.read("table.md"), self.read("table.csv"))
        self.assert_refused(["compare", RESULTS, "--format", "tex"], 2, "unknown format", "text")
        self.assert_refused(["compare", RESULTS, "-o", self.folder], 1, "folder")

    def in_terminal(self, **environment):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([PROGRAM, "compare", RESULTS, "--baseline", "softmax"], stdout=theirs,
                                   env={**os.environ, "TERM": "xterm", **environment})
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 65536):
                text += part
        except OSError:  # the other side is gone
            pass
        os.close(ours)
        self.assertEqual(process.wait(), 0)
        return text

    def test_colour_is_for_terminals(self):
        self.assertNotIn("\x1b", self.succeed("compare", RESULTS))
        coloured = self.in_terminal(NO_COLOR="")
        self.assertIn(b"\x1b[1m100.0\x1b[0m", coloured)
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": ""}):
            self.assertNotIn(b"\x1b", self.in_terminal(**environment))

    def test_tasks_and_metric(self):
        tasks = {row["task"] for row in json.loads(self.succeed("compare", RESULTS, "--task", "recall", "--format", "json"))["table"]}
        self.assertEqual(tasks, {"recall:density=0.75", "recall:alphabet=32,key_length=1,value_length=1,pairs=6"})
        one = json.loads(self.succeed("compare", RESULTS, "--task", "recall:density=0.75", "--task", "sort", "--format", "json"))
        self.assertEqual({row["task"] for row in one["table"]}, {"recall:density=0.75", "sort"})
        self.assert_refused(["compare", RESULTS, "--task", "srot"], 2, "did you mean 'sort'?")
        rows = json.loads(self.succeed("compare", RESULTS, "--metric", "token_accuracy", "--baseline", "softmax", "--format", "json"))["table"]
        for row in rows:
            self.assertEqual(row["metric"], "token_accuracy")
            for accuracy in row["accuracy"]:
                if accuracy["given_up"] > 0:
                    continue
                self.assertAlmostEqual(accuracy["mean"], accuracy["token_accuracy"], places=12)
                self.assertLessEqual(accuracy["ci95"][0], accuracy["mean"] + 1e-6)
                self.assertGreaterEqual(accuracy["ci95"][1], accuracy["mean"] - 1e-6)
                self.assertLess(accuracy["ci95"][0], accuracy["ci95"][1])
        self.assertIn("verdict", rows[1]["comparison"])
        self.assert_refused(["compare", RESULTS, "--metric", "bits_per_byte"], 2, "token_accuracy")

    def test_bounds_fail_after_the_table_is_shown(self):
        code, out, err = self.run_program("compare", RESULTS, "--task", "sort", "--fail-if-below", "softmax=2x")
        self.assertEqual(code, 1)
        self.assertIn("sort, trained at length 16", out)
        self.assertEqual(err, "attnspan: the span of softmax/nape on sort is none, below 2x.\n")
        self.succeed("compare", RESULTS, "--task", "recall:alphabet=32,key_length=1,value_length=1,pairs=6",
                     "--fail-if-below", "ssmax=1000x", "--fail-if-below", "entmax=98%", "--fail-if-below", "0.6")
        empty = json.loads(self.succeed("merge", RESULTS)) | {"cells": [], "table": []}
        self.write("empty.json", json.dumps(empty))
        for bound in ("0.9", "softmax=2x"):
            code, _, err = self.run_program("compare", "empty.json", "--fail-if-below", bound)
            self.assertEqual((code, err), (1, f"attnspan: there is no cell that {bound} could be held to.\n"))
        self.assert_refused(["compare", RESULTS, "--fail-if-below", "much"], 2, "16x")
        self.assert_refused(["compare", "empty.json", "-o", "empty.json"], 2, "is read here")
        self.assert_refused(["compare", RESULTS, "--fail-if-below", "sotfmax=1x"], 2, "did you mean 'softmax'?")


class ReportTest(ProgramTest):
    def test_page_goes_to_a_file_or_stdout(self):
        page = self.succeed("report", RESULTS)
        self.assertTrue(page.startswith("<!DOCTYPE html>"))
        self.succeed("report", RESULTS, "-o", "page.html")
        self.assertEqual(self.read("page.html").decode(), page)
        self.assertLess(len(page), 400_000)
        self.assert_refused(["report", RESULTS, "--baseline", "sofmax"], 2, "did you mean 'softmax'?")
        self.assert_refused(["report", "no.json"], 1, "no.json")
        self.assert_refused(["report"], 2, "results")

    def test_commands_of_cells_are_taken_by_the_program(self):
        shutil.copy(RESULTS, self.path("my file.json"))
        page = self.succeed("report", "my file.json")
        data = json.loads(page.split('id="data">')[1].split("</script>")[0])
        self.assertEqual(len(data["cells"]), 36)
        command = data["cells"][35]["command"]
        self.assertEqual(command, "attnspan verify 'my file.json' --only sort/asentmax/nape/n16/lr0.003/seed2")
        # A cell that is not there tells that the words arrive as they should.
        done = subprocess.run(["sh", "-c", command.replace("attnspan", f"'{PROGRAM}'", 1).replace("seed2", "seed9")],
                              cwd=self.folder, capture_output=True, text=True)
        self.assertIn("did you mean 'sort/asentmax/nape/n16/lr0.003/seed", done.stderr)


class PlotTest(ProgramTest):
    def test_script_needs_no_gnuplot(self):
        for figure in ("accuracy", "difference", "training", "cost"):
            self.succeed("plot", RESULTS, "--figure", figure, "-o", "figure.gp", env={**os.environ, "PATH": ""})
            self.assertTrue(self.read("figure.gp").startswith(b"set terminal pdfcairo"))
        self.assert_refused(["plot", RESULTS, "--figure", "depth", "-o", "figure.gp"], 2, "nothing to show")

    def test_a_missing_gnuplot_is_named(self):
        self.assert_refused(["plot", RESULTS, "-o", "figure.pdf"], 1, "gnuplot-nox", env={**os.environ, "PATH": self.folder})
        self.assertFalse(os.path.exists(self.path("figure.pdf")))

    def test_wrong_options(self):
        self.assert_refused(["plot", RESULTS, "-o", "figure.jpg"], 2, "svg")
        self.assert_refused(["plot", RESULTS], 2, "--output")
        self.assert_refused(["plot", RESULTS, "-o", "figure.svg", "--figure", "acuracy"], 2, "did you mean 'accuracy'?")
        self.assert_refused(["plot", RESULTS, "-o", "figure.svg", "--width", "0"], 2, "--width")

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
    def test_figures_are_drawn(self):
        for name, start in (("figure.svg", b"<?xml"), ("figure.pdf", b"%PDF"), ("figure.png", b"\x89PNG")):
            self.succeed("plot", RESULTS, "-o", name)
            self.assertTrue(self.read(name).startswith(start), name)
        self.assertIn(b"asentmax/nape", self.read("figure.svg"))


class HelpTest(ProgramTest):
    def test_help_is_a_command_and_initials_are_understood(self):
        self.assertEqual(self.succeed("help"), self.succeed("--help"))
        self.assertEqual(self.succeed("help", "sweep"), self.succeed("sweep", "--help"))
        self.assert_refused(["help", "swep"], 2, "did you mean 'sweep'?")
        self.assert_refused(["help", "sweep", "data"], 2, "one command")
        self.assert_refused(["sweep", "smoke", "--lr", "1e-3"], 2, "did you mean '--learning-rates'?")
        self.assert_refused(["sweep", "smoke", "--wd=0"], 2, "did you mean '--weight-decay'?")

    def test_a_spec_comes_from_stdin(self):
        with open(self.write("spec.json", '{"task": "sort", "seeds": 2} // a comment')) as spec:
            self.assertIn("sort/softmax/nape/", self.succeed("sweep", "-", "--dry-run", stdin=spec))
        with open(self.write("bad.json", '{"task": sort}')) as spec:
            self.assert_refused(["sweep", "-"], 2, "standard input", stdin=spec)

    def test_completion_knows_what_the_program_has(self):
        def words(*typed):
            return self.succeed("completion", "words", "--", *typed).split()
        self.assertIn("sweep", words(""))
        self.assertEqual(words("swe"), ["sweep"])
        self.assertEqual(words("sweep", "--learning"), ["--learning-rates"])
        self.assertEqual(words("sweep", "--attention", "softmax,asent"), ["softmax,asentmax"])
        self.assertEqual(words("sweep", "--task", "recal"), ["recall"])
        self.assertEqual(words("list", "nap"), ["nape"])
        self.assertEqual(words("help", "sw"), ["sweep"])
        self.assertEqual(words("compare", "x.json", "--format", "l"), ["latex"])
        self.assertEqual(words("nothing", "x"), [])
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("completion words", self.succeed("completion", shell))
        self.assert_refused(["completion", "tcsh"], 2, "unknown shell")

    def test_manual_pages_have_every_option(self):
        for command in ("sweep", "compare", "report"):
            page = self.succeed("man", command)
            for flag in re.findall(r"--[a-z-]+", self.succeed(command, "--help")):
                self.assertIn(flag.replace("-", "\\-"), page)
        self.assertIn("attnspan\\-sweep", self.succeed("man"))
        self.assert_refused(["man", "swep"], 2, "did you mean 'sweep'?")


if __name__ == "__main__":
    main()
