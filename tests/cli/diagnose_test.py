"""What went wrong and what the heads do: recorded where it is asked for, and nowhere else."""

import json
import os

import jsonschema

from support import SOURCE, ProgramTest, main, tiny, without_timings

with open(os.path.join(SOURCE, "results/schema/result-v2.schema.json")) as file:
    SCHEMA = json.load(file)


def without_diagnosis(value):
    if isinstance(value, dict):
        return {key: without_diagnosis(item) for key, item in value.items() if key not in ("errors", "diagnosis")}
    return [without_diagnosis(item) for item in value] if isinstance(value, list) else value


class DiagnoseTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.arguments = ["sweep", *tiny(attention="softmax,asentmax", multiples="1,8")]

    def evaluations(self, name):
        """The tests of every cell, by attention."""
        return [test for cell in sorted(self.result(name)["cells"], key=lambda cell: cell["attention"], reverse=True)
                for test in cell["evaluations"] if test["split"] == "test"]

    def test_a_sweep_records_it_only_where_asked(self):
        self.succeed(*self.arguments, "-o", "plain.json")
        self.succeed(*self.arguments, "-o", "out.json", "--diagnose")
        out = self.result("out.json")
        jsonschema.validate(out, SCHEMA)
        self.assertNotIn(b'"diagnosis"', self.read("plain.json"))
        self.assertNotIn(b'"errors"', self.read("plain.json"))
        self.assertEqual(without_timings(without_diagnosis(out)), without_timings(self.result("plain.json")))
        for test in self.evaluations("out.json"):
            errors, heads = test["errors"], test["diagnosis"]["heads"]
            self.assertEqual(errors["wrong"], test["answer_tokens"] - test["right_tokens"])
            # The kinds of copy are exclusive, and each wrong answer has one.
            self.assertEqual(sum(kind["wrong"] for kind in errors["kinds"].values()), errors["wrong"])
            self.assertGreaterEqual(len(heads), 2)
            for head in heads:
                self.assertTrue(0 <= head["entropy"] <= 1 and 0 < head["support_share"] <= 1, head)
        # Softmax uses every key.
        self.assertTrue(all(head["support_share"] == 1 for head in self.evaluations("out.json")[0]["diagnosis"]["heads"]))
        # Finished is finished; results with and without it are of the same cells.
        before = self.read("out.json")
        self.succeed(*self.arguments, "-o", "out.json")
        self.succeed(*self.arguments, "-o", "out.json", "--diagnose")
        self.assertEqual(self.read("out.json"), before)
        self.assertEqual(self.succeed("compare", "plain.json", "out.json"), self.succeed("compare", "out.json"))
        self.assertIn("Wrong answers", self.succeed("compare", "plain.json", "out.json", "--errors"))
        self.assertIn("gave the same bytes", self.succeed("verify", "out.json", "--quiet"))

    def test_finished_cells_are_diagnosed_from_their_models(self):
        self.succeed(*self.arguments, "-o", "whole.json", "--diagnose")
        self.succeed(*self.arguments, "-o", "out.json", "--save-models", "models")
        self.succeed(*self.arguments, "-o", "out.json", "--save-models", "models", "--diagnose")
        self.assert_same_result("out.json", "whole.json")
        models = sorted(os.path.join("models", name) for name in os.listdir(self.path("models")))
        text = self.succeed("eval", *models, "--multiples", "1,8", "--samples", "16", "--errors", "-o", "eval.json")
        self.assertIn("Wrong answers: copy:symbols=4", text)
        for one, other in zip(self.evaluations("eval.json"), self.evaluations("whole.json")):
            self.assertEqual(one["errors"], other["errors"])
            self.assertNotIn("diagnosis", one)

    def test_the_text_and_what_is_refused(self):
        self.succeed(*self.arguments, "-o", "out.json", "--diagnose")
        text = self.succeed("compare", "out.json", "--errors")
        self.assertIn("wrong tokens", text)
        self.assertRegex(text, r"\d+% \(\d+%\)")
        self.assertIn("drawn at random from the symbols of the sequence", " ".join(text.split()))
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.assert_refused(["compare", "out.json", "--errors", "--format", "csv"], 2, "--errors")
        self.succeed(*self.arguments, "-o", "plain.json")
        self.assert_refused(["compare", "plain.json", "--errors"], 2, "attnspan eval MODEL --errors", "--diagnose")
        self.assert_refused(["plot", "plain.json", "--figure", "entropy", "-o", "x.gp"], 2, "'entropy'")
        self.succeed("plot", "out.json", "--figure", "entropy", "-o", "x.gp")
        self.assertIn("Entropy over log n", self.read("x.gp").decode())
        self.succeed("report", "out.json", "-o", "page.html")
        self.assertIn("ends too early", self.read("page.html").decode())

    def test_inspect(self):
        self.succeed(*self.arguments, "-o", "out.json", "--save-models", "models")
        model = os.path.join("models", sorted(os.listdir(self.path("models")))[0])
        text = self.succeed("inspect", model)
        self.assertIn("layer 0 head 1", text)
        self.assertLessEqual(max(map(len, text.splitlines()[1:])), 80)
        found = json.loads(self.succeed("inspect", model, "--length", "2000", "--sample", "3", "--format", "json"))
        self.assertEqual((found["length"], found["sample"], found["bins"], found["tokens"]), (2000, 3, 24, 4002))
        self.assertEqual(len(found["maps"]), len(found["attention"]["heads"]))
        # Rows weigh 1 in all.
        for head in found["maps"]:
            for row in head:
                if None not in row:
                    self.assertAlmostEqual(sum(row), 1, places=3)
        one = self.succeed("inspect", model, "--multiple", "8", "--threads", "1")
        self.assertEqual(one, self.succeed("inspect", model, "--length", "32", "--threads", "2"))
        self.succeed("inspect", model, "-o", "page.html")
        page = self.read("page.html").decode()
        self.assertEqual(page.count("<svg "), 2)
        self.assertNotIn("<script", page)
        self.assertIn("reverse", self.succeed("inspect", model, "--task", "reverse:symbols=4"))
        self.assert_refused(["inspect", "out.json"], 2, "no model file")
        self.assert_refused(["inspect", model, "--length", "0"], 2, "--length")
        self.assert_refused(["inspect", model, "--length", "4", "--multiple", "2"], 2, "one of")
        self.assert_refused(["inspect", model, "--format", "htm"], 2, "html")
        self.assert_refused(["inspect", model, "--sample=-1"], 2, "--sample")


if __name__ == "__main__":
    main()
