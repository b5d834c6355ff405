"""How one talks to HAProxy: where it is, how foreign words are written for it, its runtime socket.

The gateway and the API's front each run one of their own; what both know of it stands here.
"""
