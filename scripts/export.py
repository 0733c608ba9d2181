"""Export a finished run for other programs. `python scripts/export.py --help` tells how."""

from nnlab.commands import export

if __name__ == "__main__":
    export()
