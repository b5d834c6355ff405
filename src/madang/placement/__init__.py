"""Which pod on which node: filters, scores, packing. Pure.

`wants` reads a pod, `tally` keeps the nodes' accounts, `filters` and `scores` are the visible lists, `decision` places.
"""
