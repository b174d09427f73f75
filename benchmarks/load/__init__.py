"""The load of the benchmarks: signed requests made beforehand, and what sends them."""
