"""The authority's interface, and a page with which people try the demo.

GET  /                        the holders: files to download, 签名工具, 吊销
GET  /ca.pem                  the authority itself, for whoever trusts it
GET  /crl                     the list of revoked certificates (DER); the authority answers no OCSP
POST /certificates {kind, name, document_number, …} -> 201 {id}    X-API-Key; kind is person or unit
GET  /holders/{id}/certificate.pem, key.pem, certificate.p12
POST /holders/{id}/sign {line} -> {certificate, signature}: what the middleware of a USB token would do
POST /holders/{id}/revoke, /holders/{id}/restore
GET /faults, POST /faults {mode, seconds?}   besides the modes of every stand-in: stale_crl, foreign_crl

Document numbers stand where GM/T 0015 has them: 1.2.156.10260.4.1.1 for a person, 1.2.156.10260.4.1.4 for a unit.

Seed: {"ca": {"key", "certificate"}, "holders": [{id?, kind, name, document_number, in_hardware?, expired?,
revoked?}]}; without "ca" the authority is a new one.
"""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask, Response, abort, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sandbox import pages, web
from sandbox.certificates.authority import Authority
from sandbox.certificates.holders import PASSPHRASE, Holder, Holders, p12
from sandbox.faults import Faults

OWN_FAULTS = ("stale_crl", "foreign_crl")
LONGEST_LINE = 1000


def create_app(api_key: str, seed: object = None) -> Flask:
    """Return the authority. Raises web.Invalid or ValueError for a wrong seed."""
    given = {} if seed is None else web.as_object(seed, "certificates-data")
    authority = _authority(given.get("ca"))
    holders = Holders(authority)
    for each in web.as_list(given.get("holders", []), "holders"):
        holders.put(Holder.from_json(web.as_object(each, "holders")))
    faults = Faults(refusal="query_not_permitted", own=OWN_FAULTS)
    app = web.new_app("sandbox.certificates", faults)
    app.extensions["authority"] = authority
    pages.install(app, "certificates", "电子认证机构")
    _add_authority(app, authority, holders, faults, api_key)
    _add_holders(app, authority, holders)
    return app


def _authority(given: object) -> Authority:
    if given is None:
        return Authority.new()
    ca = web.as_object(given, "ca")
    return Authority.from_pem(web.text_field(ca, "key", r"[^\x00]+"), web.text_field(ca, "certificate", r"[^\x00]+"))


def _add_authority(app: Flask, authority: Authority, holders: Holders, faults: Faults, api_key: str) -> None:
    @app.get("/ca.pem")
    def ca() -> Response:
        """The authority's certificate."""
        return Response(authority.pem, content_type="application/x-pem-file")

    @app.get("/crl")
    @faults.strike
    def crl() -> ResponseReturnValue:
        """The list, whole and of now; the faults make it old, or another's."""
        mode = faults.current.mode
        body = authority.crl(stale=mode == "stale_crl", foreign=mode == "foreign_crl")
        return Response(body, content_type="application/pkix-crl")

    @app.post("/certificates")
    @web.needs_key(api_key)
    def issue() -> ResponseReturnValue:
        """Enter a holder, as the counter of an authority does."""
        holder = Holder.from_json(web.json_object())
        holders.put(holder)
        return jsonify(id=holder.holder_id), 201


def _add_holders(app: Flask, authority: Authority, holders: Holders) -> None:
    def issued(holder_id: str) -> tuple[Holder, x509.Certificate]:
        return holders.issued(holder_id, url_for("crl", _external=True)) or abort(404)

    @app.get("/")
    def index() -> Response:
        """Everybody with a certificate. All are fictional."""
        shown = [(*issued(each), authority.has_revoked(issued(each)[1].serial_number)) for each in holders.ids()]
        return pages.page("certificates.html", holders=shown, passphrase=PASSPHRASE)

    @app.get("/holders/<holder_id>/<any('certificate.pem', 'key.pem', 'certificate.p12'):file>")
    def download(holder_id: str, file: str) -> Response:
        """The certificate, its key, or both."""
        holder, certificate = issued(holder_id)
        contents = {
            "certificate.pem": lambda: certificate.public_bytes(Encoding.PEM),
            "key.pem": lambda: holder.key_pem().encode(),
            "certificate.p12": lambda: p12(holder, certificate, authority),
        }
        response = Response(contents[file](), content_type="application/octet-stream")
        response.headers["Content-Disposition"] = f'attachment; filename="{holder_id}-{file}"'
        return response

    @app.route("/holders/<holder_id>/sign", methods=["GET", "POST"])
    def sign(holder_id: str) -> ResponseReturnValue:
        """Sign a line. A page for people, JSON for scripts."""
        holder, certificate = issued(holder_id)
        if request.is_json:
            line = web.text_field(web.json_object(), "line", r"[^\x00]{1,1000}")
            return jsonify(certificate=_pem(certificate), signature=_signature(holder, line))
        line = request.form.get("line", "").strip()[:LONGEST_LINE]
        return pages.page(
            "certificate_sign.html",
            holder=holder,
            line=line,
            certificate=_pem(certificate),
            signature=_signature(holder, line) if line else "",
        )

    @app.post("/holders/<holder_id>/<any(revoke, restore):change>")
    def change(holder_id: str, change: str) -> ResponseReturnValue:
        """Put a certificate on the list, or take it off."""
        serial = issued(holder_id)[1].serial_number
        (authority.revoke if change == "revoke" else authority.restore)(serial)
        return redirect(url_for("index"), 303)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _signature(holder: Holder, line: str) -> str:
    return base64.b64encode(holder.sign(line)).decode()
