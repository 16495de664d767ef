"""The wiring: clocks, sources, the one queue, tasks and their supervision, the control socket."""
