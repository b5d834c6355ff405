"""One pod at work. `worker` drives: it decides with `node.pod` and has it done by `hand`; below both stand the hands on
sandbox and containers, and under all of them `work`, which is what they share. Imports run in this order only."""
