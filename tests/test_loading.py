"""Importing torch and Lightning: what is spared, and that nobody misses it later."""

import subprocess
import sys

import pytest
import scipy.signal

from nnlab.loading import load


def test_scipy_signal_is_not_imported_until_somebody_uses_it() -> None:
    code = """
import gc, sys
from nnlab.loading import load

load("nnlab.training", freezes=True)
assert "scipy" in sys.modules, "torchmetrics no longer imports it"
assert not {"scipy.signal", "scipy.stats"} & sys.modules.keys()
assert gc.isenabled()

import scipy
assert scipy.signal.find_peaks([0, 1, 0])[0].tolist() == [1]
import scipy.signal
assert scipy.signal.windows.hamming(3).round(2).tolist() == [0.08, 1.0, 0.08]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scipy_signal_that_is_there_already_stays() -> None:
    before = sys.modules["scipy.signal"]
    load("nnlab.training", freezes=False)
    assert sys.modules["scipy.signal"] is before is scipy.signal


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_who_stops_an_import_is_heard() -> None:
    code = """
import os, signal, sys
from nnlab.loading import load

class Stop:
    def find_spec(self, name, *args):
        if name == "numpy.linalg":
            os.kill(os.getpid(), signal.SIGINT)

assert "numpy" not in sys.modules
sys.meta_path.insert(0, Stop())
load("nnlab.training", freezes=False)
"""
    process = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, check=False)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in process.stderr


def test_what_a_person_made_before_can_be_collected_after() -> None:
    code = """
import gc, sys, weakref
from nnlab.loading import load

class Own:
    pass

gc.disable()  # as a person may
own = Own()
own.itself = own
alive = weakref.ref(own)
assert "torch" not in sys.modules
load("nnlab.training", freezes=False)
assert "torch" in sys.modules
assert not gc.isenabled()
del own
gc.collect()
assert alive() is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)
