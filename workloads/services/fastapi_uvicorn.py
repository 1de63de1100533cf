#!/usr/bin/env python3
"""FastAPI under uvicorn: validated models, JSON, an event loop, three bursts.

Reveals: what an ASGI service keeps in the valleys between bursts.

Wants FastAPI and uvicorn (Debian: python3-fastapi, python3-uvicorn); exits 3
where they are not installed.

--size N  requests.
"""
import argparse
import sys
import urllib.parse

import load

try:
    import uvicorn
    from fastapi import FastAPI, Request
    from pydantic import BaseModel
except ImportError:
    sys.stderr.write("fastapi_uvicorn: this interpreter has no FastAPI\n")
    sys.exit(3)


class Note(BaseModel):
    title: str
    body: str
    words: list = []


app = FastAPI()
notes = []
answered = [0]


@app.get("/ready")
async def ready():
    return {"ready": True}


@app.post("/notes")
async def add(request: Request):
    form = urllib.parse.parse_qs((await request.body()).decode())
    note = Note(title=form["title"][0], body=form.get("body", [""])[0])
    note.words = note.body.split()
    notes.append(note)
    del notes[:-200]
    answered[0] += 1
    return note


@app.get("/notes")
async def page(page: int = 0):
    answered[0] += 1
    return [note.dict() for note in notes[page::11]]


@app.get("/stop")
async def stop():
    server.should_exit = True
    return {"answered": answered[0]}


parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=900)
size = parser.parse_args().size
port = load.free_port()
server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
client = load.start_client(port, size)
server.run()
client.wait()
print("fastapi_uvicorn: %d requests answered, %d notes kept" % (answered[0], len(notes)))
