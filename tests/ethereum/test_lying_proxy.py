# SPDX-License-Identifier: Apache-2.0
"""That the proxy passes on what is true, and that each lie is told, over HTTP and WebSocket."""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import socket
import threading
import unittest

import lies
from chain import TX_GAS_LIMIT, open_chain, wait_for
from lying_proxy import LyingProxy
from rpc import UNREACHABLE, Rpc, RpcError
from transactions import Account

# Logs its calldata, without a topic: CALLDATACOPY(0, 0, CALLDATASIZE), LOG0(0, CALLDATASIZE); its constructor returns that.
LOGGER = bytes.fromhex("600a600c600039600a6000f3") + bytes.fromhex("365f5f37365fa000") + bytes(2)


class Lies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.chain = cls.enterClassContext(open_chain("anvil"))
        account = cls.chain.accounts[0]
        cls.logger = cls.chain.send(account, data=LOGGER)["contractAddress"]
        for n in range(3):
            cls.receipt = cls.chain.send(account, cls.logger, n.to_bytes(5, "big") + b"\0\x04" + bytes([n] * 4))
        cls.proxy = cls.enterClassContext(LyingProxy(cls.chain.url))
        cls.truth, cls.said = cls.chain.rpc, Rpc(cls.proxy.url, timeout=5)
        cls.asked = {"address": cls.logger, "fromBlock": "0x0", "toBlock": "latest"}

    def setUp(self):
        self.addCleanup(self.chain.revert, self.chain.snapshot())
        self.addCleanup(self.proxy.be_honest)

    def logs(self):
        """What is true, and what is said; each as a list of data."""
        both = [rpc("eth_getLogs", self.asked) for rpc in (self.truth, self.said)]
        for logs in both:
            places = [(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in logs]
            self.assertEqual(places, sorted(set(places)))
        return [[log["data"] for log in logs] for logs in both]

    def test_honest(self):
        for call in (("eth_chainId",), ("eth_getLogs", self.asked), ("eth_getBlockByNumber", "latest", True),
                     ("eth_getProof", self.logger, [], "latest"), ("eth_getBlockByNumber", "0xffff", False)):
            self.assertEqual(self.said(*call), self.truth(*call))
        with self.assertRaises(RpcError) as caught:
            self.said("eth_nothing")
        self.assertEqual(caught.exception.code, -32601)

    def test_a_revert_comes_with_its_data(self):
        # PUSH1 7, MSTORE at 0, REVERT of 32 bytes, as the constructor.
        call = {"data": "0x60075f5260205ffd"}
        with self.assertRaises(RpcError) as caught:
            self.said("eth_call", call, "latest")
        self.assertEqual(caught.exception.data, "0x" + (7).to_bytes(32, "big").hex())

    def test_batches(self):
        batch = [{"jsonrpc": "2.0", "id": n, "method": "eth_getBlockByNumber", "params": [hex(n), False]} for n in range(4)]
        said = json.loads(self.said.post(json.dumps(batch).encode()))
        self.assertEqual([one["id"] for one in said], [0, 1, 2, 3])
        self.assertEqual([one["result"]["number"] for one in said], ["0x0", "0x1", "0x2", "0x3"])

    def test_logs(self):
        for lie, wrong in ((lies.OmitLog(), lambda true: true[:-1]),
                           (lies.AlterLog(), lambda true: [*true[:-1], true[-1][:-1] + "0"]),
                           (lies.ReorderLogs(), lambda true: [*true[:-2], true[-1], true[-2]]),
                           (lies.InventLog(), lambda true: [*true, "0x0000000003" + true[-1][12:]])):
            with self.subTest(type(lie).__name__):
                self.proxy.tell(lie)
                true, said = self.logs()
                self.assertEqual(said, wrong(true))
                self.assertEqual(lie.told, 1)
        self.proxy.be_honest()
        self.assertEqual(*self.logs())

    def test_logs_of_receipts(self):
        self.proxy.tell(lies.OmitLog())
        self.assertEqual(self.said("eth_getTransactionReceipt", self.receipt["transactionHash"])["logs"], [])

    def test_state_and_code(self):
        for lie, call in ((lies.AlterHeader(), ("eth_getBlockByNumber", "latest", False)),
                          (lies.WrongCode(), ("eth_getCode", self.logger, "latest")),
                          (lies.WrongProof(), ("eth_getProof", self.logger, ["0x" + bytes(32).hex()], "latest"))):
            self.proxy.tell(lie)
            self.assertNotEqual(self.said(*call), self.truth(*call))
            self.assertEqual(lie.told, 1)

    def test_a_swallowed_transaction(self):
        lie = self.proxy.tell(lies.Swallow())
        account, someone = self.chain.accounts[1], Account(os.urandom(32))
        nonce = int(self.truth("eth_getTransactionCount", account.address, "latest"), 16)
        raw = "0x" + account.transaction(31337, nonce, 1, 10**10, TX_GAS_LIMIT, someone.address, 5, b"").hex()
        said = self.said("eth_sendRawTransaction", raw)
        self.chain.mine()
        self.assertEqual((self.chain.balance(someone.address), lie.told), (0, 1))
        self.assertEqual(self.truth("eth_sendRawTransaction", raw), said)
        self.chain.mine()
        self.assertEqual(self.chain.balance(someone.address), 5)

    def test_a_stale_head(self):
        self.proxy.tell(lies.StaleHead())
        height = self.chain.height
        self.assertEqual(self.said("eth_blockNumber"), hex(height))
        receipt = self.chain.send(self.chain.accounts[0], self.logger, bytes(5))
        self.assertEqual(self.said("eth_getBlockByNumber", "latest", False), self.chain.block(height))
        self.assertEqual(self.said("eth_blockNumber"), hex(height))
        self.assertIsNone(self.said("eth_getTransactionReceipt", receipt["transactionHash"]))
        self.assertIsNone(self.said("eth_getBlockByHash", receipt["blockHash"], False))
        true, said = self.logs()
        self.assertEqual(said, true[:-1])
        with self.assertRaises(RpcError):
            self.said("eth_getProof", self.logger, [], hex(height + 1))
        self.proxy.be_honest()
        self.assertEqual(self.said("eth_blockNumber"), hex(height + 1))

    def test_another_fork(self):
        with open_chain("anvil", now=1_700_000_000) as other:
            self.proxy.tell(lies.OtherFork(other.rpc))
            self.assertEqual(self.said("eth_getBlockByNumber", "0x0", False), other.block(0))
            self.assertNotEqual(self.truth("eth_getBlockByNumber", "0x0", False), other.block(0))

    def test_refusals(self):
        self.proxy.tell(lies.Refuse(-32005, "slow down"))
        with self.assertRaisesRegex(RpcError, "slow down"):
            self.said("eth_chainId")

    def test_slow_and_hanging(self):
        lie = self.proxy.tell(lies.Slow(3600))
        with self.assertRaises(TimeoutError):
            Rpc(self.proxy.url, timeout=0.2)("eth_chainId")
        done = []
        asking = threading.Thread(target=lambda: done.append(self.said("eth_chainId")))
        asking.start()
        wait_for("the question", lambda: lie.told == 2)
        self.proxy.be_honest()  # wakes those that wait
        asking.join(5)
        self.assertEqual(done, [hex(31337)])
        lie = self.proxy.tell(lies.Hang())
        with self.assertRaises(TimeoutError):
            Rpc(self.proxy.url, timeout=0.2)("eth_chainId")
        self.assertEqual(lie.told, 1)
        self.proxy.be_honest()
        self.assertEqual(self.said("eth_chainId"), hex(31337))

    def test_spoiled_answers(self):
        self.proxy.tell(lies.Drop())
        with self.assertRaises(UNREACHABLE):
            self.said("eth_chainId")
        lie = self.proxy.tell(lies.Garbage())
        for _ in range(9):
            said = self.said.post(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}')
            self.assertNotIn(b'"id": 1,', said if said[-1:] == b"}" else b"")
        self.assertEqual(lie.told, 9)
        self.proxy.tell(lies.Huge(3_000_000))
        said = self.said.post(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}')
        self.assertGreaterEqual(len(said), 3_000_000)
        self.assertEqual(json.loads(said)["result"], hex(31337))
        self.proxy.tell(lies.UnknownId())
        self.assertEqual(json.loads(self.said.post(b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'))["id"], 2)

    def test_a_node_that_is_dead(self):
        with LyingProxy("http://127.0.0.1:1") as proxy, self.assertRaises(UNREACHABLE):
            Rpc(proxy.url)("eth_chainId")

    # --- WebSocket ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def web_socket(self):
        """Send and receive texts, as a client."""
        with socket.create_connection(("127.0.0.1", self.proxy.port), timeout=5) as connection:
            key = base64.b64encode(os.urandom(16)).decode()
            connection.sendall((f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
            reader = connection.makefile("rb")
            self.assertIn(b"101", reader.readline())
            headers = http.client.parse_headers(reader)
            digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            self.assertEqual(headers["Sec-WebSocket-Accept"], base64.b64encode(digest).decode())

            def send(text):
                data, mask = text.encode(), os.urandom(4)
                head = b"\x81" + (bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big"))
                connection.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

            def receive():
                text, last = b"", 0
                while not last:
                    first, size = reader.read(2)
                    last = first & 0x80
                    if size > 125:
                        size = int.from_bytes(reader.read(2 if size == 126 else 8), "big")
                    text += reader.read(size)
                return json.loads(text)

            yield send, receive

    def test_web_socket(self):
        with self.web_socket() as (send, receive):
            send(json.dumps({"jsonrpc": "2.0", "id": 5, "method": "eth_getLogs", "params": [self.asked]}))
            self.assertEqual(receive(), {"jsonrpc": "2.0", "id": 5, "result": self.truth("eth_getLogs", self.asked)})
            self.proxy.tell(lies.OmitLog())
            send(json.dumps({"jsonrpc": "2.0", "id": 6, "method": "eth_getLogs", "params": [self.asked]}))
            self.assertEqual(receive()["result"], self.truth("eth_getLogs", self.asked)[:-1])

    def test_new_heads(self):
        with self.web_socket() as (send, receive):
            send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}))
            name = receive()["result"]
            for _ in range(2):
                said = receive()
                self.assertEqual(said["params"], {"subscription": name, "result": self.chain.block()})
                self.chain.mine()


if __name__ == "__main__":
    unittest.main()
