"""``make demo``: the main jobs of Kuroshio on this machine, on real input, one chapter each."""
