"""A person's own data: read, refused with file and line, written by `attnspan data` and trained on."""

import json
import os
import re

from support import ProgramTest, main, tiny


class FileTaskTest(ProgramTest):
    def put(self, folder="mine", **files):
        os.makedirs(self.path(folder), exist_ok=True)
        for name, text in files.items():
            stem, ending = name.rsplit("_", 1)
            self.write(f"{folder}/{stem}.{ending}", text)

    def good(self, folder="mine"):
        self.put(folder, train_src="1 2\n2 1\n3 3\n", train_trg="1 2 0\n2 1 0\n3 3 0\n",
                 validation_0_2_src="1 3\n3 1\n", validation_0_2_trg="1 3 0\n3 1 0\n",
                 test_0_2_src="2 3\n3 2\n", test_0_2_trg="2 3 0\n3 2 0\n",
                 test_1_5_src="1 2 3 1 2\n", test_1_5_trg="1 2 3 1 2 0\n")

    def flags(self, **settings):
        flags = tiny(**settings)
        for name in ("--train-length", "--multiples"):
            if name[2:].replace("-", "_") not in settings:
                at = flags.index(name)
                del flags[at:at + 2]
        return flags

    def sweep(self, task, output="out.json", **settings):
        self.succeed("sweep", *self.flags(task=task, **settings), "-o", output)
        return self.result(output)

    def test_lengths_samples_and_tokens_follow_from_the_files(self):
        self.good()
        result = self.sweep("file:mine", seeds=2)
        for cell in result["cells"]:
            self.assertEqual(cell["train_length"], 2)
            tests = [(e["split"], e["length"], e["multiple"], e["samples"]) for e in cell["evaluations"]]
            self.assertEqual(tests, [("validation", 2, 1, 2), ("test", 2, 1, 2), ("test", 5, 2.5, 1)])
            self.assertEqual(cell["evaluations"][2]["answer_tokens"], 6)
            self.assertEqual(cell["task"], "file:mine")
            self.assertRegex(cell["settings"]["task"], r"^file:mine,targets=after,hash=[0-9a-f]{16}$")
            self.assertAlmostEqual(cell["token_chance"], 1 / 4)
            self.assertAlmostEqual(cell["chance"], 1 / 4**3)
        self.assertEqual(len(self.sweep("file:mine", "other.json", multiples="2.5")["cells"][0]["evaluations"]), 2)
        out = self.succeed("data", "file:mine", "--length", "2", "--samples", "9")
        self.assertEqual(out, "2 3 [2] [3] [0]\n3 2 [3] [2] [0]\n")
        self.assertIn("file", self.succeed("list", "tasks"))
        self.assertIn("targets=after", self.succeed("list", "file"))

    def test_a_results_file_goes_on_with_the_same_data_only(self):
        self.good()
        self.sweep("file:mine")
        self.succeed("sweep", "out.json", "--seeds", "2", "--quiet")
        self.assertEqual(len(self.result("out.json")["cells"]), 2)
        self.put(train_src="1 2\n2 1\n3 1\n")
        self.assert_refused(["sweep", "out.json", "--seeds", "3"], 2, "the data in 'mine' have changed")

    def test_labels_stand_beside_the_tokens(self):
        self.put(train_src="1 0 1\n0 0\n", train_trg="1 1 0\n0 0\n", validation_0_2_src="1 1\n",
                 validation_0_2_trg="1 0\n", test_0_2_src="1 1\n", test_0_2_trg="-1 0\n")
        cell = self.sweep("file:mine,targets=each")["cells"][0]
        self.assertEqual(cell["evaluations"][1]["answer_tokens"], 1)
        self.assertEqual(self.succeed("data", "file:mine,targets=each", "--length", "2", "--samples", "1"), "1 1 [0]\n")

    def test_what_is_wrong_is_named_with_file_and_line(self):
        def refused(*parts, **files):
            for name in os.listdir(self.path("mine")) if os.path.exists(self.path("mine")) else []:
                os.remove(self.path(f"mine/{name}"))
            self.good()
            self.put(**files)
            self.assert_refused(["sweep", *self.flags(task="file:mine")], 2, *parts)

        refused("'mine/train.src', line 2", "'x'", train_src="1 2\n2 x\n3 3\n")
        refused("'mine/train.src', line 2", "'-1'", train_src="1 2\n2 -1\n3 3\n")
        refused("'mine/train.src', line 1", "16777215", train_src="99999999\n2 1\n3 3\n")
        refused("'mine/train.trg' has 2 lines, but the .src has 3", train_trg="1 2 0\n2 1 0\n")
        refused("'mine/train.trg', line 3", "2 lines only", train_src="1 2\n2 1\n")
        refused("'mine/train.trg', line 2", "needs tokens", train_trg="1 2 0\n\n3 3 0\n")
        refused("'mine/test_1.src' must be named", test_1_src="1\n", test_1_trg="1\n")
        refused("'mine/test_0_0.src' must be named", test_0_0_src="1\n", test_0_0_trg="1\n")
        refused("'mine/valid_0_2.src' must be named", valid_0_2_src="1\n", valid_0_2_trg="1\n")
        refused("'mine/test_2_9' needs a .src with a .trg", test_2_9_src="1\n")
        refused("'mine/test_0_2' needs", test_0_2_jsonl="{}")
        refused("two files of one split for length 5", test_2_5_src="1\n", test_2_5_trg="1\n")
        refused("files with index 0 of several lengths", test_0_9_src="1\n", test_0_9_trg="1\n")
        refused("has no samples", train_src="", train_trg="")
        for line, part in (("[1]", "an object"), ('{"tokens": [1]}', "answers"), ("{", "line 2"),
                           ('{"tokens": [1, 2], "answers": [2]}', "from 1 to 1"),
                           ('{"tokens": [1, 2, 3], "answers": [2, 1]}', "increasing"),
                           ('{"tokens": [1, -2], "answers": [1]}', "from 0 to"),
                           ('{"tokens": [1, 2], "answers": [1], "targets": [1, 2]}', "as many")):
            refused("'mine/test_2_9.jsonl', line 2", part,
                    test_2_9_jsonl='{"tokens": [1, 2], "answers": [1]}\n' + line + "\n")
        self.assert_refused(["sweep", *self.flags(task="file:mine,targets=each")], 2, "must be as many")
        self.assert_refused(["sweep", *self.flags(task="file:none")], 1, "cannot read the folder 'none'")
        self.assert_refused(["sweep", *self.flags(task="file")], 2, "file:FOLDER")
        self.assert_refused(["sweep", *self.flags(task="file:mine,target=each")], 2, "did you mean 'targets'")

    def test_lengths_that_are_not_there_are_refused(self):
        self.good()
        self.assert_refused(["sweep", *self.flags(task="file:mine", multiples="1,2")], 2,
                            "'mine' has no samples of length 4; there are those of 2, 5")
        self.assert_refused(["sweep", *self.flags(task="file:mine", train_length=5)], 2,
                            "is trained at length 2")
        self.assert_refused(["sweep", *self.flags(task="file:mine"), "--validation-multiples", "2.5"], 2,
                            "no validation samples of length 5, only of 2")

    def test_what_data_writes_of_every_task_can_be_trained_on(self):
        tasks = re.findall(r"(?m)^  ([a-z]+(?:-[a-z]+)*)  ", self.succeed("list", "tasks"))
        self.assertGreater(len(tasks), 20)
        for task in set(tasks) - {"file"}:
            shown = self.succeed("list", task)
            length = re.search(r"a test sample at length (\d+)", shown)[1]
            for folder, arguments in (("json", ["--format", "jsonl"]),
                                      ("pair", ["--format", "src-trg", "--targets", "each"])):
                for name, split in (("train", "train"), (f"validation_0_{length}", "validation"),
                                    (f"test_0_{length}", "test")):
                    os.makedirs(self.path(f"{task}-{folder}"), exist_ok=True)
                    ending = ".jsonl" if folder == "json" else ""
                    self.succeed("data", task, "--length", length, "--samples", "3", "--split", split, *arguments,
                                 "-o", f"{task}-{folder}/{name}{ending}")
            # Both say the same of the same samples, and a sweep takes them.
            cells = [self.sweep(named, f"{task}.json", steps=1, batch_size=2)["cells"][0]
                     for named in (f"file:{task}-json", f"file:{task}-pair,targets=each")]
            self.assertEqual([cell["status"] for cell in cells], ["done", "done"], task)
            self.assertEqual(cells[0]["evaluations"][1]["answer_tokens"], cells[1]["evaluations"][1]["answer_tokens"])
            os.remove(self.path(f"{task}.json"))

    def test_files_give_the_figures_of_the_task_that_wrote_them(self):
        # The test samples are the very ones, so an untrained model scores the same on both.
        for name, split, length in (("train", "train", 4), ("validation_0_4", "validation", 4),
                                    ("test_0_4", "test", 4), ("test_1_8", "test", 8)):
            os.makedirs(self.path("mine"), exist_ok=True)
            self.succeed("data", "copy:symbols=4", "--length", str(length), "--samples", "16", "--split", split,
                         "--format", "src-trg", "-o", f"mine/{name}")
        drawn = self.succeed("sweep", *tiny(steps=1, learning_rates="1e-12"), "-o", "drawn.json")
        kept = self.sweep("file:mine", "kept.json", steps=1, learning_rates="1e-12")
        for one, other in zip(self.result("drawn.json")["cells"][0]["evaluations"], kept["cells"][0]["evaluations"]):
            for key in ("length", "samples", "answer_tokens", "right_tokens", "outcomes"):
                self.assertEqual(one[key], other[key])
        self.assert_refused(["data", "recall", "--format", "src-trg", "-o", "mine/x"], 2, "--targets each")
        self.assert_refused(["data", "copy", "--format", "src-trg"], 2, "-o")


if __name__ == "__main__":
    main()
