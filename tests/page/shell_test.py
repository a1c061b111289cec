"""Completion in the real shells, and manual pages as groff renders them."""

import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.path.abspath(os.environ.get("ATTNSPAN", "build/attnspan"))
SHELLS = {"bash": (["bash", "--norc", "--noprofile", "-i"], "source <(attnspan completion bash)"),
          "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u; source <(attnspan completion zsh)"),
          "fish": (["fish", "--no-config", "-i"], "attnspan completion fish | source")}


class Terminal:
    """A shell in a terminal of its own."""

    def __init__(self, words):
        self.home = tempfile.mkdtemp(prefix="attnspan-shell-")
        child, self.terminal = pty.fork()
        if child == 0:
            os.chdir(self.home)
            os.execvpe(words[0], words, {"HOME": self.home, "TERM": "xterm", "LANG": "C.UTF-8",
                                         "PATH": os.path.dirname(PROGRAM) + ":/usr/bin:/bin"})
        self.child = child

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def until(self, pattern, seconds=20):
        text = ""
        end = time.monotonic() + seconds
        while not re.search(pattern, text):
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {pattern!r} in {text!r}")
            text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def close(self):
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)
        os.close(self.terminal)
        shutil.rmtree(self.home, ignore_errors=True)


class CompletionTest(unittest.TestCase):
    def test_every_shell_completes(self):
        for name, (words, setup) in SHELLS.items():
            for typed, whole in (("attnspan swe", "sweep"), ("attnspan sweep qui", "quick"),
                                 ("attnspan sweep --atten", "--attention"), ("attnspan list asen", "asentmax"),
                                 ("attnspan sweep --attention softmax,asen", "softmax,asentmax"),
                                 ("attnspan help compa", "compare")):
                with self.subTest(shell=name, typed=typed):
                    shell = Terminal(words)
                    try:
                        shell.type(setup + "; echo rea''dy\n")
                        shell.until(r"ready\r")
                        time.sleep(1)  # until the line editor listens
                        shell.type(typed + "\t")
                        # A shell may write the word anew or only what was missing of it.
                        missing = whole[len(typed.split()[-1]):]
                        shell.until(re.escape(whole) + "|" + re.escape(typed.split()[-1]) + r"[^a-z]*" + re.escape(missing))
                    finally:
                        shell.close()


class ManTest(unittest.TestCase):
    def test_groff_has_nothing_to_say(self):
        names = re.findall(r"^  (\w+)  +\w", subprocess.run([PROGRAM, "--help"], check=True, capture_output=True, text=True)
                           .stdout.split("Subcommands:")[1], re.MULTILINE)
        self.assertIn("sweep", names)
        for name in [[]] + [[name] for name in names]:
            page = subprocess.run([PROGRAM, "man", *name], check=True, capture_output=True, text=True).stdout
            done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-c"], input=page, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            text = re.sub(".\x08", "", done.stdout)
            for part in ("NAME", "SYNOPSIS", "SEE ALSO"):
                self.assertIn(part, text)
        sweep = subprocess.run([PROGRAM, "man", "sweep"], check=True, capture_output=True, text=True).stdout
        self.assertIn("\\-\\-learning\\-rates", sweep)


if __name__ == "__main__":
    unittest.main(verbosity=1)
