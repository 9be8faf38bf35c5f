# SPDX-License-Identifier: Apache-2.0
"""Full and read-only disks: what cannot be kept is refused, what was acknowledged stays, and it goes on."""

import contextlib
import os
import resource
import subprocess

from bosswave import SystemTest, main, wait_for

IO = 1


class Disk(SystemTest):
    def mount(self, *arguments):
        """Mounts something over a fresh directory, or skips the test when that is not permitted."""
        path = os.path.join(self.root, "disk")
        os.makedirs(path, exist_ok=True)
        done = subprocess.run(["mount", *arguments, path], capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"cannot mount: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", path], capture_output=True)
        return path

    def fill(self, directory):
        """Takes all room that is left; returns the file that holds it."""
        path = os.path.join(directory, "filler")
        with open(path, "ab", buffering=0) as file, contextlib.suppress(OSError):
            for size in (65536, 4096):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\x55" * size)
        return path

    def until_refused(self, *words, most=400, **how):
        """Repeats a command until it is refused; returns the rows of those that were not."""
        rows = []
        for number in range(most):
            arguments = [str(word).format(number=number) for word in words]
            outcome = self.bw.run(*arguments, **how)
            if outcome.code != 0:
                return rows, outcome
            rows.append(outcome.row)
        raise AssertionError(f"still accepted after {most}: {words}")

    def grants_are_there(self, rows):
        for row in rows:
            self.assertEqual(self.bw.ok("inspect", row["id"]).row["state"], "live")

    def stored(self):
        return {row["uri"].rsplit("/", 1)[1]: len(row["payload"][0]["text"])
                for row in self.bw.ok("query", "home/v/+", sign="home").rows}


