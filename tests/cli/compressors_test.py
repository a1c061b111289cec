"""What scripts/compressors says of a text, against the compressors themselves."""

import gzip
import os
import random
import shutil
import subprocess
import unittest

from support import SOURCE, ProgramTest, main


@unittest.skipUnless(shutil.which("zstd"), "needs zstd")
class CompressorsTest(ProgramTest):
    def compressors(self, *arguments):
        run = subprocess.run([os.path.join(os.path.abspath(SOURCE), "scripts", "compressors"), *arguments], capture_output=True,
                             text=True, cwd=self.path("."))
        return run.returncode, run.stdout, run.stderr

    def bits(self, text):
        """Bits per byte by the compressor's first word, primed."""
        return {line.split()[0]: float(line.split(" bits per byte")[0].split()[-1])
                for line in text.splitlines() if "bits per byte" in line}

    def test_the_training_part_alone_primes(self):
        draw = random.Random(1)

        def noise(size):
            return bytes(draw.randrange(256) for _ in range(size))

        # The test part is the beginning of the training part, far back, and the validation part.
        training, validation = noise(160_000), noise(10_000)
        text = training + validation + training[:20_000] + validation
        self.write("text", text)
        code, out, err = self.compressors("text")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("text: 160000 bytes of training, 30000 of testing\n", out)
        bits = self.bits(out)
        # gzip looks back too little for any; to the others two thirds are known, and not the last third.
        self.assertAlmostEqual(bits["gzip"], 8, delta=0.1)
        self.assertAlmostEqual(bits["xz"], 8 / 3, delta=0.3)
        self.assertAlmostEqual(bits["zstd"], 8 / 3, delta=0.1)
        more = len(gzip.compress(training + text[170_000:])) - len(gzip.compress(training))
        self.assertAlmostEqual(bits["gzip"], 8 * more / 30_000, delta=0.002)

    def test_a_folder_is_one_text(self):
        os.makedirs(self.path("folder/b"))
        self.write("folder/a", "x" * 600)
        self.write("folder/b/c", "y" * 400)
        self.assertIn("folder: 800 bytes of training, 150 of testing\n", self.compressors("folder")[1])

    def test_bad_input_is_one_sentence(self):
        code, out, err = self.compressors("nowhere")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err, "compressors: cannot read 'nowhere': No such file or directory.\n")


if __name__ == "__main__":
    main()
