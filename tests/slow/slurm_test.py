"""scripts/slurm-sweep under a Slurm of its own: started here on free ports, stopped at the end."""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))

from support import PROGRAM, SOURCE, ProgramTest, main, tiny  # noqa: E402

SCRIPT = os.path.abspath(os.path.join(SOURCE, "scripts", "slurm-sweep"))
os.environ["PATH"] += ":/usr/sbin:/sbin"

CONFIGURATION = """
ClusterName=attnspan
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A requeued job waits until its old credential has expired.
AuthInfo=socket={folder}/munge.sock,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 \
ThreadsPerCore=1 RealMemory=1024
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def skip(reason):
    print(f"SKIPPED: {reason}; scripts/slurm-sweep was not tested.", file=sys.stderr)
    sys.exit(77)


def install():
    """Installs Slurm when it is missing, as root or through sudo, or skips the test."""
    if all(shutil.which(name) for name in ("sbatch", "slurmctld", "slurmd", "munged")):
        return
    if not shutil.which("apt-get"):
        skip("Slurm and munge are not installed, and there is no apt-get")
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and (not shutil.which("sudo") or subprocess.run([*root, "true"],
                                                           stderr=subprocess.DEVNULL).returncode):
        skip("Slurm and munge are not installed, and installing them needs root")
    get = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o",
           "DPkg::Lock::Timeout=120"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", "slurm-wlm", "munge"]):
        done = subprocess.run([*get, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            skip("Slurm and munge are not installed, and apt-get " + command[0] + " failed")


def ask(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True, timeout=60).stdout


def wait_until(true, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still waiting for {what}")
        time.sleep(0.1)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """munged, slurmctld and slurmd for this user, with all their files in one folder."""

    def __init__(self):
        # A short path, for the names of sockets; not mode 700, which munged would refuse.
        self.folder = tempfile.mkdtemp(prefix="slurm-", dir="/tmp")
        os.chmod(self.folder, 0o755)
        self.daemons = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def spawn(self, *command):
        with open(self.path(command[0] + ".out"), "wb") as out:
            # Should this test be killed, its daemons end all the same.
            self.daemons.append(subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, cwd=self.folder))

    def start(self):
        for name in ("state", "spool"):
            os.mkdir(self.path(name), 0o755)
        with open(os.open(self.path("munge.key"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(128))
        host = socket.gethostname().split(".")[0]
        with open(self.path("slurm.conf"), "w") as file:
            file.write(CONFIGURATION.format(host=host, folder=self.folder, ports=free_ports(2),
                                            user=ask("id", "-un").strip()))
        for name in [name for name in os.environ if name.startswith(("SLURM_", "SBATCH_"))]:
            del os.environ[name]
        os.environ["SLURM_CONF"] = self.path("slurm.conf")
        self.spawn("munged", "-F", "--key-file=" + self.path("munge.key"),
                   "-S", self.path("munge.sock"), "--pid-file=" + self.path("munged.pid"),
                   "--seed-file=" + self.path("munged.seed"), "--log-file=" + self.path("munged.log"))
        wait_until(lambda: os.path.exists(self.path("munge.sock")), "munged", 20)
        self.spawn("slurmctld", "-D", "-i", "-f", self.path("slurm.conf"))
        self.spawn("slurmd", "-D", "-f", self.path("slurm.conf"))
        wait_until(self.ready, "the node", 30)

    def ready(self):
        for daemon in self.daemons:
            if daemon.poll() is not None:
                raise AssertionError(f"{daemon.args[3]} ended with {daemon.returncode}")
        state = subprocess.run(["sinfo", "-h", "-o", "%t"], text=True, capture_output=True)
        return state.stdout.strip() == "idle"

    def drain(self):
        """Ends every job; daemons that stop first would leave the jobs' processes behind."""
        ask("scancel", "--user", ask("id", "-un").strip())
        wait_until(lambda: not ask("squeue", "-h"), "the end of the jobs", 20)

    def stop(self):
        try:
            if len(self.daemons) == 3:
                self.drain()
        except (AssertionError, subprocess.SubprocessError) as error:
            print("jobs were not ended:", error, file=sys.stderr)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def show_logs(self):
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(self.path(name), errors="replace") as file:
                    print(f"--- {name}", *file.readlines()[-30:], sep="\n", file=sys.stderr)


cluster = None


def setUpModule():
    global cluster
    cluster = Cluster()
    unittest.addModuleCleanup(shutil.rmtree, cluster.folder, ignore_errors=True)
    unittest.addModuleCleanup(cluster.stop)
    # ctest ends what takes too long with SIGTERM: then, too, the daemons are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        cluster.start()
    except BaseException:
        cluster.show_logs()
        raise


