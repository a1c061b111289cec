"""Instruction sets: how one is chosen, and that the results do not depend on it."""

import os
import re

from support import ProgramTest, main, tiny

SPEC = tiny(task="recall:alphabet=8,pairs=2,queries=1,sort", attention="softmax,ssmax,entmax:1.3,asentmax,top-k:k=4",
            position="nape,rope,cope", train_length="16", min_train_length="12", multiples="1,3,20", d_model=24,
            heads=3, d_ff=20, layers=2, steps=12, test_samples=4)


def environment(name):
    return {**os.environ, "ATTNSPAN_SIMD": name}


class SimdTest(ProgramTest):
    def sets(self):
        """The instruction sets that this processor has, the widest last."""
        _, _, err = self.run_program("--simd", "none", "list")
        return re.search(r"Allowed: ([a-z0-9, ]+)\.\n\Z", err)[1].split(", ")

    def fusing(self):
        return [name for name in self.sets() if name not in ("sse2", "plain")]

    def numerics(self, name):
        return {cell["numerics"] for cell in self.result(name)["cells"]}

    def test_a_sweep_gives_the_same_bytes_under_every_set_that_fuses(self):
        names = self.fusing()
        if len(names) < 2:
            self.skipTest("this processor has one instruction set with fused multiply-add at most")
        for name in names:
            self.succeed("--simd", name, "sweep", *SPEC, "-o", name + ".json")
            self.assertEqual(self.result(name + ".json")["context"]["simd"],
                             {"avx2": "AVX2+FMA", "avx512": "AVX-512", "neon": "NEON"}[name])
        for name in names[1:]:
            self.succeed("diff", names[0] + ".json", name + ".json")
            self.assert_same_result(names[0] + ".json", name + ".json")

    def test_the_flag_chooses_then_the_environment_then_the_processor(self):
        names = self.sets()
        titles = {}
        for name in names:
            titles[name] = self.succeed("--simd", name, "--version").split(", ")[-1]
            self.assertEqual(self.succeed("--version", env=environment(name)).split(", ")[-1],
                             titles[name])
        self.assertEqual(len(set(titles.values())), len(names))
        self.assertTrue(self.succeed("--version").endswith(titles[names[-1]]))
        for name in names:
            chosen = self.succeed("--simd", name, "--version", env=environment(names[0]))
            self.assertTrue(chosen.endswith(titles[name]))

    def test_unknown_sets_are_refused(self):
        self.assert_refused(["--simd", "avx1024", "list"], 2, "'avx1024'", *self.sets())
        self.assert_refused(["list"], 2, "'avx1024'", *self.sets(), env=environment("avx1024"))

    def test_cells_without_fused_multiply_add_are_of_another_kind(self):
        if "sse2" not in self.sets() or not self.fusing():
            self.skipTest("this processor has one kind of arithmetic only")
        fused = ["--simd", self.fusing()[0]]
        self.succeed(*fused, "sweep", *tiny(seeds=2), "--shard", "1/2", "-o", "one.json")
        self.succeed("--simd", "sse2", "sweep", *tiny(seeds=2), "--shard", "2/2", "-o", "two.json")
        one, two = self.numerics("one.json"), self.numerics("two.json")
        self.assertEqual({number + 1 for number in one}, two)
        self.assert_refused(["merge", "one.json", "two.json", "-o", "both.json"], 2, "numerics")
        self.assert_refused([*fused, "sweep", *tiny(seeds=2), "-o", "two.json"], 2, "numerics",
                            "--fresh")
        self.assert_refused([*fused, "verify", "two.json"], 2, "numerics")
        os.remove(self.path("two.json"))  # the journal tells as well
        self.assert_refused([*fused, "sweep", *tiny(seeds=2), "-o", "two.json"], 2, "numerics")
        self.succeed("--simd", "sse2", "sweep", *tiny(seeds=2), "-o", "two.json")


if __name__ == "__main__":
    main()
