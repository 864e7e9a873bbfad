"""The kernels with which NumPy computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hipwise import processor

AVX512 = "fpu sse2 avx2 fma avx512f avx512dq avx512cd avx512bw avx512vl"
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        # Set first, so that what the test sets is taken away again.
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [(AVX512, "SkylakeX"), ("fpu sse2 avx2 fma avx512f", "Haswell"), ("fpu sse2 avx2 fma", "Haswell"), ("fpu sse2", None)],
)
def test_kernels_are_those_that_the_processor_can_run(tmp_path: Path, flags: str, kernels: str | None) -> None:
    about = tmp_path / "cpuinfo"
    about.write_text(f"processor\t: 0\nmodel\t\t: 207\nflags\t\t: {flags}\nbugs\t\t:\n\nprocessor\t: 1\nflags\t\t: fpu\n")
    processor.prepare(about)
    assert os.environ.get("OPENBLAS_CORETYPE") == kernels
    assert os.environ["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("text", ["", "Features : fp asimd\n", None])
def test_where_nothing_is_told_openblas_chooses(tmp_path: Path, text: str | None) -> None:
    about = tmp_path / "cpuinfo"
    if text is not None:
        about.write_text(text)
    processor.prepare(about)
    assert "OPENBLAS_CORETYPE" not in os.environ


def test_what_is_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "cpuinfo"
    about.write_text(f"flags : {AVX512}\n")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    processor.prepare(about)
    assert os.environ["OPENBLAS_CORETYPE"] == "Haswell"
    assert os.environ["OMP_NUM_THREADS"] == "2"


def test_numpy_takes_them() -> None:
    """NumPy fell back to the kernels of a Pentium 4 on a processor that its OpenBLAS had not heard of."""
    code = (
        "import json, os\n"
        "from hipwise import processor\n"
        "processor.prepare()\n"
        "import numpy\n"
        "from threadpoolctl import threadpool_info\n"
        "print(json.dumps([os.environ.get('OPENBLAS_CORETYPE'), [i.get('architecture') for i in threadpool_info()]]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    chosen, used = json.loads(done.stdout)
    if chosen is None:
        pytest.skip("a processor of another kind: OpenBLAS chooses")
    assert used == [chosen]
