"""Serves the portal until SIGTERM: `python -m relying_parties.service_hall --port 8001`."""

from relying_parties.shared.serving import serve

if __name__ == "__main__":
    serve("relying_parties.service_hall")
