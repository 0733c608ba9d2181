"""Test a finished run again. `python scripts/evaluate.py --help` tells how."""

from nnlab.commands import evaluate

if __name__ == "__main__":
    evaluate()
