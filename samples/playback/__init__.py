"""The parts of the demo: a private agent, a sink for its answers, what is expected, the report."""
