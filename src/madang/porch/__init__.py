"""The porch: what of a courtyard stays outside when the courtyard lives in namespaces of its own.

An ordinary user may make a user namespace, and be root in it: bridge, pods, HAProxy's back side and the control live
there, in a network and a mount namespace that belong to it. What must be outside is done by one small process, the
porch: it opens the listening sockets that people reach and hands them in, it starts the way out (pasta, slirp4netns),
and it holds the namespaces, so that a control that starts anew finds them again. `standing` is what everybody inside
asks; `mapping` and `wayout` are values; `namespaces` makes them, `house` is the process, `out` its way out. All of it
is run by a bare interpreter and imports little. How a control comes in: `courtyard.entering`.
"""
