"""A real pycsw over metadata files, for tests. Run by the Python of .peers: it shares nothing with .venv.

Usage: ``python pycsw_server.py FOLDER RECORDS...``; FOLDER gets the repository (SQLite) and the settings. The
port is said on standard output once it answers, and it serves until it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from pycsw import wsgi
from pycsw.core import admin, config

SETTINGS = """[server]
home={home}
url=http://127.0.0.1:{port}/
encoding=UTF-8
language=en-US
maxrecords=100
profiles=apiso

[manager]
transactions=false

[metadata:main]
{metadata}

[metadata:inspire]
enabled=false

[repository]
database=sqlite:///{database}
table=records
"""


#: What pycsw says of itself; it wants every one of them.
METADATA = (
    "identification_title", "identification_abstract", "identification_keywords",
    "identification_keywords_type", "identification_fees", "identification_accessconstraints",
    "provider_name", "provider_url", "contact_name", "contact_position", "contact_address", "contact_city",
    "contact_stateorprovince", "contact_postalcode", "contact_country", "contact_phone", "contact_fax",
    "contact_email", "contact_url", "contact_hours", "contact_instructions", "contact_role",
)  # fmt: skip


class Server(ThreadingMixIn, WSGIServer):
    """Answers one request while another is slow."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Writes no line a request."""

    def log_message(self, *_: object) -> None:
        pass


def main(folder: Path, records: list[str]) -> None:
    database, settings = folder / "records.sqlite", folder / "pycsw.cfg"
    admin.setup_db(f"sqlite:///{database}", "records", str(folder))
    for each in records:
        admin.load_records(config.StaticContext(), f"sqlite:///{database}", "records", each, recursive=True)

    def application(environ, start_response):
        environ["PYCSW_CONFIG"] = str(settings)
        return wsgi.application(environ, start_response)

    server = make_server("127.0.0.1", 0, application, server_class=Server, handler_class=Quiet)
    home = Path(wsgi.__file__).parent
    metadata = "\n".join(f"{name}=test" for name in METADATA)
    settings.write_text(
        SETTINGS.format(home=home, port=server.server_port, database=database, metadata=metadata)
    )
    said, sys.stdout = sys.stdout, sys.stderr  # pycsw prints each request
    print(server.server_port, file=said, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
