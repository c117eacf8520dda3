"""The kinds of document that the system knows. The values are stored and stand in tokens: they never change."""

from enum import StrEnum


class PersonDocument(StrEnum):
    """Documents of a natural person (P5)."""

    RESIDENT_ID = "resident_id"  # 居民身份证
    HK_MACAO_PERMIT = "hk_macao_permit"  # 港澳居民来往内地通行证
    TAIWAN_PERMIT = "taiwan_permit"  # 台湾居民来往大陆通行证
    HMT_RESIDENCE_PERMIT = "hmt_residence_permit"  # 港澳台居民居住证
    FOREIGN_PERMANENT_RESIDENCE = "foreign_permanent_residence"  # 外国人永久居留身份证
    PASSPORT = "passport"  # 护照


class UnitDocument(StrEnum):
    """Documents of a unit (U3). Organisation codes exist on old accounts."""

    USCC = "uscc"  # 统一社会信用代码
    ORG_CODE = "org_code"  # 组织机构代码
