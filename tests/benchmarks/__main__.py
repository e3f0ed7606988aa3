"""Every benchmark, one after the other: `make bench`. Each can be run alone, with options: python -m tests.benchmarks.touches --help."""

from tests.benchmarks import announcement, registrations, resuming, touches, webhooks

for benchmark in (announcement, touches, registrations, resuming, webhooks):
    benchmark.run([])
