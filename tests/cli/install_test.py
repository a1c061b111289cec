"""What is installed: the program, its manual and completions as it writes them, the schema."""

import os
import subprocess

from support import PROGRAM, SOURCE, ProgramTest, main


class InstallTest(ProgramTest):
    def test_program_manual_completions_and_schema(self):
        prefix = self.path("prefix")
        subprocess.run(["cmake", "--install", os.path.dirname(PROGRAM), "--prefix", prefix], check=True,
                       stdout=subprocess.DEVNULL)

        def read(name):
            with open(os.path.join(prefix, name), encoding="utf-8") as file:
                return file.read()

        program = os.path.join(prefix, "bin/attnspan")
        version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
        self.assertEqual(version, self.succeed("--version"))
        commands = set(self.succeed("completion", "words", "").split()) - {"help"}
        self.assertIn("inspect", commands)
        pages = os.listdir(os.path.join(prefix, "share/man/man1"))
        self.assertEqual(set(pages), {"attnspan.1"} | {f"attnspan-{command}.1" for command in commands})
        self.assertEqual(read("share/man/man1/attnspan.1"), self.succeed("man"))
        self.assertEqual(read("share/man/man1/attnspan-sweep.1"), self.succeed("man", "sweep"))
        for shell, place in (("bash", "bash-completion/completions/attnspan"),
                             ("zsh", "zsh/site-functions/_attnspan"),
                             ("fish", "fish/vendor_completions.d/attnspan.fish")):
            self.assertEqual(read("share/" + place), self.succeed("completion", shell))
        with open(os.path.join(SOURCE, "results/schema/result-v2.schema.json"), encoding="utf-8") as file:
            self.assertEqual(read("share/attnspan/result-v2.schema.json"), file.read())
        self.assertTrue(os.access(os.path.join(prefix, "bin/attnspan-slurm"), os.X_OK))


if __name__ == "__main__":
    main()
