"""A provider of single sign-on that others have written, as a process of its own: oidc-provider-mock, which stands on Authlib's server.

It tells whether ours is understood by software that shares no line with it.  The package leaves PKCE out; here each code is kept with the
challenge that it was asked for with, and Authlib's own function decides.  ``python -m tests.support.peerprovider`` is the process; it
imports the package and Authlib, and nothing of the product.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

ROOT = Path(__file__).resolve().parents[2]


class PeerProvider:
    """``with PeerProvider() as provider``: answers at ``provider.issuer`` until the end of the block."""

    def __init__(self) -> None:
        self.issuer = self.client = self.secret = ""

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTHLIB_INSECURE_TRANSPORT": "1", "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "tests.support.peerprovider"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        self.issuer = self._process.stdout.readline().strip()
        assert self.issuer, "the provider did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def register(self, back: str) -> None:
        """Make a client known that comes back to this address alone (RFC 7591)."""
        told = httpx.post(f"{self.issuer}/oauth2/clients", json={"redirect_uris": [back]}).raise_for_status().json()
        self.client, self.secret = told["client_id"], told["client_secret"]

    def person(self, subject: str, **claims: Any) -> None:
        """Somebody who can sign in there."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def authorise(self, address: str, subject: str) -> str:
        """What a browser does at the provider where this person signs in: the address it is sent back to."""
        assert "form" in httpx.get(address).raise_for_status().text
        answer = httpx.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


def serve() -> None:
    """Answer on a free port of loopback, and print the address first."""
    import oidc_provider_mock
    from authlib.oauth2.rfc7636 import create_s256_code_challenge
    from flask import Response, jsonify, request
    from werkzeug.serving import make_server

    app = oidc_provider_mock.app(require_client_registration=True, require_nonce=True)
    challenges: dict[str, str] = {}

    @app.after_request
    def _remember(response: Response) -> Response:
        code = parse_qs(urlsplit(response.headers.get("Location", "")).query).get("code")
        if request.path == "/oauth2/authorize" and code and request.args.get("code_challenge_method") == "S256":
            challenges[code[0]] = request.args["code_challenge"]
        return response

    @app.before_request
    def _check() -> Any:
        if request.path == "/oauth2/token":
            made = create_s256_code_challenge(request.form.get("code_verifier", ""))
            if challenges.get(request.form.get("code", "")) != made:
                return jsonify({"error": "invalid_grant"}), 400
        return None

    server = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    serve()
