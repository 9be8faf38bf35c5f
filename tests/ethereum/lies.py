# SPDX-License-Identifier: Apache-2.0
"""What an endpoint may do to those who trust it. Each lie is as good as its author could make it: what is wrong cannot be
seen from the answer's form."""
import copy
import json

from rpc import RpcError
from transactions import keccak256


class Lie:
    """`told` counts the answers that it falsified, so that a test can know that it was told at all."""

    def __init__(self):
        self.told = 0

    def answer(self, method: str, params: list, ask):
        """The result of a call; ask(method, *params) is the truth. RpcError for an error in place of a result."""
        truth = ask(method, *params)
        said = self.alter(method, copy.deepcopy(truth))
        self.told += said != truth
        return said

    def alter(self, method: str, result):
        """What is said instead of a result."""
        return result


def flipped(text: str, at: int = -1) -> str:
    """"0x..." with another digit."""
    digits = list(text)
    digits[at] = "0" if digits[at] != "0" else "1"
    return "".join(digits)


class _Logs(Lie):
    """Falsifies the logs of eth_getLogs and of receipts alike."""

    def alter(self, method, result):
        if method == "eth_getLogs" and result:
            self.logs(result)
        elif method == "eth_getTransactionReceipt" and result and result["logs"]:
            self.logs(result["logs"])
        return result

    def logs(self, logs: list) -> None:
        raise NotImplementedError


class OmitLog(_Logs):
    """The last is not there."""

    def logs(self, logs):
        del logs[-1]


class AlterLog(_Logs):
    """One digit of the last is another."""

    def logs(self, logs):
        logs[-1]["data"] = flipped(logs[-1]["data"])


class ReorderLogs(_Logs):
    """What the last and the one before it say is exchanged; their places are not."""

    def logs(self, logs):
        if len(logs) > 1:
            logs[-1]["data"], logs[-2]["data"] = logs[-2]["data"], logs[-1]["data"]


class InventLog(_Logs):
    """One more, right behind the last: the same entry once again, at the next place of the tree."""

    def logs(self, logs):
        made = copy.deepcopy(logs[-1])
        made["logIndex"] = hex(int(made["logIndex"], 16) + 1)
        made["data"] = "0x" + (int(made["data"][2:12], 16) + 1).to_bytes(5, "big").hex() + made["data"][12:]
        logs.append(made)


class AlterHeader(Lie):
    """Another state under the same hash."""

    def alter(self, method, result):
        if method.startswith("eth_getBlockBy") and result:
            result["stateRoot"] = flipped(result["stateRoot"])
        return result


class WrongProof(Lie):
    """One digit of the last node of each proof of a slot is another."""

    def alter(self, method, result):
        if method == "eth_getProof":
            for slot in result["storageProof"]:
                if slot["proof"]:
                    slot["proof"][-1] = flipped(slot["proof"][-1])
        return result


class WrongCode(Lie):
    """One digit of each contract's code is another."""

    def alter(self, method, result):
        if method == "eth_getCode" and len(result) > 2:
            result = flipped(result)
        return result


class Swallow(Lie):
    """Takes transactions and tells nobody of them."""

    def answer(self, method, params, ask):
        if method != "eth_sendRawTransaction":
            return ask(method, *params)
        self.told += 1
        return "0x" + keccak256(bytes.fromhex(params[0][2:])).hex()


class StaleHead(Lie):
    """The chain ends at the block that was its head when the lie began; everything fits together."""

    def __init__(self):
        super().__init__()
        self.height = None

    def answer(self, method, params, ask):
        if self.height is None:
            self.height = int(ask("eth_blockNumber"), 16)
        self.told += 1
        if method == "eth_blockNumber":
            return hex(self.height)
        return self._hide(method, ask(method, *(self._until(one) for one in params)))

    def _until(self, value):
        """A parameter about no block that is hidden."""
        if isinstance(value, dict):
            return {name: self._until(one) if name.endswith("Block") else one for name, one in value.items()}
        if value in ("latest", "pending"):
            return hex(self.height)
        if isinstance(value, str) and value.startswith("0x") and 2 < len(value) <= 18 and int(value, 16) > self.height:
            raise RpcError("stale", {"code": -32001, "message": "header not found"})
        return value

    def _hide(self, method, result):
        if isinstance(result, dict):
            number = result.get("number" if "getBlockBy" in method else "blockNumber")
            if number is not None and int(number, 16) > self.height:
                return None
        return result


class OtherFork(Lie):
    """All that is said is true of another chain, that of this node."""

    def __init__(self, rpc):
        super().__init__()
        self.rpc = rpc

    def answer(self, method, params, ask):
        self.told += 1
        return self.rpc(method, *params)


class Refuse(Lie):
    """An error in place of every answer."""

    def __init__(self, code: int = -32005, message: str = "limit exceeded"):
        super().__init__()
        self.error = {"code": code, "message": message}

    def answer(self, method, params, ask):
        self.told += 1
        raise RpcError(method, self.error)


class Transport(Lie):
    """Spoils not what is said but how it comes. reply(whole, sleep) gives the bytes to send for a whole answer, in pieces;
    sleep(seconds) waits, shorter when the lie ends. None as a piece: the connection is dropped."""

    def reply(self, whole: bytes, sleep):
        raise NotImplementedError


class Slow(Transport):
    def __init__(self, seconds: float):
        super().__init__()
        self.seconds = seconds

    def reply(self, whole, sleep):
        sleep(self.seconds)
        yield whole


class Hang(Transport):
    """Half of an answer, and nothing more as long as the lie lasts."""

    def reply(self, whole, sleep):
        yield whole[:len(whole) // 2]
        sleep(None)
        yield None


class Drop(Transport):
    def reply(self, whole, sleep):
        yield whole[:len(whole) // 2]
        yield None


class Garbage(Transport):
    """Something else than JSON-RPC, another each time."""

    def reply(self, whole, sleep):
        yield (b"<html>502 Bad Gateway</html>", b"", b"null", b"[]", b'{"jsonrpc":"2.0","id":999999,"result":"0x1"}',
               whole[:-2], b"\xff\xfe\0" * 100, b"[" * 100_000, b'{"result":' * 3)[self.told % 9]


class Huge(Transport):
    """A true answer, and spaces behind it up to so many bytes."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def reply(self, whole, sleep):
        yield whole
        for sent in range(len(whole), self.size, 65536):
            yield b" " * min(65536, self.size - sent)


class UnknownId(Transport):
    """Answers another question than the one that was asked."""

    def reply(self, whole, sleep):
        said = json.loads(whole)
        for one in said if isinstance(said, list) else [said]:
            one["id"] = one["id"] + 1 if isinstance(one["id"], int) else 1
        yield json.dumps(said).encode()
