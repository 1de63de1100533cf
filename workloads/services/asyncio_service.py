#!/usr/bin/env python3
"""An asyncio server on a socket, three bursts from many clients at once.

Reveals: streams, tasks and buffers of connections that come and go together,
with the standard library only.

--size N  requests.
"""
import argparse
import asyncio
import json

CLIENTS = 20
BURSTS = 3
IDLE_SECONDS = 0.4
sessions = {}


async def serve(reader, writer):
    peer = len(sessions)
    while True:
        line = await reader.readline()
        if not line:
            break
        request = json.loads(line)
        history = sessions.setdefault(peer % 50, [])
        history.append(request)
        del history[:-5]
        answer = {"id": request["id"], "words": request["text"].split(), "seen": len(history)}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


async def client(port, first, count):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(first, first + count):
        writer.write(json.dumps({"id": number, "text": "word " * (number % 97)}).encode() + b"\n")
        await reader.readline()
    writer.close()
    return count


async def main(size):
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    answered = 0
    for _ in range(BURSTS):
        count = max(1, size // BURSTS // CLIENTS)
        answered += sum(await asyncio.gather(*(client(port, i * 100, count)
                                               for i in range(CLIENTS))))
        await asyncio.sleep(IDLE_SECONDS)
    server.close()
    print("asyncio_service: %d requests answered" % answered)


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=3000)
asyncio.run(main(parser.parse_args().size))
