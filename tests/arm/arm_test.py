"""The program cross-compiled for 64-bit Arm, under qemu, beside the one for this machine: the same bytes."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from support import ProgramTest, main, tiny  # noqa: E402

ARM = os.path.abspath(os.environ["ATTNSPAN_ARM"])
QEMU = shutil.which("qemu-aarch64-static")

SPEC = tiny(task="copy:symbols=4,recall:alphabet=8,pairs=2,queries=1", position="nape~rope", train_length="16",
            attention="softmax,ssmax,entmax:1.3,asentmax,top-k:k=4", min_train_length="12",
            multiples="1,4", d_model=24, heads=3, d_ff=20, layers=2, steps=6, test_samples=4,
            validation_samples=4)


class ArmTest(ProgramTest):
    def on_arm(self, *arguments):
        done = subprocess.run([QEMU, ARM, *arguments], cwd=self.folder, text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return done.stdout

    def test_it_is_the_program_for_arm(self):
        self.assertTrue(self.on_arm("--version").strip().endswith("NEON"))

    def test_a_sweep_gives_the_same_bytes(self):
        self.succeed("sweep", *SPEC, "-o", "here.json")
        self.on_arm("sweep", *SPEC, "-o", "arm.json")
        self.assertEqual(self.result("arm.json")["context"]["simd"], "NEON")
        self.assertEqual(len(self.result("arm.json")["cells"]), 10)
        self.assert_same_result("here.json", "arm.json")


if __name__ == "__main__":
    main()
