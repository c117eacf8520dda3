"""Stand-in for the provincial identity system (省统一身份认证), and for 电子社保卡."""

from sandbox.province.app import create_app, create_social_card

__all__ = ["create_app", "create_social_card"]
