"""A stand-in for the HTTP interface of the Hugging Face hub, as far as uploading a dataset goes."""

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

REGULAR_SUFFIXES = (".md", ".json")
"""Small texts go into the commit; everything else through LFS, as on the hub."""


@dataclass
class Hub:
    """Repositories with their files, and who may write."""

    token: str = "hf_right"
    may_write: bool = True
    refuses: str = ""
    """What is wrong with every card."""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    visibility: dict[str, str] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, Any]:
        """Return status and JSON for one request."""
        if path.startswith("/lfs/"):
            return self._stored(path.removeprefix("/lfs/"), body)
        if token != f"Bearer {self.token}":
            return 401, {"error": "Invalid username or password."}
        if not self.may_write:
            return 403, {"error": "You don't have the rights to create a dataset under this namespace"}
        if path in {"/api/repos/create", "/api/validate-yaml"}:
            asked = json.loads(body)
            return self._created(asked) if path.endswith("create") else self._validated()
        return self._of_repo(*_parsed(path), body)

    def _of_repo(self, repo: str, what: str, body: bytes) -> tuple[int, Any]:
        match what:
            case "preupload":
                return 200, {"files": [_mode(file["path"]) for file in json.loads(body)["files"]]}
            case "info":
                return 200, {"objects": [self._place(each) for each in json.loads(body)["objects"]]}
            case "commit":
                return self._committed(repo, body)
            case "tree":
                return 200, [_listed(path, data) for path, data in sorted(self.repos[repo].items())]
        siblings = [{"rfilename": path} for path in self.repos[repo]]
        return 200, {"id": repo, "sha": "0" * 40, "siblings": siblings}

    def _validated(self) -> tuple[int, Any]:
        errors = [{"message": self.refuses}] if self.refuses else []
        return 400 if errors else 200, {"errors": errors, "warnings": []}

    def _created(self, asked: dict[str, Any]) -> tuple[int, Any]:
        repo = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = {"url": f"{self.url}/datasets/{repo}", "id": repo, "name": repo}
        if repo in self.repos:
            return 409, {"error": "You already created this dataset repo", **url}
        self.repos[repo] = {".gitattributes": b"*.parquet filter=lfs"}
        self.visibility[repo] = asked.get("visibility") or ("private" if asked.get("private") else "public")
        return 200, url

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        upload = {"href": f"{self.url}/lfs/{asked['oid']}", "header": {}}
        return {**asked, "actions": {"upload": upload}}

    def _stored(self, digest: str, body: bytes) -> tuple[int, Any]:
        if hashlib.sha256(body).hexdigest() != digest:
            return 400, {"error": "not what was announced"}
        self.objects[digest] = body
        return 200, {}

    def _committed(self, repo: str, body: bytes) -> tuple[int, Any]:
        files = self.repos[repo]
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            match line["key"]:
                case "header":
                    self.commits.append(value["summary"])
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self.objects[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
        sha = f"{len(self.commits):040x}"
        return 200, {
            "commitUrl": f"{self.url}/datasets/{repo}/commit/{sha}",
            "commitOid": sha,
            "success": True,
        }


def _parsed(path: str) -> tuple[str, str]:
    """Return ``OWNER/NAME`` and what is asked of it, of ``[/api]/datasets/OWNER/NAME[.git][/WHAT…]``."""
    owner, name, *what = path.removeprefix("/api").removeprefix("/datasets/").split("/")
    return f"{owner}/{name.removesuffix('.git')}", what[0] if what else ""


def _mode(path: str) -> dict[str, Any]:
    mode = "regular" if path.endswith(REGULAR_SUFFIXES) else "lfs"
    return {"path": path, "uploadMode": mode, "shouldIgnore": False}


def _listed(path: str, data: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha256(data).hexdigest()[:40]}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def _do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, token = self.path.partition("?")[0], self.headers.get("Authorization", "")
        status, said = self.hub.answer(path, token, body)
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _do  # noqa: N815 - the names of HTTP's verbs

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve on a free port for as long as the block lasts."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        hub.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            http.shutdown()
            thread.join()
