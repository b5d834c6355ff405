"""Which pod on which node: filters, scores, packing. Pure."""
