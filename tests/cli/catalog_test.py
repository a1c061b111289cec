"""One tiny cell of every task and of every variant is swept: trained, tested longer, and told in a table."""

import re

from support import SOURCE, ProgramTest, main, tiny, SOURCE


class CatalogTest(ProgramTest):
    def names(self, group):
        """Of each part of a list under its heading, in the order of the headings."""
        parts = [[]]
        for line in self.succeed("list", group).splitlines():
            if not line.startswith(" ") and parts[-1]:
                parts.append([])
            if name := re.match(r"  ([a-z][a-z0-9-]*)  ", line):
                parts[-1].append(name[1])
        return parts

    def sweep(self, cells, **settings):
        table = self.succeed("sweep", *tiny(**settings), "-o", "out.json", "--fresh")
        rows = self.result("out.json")["cells"]
        self.assertEqual(len(rows), cells, settings)
        for row in rows:
            self.assertEqual((row["status"], row["train"]["steps"]), ("done", 30), row["key"])
            tested = [(e["multiple"], e["samples"]) for e in row["evaluations"] if e["split"] == "test"]
            self.assertEqual(tested, [(1, 16), (2, 16)], row["key"])
        return table

    def test_every_task(self):
        tasks = [name for part in self.names("tasks") for name in part if name != "file"]  # file has tests of its own
        self.assertGreater(len(tasks), 20)
        for task in tasks:
            if re.search(r"^ +file=", self.succeed("list", task), re.MULTILINE):  # no package is needed for tests
                self.assertIn(task, self.sweep(1, task=f"{task}:file={SOURCE}/src", train_length=160))
                continue
            length = re.search(r"a test sample at length (\d+)", self.succeed("list", task))[1]
            self.assertIn(task, self.sweep(1, task=task, train_length=length))

    def test_every_normalizer_scaler_and_pair(self):
        normalizers, scalers, pairs = self.names("attention")
        self.assertGreater(min(len(normalizers), len(scalers), len(pairs) + 2), 4)
        variants = normalizers + [f"softmax+{scaler}" for scaler in scalers if scaler != "none"] + pairs
        variants = [name for name in variants if name != "softmax+log"]  # which goes by a name of its own
        table = self.sweep(len(variants), attention=",".join(variants), position="nope")
        for variant in variants:
            self.assertIn(f"{variant}/nope", table)

    def test_every_encoding_and_turn(self):
        positions = [name for part in self.names("positions") for name in part]
        self.assertGreater(len(positions), 12)
        table = self.sweep(len(positions), position=",".join(positions), layers=4)
        for position in positions:
            self.assertIn(f"softmax/{position}", table)


if __name__ == "__main__":
    main()
