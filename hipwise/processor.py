"""How NumPy computes on this machine's processor: on one thread, with the kernels that the processor was built for.

Has to be called before NumPy is imported, since OpenBLAS reads its environment once, as it is loaded.
"""

from __future__ import annotations

import os
from pathlib import Path

#: What Linux tells of the processor.
_ABOUT = Path("/proc/cpuinfo")

#: OpenBLAS's names of kernels, the widest first, and the processor's flags that each of them needs.
_KERNELS = {
    "SkylakeX": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "fma"},
    "Haswell": {"avx2", "fma"},
}


def prepare(about: Path = _ABOUT) -> None:
    """Set what OpenBLAS reads from the environment; what is set already stays.

    One thread: a sentence is too small to share, and threads that wait for each other by spinning take the second core from
    everybody else (measured: 140 times slower on two cores).

    The kernels: the OpenBLAS inside NumPy 1.26, the last that Rasa 3.6 takes, is older than some processors. It knows them by
    their model number and not by what they can do; one that it does not know gets the kernels of a Pentium 4. On an Intel
    Xeon of 2024 a training took 9 minutes so, and 3 on the older machine before it.

    Args:
        about: the file that lists the processor's flags, as Linux writes it; where there is none, OpenBLAS chooses.
    """
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    if kernels := _kernels(about):
        os.environ.setdefault("OPENBLAS_CORETYPE", kernels)


def _kernels(about: Path) -> str | None:
    try:
        lines = about.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    flags = next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())
    return next((name for name, needed in _KERNELS.items() if needed <= flags), None)
