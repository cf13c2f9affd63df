"""Where a figure was measured, and small statistics for all benchmarks."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from pathlib import Path


def machine() -> dict[str, object]:
    """The processor, the cores, the system, Python and the commit."""
    info = Path("/proc/cpuinfo")
    models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {
        "cpu": models[0] if models else platform.processor(), "cores": os.cpu_count(), "system": platform.platform(),
        "python": platform.python_version(), "commit": commit,
    }  # fmt: skip


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most of interleaved rounds."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")
