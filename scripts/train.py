"""Train a network. `python scripts/train.py --help` tells how."""

from nnlab.commands import train

if __name__ == "__main__":
    train()
