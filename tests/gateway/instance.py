"""A small HTTP instance for tests of the gateway: run as a file, prints its port, answers until it is killed.

`/` names the instance, `/slow` takes a while, `/echo` gives the body back, `/stream` sends a line every 50 ms,
`/upgrade` switches to an echo, `/hang-up` closes without an answer where the instance is called `one`;
anything that is not HTTP is given back with `raw:` before it.
"""

import asyncio
import sys


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\n"):
            if b" HTTP/1." not in head:
                writer.write(b"raw:" + head)
                continue
            await answer(head, reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def answer(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    rest = await reader.readuntil(b"\r\n\r\n") if head != b"\r\n" else b""
    method, path, _ = head.decode().split(" ", 2)
    length = next((int(x.split(b":")[1]) for x in rest.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
    body = await reader.readexactly(length) if length else b""
    if path == "/slow":
        await asyncio.sleep(1.5)
    if path == "/hang-up" and NAME == "one":
        raise ConnectionError
    if path == "/upgrade":
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n")
        writer.write(b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")  # of RFC 6455's example key
        while data := await reader.read(100):
            writer.write(data)
        return
    if path == "/stream":
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for i in range(20):
            writer.write(b"2\r\n%d\n\r\n" % (i % 10))
            await asyncio.sleep(0.05)
        writer.write(b"0\r\n\r\n")
        return
    said = body if path == "/echo" else f"{NAME} {method} {path} {rest.decode('latin-1')}".encode()
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nx-instance: %s\r\n\r\n%s" % (len(said), NAME.encode(), said)
    )
    await writer.drain()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


NAME = sys.argv[1] if len(sys.argv) > 1 else "x"
if __name__ == "__main__":
    asyncio.run(main())
