"""Reading CSV files: how they are written, whether they are one table, and their cells."""
