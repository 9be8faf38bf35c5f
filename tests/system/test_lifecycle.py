# SPDX-License-Identifier: Apache-2.0
"""Starting and stopping: signals, sockets, two nodes for one directory or address."""

import os
import signal
import socket
import stat
import time

from bosswave import SystemTest, free_port, main, run_bw, wait_for

MOST_STOPPING = 5.0


class Lifecycle(SystemTest):
    def test_every_role_stops_cleanly_and_comes_back(self):
        ledger = self.ledger()
        router = self.registered(self.router(ledger))
        agent = self.registered(self.agent(ledger))
        both = self.up()
        for number in (signal.SIGTERM, signal.SIGINT):
            for node in (agent, router, both, ledger):
                self.assertTrue(stat.S_ISSOCK(os.stat(node.path("agent.sock")).st_mode))
                self.assertEqual(os.stat(node.path("agent.sock")).st_mode & 0o777, 0o600)
                began = time.monotonic()
                node._expected_dead = True
                node.process.send_signal(number)
                self.assertEqual(node.process.wait(MOST_STOPPING), 0, node.log())
                self.assertLess(time.monotonic() - began, MOST_STOPPING)
                self.assertFalse(os.path.exists(node.path("agent.sock")))
            for node in (ledger, both, router, agent):
                node.start()
                self.assertEqual(node.ok("info").row["directory"], node.directory)

    def test_stops_in_time_with_work_under_way(self):
        bw = self.up()
        bw.ok("namespace", "create", "home")
        subscriptions = [self.subscription(bw, "home/*", "home") for _ in range(3)]
        feed = self.lines(bw, "pub", "home/x", "--lines", sign="home", stdin=True)
        feed.write("one")
        subscriptions[0].wait_texts("one")
        # A peer that has connected and says nothing must not hold it up either.
        host, port = bw.info()["router_address"].split(":")
        with socket.create_connection((host, int(port))):
            began = time.monotonic()
            self.assertEqual(bw.stop(), 0)
            self.assertLess(time.monotonic() - began, MOST_STOPPING)
        for stream in subscriptions:
            self.assertEqual(stream.wait(), 5, stream)
            self.assertTrue(any('"unavailable"' in line for line in stream.errors), stream)

    def test_a_stale_socket_does_not_keep_it_from_starting(self):
        bw = self.up()
        for _ in range(3):
            bw.kill()
            self.assertTrue(os.path.exists(bw.path("agent.sock")))
            bw.start()
            bw.ok("info")

    def test_a_second_node_in_the_same_directory_is_refused(self):
        bw = self.up()
        log = bw.path("authority", "ledger.log")
        before = self.bytes_of(log)
        second = self.up_node()
        second.log_path = second.log_path + ".second"
        second.out_path = second.out_path + ".second"
        code, said = second.start_refused()
        self.assertEqual(code, 6, said)
        self.assertIn("in use by another process", said)
        self.assertIn(bw.directory, said)
        # The first one is none the worse for it.
        bw.ok("namespace", "create", "home")
        self.assertTrue(self.bytes_of(log).startswith(before))

    def test_an_address_in_use_is_named(self):
        bw = self.up()
        taken = {"ledger": bw.info()["ledger_address"], "router": bw.info()["router_address"]}
        for role, address in taken.items():
            with self.subTest(role=role):
                code, said = self.up_node("second-" + role, **{role: {"listen": address}}).start_refused()
                self.assertNotEqual(code, 0)
                self.assertIn(address, said)
        metrics = self.up_node("second-metrics")
        metrics.sections["metrics"] = {"listen": taken["router"]}
        metrics.configure()
        code, said = metrics.start_refused()
        self.assertNotEqual(code, 0)
        self.assertIn(taken["router"], said)

    def test_api_over_tcp_needs_the_token(self):
        port = free_port()
        bw = self.up("up", agent={"api_tcp": f"127.0.0.1:{port}", "api_token": "let-me-in"})
        address = ["--agent", f"127.0.0.1:{port}", "--json"]
        self.assertEqual(run_bw(*address, "--token", "let-me-in", "info").code, 0)
        for token in ([], ["--token", "let-me-ix"], ["--token", "let-me-in-too"]):
            for verb in (["info"], ["entity", "create", "thief"], ["sub", "home/*", "--as", "agent"],
                         ["pub", "home/x", "1", "--as", "agent"]):
                refused = run_bw(*address, *token, *verb)
                self.assertEqual(refused.code, 3, refused)
        self.assertNotIn("thief", [row["name"] for row in bw.ok("entity", "list").rows])
        bare = self.up_node("bare", agent={"api_tcp": f"127.0.0.1:{free_port()}"})
        code, said = bare.start_refused()
        self.assertEqual(code, 2, said)
        self.assertIn("agent.api_token", said)

    def test_metrics_and_health(self):
        import urllib.request
        bw = self.node("watched", ["up"], metrics={"listen": f"127.0.0.1:{free_port()}"},
                       ledger={"listen": f"127.0.0.1:{free_port()}"}, router={"listen": f"127.0.0.1:{free_port()}"})
        bw.start()
        bw.ok("namespace", "create", "home")
        bw.ok("pub", "home/x", "1", sign="home")
        address = "http://" + bw.sections["metrics"]["listen"]

        def metrics():
            with urllib.request.urlopen(address + "/metrics", timeout=10) as reply:
                lines = reply.read().decode().splitlines()
            return {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line and line[0] != "#"}

        wait_for("the message to be counted", lambda: metrics()["bosswave_router_messages_in_total"] >= 1)
        self.assertEqual(metrics()["bosswave_ledger_connected"], 1)
        self.assertGreaterEqual(metrics()["bosswave_ledger_accepted_total"], 5)
        with urllib.request.urlopen(address + "/healthz", timeout=10) as reply:
            self.assertEqual(reply.read(), b"ok\n")


if __name__ == "__main__":
    main()
