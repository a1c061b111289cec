"""A real, tiny sweep: its results, where they go, what they do not depend on, and its progress."""

import json
import os
import pty
import select
import subprocess

import jsonschema

from support import PROGRAM, SOURCE, ProgramTest, loud, main, tiny


class SweepTest(ProgramTest):
    def test_results_fit_the_schema_and_say_what_was_run(self):
        self.write("spec.json", """{
            // a task that has a depth, and one with settings of its own
            "task": ["needle:needles=1,alphabet=4,noise=2,training_questions=1",
                     {"task": "copy:symbols=4", "multiples": [3, 1], "train_length": 4}],
            "attention": ["softmax", "asentmax"], "learning_rates": [1e-3, 3e-3], "seeds": 2,
            "train_length": 8, "multiples": [1, 2], "steps": 20, "batch_size": 4,
            "layers": 1, "heads": 2, "d_model": 16, "d_ff": 16,
            "test_samples": 12, "validation_samples": 8}""")
        table = self.succeed("sweep", "spec.json", "-o", "out.json", "--quiet")
        result = self.result("out.json")
        with open(os.path.join(SOURCE, "results/schema/result-v2.schema.json")) as file:
            jsonschema.validate(result, json.load(file))
        self.assertEqual(len(result["cells"]), 16)
        self.assertEqual({cell["status"] for cell in result["cells"]}, {"done"})
        self.assertEqual(len({cell["key"] for cell in result["cells"]}), 16)
        self.assertEqual(result["spec"]["attention"], ["softmax", "asentmax"])
        self.assertEqual(result["context"]["threads"] >= 1, True)
        for cell in result["cells"]:
            evaluations = [(e["split"], e["length"], e["samples"]) for e in cell["evaluations"]]
            self.assertEqual(evaluations,
                             [("validation", 4, 8), ("test", 4, 12), ("test", 12, 12)]
                             if cell["task"].startswith("copy") else
                             [("validation", 8, 8), ("test", 8, 12), ("test", 16, 12)])
        depth = result["cells"][0]["evaluations"][1]["depth"]
        self.assertEqual(sum(depth["samples"]), 12)
        for word in ("needle", "copy", "softmax", "asentmax"):
            self.assertIn(word, table)

    def test_results_go_to_stdout_or_a_device_if_told_to(self):
        out = self.succeed("sweep", *tiny(), "-o", "-")
        self.assertEqual(json.loads(out)["cells"][0]["status"], "done")
        self.assertEqual(os.listdir(self.folder), [])
        self.succeed("sweep", *tiny(), "-o", "/dev/null")
        self.assertFalse(os.path.exists("/dev/null.journal"))
        self.assert_refused(["sweep", *tiny(), "-o", ""], 2, "-o needs the name of a file")

    def test_without_a_file_results_go_to_one_that_is_named(self):
        def run(*arguments):
            code, out, err = self.run_program("sweep", *loud(arguments))
            self.assertEqual(code, 0, err)
            named = out.splitlines()[-1]
            self.assertRegex(named, r"^results: \S+\.json$")
            name = named.split()[1]
            self.assertEqual(err.splitlines()[0], f"results go to {name}")
            self.assertTrue(os.path.exists(self.path(name)))
            return name

        self.assertEqual(run(*tiny()), "sweep.json")
        whole = self.read("sweep.json")
        self.assertEqual(run(*tiny()), "sweep.json")  # the same sweep goes on
        self.assertEqual(run(*tiny(steps=31)), "sweep-2.json")
        self.assertEqual(run(*tiny(attention="ssmax")), "sweep-3.json")  # grows only if told to
        self.assertEqual(self.read("sweep.json"), whole)
        self.write("quick.json", "mine")
        spec = ["quick", *tiny()]
        self.assertEqual(run(*spec), "quick-2.json")
        self.assertEqual(self.read("quick.json"), b"mine")
        self.write("my-spec.json", '{"task": "copy:symbols=3"}')
        self.assertEqual(run("my-spec.json", *tiny()), "my-spec.results.json")
        self.assertEqual(run(*tiny(), "--shard", "1/1"), "sweep.json")
        self.assertEqual(run(*tiny(seeds=2), "--shard", "2/2"), "sweep.shard-2-of-2.json")

    def test_a_results_file_as_source_is_gone_on_with(self):
        self.succeed("sweep", *tiny(), "-o", "out.json")
        self.succeed("sweep", *tiny(seeds=3), "-o", "whole.json")
        before = self.read("out.json")
        out = self.succeed("sweep", "out.json", "--quiet")
        self.assertEqual(out.splitlines()[-1], "results: out.json")
        self.assertEqual(self.read("out.json"), before)
        self.succeed("sweep", "out.json", "--seeds", "3", "--quiet")
        self.assert_same_result("out.json", "whole.json")

    def test_growth_shows_in_a_dry_run_and_is_refused_for_what_is_no_axis(self):
        self.succeed("sweep", *tiny(), "-o", "out.json")
        text = self.succeed("sweep", *tiny(attention="softmax,ssmax"), "-o", "out.json", "--dry-run")
        self.assertIn("\n1 cell,", text)
        self.assertIn("1 cell finished in out.json", text)
        self.assertNotIn("/softmax/", text)
        for more in ([], ["--prune"], ["--dry-run"]):
            self.assert_refused(["sweep", *tiny(steps=31), "-o", "out.json", *more], 2,
                                "steps is 30 there and 31 here", "--add")

    def test_giving_up_is_a_flag(self):
        hopeless = tiny(task="copy:symbols=30", multiples="1,2,3,4", steps=1)
        for more, given_up in (["--give-up"], 2), (["--give-up=false"], 0), ([], 0):
            self.succeed("sweep", *more, *hopeless, "-o", "out.json", "--fresh")
            tests = self.result("out.json")["cells"][0]["evaluations"]
            self.assertEqual(sum(test["given_up"] for test in tests), given_up)

    def test_off_a_terminal_there_is_a_line_a_cell_and_the_counter_counts_on(self):
        self.succeed("sweep", *tiny(seeds=1), "-o", "out.json")
        code, out, err = self.run_program("sweep", *loud(tiny(seeds=3)), "-o", "out.json")
        self.assertEqual(code, 0)
        first, second = err.splitlines()
        self.assertRegex(first, r"^\[2/3\] \d+ s  copy:symbols=4/softmax/nape/n4/lr0.003/seed1"
                                r"  loss \d\.\d{3}, exact match at 1x \d+\.\d%$")
        self.assertTrue(second.startswith("[3/3] "), second)

    def test_verify_trains_again_and_names_what_differs(self):
        self.succeed("sweep", *tiny(seeds=2, attention="softmax,asentmax", validate_every=10,
                                    test_at=20), "-o", "out.json")
        keys = [cell["key"] for cell in self.result("out.json")["cells"]]
        files = sorted(os.listdir(self.folder)), self.read("out.json")
        self.assertEqual(self.succeed("verify", "out.json", "--quiet", "--threads", "2"),
                         "4 cells gave the same bytes again\n")
        self.assertEqual(self.succeed("verify", "out.json", "--only", keys[1], "--quiet"),
                         "1 cell gave the same bytes again\n")
        self.assertEqual((sorted(os.listdir(self.folder)), self.read("out.json")), files)
        self.assert_refused(["verify", "out.json", "--only", keys[1][:-1] + "7"], 2,
                            f"did you mean '{keys[0]}'?")
        altered = self.result("out.json")
        altered["cells"][2]["train"]["curve"][1]["gradient_norm"] += 1e-9
        self.write("altered.json", json.dumps(altered))
        code, out, err = self.run_program("verify", "altered.json", "--quiet")
        self.assertEqual((code, err), (1, ""))
        self.assertRegex(out, rf"\A{keys[2]}: train\.curve\[1\]\.gradient_norm is \S+ there and "
                              r"\S+ here\n1 cell of 4 gave other figures\n\Z")
        altered["cells"][0]["numerics"] += 1
        self.write("altered.json", json.dumps(altered))
        self.assert_refused(["verify", "altered.json"], 2, "numerics")

    def test_verify_and_diff_look_at_the_table_too(self):
        self.succeed("sweep", *tiny(), "-o", "out.json")
        altered = self.result("out.json")
        altered["table"][0]["accuracy"][0]["mean"] = 0.123
        self.write("altered.json", json.dumps(altered))
        sentence = r"altered\.json: table\[0\]\.accuracy\[0\]\.mean is 0\.123, and \S+ follows from its cells\n"
        code, out, err = self.run_program("verify", "altered.json", "--quiet")
        self.assertEqual((code, err), (1, ""))
        self.assertRegex(out, rf"\A{sentence}1 cell gave the same bytes again\n\Z")
        code, out, err = self.run_program("diff", "out.json", "altered.json")
        self.assertEqual((code, err), (1, ""))
        self.assertRegex(out, rf"\A{sentence}\Z")

    def test_verify_says_what_it_cannot_verify(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "out.json")
        result = self.result("out.json")
        failed = result["cells"][0]
        failed.update(status="failed", message="no memory", evaluations=[])
        self.write("raw.json", json.dumps(result))
        self.succeed("merge", "raw.json", "-o", "failed.json")
        code, out, err = self.run_program("verify", "failed.json", "--quiet")
        self.assertEqual((code, out), (3, "1 cell gave the same bytes again\n"))
        self.assertEqual(err, f"attnspan: 1 cell failed there, the first is {failed['key']}, and cannot be compared.\n")
        result["cells"] = []
        self.write("empty.json", json.dumps(result))
        self.assert_refused(["verify", "empty.json"], 2, "no cells")

    def test_diff_says_where_two_results_differ(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "one.json")
        self.succeed("sweep", *tiny(seeds=2), "-o", "two.json")
        self.assertEqual(self.succeed("diff", "one.json", "two.json"), "equal: 2 cells\n")
        self.succeed("sweep", *tiny(seeds=1, test_samples=17), "-o", "three.json")
        code, out, err = self.run_program("diff", "one.json", "three.json")
        self.assertEqual((code, err), (1, ""))
        self.assertIn("spec: seeds is 2 in one.json and 1 in three.json\n", out)
        self.assertIn("seed1 is only in one.json\n", out)
        self.assertIn("seed0: evaluations[1].samples is 16 in one.json and 17 in three.json\n", out)
        self.assertNotIn("seconds", out)
        turned = self.result("one.json")
        turned["cells"].reverse()
        self.write("turned.json", json.dumps(turned))
        code, out, err = self.run_program("diff", "one.json", "turned.json")
        self.assertEqual((code, out), (1, "the cells come in another order\n"))
        self.assert_refused(["diff", "one.json"], 2)

    def test_a_results_file_is_a_spec_and_flags_go_before_it(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "one.json")
        self.succeed("sweep", "one.json", "-o", "two.json", "--quiet")
        self.assert_same_result("one.json", "two.json")
        self.succeed("sweep", "one.json", "--steps", "7", "-o", "three.json", "--quiet")
        self.assertEqual([cell["train"]["steps"] for cell in self.result("three.json")["cells"]],
                         [7, 7])

    def test_a_finished_sweep_returns_the_same_bytes_and_fresh_starts_over(self):
        arguments = ["sweep", *tiny(seeds=2), "-o", "out.json"]
        table = self.succeed(*arguments)
        before = self.read("out.json"), self.read("out.json.journal")
        self.assertEqual(self.succeed(*arguments), table)
        self.assertEqual((self.read("out.json"), self.read("out.json.journal")), before)
        os.rename(self.path("out.json"), self.path("old.json"))
        self.succeed(*arguments)  # from the journal alone
        self.assert_same_result("out.json", "old.json")
        self.succeed(*arguments, "--fresh")
        self.assertNotEqual(self.read("out.json.journal"), before[1])
        self.assert_same_result("out.json", "old.json")

    def test_neither_threads_nor_jobs_nor_shards_change_the_result(self):
        # Several micro-batches, several chunks of weights, long tests that threads share.
        axes = dict(attention="softmax,asentmax", seeds=3, train_length="4,40", multiples="1,30",
                    batch_size=24, d_model=32, validation_samples=70, test_samples=4, steps=12)
        spec = ["sweep", *tiny(**axes)]
        self.succeed(*spec, "-o", "one.json")
        for threads, jobs in ((2, 1), (3, 1), (4, 1), (1, 3), (4, 2), (2, 8)):
            self.succeed("sweep", *tiny(**axes, threads=threads, jobs=jobs), "-o", "other.json", "--fresh")
            self.assert_same_result("one.json", "other.json")
        parts = []
        for shard in ("3/3", "1/3", "2/3"):
            parts.append(f"part{shard[0]}.json")
            self.succeed(*spec, "-o", parts[-1], "--shard", shard)
        counts = [len(self.result(part)["cells"]) for part in parts]
        self.assertEqual(sum(counts), 12)
        self.assertGreater(min(counts), 0)
        self.succeed("merge", *parts, "-o", "merged.json")
        self.assert_same_result("one.json", "merged.json")

        self.assert_refused(["merge", parts[0], parts[2], "-o", "no.json"], 2, "missing", "seed")
        altered = self.result(parts[0])
        altered["cells"][0]["train"]["loss"] = 1.25
        self.write("altered.json", json.dumps(altered))
        self.assert_refused(["merge", *parts, "altered.json", "-o", "no.json"], 2,
                            altered["cells"][0]["key"], "altered.json")
        altered["cells"][0]["settings"]["steps"] += 1
        self.write("altered.json", json.dumps(altered))
        for files in ([*parts, "altered.json"], ["altered.json", *parts[1:]]):
            self.assert_refused(["merge", *files, "-o", "no.json"], 2, "spec has not" if len(files) > 3 else "missing")
        altered = self.result(parts[1])
        altered["cells"][0]["numerics"] += 1
        self.write("altered.json", json.dumps(altered))
        self.assert_refused(["merge", parts[0], "altered.json", parts[2], "-o", "no.json"], 2,
                            "numerics")
        self.succeed("sweep", *tiny(**axes | {"seeds": 4}), "--shard", "1/16", "-o", "foreign.json")
        self.assert_refused(["merge", *parts, "foreign.json", "-o", "no.json"], 2,
                            "different sweeps: seeds is 3 there and 4 here")
        self.assertFalse(os.path.exists(self.path("no.json")))

    def test_a_cell_of_another_shard_is_not_run_again(self):
        self.succeed("sweep", *tiny(seeds=2), "-o", "out.json")
        mine = self.succeed("sweep", *tiny(seeds=2), "--shard", "1/2", "--dry-run", "--fresh")
        keys = [cell["key"] for cell in self.result("out.json")["cells"]]
        other, = (key for key in keys if key not in mine)
        self.assert_refused(["sweep", *tiny(seeds=2), "-o", "out.json", "--shard", "1/2", "--rerun", other], 2,
                            other, "another shard")

    def test_tests_of_one_length_are_refused(self):
        self.assert_refused(["sweep", *tiny(multiples="1,1.01,2")], 2, "multiples 1 and 1.01", "length, 4;")
        self.assert_refused(["sweep", *tiny(seed=2**53)], 2, "seed must be from 0 to 9007199254740991")

    def test_a_diverging_cell_is_a_row_and_the_sweep_goes_on(self):
        self.succeed("sweep", *tiny(learning_rates="10,3e-3", clip="1e9", warmup_steps=0,
                                    weight_decay=10, steps=400), "-o", "out.json")
        wild, tame = self.result("out.json")["cells"]
        self.assertEqual(tame["status"], "done")
        self.assertEqual(wild["status"], "diverged")
        self.assertIn("step", wild["message"])
        self.assertEqual(wild["evaluations"], [])

    def test_a_flag_takes_one_value_so_that_the_source_may_follow(self):
        for flag, value in (("--steps", "100"), ("--task", "sort"), ("--attention", "softmax"),
                            ("--multiples", "1"), ("--early-stop", "true"), ("--seeds", "1")):
            self.succeed("sweep", flag, value, "smoke", "--dry-run")

    def test_dry_run_shows_cells_and_writes_nothing(self):
        text = self.succeed("sweep", *tiny(seeds=2), "--dry-run", "-o", "out.json")
        self.assertIn("copy:symbols=4/softmax/nape/n4/lr0.003/seed1", text)
        self.assertRegex(text, r"(?m)^2 cells, about \d+ s on 1 thread, at most \d+ MiB")
        self.assertEqual(os.listdir(self.folder), [])
        two = self.succeed("sweep", *tiny(seeds=2, threads=2), "--dry-run")
        self.assertRegex(two, r"(?m)^2 cells, about \d+ s on 2 threads, 2 at a time, at most \d+ MiB")
        half = self.succeed("sweep", *tiny(seeds=2), "--dry-run", "--shard", "1/2")
        self.assertIn("\n1 cell,", half)

    def on_a_terminal(self, terminal, *arguments):
        """What the program writes to a terminal that is its stderr."""
        ours, theirs = pty.openpty()
        with open(self.path("stdout"), "w") as out:
            process = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, stdout=out,
                                       stderr=theirs, env={**os.environ, "TERM": terminal})
        os.close(theirs)
        text = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            text += chunk
        os.close(ours)
        self.assertEqual(process.wait(timeout=60), 0)
        return text.decode()

    def test_progress_shows_on_a_terminal_and_is_gone_in_the_end(self):
        arguments = ["sweep", *loud(tiny(steps=300)), "-o", "out.json", "--fresh"]
        text = self.on_a_terminal("xterm", *arguments)
        self.assertRegex(text, r"\[1/1\] \d+%, \d+ s left  step [\d,]+/300 loss \d\.\d+  copy:")
        self.assertTrue(text.endswith("\r\x1b[K"), repr(text[-50:]))
        for line in text.split("\r"):
            self.assertLess(len(line.replace("\x1b[K", "")), 80)
        self.assertRegex(self.on_a_terminal("dumb", *arguments), r"\A\[1/1\] [^\r\n]+\r\n\Z")
        side_by_side = loud(["sweep", *tiny(seeds=3, jobs=2), "-o", "two.json"])
        self.assertRegex(self.on_a_terminal("dumb", *side_by_side),
                         r"\A\[1/3\] [^\r\n]+\r\n\[2/3\] [^\r\n]+\r\n\[3/3\] [^\r\n]+\r\n\Z")
        self.assertEqual(self.on_a_terminal("xterm", *arguments, "--quiet"), "")


if __name__ == "__main__":
    main()
