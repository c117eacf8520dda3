"""Stand-in for the check of a person's face against an authority (实人认证, by 粤信签)."""

from sandbox.face_check.app import create_app

__all__ = ["create_app"]
