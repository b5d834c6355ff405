"""A message's answer: from what the house knows at once, from the machine's resolvers after a while.

In: a message's bytes. Out: bytes; or a coroutine that has them; or None, where nothing is to be said. Whatever goes
wrong with one question is that question's SERVFAIL.
"""

import logging
from collections.abc import Coroutine
from typing import Any

import dns.exception

from madang.dns import wire
from madang.dns.answer import Zone, reverse
from madang.dns.records import Reply
from madang.dns.upstream import Upstream
from madang.dns.wire import Question
from madang.ports.chance import Chance
from madang.ports.settings import Addresses
from madang.ports.view import View

log = logging.getLogger(__name__)
_REVERSE = ".arpa"


class Answering:
    def __init__(self, view: View, addresses: Addresses, chance: Chance, upstream: Upstream | None = None) -> None:
        self._view, self._chance = view, chance
        self._here, self._ranges = addresses.gateway_ip, (addresses.pod_cidr, addresses.service_cidr)
        self._upstream = upstream or Upstream(addresses.gateway_ip)
        self._reverse: dict[str, list[str]] | None = None

    def forget(self) -> None:
        """Services or endpoints have changed: addresses may have other names. All else is looked up when asked."""
        self._reverse = None

    def at_once(self, data: bytes, *, stream: bool = False) -> bytes | Coroutine[Any, Any, bytes] | None:
        question = wire.read(data)
        if not isinstance(question, Question):
            return question
        room = wire.STREAM if stream else wire.room_of(question)
        try:
            reply = self._zone(question.name).answer(question.name, question.type)
            if reply is None:
                return self._forward(question, data, room, stream)
            if reply.follow:
                return self._follow(question, reply, room, stream)
            return wire.write(question, reply, room)
        except (dns.exception.DNSException, ValueError, KeyError, TypeError):
            log.exception("the question for %s %s", question.type, question.name)
            return wire.failed(question)

    def _zone(self, name: str) -> Zone:
        if name.endswith(_REVERSE) and self._reverse is None:
            self._reverse = reverse(self._view)
        return Zone(self._view, self._here, self._ranges, self._reverse or {})

    async def _forward(self, question: Question, data: bytes, room: int, stream: bool) -> bytes:
        """The bytes as they are, both ways, unless they are too many for the way back."""
        got = await self._upstream.ask(data, stream=stream)
        if got is None:
            return wire.failed(question)
        try:
            return got if len(got) <= room else wire.cut(got, room)
        except (dns.exception.DNSException, ValueError):
            return wire.failed(question)

    async def _follow(self, question: Question, reply: Reply, room: int, stream: bool) -> bytes:
        asked = wire.query(reply.follow, question.type, int(self._chance.random() * (1 << 16)))
        rest = await self._upstream.ask(asked, stream=stream)
        if rest is None:
            return wire.failed(question)
        try:
            return wire.write(question, reply, room, rest)
        except (dns.exception.DNSException, ValueError):
            return wire.failed(question)