class Full(Disk):
    def test_no_space_left(self):
        disk = self.mount("-t", "tmpfs", "-o", "size=128m", "none")
        self.bw = self.up_node("disk/node")
        os.makedirs(self.bw.directory)
        self.bw.log_path, self.bw.out_path = os.path.join(self.root, "log"), os.path.join(self.root, "out")
        self.bw.start()
        self.bw.ok("namespace", "create", "home")
        self.bw.ok("persist", "home/v/first", "x" * 1000, sign="home")
        # The message store takes room in advance; after a start it has none yet.
        self.bw.stop()
        self.bw.start()
        filler = self.fill(disk)

        # The ledger.
        grants, refused = self.until_refused("grant", "everyone", "home/g/{number}", "P", sign="home")
        self.assertEqual(refused.code, IO, refused)
        self.assertIn("ledger.log", refused.error["message"])
        self.assertIn("free some space", refused.error["message"])
        # The router.
        values = []
        for number in range(400):
            outcome = self.bw.run("persist", f"home/v/{number}", "y" * 3000, sign="home")
            if outcome.code != 0:
                break
            values.append(str(number))
        self.assertEqual(outcome.code, IO, outcome)
        self.assertIn("full", outcome.error["message"])
        # Keys.
        unmade = self.bw.refused(IO, "entity", "create", "unmade", says="free some space")
        self.assertIn("unmade.key", unmade.error["message"])

        # It is up, answers, passes messages on, and has what it acknowledged.
        self.grants_are_there(grants)
        self.assertEqual(self.stored(), {"first": 1000, **dict.fromkeys(values, 3000)})
        stream = self.subscription(self.bw, "home/*", "home")
        self.bw.ok("pub", "home/x", "passing", sign="home")
        stream.wait_texts("passing")

        # With room again it goes on, without a restart.
        os.unlink(filler)
        grants.append(self.bw.ok("grant", "everyone", "home/more", "P", sign="home").row)
        wait_for("the message store to write again",
                 lambda: self.bw.run("persist", "home/v/more", "z" * 3000, sign="home").code == 0)
        self.bw.ok("entity", "create", "unmade")
        before = self.bw.status()
        stored = self.stored()
        self.bw.kill()
        self.bw.start()
        self.assertEqual({field: self.bw.status()[field] for field in ("size", "root", "dots")},
                         {field: before[field] for field in ("size", "root", "dots")})
        self.grants_are_there(grants)
        self.assertEqual(self.stored(), stored)

    def test_starting_on_a_full_disk(self):
        disk = self.mount("-t", "tmpfs", "-o", "size=128m", "none")
        self.bw = self.up_node("disk/node")
        os.makedirs(self.bw.directory)
        self.bw.configure()
        self.bw.log_path, self.bw.out_path = os.path.join(self.root, "log"), os.path.join(self.root, "out")
        filler = self.fill(disk)
        code, said = self.bw.start_refused()
        self.assertEqual(code, IO, said)
        self.assertIn(self.bw.directory, said)
        self.assertIn("free some space", said)
        os.unlink(filler)
        self.bw.start()
        self.bw.ok("namespace", "create", "home")
        log = self.bytes_of(self.bw.path("authority", "ledger.log"))
        self.bw.stop()
        filler = self.fill(disk)
        code, said = self.bw.start_refused()
        self.assertEqual(code, IO, said)
        self.assertIn(self.bw.directory, said)
        self.assertEqual(self.bytes_of(self.bw.path("authority", "ledger.log")), log)
        os.unlink(filler)
        self.bw.start()
        self.bw.ok("alias", "resolve", "home")

    def test_limit_on_file_sizes(self):
        """For systems where nothing can be mounted: RLIMIT_FSIZE fails writes in the same way."""
        self.bw = self.up()
        self.bw.ok("namespace", "create", "home")
        comment = "c" * 128
        grants = [self.bw.ok("grant", "everyone", f"home/pad/{number}", "P", "--comment", comment, sign="home").row
                  for number in range(90)]
        self.bw.stop()
        log = self.bw.path("authority", "ledger.log")
        most = os.path.getsize(log) + 2000
        self.bw.start(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
        accepted, refused = self.until_refused("grant", "everyone", "home/g/{number}", "P", sign="home")
        self.assertTrue(accepted)
        self.assertEqual(refused.code, IO, refused)
        self.assertIn("ulimit -f", refused.error["message"])
        self.assertLessEqual(os.path.getsize(log), most)
        self.bw.refused(IO, "persist", "home/v/big", "x" * (2 * most), sign="home", says="full")
        wait_for("small values to be stored again",
                 lambda: self.bw.run("persist", "home/v/small", "s", sign="home").code == 0)
        self.assertEqual(self.stored(), {"small": 1})
        size, root = (self.bw.status()[field] for field in ("size", "root"))
        self.grants_are_there(accepted)
        # Without the limit it goes on from there.
        self.bw.stop()
        self.bw.start()
        self.assertEqual((self.bw.status()["size"], self.bw.status()["root"]), (size, root))
        self.grants_are_there([*grants[::10], *accepted])
        self.bw.ok("grant", "everyone", "home/more", "P", sign="home")
        self.bw.ok("persist", "home/v/big", "x" * (2 * most), sign="home")
        self.assertEqual(self.stored(), {"small": 1, "big": 2 * most})

    def test_a_follower_whose_disk_is_full_stops_deciding_rather_than_forgetting(self):
        disk = self.mount("-t", "tmpfs", "-o", "size=128m", "none")
        ledger = self.ledger()
        self.bw = self.node("disk/node", ["agent", "run"], ledger=self.following(ledger))
        os.makedirs(self.bw.directory)
        self.bw.log_path, self.bw.out_path = os.path.join(self.root, "log"), os.path.join(self.root, "out")
        self.registered(self.bw.start())
        filler = self.fill(disk)
        for number in range(120):
            ledger.ok("entity", "create", f"entity-{number}")
            if self.bw.status()["trouble"]:
                break
        trouble = wait_for("the trouble to be told", lambda: self.bw.status()["trouble"])
        self.assertIn("free some space", trouble)
        os.unlink(filler)
        self.bw.caught_up(ledger.status()["size"])
        self.assertEqual(self.bw.status()["root"], ledger.status()["root"])


class ReadOnly(Disk):
    def setUp(self):
        super().setUp()
        self.bw = self.up_node("disk/node")
        os.makedirs(self.bw.directory)
        self.bw.log_path, self.bw.out_path = os.path.join(self.root, "log"), os.path.join(self.root, "out")

    def test_read_only_file_system(self):
        disk = self.mount("-t", "tmpfs", "-o", "size=16m", "none")
        os.makedirs(self.bw.directory)
        self.bw.configure()
        for used in (False, True):
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            with self.subTest(used=used):
                code, said = self.bw.start_refused()
                self.assertEqual(code, IO, said)
                self.assertIn(self.bw.directory, said)
                self.assertIn("ead-only", said)
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
            self.bw.start()
            if not used:
                self.bw.ok("namespace", "create", "home")
            self.bw.ok("alias", "resolve", "home")
            self.bw.stop()

    def test_files_that_may_not_be_written(self):
        self.bw.start()
        self.bw.ok("namespace", "create", "home")
        self.bw.stop()
        log = self.bw.path("authority", "ledger.log")
        if subprocess.run(["chattr", "+i", log], capture_output=True).returncode != 0:
            self.skipTest("cannot make a file immutable here")
        self.addCleanup(subprocess.run, ["chattr", "-i", log], capture_output=True)
        code, said = self.bw.start_refused()
        subprocess.run(["chattr", "-i", log], check=True)
        self.assertEqual(code, IO, said)
        self.assertIn(log, said)
        self.assertIn("permissions", said)
        self.bw.start()
        self.bw.ok("alias", "resolve", "home")


if __name__ == "__main__":
    main()
