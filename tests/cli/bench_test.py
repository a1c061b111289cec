"""What scripts/bench and scripts/all-cores make of what the program and a peer print."""

import os
import subprocess
import sys
import unittest

from support import SOURCE, ProgramTest, main

BENCH = os.path.join(os.path.abspath(SOURCE), "scripts", "bench")
ALL_CORES = os.path.join(os.path.abspath(SOURCE), "scripts", "all-cores")

# Prints the next of its speeds, and writes down who was called with what.
PROGRAM = """#!{python}
import json, pathlib, sys
if "--version" in sys.argv:
    print("attnspan 9")
    sys.exit()
calls = pathlib.Path("calls")
before = calls.read_text().splitlines() if calls.exists() else []
calls.write_text("\\n".join(before + [" ".join(["{name}", *sys.argv[1:]])]) + "\\n")
own = sum(line.startswith("{name} ") for line in before)
if own == {ends}:
    sys.exit(3)
print(json.dumps({{"{key}": {speeds}[own % 3], "fraction_of_peak": 0.5}}))
"""


class BenchTest(ProgramTest):
    def stand_in(self, name, key, speeds, ends=None):
        path = self.write(name, PROGRAM.format(python=sys.executable, name=name, key=key, speeds=speeds, ends=ends))
        os.chmod(path, 0o755)
        return path

    def bench(self, *arguments, torch=True, ends=None):
        program = self.stand_in("program", "milliseconds_per_step", [10, 30, 20], ends)
        peer = self.stand_in("peer", "ms", [50, 90, 200])
        os.makedirs(self.path("modules"), exist_ok=True)
        self.write("modules/torch.py", "__version__ = '7'" if torch else "raise ImportError")
        run = subprocess.run([sys.executable, BENCH, program, "--peer", peer, *arguments], capture_output=True, text=True,
                             cwd=self.folder, env={**os.environ, "PYTHONPATH": self.path("modules")})
        calls = self.read("calls").decode().splitlines() if os.path.exists(self.path("calls")) else []
        return run, [call.split() for call in calls]

    def rows(self, output):
        return [[cell.strip() for cell in line.strip("|").split("|")]
                for line in output.splitlines() if line.startswith("|")][2:]

    def test_rounds_alternate_and_the_ratio_is_that_of_rounds(self):
        run, calls = self.bench("--cells", "reference", "--threads", "1", "--attention", "entmax", "--steps", "4")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual([call[0] for call in calls], ["program", "peer"] * 3)
        self.assertEqual(calls[0][1:], "bench --attention entmax --threads 1 --steps 4 --json".split())
        self.assertEqual(calls[1][1:], ("--layers 3 --batch 64 --tokens 111 --vocabulary 72 "
                                        "--attention entmax --threads 1 --steps 4").split())
        self.assertEqual(self.rows(run.stdout), [["reference", "1", "entmax", "20.0 (10.0-30.0)", "90 (50-200)",
                                                  "5.0 (3.0-10.0)", "50%"]])
        self.assertIn("attnspan 9; beside it PyTorch 7, in turn; 3 rounds of 4 steps", run.stdout)

    def test_without_pytorch_there_is_no_peer(self):
        run, calls = self.bench("--cells", "text", "--threads", "1", "2", "--attention", "softmax", "--rounds", "1",
                                torch=False)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual([call[0] for call in calls], ["program", "program"])
        self.assertEqual(self.rows(run.stdout), [["text", "1", "softmax", "10.0 (10.0-10.0)", "50%"],
                                                 ["text", "2", "softmax", "30.0 (30.0-30.0)", "50%"]])
        self.assertNotIn("PyTorch", run.stdout)
        self.assertIn("\n    attnspan bench --task text --layers 4 --batch-size 16 --length 256 ", run.stdout)

    def test_the_peer_may_be_compiled(self):
        run, calls = self.bench("--cells", "text", "--threads", "1", "--attention", "softmax", "--rounds", "1", "--compile")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(["--compile" in call for call in calls], [False, True])
        self.assertIn("beside it PyTorch 7, compiled, in turn", run.stdout)

    def test_one_cell_is_held_against_as_many_processes_as_cores(self):
        ours = self.write("ours", "#!/bin/sh\necho $0 $* >> calls\ncase $* in *'threads 1 '*) echo '{\"tokens_per_second\": 100}';;"
                          "\n*) echo '{\"tokens_per_second\": 50}';; esac\n")
        other = self.write("other", "#!/bin/sh\necho '{\"tokens_per_second\": 200}'\n")
        for program in (ours, other):
            os.chmod(program, 0o755)
        cores = len(os.sched_getaffinity(0))
        run = subprocess.run([sys.executable, ALL_CORES, ours, other, "--attention", "entmax", "--rounds", "2",
                              "--steps", "5"], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        calls = self.read("calls").decode().splitlines()
        self.assertEqual(sum("--threads 1 --steps 5 --json --batch-size 64" in call for call in calls), 2 * cores)
        self.assertEqual(sum(f"--threads {cores} --steps 10 " in call for call in calls), 2)
        together, cell = 100 * cores, 50 if cores > 1 else 100
        self.assertEqual(run.stdout.splitlines()[-1], f"| entmax | 2 | {together} | {cell} ({cell / together:.2f}) "
                                                      f"| 200 ({200 / together:.2f}) |")

    def test_a_process_that_fails_ends_all_cores(self):
        program = self.write("fails", "#!/bin/sh\nexit 3\n")
        os.chmod(program, 0o755)
        run = subprocess.run([sys.executable, ALL_CORES, program], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("ended with exit code 3", run.stderr)

    def test_what_fails_ends_it_and_what_was_measured_stays(self):
        run, calls = self.bench("--cells", "reference", "--threads", "1", "2", "--attention", "softmax", "--rounds", "1",
                                ends=1)
        self.assertEqual(run.returncode, 1)
        self.assertEqual([call[0] for call in calls], ["program", "peer", "program"])
        self.assertIn("ended with exit code 3", run.stderr)
        self.assertEqual([row[1] for row in self.rows(run.stdout)], ["1"])


if __name__ == "__main__":
    main()
