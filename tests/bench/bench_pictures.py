"""What pictures take: to fetch and encode, to store for a month, and to serve.

    python -m tests.bench.bench_pictures [PAPERS_A_DAY]

A server on this machine stands for the source; its pictures are drawn here: a sheet with lines of
text and a figure, as services make them of papers, and photographs (noise that was blurred).
"""

import sys
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Thread

from PIL import Image, ImageDraw, ImageFilter

from digest.collect.collector import Collector
from digest.collect.picture_encoding import encode
from digest.collect.pictures import PictureFetcher, collect_pictures
from digest.ledger.database import ensure_current, open_database
from digest.ledger.ledger import Ledger
from digest.model.papers import Harvest
from subscribers.store.registry import Registry
from tests.integration.browser import Browser
from tests.integration.site import make_web
from tests.painting import file_of
from tests.support import NOW, TODAY, make_sighting


def sheet(random: Random) -> bytes:
    """A page of text beside a figure of many colours, 1200 x 648."""
    image = Image.new("RGB", (1200, 648), "white")
    draw = ImageDraw.Draw(image)
    for line in range(24):
        words = " ".join(
            "".join(random.choices("etaoinshrdlu", k=random.randint(2, 9))) for _ in range(14)
        )
        draw.text((40, 40 + 24 * line), words, "black")
    for _ in range(60):
        x, y = random.randint(700, 1100), random.randint(60, 560)
        colour = tuple(random.randint(0, 255) for _ in range(3))
        draw.ellipse((x, y, x + random.randint(10, 90), y + random.randint(10, 70)), colour)
    return file_of(image)


def photograph() -> bytes:
    noise = Image.effect_noise((1600, 900), 120).filter(ImageFilter.GaussianBlur(2))
    return file_of(Image.merge("RGB", [noise, noise.transpose(0), noise.transpose(1)]), "JPEG")


def main(papers: int) -> None:
    random = Random(7)
    files = [sheet(random) if number % 5 else photograph() for number in range(papers)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files[int(self.path[1:])]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"

    began = time.process_time()
    made = [encode(octets) for octets in files]
    print(f"encoded: {(time.process_time() - began) / papers * 1000:.0f} ms of a processor each")
    for name, octets in (
        ("as they come", files),
        ("large", [one.large for one in made]),
        ("small", [one.small for one in made]),
    ):
        print(
            f"{name}: {sum(map(len, octets)) / papers / 1024:.1f} KiB each, {max(map(len, octets)) / 1024:.0f} at most"
        )

    with TemporaryDirectory() as folder:
        path = Path(folder) / "digest.sqlite3"
        engine = open_database(f"sqlite:///{path}")
        ensure_current(engine)
        ledger = Ledger(engine)
        collector = Collector(ledger, list, lambda moment: moment.date())
        seen = [
            make_sighting(number, listed_on=TODAY, picture_url=f"{url}/{number}")
            for number in range(papers)
        ]
        collector.keep(Harvest(tuple(seen)))
        before, began = path.stat().st_size, time.perf_counter()
        collect_pictures(ledger, PictureFetcher(url, timeout=10), [TODAY], NOW + timedelta(hours=1))
        took = time.perf_counter() - began
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        grown = path.stat().st_size - before
        print(
            f"fetched, encoded and stored: {papers} in {took:.1f} s, {took / papers * 1000:.0f} ms each"
        )
        print(
            f"the database grew by {grown / papers / 1024:.0f} KiB each: {grown * 30 / 2**20:.0f} MiB in 30 days"
        )

        began = time.perf_counter()
        edition = ledger.editions.draft(TODAY, TODAY)
        print(
            f"an edition with its pictures is read in {(time.perf_counter() - began) * 1000:.1f} ms"
        )
        browser = Browser(make_web(ledger, Registry(engine)))
        paths = [paper.picture.large for paper in edition.candidates if paper.picture]
        for what, headers in (("served", ()), ("unchanged (304)", ("If-None-Match",))):
            began = time.process_time()
            for path_of in paths:
                tag = '"' + path_of.rpartition("/")[2] + '"'
                browser.ask("GET", path_of, headers=dict.fromkeys(headers, tag))
            took = (time.process_time() - began) / len(paths)
            print(f"{what}: {took * 1000:.1f} ms of a processor each")
    server.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
