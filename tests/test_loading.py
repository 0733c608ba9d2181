"""Importing torch and Lightning: what is spared, and that nobody misses it later."""

import subprocess
import sys

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
