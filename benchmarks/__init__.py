"""Side-by-side runs of MedServer and its peers on one machine: `python -m benchmarks --help`."""