def flags(**settings):
    """Those of tiny, without the threads, which the script gives."""
    flags = tiny(**settings)
    place = flags.index("--threads")
    return flags[:place] + flags[place + 2:]


SHORT = flags()
# Two cells of a few seconds, one for each shard, with checkpoints all the time.
LONG = flags(attention="softmax,asentmax", steps=100000, early_stop="false")
ONE_THREAD = ["--threads", "1"]  # several, on a busy machine, wait for each other
OFTEN = ["--checkpoint-every", "0.1"]


class SlurmTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.folder, "of 100%a & more")  # as a person may name one
        os.mkdir(self.folder)
        self.addCleanup(cluster.drain)

    def submit(self, *arguments, **options):
        options.setdefault("cwd", self.folder)
        return subprocess.run([SCRIPT, *arguments], text=True, capture_output=True, timeout=60,
                              **options)

    def start_sweep(self, shards, *arguments, program=PROGRAM):
        done = self.submit("--shards", str(shards), "-o", "out.json", "--attnspan", program,
                           "--sbatch", "--mem=100 --time=10", "--", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        jobs = re.fullmatch(r"array job (\d+), merge job (\d+)\n", done.stdout)
        self.assertTrue(jobs, done.stdout)
        return jobs.groups()

    def job(self, number):
        """What Slurm knows of a job or of an array task."""
        return dict(re.findall(r"(\S+?)=(\S*)", ask("scontrol", "show", "job", number)))

    def logs(self):
        texts = []
        for name in sorted(os.listdir(self.folder)):
            if ".slurm-" in name:
                texts.append(name + ":\n" + self.read(name).decode())
        return "\n".join(texts)

    def finish(self, merge, state="COMPLETED"):
        wait_until(lambda: self.job(merge)["JobState"] not in
                   ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING"), "the merge job")
        self.assertEqual(self.job(merge)["JobState"], state, self.logs())

    def checkpoints(self, shard, shards):
        return glob.glob(self.path(f"out.shard-{shard}-of-{shards}.json.checkpoint-*[0-9a-f]"))

    def wait_for_checkpoint(self, shard, shards):
        wait_until(lambda: self.checkpoints(shard, shards), "a checkpoint")

    def steps_done(self, shard, shards):
        content = self.read(os.path.basename(self.checkpoints(shard, shards)[0]))
        return json.loads(content.split(b"\n")[0][9:])["row"]["train"]["steps"]

    def assert_each_cell_once(self, shards, cells):
        keys = [json.loads(line[9:])["key"] for shard in range(1, shards + 1) for line in
                self.read(f"out.shard-{shard}-of-{shards}.json.journal").splitlines()[1:]]
        self.assertEqual(len(keys), cells)
        self.assertEqual(len(set(keys)), cells, "a finished cell was computed twice")

    def test_shards_merge_to_what_one_run_gives(self):
        self.write("a 'spec' $HOME.json", '{"attention": ["softmax", "asentmax"]}')
        arguments = ["./a 'spec' $HOME.json", *flags(seeds=2)]
        array, merge = self.start_sweep(3, *arguments)
        self.succeed("sweep", *arguments, *ONE_THREAD, "-o", "whole.json")
        self.finish(merge)
        self.assert_same_result("out.json", "whole.json")
        self.assert_each_cell_once(3, 4)
        self.assertEqual(sorted(name for name in os.listdir(self.folder) if ".slurm-" in name),
                         sorted([f"out.slurm-{array}_{task}.log" for task in (1, 2, 3)] +
                                [f"out.slurm-{merge}.log"]))

    def test_failed_cells_are_merged_and_a_failed_shard_is_named(self):
        # Without the spec every task fails, and the merge job must not wait for ever.
        array, merge = self.start_sweep(1, "./nowhere.json")
        self.finish(merge, "FAILED")
        self.assertEqual(self.job(array + "_1")["ExitCode"], "1:0")
        self.assertIn("out.shard-1-of-1.json", self.read(f"out.slurm-{merge}.log").decode())
        self.assertFalse(os.path.exists(self.path("out.json")))
        # Failed cells are results: a program that ends as if it had some.
        program = self.write("with failed cells", f'''#!/bin/sh
"{PROGRAM}" "$@" || exit
[ "$1" != sweep ] || exit 3
''')
        os.chmod(program, 0o755)
        self.succeed("sweep", *SHORT, *ONE_THREAD, "-o", "whole.json")
        array, merge = self.start_sweep(1, *SHORT, program="./with failed cells")
        self.finish(merge)
        self.assertEqual(self.job(array + "_1")["ExitCode"], "3:0")
        self.assert_same_result("out.json", "whole.json")

    def test_a_task_that_is_requeued_or_near_its_time_limit_goes_on_where_it_was(self):
        # Both tasks at once: the one is requeued by Slurm, without a word; the other is told that its
        # time limit is near. That is the last one, which shares its job number with the array.
        array, merge = self.start_sweep(2, *LONG, *OFTEN)
        first, last = array + "_1", array + "_2"
        self.wait_for_checkpoint(1, 2)
        self.wait_for_checkpoint(2, 2)
        ask("scontrol", "requeue", first)
        ask("scancel", "--signal=USR1", "--batch", last)
        wait_until(lambda: all(self.job(task)["JobState"] == "PENDING" for task in (first, last)),
                   "the tasks to be in the queue again")
        for shard in (1, 2):
            self.assertGreater(self.steps_done(shard, 2), 10)
            self.assertLess(self.steps_done(shard, 2), 100000)
        self.assertIn("interrupted with 0 cells", self.read(f"out.slurm-{last}.log").decode())
        self.assertEqual(self.job(merge)["JobState"], "PENDING")
        self.succeed("sweep", *LONG, *ONE_THREAD, "-o", "whole.json")
        self.finish(merge)
        for task in (first, last):
            self.assertEqual((self.job(task)["Restarts"], self.job(task)["JobState"]),
                             ("1", "COMPLETED"), self.logs())
        self.assert_same_result("out.json", "whole.json")
        self.assert_each_cell_once(2, 2)

    def test_one_task_near_its_time_limit_leaves_the_others_alone(self):
        array, merge = self.start_sweep(2, *LONG, *OFTEN)
        self.wait_for_checkpoint(1, 2)
        self.wait_for_checkpoint(2, 2)
        ask("scancel", "--signal=USR1", "--batch", array + "_2")
        wait_until(lambda: self.job(array + "_2")["Restarts"] == "1", "the requeue")
        self.assertEqual(self.job(array + "_1")["Restarts"], "0")
        self.finish(merge)
        self.assertEqual(self.job(array + "_1")["Restarts"], "0")
        self.assert_each_cell_once(2, 2)

    def test_mistakes_are_refused_before_anything_is_submitted(self):
        good = ["--shards", "2", "-o", "out.json", "--"]
        cases = [(["--shards", number, "-o", "out.json", "--"], "positive integer")
                 for number in ("0", "-1", "two", "1.5", "")]
        cases += [
            (["-o", "out.json", "--"], "--shards"),
            (["--shards", "2", "--"], "-o"),
            (["--shards", "2", "-o", "-", "--"], "-o"),
            (["--shards", "2", "-o", "no/out.json", "--"], "folder"),
            (["--shards", "2", "-o", ".", "--"], "folder"),
            (["--shards", "2", "-o"], "needs a value"),
            (["--shards", "2", "-o", "out.json"], "--"),
            (["--shards", "2", "-o", "out.json", "quick"], "'quick'"),
            (["--attnspan", "nowhere/attnspan", *good], "nowhere/attnspan"),
            (["--sbatch", "--array=1-2", *good], "--array"),
        ]
        cases += [([*good, argument, "x"], argument)
                  for argument in ("-o", "-ox", "--output", "--output=x", "--shard", "--shard=1/2",
                                   "--threads", "--threads=2", "--fresh", "--dry-run")]
        for arguments, part in cases:
            self.assert_script_refuses(self.submit("--attnspan", PROGRAM, *arguments), part)
        os.mkdir(self.path("bin"))
        for name in ("env", "bash", "realpath", "dirname"):
            os.symlink(shutil.which(name), self.path("bin/" + name))
        self.assert_script_refuses(
            self.submit("--attnspan", PROGRAM, *good,
                        env={**os.environ, "PATH": self.path("bin")}), "sbatch")
        self.assertEqual(ask("squeue", "-h"), "")
        self.assertEqual(os.listdir(self.folder), ["bin"])
        self.assertIn("Usage:", self.submit("--help").stdout)

    def assert_script_refuses(self, done, part):
        self.assertEqual((done.returncode, done.stdout), (2, ""), done)
        self.assertRegex(done.stderr, r"\Aslurm-sweep: [^\n]+\.\n\Z")
        self.assertIn(part, done.stderr)


if __name__ == "__main__":
    install()
    main()
