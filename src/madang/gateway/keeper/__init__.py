"""HAProxy's parent: holds the listening sockets, starts workers, brings a dead one back. Outlives `madang`.

This package runs apart from `madang`, by a bare interpreter (-I -S), and nothing in it imports more than a little of
the standard library and its own modules: it stands for days, and every megabyte counts (about 9 MB; HAProxy itself
takes 13). Because the sockets are held here, connections wait in the backlog while HAProxy is away, and a port that is
taken is known before HAProxy hears of it. `door` is its way in, `keeper` decides, `record` is what outlives it.
"""
