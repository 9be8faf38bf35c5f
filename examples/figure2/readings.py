# SPDX-License-Identifier: Apache-2.0
"""Live readings of the machine, each a function that returns one line of text."""
import glob


def first_line(path):
    with open(path) as file:
        return file.readline().strip()


def load():
    return "load " + " ".join(first_line("/proc/loadavg").split()[:3])


def memory():
    with open("/proc/meminfo") as file:
        kib = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return f"memory {(kib['MemTotal'] - kib['MemAvailable']) / 1024:.0f} MiB of {kib['MemTotal'] / 1024:.0f} in use"


def network():
    received = sent = 0
    with open("/proc/net/dev") as file:
        for line in file.readlines()[2:]:
            fields = line.split(":")[1].split()
            received += int(fields[0])
            sent += int(fields[8])
    return f"network {received} bytes in, {sent} bytes out"


def thermometers():
    """Files that hold thousandths of a degree and can be read now."""
    for path in glob.glob("/sys/class/thermal/thermal_zone*/temp") + glob.glob("/sys/class/hwmon/hwmon*/temp*_input"):
        try:
            int(first_line(path))
        except (OSError, ValueError):
            continue
        yield path


SENSORS = {"load": load, "memory": memory, "network": network}
for thermometer in thermometers():
    SENSORS["temperature"] = lambda: f"temperature {int(first_line(thermometer)) / 1000:.1f} C"
    break
