"""The numbers of the data path, as data: what a test or a small machine may want otherwise.

In: nothing. Out: `Tuning`, read by `configuration`. Durations carry their unit, as HAProxy reads them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    threads: int = 2
    fd_limit: int = 65536  # HAProxy sizes its tables by the hard limit otherwise, which may be a billion
    # Everything is on this machine: who has not accepted by then has a full backlog, and another try finds a place
    # sooner than the kernel would. It is also how long HAProxy waits before it asks the last instance again.
    connect: str = "200ms"
    client: str = "1h"  # a stream may say nothing for long
    server: str = "1h"
    tunnel: str = "24h"  # WebSocket and raw TCP
    request: str = "30s"  # to send the headers of a request
    keep_alive: str = "75s"
    queue: str = "30s"
    # A dead instance answers nobody and so has the fewest requests: until the check says so, leastconn prefers it. One
    # request may meet each of its kept connections before a new one is refused, which is what waits for the check.
    retries: int = 20
    callers: str = "4k"  # addresses remembered a Service, and for how long after their last connection
    remembered: str = "10m"
    # How long an undeclared port waits for the client's first bytes: longer than a busy machine keeps an HTTP client
    # from sending, and once for each kind of server that speaks first (`sniffing` says why).
    look: str = "500ms"
    greeting: str = "1s"  # a server that speaks first does so by then
    # An instance whose connections fail is taken out by HAProxy itself, and tried again this often. While an
    # instance is up it is hardly ever checked: an idle house costs nothing, and readiness is the control's to say.
    # A failed connection asks for a check at once instead of taking the instance out by itself: with one instance
    # left HAProxy would let the requests that have just failed wait a second before it tries the other.
    check_up: str = "1h"
    check_soon: str = "10ms"
    check_down: str = "50ms"
    idle_purge: str = "1s"  # instances close idle connections after a few seconds: be earlier
    drain: str = "24h"  # an old worker with live connections ends then at the latest; the keeper bounds their number
    idempotent: tuple[str, ...] = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE")

    @property
    def server_line(self) -> str:
        """What every server gets, written ahead or added while running."""
        return (
            f"check inter {self.check_up} fastinter {self.check_soon} downinter {self.check_down} rise 1 fall 1 "
            f"observe layer4 error-limit 1 on-error fastinter pool-purge-delay {self.idle_purge}"
        )
