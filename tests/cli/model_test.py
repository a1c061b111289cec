"""Models on disk, as a person meets them: kept by sweeps, shards and all."""

import json
import os
import re
import struct
import subprocess
import sys

import jsonschema

from support import SOURCE, ProgramTest, loud, main, tiny, without_timings


class SaveModelsTest(ProgramTest):
    def models(self, folder="models"):
        return sorted(os.listdir(self.path(folder)))

    def header(self, path):
        data = self.read(path)
        (length,) = struct.unpack("<Q", data[:8])
        return json.loads(data[8:8 + length])

    def test_every_finished_cell_leaves_its_model(self):
        self.succeed("sweep", *tiny(attention="softmax,entmax:1.3~asentmax", layers=2, seeds=2), "-o", "out.json",
                     "--save-models", "models")
        names = self.models()
        self.assertEqual(len(names), 4)
        for name in names:
            self.assertRegex(name, r"^copy-symbols=4_[a-z0-9.+-]+_nape_n4_lr0.003_seed[01]-[0-9a-f]{16}\.safetensors$")
        rows = {cell["key"]: cell for cell in self.result("out.json")["cells"]}
        for name in names:
            metadata = self.header(os.path.join("models", name))["__metadata__"]
            cell = json.loads(metadata["cell"])
            row = rows.pop(cell["key"])
            for key in ("task", "settings", "numerics", "seed", "train_length", "parameters"):
                self.assertEqual(cell[key], row[key])
            self.assertEqual(json.loads(metadata["model"])["attention"], row["attention"])
        self.assertEqual(rows, {})

    def test_models_do_not_depend_on_threads_or_shards(self):
        axes = dict(attention="softmax,asentmax", seeds=2)
        self.succeed("sweep", *tiny(**axes), "-o", "one.json", "--save-models", "one")
        for shard in ("1/2", "2/2"):
            self.succeed("sweep", *tiny(**axes, threads=2), "-o", f"part{shard[0]}.json", "--shard", shard,
                         "--save-models", "parts")
        self.assertEqual(self.models("one"), self.models("parts"))
        for name in self.models("one"):
            self.assertEqual(self.read(os.path.join("one", name)), self.read(os.path.join("parts", name)))

    def test_finished_cells_without_a_model_are_named_and_trained_again(self):
        arguments = ["sweep", *loud(tiny(seeds=2)), "-o", "out.json"]
        self.run_program(*arguments)
        before = self.read("out.json")
        text = self.succeed(*arguments, "--save-models", "models", "--dry-run")
        self.assertIn("\n2 cells finished without a model in models, to be trained again\n", text)
        self.assertFalse(os.path.exists(self.path("models")))
        code, out, err = self.run_program(*arguments, "--save-models", "models")
        self.assertEqual(code, 0)
        self.assertTrue(err.startswith("2 cells finished without a model in models, to be trained again\n[1/2]"), err)
        self.assertEqual(len(self.models()), 2)
        self.write("before.json", before)
        self.assert_same_result("out.json", "before.json")
        self.succeed(*arguments, "--save-models", "models")

    def test_new_lengths_of_a_sweep_with_models_give_the_same_bytes(self):
        axes = dict(attention="softmax,asentmax", seeds=2)
        self.succeed("sweep", *tiny(**axes), "-o", "out.json", "--save-models", "models")
        self.succeed("sweep", *tiny(**axes | {"multiples": "1,2,8", "threads": 2}), "-o", "out.json",
                     "--save-models", "models")
        self.succeed("sweep", *tiny(**axes | {"multiples": "1,2,8"}), "-o", "whole.json")
        self.assert_same_result("out.json", "whole.json")

    def test_a_pattern_of_layers_that_has_a_name_is_kept_too(self):
        self.succeed("sweep", *tiny(position="swan-gpt,rnope-swa", layers=4, steps=2), "-o", "out.json",
                     "--save-models", "models")
        for name in os.listdir(self.path("models")):
            self.succeed("eval", os.path.join("models", name), "--lengths", "8", "--samples", "2")

    def test_a_folder_that_cannot_be_is_refused(self):
        self.write("file", "text")
        self.assert_refused(["sweep", *tiny(), "-o", "-", "--save-models", "file"], 1, "cannot keep models in 'file'")
        self.assert_refused(["sweep", *tiny(), "-o", "-", "--save-models", ""], 2, "--save-models needs")


class EvalTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.succeed("sweep", *tiny(attention="softmax,asentmax", seeds=2, multiples="1,8"), "-o", "out.json",
                     "--save-models", "models")
        self.models = sorted(os.path.join("models", name) for name in os.listdir(self.path("models")))

    def test_a_model_gives_the_figures_of_its_sweep(self):
        for flags in (["--multiples", "1,8"], ["--lengths", "4,32"]):
            out = self.succeed("eval", *self.models, *flags, "--samples", "16", "--quiet", "--threads", "2",
                               "-o", "eval.json")
            self.assertIn("asentmax", out)
            evaluated, swept = self.result("eval.json"), self.result("out.json")
            with open(os.path.join(SOURCE, "results/schema/result-v2.schema.json")) as file:
                jsonschema.validate(evaluated, json.load(file))
            cells = {cell["key"]: without_timings(cell) for cell in swept["cells"]}
            self.assertEqual(len(evaluated["cells"]), 4)
            for cell in evaluated["cells"]:
                cell, other = without_timings(cell), cells[cell["key"]]
                for row in (cell, other):  # validation has as many samples as a sweep has by default
                    row["evaluations"] = [e for e in row["evaluations"] if e["split"] == "test"]
                self.assertEqual(cell, other)
        table = self.succeed("compare", "eval.json", "--baseline", "softmax")
        self.assertIn("asentmax", table)

    def test_one_model_at_a_length_that_its_sweep_had_not(self):
        out = self.succeed("eval", self.models[0], "--lengths", "40", "--samples", "5", "-o", "-")
        (cell,) = json.loads(out)["cells"]
        test = cell["evaluations"][-1]
        self.assertEqual((test["length"], test["multiple"], test["samples"]), (40, 10, 5))
        self.assertIn("10x", self.succeed("eval", self.models[0], "--lengths", "40", "--samples", "5"))

    def test_another_task_is_a_row_of_its_own(self):
        self.succeed("eval", *self.models, "--lengths", "6", "--samples", "5", "--task", "reverse:symbols=4",
                     "-o", "eval.json")
        for cell in self.result("eval.json")["cells"]:
            self.assertEqual(cell["task"], "reverse:symbols=4 by models of copy:symbols=4")
            self.assertEqual(cell["settings"]["trained_on"], "copy:draw=any,symbols=4,crowded=0")
            self.assertTrue(cell["key"].endswith("/task=reverse:symbols=4"))
            self.assertEqual([e["split"] for e in cell["evaluations"]], ["test"])
        self.assertIn("reverse:symbols=4 by models of copy:symbols=4", self.succeed("compare", "eval.json"))
        self.assert_refused(["eval", self.models[0], "--lengths", "6", "--task", "copy:symbols=5"], 2,
                            "knows 7 tokens, but copy:symbols=5 has 8")

    def test_a_model_of_another_arithmetic_is_told_as_one(self):
        model = self.read(self.models[0])
        other = re.sub(rb'(numerics\\":)\d', rb"\g<1>9", model)
        self.assertNotEqual(other, model)
        self.write("other.safetensors", other)
        self.succeed("eval", self.models[1], "other.safetensors", "--lengths", "4", "--samples", "5", "-o", "eval.json")
        here, elsewhere = self.result("eval.json")["cells"]
        self.assertNotIn("trained_with_numerics", here["settings"])
        self.assertEqual(elsewhere["settings"]["trained_with_numerics"], 9)
        self.assertEqual(elsewhere["numerics"], here["numerics"])

    def test_what_cannot_be_tested_is_refused(self):
        model = self.models[0]
        self.assert_refused(["eval", model], 2, "one of --lengths and --multiples")
        self.assert_refused(["eval", model, "--lengths", "3", "--multiples", "3"], 2, "one of")
        self.assert_refused(["eval", model, "--lengths", "3.5"], 2, "--lengths", "3.5")
        self.assert_refused(["eval", model, "--lengths", "0"], 2, "--lengths")
        self.assert_refused(["eval", model, "--lengths", "4", "--samples", "0"], 2, "samples")
        self.assert_refused(["eval", model, model, "--lengths", "4"], 2, "models of the same cell")
        self.assert_refused(["eval", "none.safetensors", "--lengths", "4"], 1, "cannot read 'none.safetensors'")
        self.assert_refused(["eval", "out.json", "--lengths", "4"], 2, "'out.json' is no model file")
        self.write("cut.safetensors", self.read(model)[:-5])
        self.assert_refused(["eval", "cut.safetensors", "--lengths", "4"], 2, "'cut.safetensors' has")
        self.assert_refused(["predict", "cut.safetensors"], 2, "'cut.safetensors' has")
        before = self.read(model)
        self.assert_refused(["eval", model, "--lengths", "4", "-o", model], 2, "is read here")
        self.assertEqual(self.read(model), before)


class PredictTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.succeed("sweep", *tiny(attention="asentmax", steps=100), "-o", "out.json", "--save-models", ".")
        (self.model,) = [name for name in os.listdir(self.folder) if name.endswith(".safetensors")]

    def predict(self, text, *flags):
        with open(self.path("in"), "w") as file:
            file.write(text)
        with open(self.path("in")) as file:
            return [json.loads(line) for line in
                    self.succeed("predict", self.model, *flags, stdin=file).splitlines()]

    def test_every_position_gets_the_likeliest_next_token(self):
        one, two = self.predict("[0, 3, 4, 1]\n\n{\"tokens\": [0, 3, 4, 1], \"answers\": [2, 4]}\n", "--logits")
        self.assertEqual(len(one["predictions"]), 4)
        self.assertEqual(two["predictions"], [one["predictions"][1], one["predictions"][3]])
        self.assertEqual(two["answers"], [2, 4])
        self.assertEqual([[len(row) for row in each["logits"]] for each in (one, two)], [[7] * 4, [7] * 2])
        for row, guess in zip(one["logits"], one["predictions"]):
            self.assertEqual(row[guess], max(row))
        (other,) = self.predict("[0, 3, 4, 1]")
        self.assertEqual(other, {"predictions": one["predictions"]})

    def test_predictions_are_what_a_sweep_counts(self):
        samples = self.succeed("data", "copy:symbols=4", "--length", "8", "--samples", "16", "--format", "jsonl")
        right = 0
        for sample, line in zip(map(json.loads, samples.splitlines()), self.predict(samples)):
            right += sum(sample["tokens"][p] == guess for p, guess in zip(sample["answers"], line["predictions"]))
        self.assertEqual(right, self.result("out.json")["cells"][0]["evaluations"][2]["right_tokens"])

    def test_input_that_cannot_be_read_is_an_error(self):
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.assert_refused(["predict", self.model], 1, "cannot read standard input", stdin=folder)

    def test_bad_lines_are_named(self):
        for line, part in (("[0, 7]", "from 0 to 6, not 7"), ("[]", "one at least"), ("3", "must be a list"),
                           ("{}", "must have \"tokens\""), ("[1", "line 2, line 1"), ("[0.5]", "not 0.5"),
                           ('{"tokens": [1, 2], "answers": [3]}', "from 1 to 2, not 3"),
                           ('{"tokens": [1, 2], "answers": [2, 2]}', "increasing")):
            with open(self.path("in"), "w") as file:
                file.write("[0]\n" + line + "\n")
            with open(self.path("in")) as file:
                code, out, err = self.run_program("predict", self.model, stdin=file)
            self.assertEqual(code, 2, err)
            self.assertEqual(len(out.splitlines()), 1)
            self.assertIn("standard input, line 2", err)
            self.assertIn(part, err)


class DocumentTest(ProgramTest):
    """The program in docs/models.md gives the logits of attnspan."""

    def test_numpy_gives_the_same_logits(self):
        with open(os.path.join(SOURCE, "docs/models.md")) as file:
            (program,) = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        self.write("model.py", program)
        # Enough steps for learned scales to leave their start; eight layers' worth of parts in two layers.
        self.succeed("sweep", *tiny(attention="softmax,ssmax,entmax,entmax:1.3,sparsemax,asentmax,softmax~asentmax",
                                    position="nope,rope,alibi,nape,nape:near=1~nape", steps=20, layers=2, heads=4,
                                    learning_rates="3e-2"), "-o", "out.json", "--save-models", "models")
        names = os.listdir(self.path("models"))
        self.assertEqual(len(names), 7 * 5)
        text = "[0, 3, 4, 5, 6, 1, 3, 4, 2, 2, 6, 6, 5, 1, 0, 3, 4, 5, 6, 4, 3]\n"
        self.write("in", text)
        for name in names:
            with open(self.path("in")) as file:
                ours = json.loads(self.succeed("predict", f"models/{name}", "--logits", stdin=file))["logits"]
            done = subprocess.run([sys.executable, "model.py", f"models/{name}"], input=text, cwd=self.folder,
                                  capture_output=True, text=True)
            self.assertEqual(done.stderr, "", name)
            theirs = json.loads(done.stdout)
            self.assertEqual([len(row) for row in ours], [len(row) for row in theirs])
            largest = max(abs(a - b) for x, y in zip(ours, theirs) for a, b in zip(x, y))
            self.assertLess(largest, 1e-4, name)


if __name__ == "__main__":
    main()
