"""Interruptions: SIGKILL, SIGINT, SIGTERM and SIGHUP, a time budget, two processes at once, a folder that vanishes."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time

from support import ProgramTest, main, tiny, without_timings

# A second or two of work in cells of several lengths, with checkpoints all the time.
SPEC = tiny(attention="softmax,asentmax", seeds=2, train_length="4,8", steps=1000,
            early_stop="false") + ["--checkpoint-every", "0.01"]


class SurvivalTest(ProgramTest):
    def wait_for(self, name, process):
        """Until there is a file of this name, which may have a *."""
        deadline = time.monotonic() + 60
        while not glob.glob(self.path(name)):
            self.assertIsNone(process.poll(), "the program ended too soon")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)

    def checkpoints(self):
        return [os.path.basename(path) for path in glob.glob(self.path("out.json.checkpoint-*[0-9a-f]"))]

    def checkpoint(self):
        """The only one."""
        name, = self.checkpoints()
        return name

    def test_killed_at_fifty_random_moments_and_resumed_the_result_is_the_same(self):
        self.check_kills([])

    def test_killed_at_fifty_random_moments_with_cells_side_by_side(self):
        self.check_kills(["--jobs", "2"])

    def check_kills(self, more):
        self.succeed("sweep", *SPEC, "-o", "whole.json")
        moments = random.Random(1)
        kills, sweeps, cut_cells = 0, 0, 0
        while kills < 50:
            killed_here = 0
            while True:
                process = self.start("sweep", *SPEC, *more, "-o", "out.json")
                try:
                    process.wait(moments.uniform(0.005, 0.25))
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.communicate()
                if process.returncode == 0:
                    break
                self.assertEqual(process.returncode, -signal.SIGKILL)
                killed_here += 1
                cut_cells += len(self.checkpoints())
                self.assertLess(killed_here, 1000, "the sweep does not come along")
            kills += killed_here
            sweeps += 1
            self.assert_same_result("out.json", "whole.json")
            keys = [json.loads(line[9:])["key"]
                    for line in self.read("out.json.journal").decode().splitlines()[1:]]
            self.assertEqual(len(keys), len(set(keys)), "a finished cell was computed twice")
            self.assertEqual(sorted(os.listdir(self.folder)),
                             ["out.json", "out.json.journal", "whole.json", "whole.json.journal"])
            os.remove(self.path("out.json"))
            os.remove(self.path("out.json.journal"))
        self.assertGreater(cut_cells, 10, f"of {kills} kills in {sweeps} sweeps")

    def test_cells_side_by_side_are_interrupted_together(self):
        spec = tiny(steps=20000, seeds=3, early_stop="false")
        self.succeed("sweep", *spec, "-o", "whole.json")
        process = self.start("sweep", *spec, "--jobs", "2", "-o", "out.json",
                             "--checkpoint-every", "0.05")
        self.wait_for("out.json.checkpoint-*[0-9a-f]", process)
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        out, err = process.communicate(timeout=60)
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(len(self.checkpoints()), 2)
        # One at a time goes on from both, and from a third cell's beginning.
        self.succeed("sweep", *spec, "-o", "out.json")
        self.assert_same_result("out.json", "whole.json")
        self.assertEqual(self.checkpoints(), [])

    def test_killed_while_it_grows_the_result_is_the_same(self):
        grown = tiny(attention="softmax,asentmax", seeds=2, steps=2000, multiples="1,2,4")
        self.succeed("sweep", *grown, "-o", "whole.json")
        self.succeed("sweep", *tiny(steps=2000), "-o", "out.json")
        moments = random.Random(2)
        kills = 0
        while True:
            process = self.start("sweep", *grown, "-o", "out.json", "--checkpoint-every", "0.01")
            try:
                process.wait(moments.uniform(0.005, 0.12))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills += 1
            _, err = process.communicate()
            if process.returncode == 0:
                break
            self.assertEqual(process.returncode, -signal.SIGKILL, err)
            self.assertLess(kills, 1000)
        self.assertGreater(kills, 3)
        self.assert_same_result("out.json", "whole.json")

    def test_a_results_file_is_enough_to_go_on_from(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "out.json")
        os.remove(self.path("out.json.journal"))
        before = self.read("out.json")
        self.succeed("sweep", *tiny(seeds=2), "-o", "out.json")
        self.assertEqual(self.read("out.json"), before)
        self.assertEqual(os.listdir(self.folder), ["out.json"])
        process = self.start("sweep", *tiny(seeds=1000), "-o", "out.json")
        self.wait_for("out.json.journal", process)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        kept = {cell["key"]: cell["status"] for cell in self.result("out.json")["cells"]}
        for cell in json.loads(before)["cells"]:
            self.assertEqual(kept[cell["key"]], "done")

    def test_what_was_to_be_started_over_does_not_come_back(self):
        self.succeed("sweep", *tiny(steps=20000), "-o", "out.json")
        process = self.start("sweep", *tiny(steps=20000), "-o", "out.json", "--fresh",
                             "--checkpoint-every", "0")
        self.wait_for("out.json.checkpoint-*[0-9a-f]", process)
        process.kill()
        process.communicate()
        text = self.succeed("sweep", *tiny(steps=20000), "-o", "out.json", "--dry-run")
        self.assertRegex(text, r"\n1 cell,[^;]*$")

    def test_what_is_started_over_is_there_until_nothing_can_be_refused_any_more(self):
        self.succeed("sweep", *tiny(), "-o", "out.json")
        before = self.read("out.json"), self.read("out.json.journal")
        self.assert_refused(["sweep", *tiny(), "-o", "out.json", "--fresh", "--rerun", "bogus"], 2, "bogus")
        self.assert_refused(["sweep", *tiny(), "-o", "out.json", "--fresh", "--save-models", "/dev/null/x"], 1,
                            "cannot keep models")
        self.assertEqual((self.read("out.json"), self.read("out.json.journal")), before)
        os.symlink("out.json", self.path("link.json"))
        self.succeed("sweep", *tiny(steps=5), "-o", "link.json", "--fresh")
        self.assertTrue(os.path.islink(self.path("link.json")))
        self.assertEqual(self.result("out.json")["cells"][0]["train"]["steps"], 5)
        spec = self.write("spec.json", '{"task": "copy:symbols=4", "steps": 5}')
        self.assert_refused(["sweep", spec, *tiny(), "-o", "spec.json", "--fresh"], 2, "not a results file")
        self.assertEqual(self.read("spec.json"), b'{"task": "copy:symbols=4", "steps": 5}')

    def test_started_over_and_interrupted_it_says_how_to_go_on(self):
        process = self.start("sweep", *tiny(seeds=1000, steps=2000), "-o", "out.json", "--fresh")
        self.wait_for("out.json", process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertRegex(err, r"finished; the same command without --fresh goes on from there\.\n\Z")

    def test_without_a_file_a_model_that_cannot_be_kept_loses_no_finished_cell(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "-", "--save-models", "models")
        first, second = sorted(os.listdir(self.path("models")), key=lambda name: name[name.index("seed"):])
        os.remove(self.path(f"models/{second}"))
        os.mkdir(self.path(f"models/{second}"))
        code, out, err = self.run_program("sweep", *tiny(seeds=2, jobs=1), "-o", "-", "--save-models", "models")
        self.assertEqual(code, 1, err)
        self.assertRegex(err, r"\Aattnspan: [^\n]*seed1[^\n]*standard output instead\.\n\Z")
        self.assertEqual([cell["key"][-5:] for cell in json.loads(out)["cells"]], ["seed0"])

    def test_an_ignored_hangup_stays_ignored(self):
        process = self.start("sweep", *tiny(steps=3000), "-o", "out.json",
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for("out.json.journal", process)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_a_time_budget_ends_the_sweep_before_it_is_used_up(self):
        spec = tiny(steps=3000, seeds=1000)
        start = time.monotonic()
        code, out, err = self.run_program("sweep", *spec, "-o", "out.json", "--time-budget", "2s")
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(code, 130)
        self.assertRegex(err, r"\Aattnspan: the time budget is used up, with \d+ cells? finished;"
                              r" the same command goes on from there\.\n\Z")
        for bad in ("", "0", "-3", "3x", "1m2h", "1h1h", "nan", "inf", "h"):
            self.assert_refused(["sweep", *spec, "--time-budget", bad], 2, "--time-budget")

    def test_a_closed_stdout_costs_the_table_and_nothing_else(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "whole.json")
        for closed in ((1,), (0, 1), (0, 1, 2)):
            process = self.start("sweep", *tiny(seeds=2), "-o", "out.json", stdout=None,
                                 preexec_fn=lambda: [os.close(number) for number in closed])
            err = process.communicate(timeout=60)[1]
            self.assertEqual(process.returncode, 1)
            if 2 not in closed:
                self.assertIn("cannot write to standard output", err)
            self.assert_same_result("out.json", "whole.json")
            lines = self.read("out.json.journal").splitlines()
            self.assertEqual(len(lines), 3)
            self.succeed("sweep", *tiny(seeds=2), "-o", "out.json")
            self.assert_same_result("out.json", "whole.json")
            os.remove(self.path("out.json"))
            os.remove(self.path("out.json.journal"))

    def test_cells_in_any_order_give_the_same_rows(self):
        forward = tiny(attention="softmax,asentmax", train_length="4,8", seeds=2)
        self.succeed("sweep", *forward, "-o", "whole.json")
        # The axes the other way round, and shards that pick their cells by cost.
        self.succeed("sweep", *tiny(attention="asentmax,softmax", train_length="8,4", seeds=2),
                     "-o", "reverse.json")
        self.assertNotEqual([row["key"] for row in self.result("whole.json")["cells"]],
                            [row["key"] for row in self.result("reverse.json")["cells"]])
        rows = [{row["key"]: json.dumps(without_timings(row)) for row in self.result(name)["cells"]}
                for name in ("whole.json", "reverse.json")]
        self.assertEqual(*rows)
        # Rows that came into the journal in another order leave in the order of the spec.
        header, *lines = self.read("whole.json.journal").splitlines(keepends=True)
        self.write("shuffled.json.journal", header + b"".join(reversed(lines)))
        self.succeed("sweep", *forward, "-o", "shuffled.json")
        self.assert_same_result("shuffled.json", "whole.json")

    def test_an_interrupted_cell_goes_on_where_it_was(self):
        spec = tiny(steps=30000, early_stop="false")
        self.succeed("sweep", *spec, "-o", "whole.json")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start("sweep", *spec, "-o", "out.json", "--fresh")
            self.wait_for("out.json.journal", process)
            time.sleep(0.3)
            process.send_signal(number)
            start = time.monotonic()
            out, err = process.communicate(timeout=60)
            self.assertLess(time.monotonic() - start, 2)
            self.assertEqual(process.returncode, 130, err)
            self.assertRegex(err, r"\Aattnspan: interrupted with 0 cells finished[^\n]*\n\Z")
            checkpoint = json.loads(self.read(self.checkpoint()).split(b"\n")[0][9:])
            self.assertGreater(checkpoint["row"]["train"]["steps"], 10)
            self.assertLess(checkpoint["row"]["train"]["steps"], 30000)
            self.succeed("sweep", *spec, "-o", "out.json")
            self.assert_same_result("out.json", "whole.json")

    def test_a_long_test_is_interrupted_within_two_seconds(self):
        process = self.start("sweep", *tiny(steps=2, multiples="1,100000", heads=1, d_model=32,
                                            position="nope"), "-o", "out.json",
                             "--checkpoint-every", "0")
        self.wait_for("out.json.checkpoint-*[0-9a-f]", process)
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        process.communicate(timeout=60)
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(process.returncode, 130)

    def test_a_long_test_goes_on_between_its_samples(self):
        # Guesses that are right now and then, so that counting a sample twice would show.
        spec = tiny(task="needle:needles=1,alphabet=2,noise=1,key_length=1,value_length=8",
                    steps=40, train_length=32,
                    multiples="1,400", test_samples=6, heads=1, d_model=32, position="nope",
                    layers=3)
        self.succeed("sweep", *spec, "-o", "whole.json")

        def samples():
            if not self.checkpoints():
                return []
            lines = self.read(self.checkpoint()).split(b"\n")
            return [e["samples"] for e in json.loads(lines[0][9:])["row"]["evaluations"]]

        process = self.start("sweep", *spec, "-o", "out.json", "--checkpoint-every", "0")
        self.wait_for("out.json.checkpoint-*[0-9a-f]", process)
        while not (len(samples()) == 3 and 0 < samples()[2] < 6):
            self.assertIsNone(process.poll(), "the program ended too soon")
            time.sleep(0.002)
        process.kill()
        process.communicate()
        self.succeed("sweep", *spec, "-o", "out.json")
        self.assertGreater(self.result("out.json")["cells"][0]["evaluations"][2]["right_tokens"], 0)
        self.assert_same_result("out.json", "whole.json")

    def test_without_a_file_an_interruption_still_gives_what_is_finished(self):
        process = self.start("sweep", *tiny(seeds=1000, steps=100), "-o", "-")
        time.sleep(3)  # for a sanitizer to finish a cell
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        cells = json.loads(out)["cells"]
        self.assertGreater(len(cells), 0)
        self.assertIn(f"{len(cells)} cell", err)

    def test_a_second_process_on_the_same_file_is_refused(self):
        first = self.start("sweep", *tiny(steps=100000, early_stop="false"), "-o", "out.json")
        self.wait_for("out.json.journal", first)
        time.sleep(0.1)
        for more in ([], ["--fresh"]):
            self.assert_refused(["sweep", *tiny(steps=100000, early_stop="false"), "-o",
                                 "out.json", *more], 1, "another attnspan process")
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
        self.assertEqual(first.returncode, 130)

    def test_a_journal_of_another_sweep_is_refused(self):
        self.succeed("sweep", *tiny(), "-o", "out.json")
        journal = self.read("out.json.journal")
        os.remove(self.path("out.json"))
        self.assert_refused(["sweep", *tiny(steps=40), "-o", "out.json"], 2,
                            "steps is 30 there and 40 here", "--fresh")
        self.assertEqual(self.read("out.json.journal"), journal)

    def test_damaged_checkpoints_cost_time_and_nothing_else(self):
        spec = tiny(steps=6000, early_stop="false")
        self.succeed("sweep", *spec, "-o", "whole.json")
        for damage in (lambda data: data[:-1], lambda data: data[:50], lambda data: b"",
                       lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]):
            process = self.start("sweep", *spec, "-o", "out.json", "--fresh",
                                 "--checkpoint-every", "0.01")
            self.wait_for("out.json.checkpoint-*[0-9a-f]", process)
            process.kill()
            process.communicate()
            self.write(self.checkpoint(), damage(self.read(self.checkpoint())))
            self.succeed("sweep", *spec, "-o", "out.json")
            self.assert_same_result("out.json", "whole.json")

    def test_a_vanished_folder_is_an_error_and_the_results_come_out_all_the_same(self):
        os.mkdir(self.path("gone"))
        process = self.start("sweep", *tiny(seeds=1000, steps=100), "-o", "gone/out.json")
        self.wait_for("gone/out.json", process)
        shutil.rmtree(self.path("gone"))
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, err)
        self.assertRegex(err, r"\Aattnspan: [^\n]*removed[^\n]*standard output[^\n]*\n\Z")
        self.assertGreater(len(json.loads(out)["cells"]), 1)


if __name__ == "__main__":
    main()
