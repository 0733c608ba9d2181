"""Predict new rows with a finished run. `python scripts/predict.py --help` tells how."""

from nnlab.commands import predict

if __name__ == "__main__":
    predict()
