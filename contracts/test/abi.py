# SPDX-License-Identifier: Apache-2.0
"""As much of Solidity's ABI as the tests need. A number is a word, bytes of 32 are bytes32, a str is a string,
bytearray is bytes, a list an array, a tuple a struct."""


def is_dynamic(value) -> bool:
    return isinstance(value, (str, bytearray, list)) or isinstance(value, tuple) and any(map(is_dynamic, value))


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def encode_one(value) -> bytes:
    if isinstance(value, int):
        return word(value)
    if isinstance(value, (str, bytearray)):
        data = value.encode() if isinstance(value, str) else bytes(value)
        return word(len(data)) + data + bytes(-len(data) % 32)
    if isinstance(value, list):
        return word(len(value)) + encode(*value)
    if isinstance(value, tuple):
        return encode(*value)
    assert len(value) == 32
    return value


def encode(*values) -> bytes:
    parts = [encode_one(value) for value in values]
    tail_at = sum(32 if is_dynamic(value) else len(part) for value, part in zip(values, parts))
    head, tail = b"", b""
    for value, part in zip(values, parts):
        head += word(tail_at + len(tail)) if is_dynamic(value) else part
        tail += part if is_dynamic(value) else b""
    return head + tail
