"""The sentence for every code a use case can refuse with, once, in zh-Hans; catalogues translate it.

A new error is one more line in `SENTENCES`. `%(name)s` takes the error's fact of that name. A sentence that has to
choose its words by the facts is a function in `_COMPOSED`; one that counts something is marked `NN_` and stands in
`_COUNTED` too. `tests/test_messages.py` fails where a code has none.
"""

from collections.abc import Callable

from flask_babel import gettext, ngettext

from idp.errors import DomainError
from idp.gateways.errors import GatewayError, GatewayRefused
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.documents.errors import DocumentOtherKind
from idp.rules.passwords import PasswordPoint, PasswordRefused


def N_(text: str) -> str:  # noqa: N802 - the name under which pybabel knows strings that are translated later
    """Mark `text` for the catalogues."""
    return text


def NN_(text: str) -> str:  # noqa: N802 - as above; tools/catalogues.py tells Babel about it
    """Mark `text`, which counts something, for the catalogues: in Chinese one is said as many, elsewhere not."""
    return text


PERSON_DOCUMENTS: dict[PersonDocument, str] = {
    PersonDocument.RESIDENT_ID: N_("居民身份证"),
    PersonDocument.HK_MACAO_PERMIT: N_("港澳居民来往内地通行证"),
    PersonDocument.TAIWAN_PERMIT: N_("台湾居民来往大陆通行证"),
    PersonDocument.HMT_RESIDENCE_PERMIT: N_("港澳台居民居住证"),
    PersonDocument.FOREIGN_PERMANENT_RESIDENCE: N_("外国人永久居留身份证"),
    PersonDocument.PASSPORT: N_("护照"),
}
"""What each kind of document is called (P5). Give it to `gettext`."""

UNIT_DOCUMENTS: dict[UnitDocument, str] = {
    UnitDocument.USCC: N_("统一社会信用代码"),
    UnitDocument.ORG_CODE: N_("组织机构代码"),
}
"""What each kind of a unit's document is called (U3)."""

SENTENCES: dict[str, str] = {
    # Anything
    "error": N_("操作未能完成，请稍后重试"),
    "not_found": N_("您访问的内容不存在，或不属于当前账号"),
    "forbidden": N_("当前账号不能进行此操作"),
    "too_often": N_("操作过于频繁，请稍等片刻再试"),
    "user_code_wrong": N_("代码不正确或已失效，请核对设备上显示的代码"),
    "user_code_locked": NN_("代码连续错误5次，请于 %(minutes)s 分钟后再试"),
    "device_gone": N_("设备上的代码已失效，请在设备上重新发起登录"),
    "interaction_gone": N_("本次登录请求已失效，请返回应用重新发起登录"),
    # Numbers and names of persons (P1, P2, P5)
    "document_refused": N_("证件号码有误，请核对后重新填写"),
    "document_has_spaces": N_("证件号码中间不能有空格"),
    "document_full_width": N_("证件号码请用半角数字和字母填写"),
    "document_format": N_("证件号码与所选证件类型的格式不符"),
    "document_check_digit": N_("证件号码有误（校验位不符），请核对"),
    "document_birth_date": N_("证件号码中的出生日期有误，请核对"),
    "person_name_refused": N_("姓名有误，请核对后重新填写"),
    "person_name_length": N_("姓名应为 2–50 个字"),
    "person_name_has_spaces": N_("中文姓名中间不能有空格"),
    "person_name_characters": N_("姓名请与证件一致，用汉字或拉丁字母填写，间隔号用“·”"),
    "login_name_format": N_("用户名应为 5–20 位字母、数字或下划线，并以字母开头"),
    "phone_refused": N_("手机号有误，请核对后重新填写"),
    "phone_full_width": N_("手机号请用半角数字填写"),
    "phone_format": N_("手机号格式有误，请核对"),
    "phone_region": N_("仅支持内地（+86）、香港（+852）、澳门（+853）和台湾（+886）的手机号"),
    "phone_not_mobile": N_("该号码不是手机号，不能接收短信验证码"),
    "bank_card_refused": N_("银行卡号有误，请核对后重新填写"),
    "bank_card_format": N_("银行卡号应为 13–19 位数字"),
    "bank_card_check_digit": N_("银行卡号有误（校验位不符），请核对"),
    # Numbers and names of units (U3)
    "uscc_has_spaces": N_("统一社会信用代码前后和中间都不能有空格"),
    "uscc_full_width": N_("统一社会信用代码请用半角数字和字母填写"),
    "uscc_length": N_("统一社会信用代码应为 18 位，当前为 %(length)s 位"),
    "uscc_characters": N_("统一社会信用代码含有不允许的字符，请核对"),
    "uscc_check_digit": N_("统一社会信用代码有误（校验位不符），请核对"),
    "org_code_has_spaces": N_("组织机构代码前后和中间都不能有空格"),
    "org_code_full_width": N_("组织机构代码请用半角数字和字母填写"),
    "org_code_length": N_("组织机构代码应为 9 位（第九位“-”请省略），当前为 %(length)s 位"),
    "org_code_characters": N_("组织机构代码含有不允许的字符，请核对"),
    "org_code_check_digit": N_("组织机构代码有误（校验位不符），请核对"),
    "unit_name_refused": N_("单位名称有误，请核对后重新填写"),
    "unit_name_length": N_("单位名称应为 2–100 个字"),
    "unit_name_has_spaces": N_("单位名称中间不能有空格"),
    "unit_name_characters": N_("单位名称含有不允许的字符，请与执照一致"),
    # Registration (P1–P4)
    "person_data_refused": N_("填写的信息有误，请检查"),
    "document_taken": N_("自然人证件号码已被使用"),
    "phone_taken": N_("手机号已被占用"),
    "login_name_taken": N_("用户名已被使用"),
    "draft_gone": N_("填写的内容已过期，请重新开始"),
    # SMS codes (DESIGN 8)
    "sms_code_too_soon": NN_("验证码发送过于频繁，请于 %(seconds)s 秒后重新获取"),
    "sms_code_quota": N_("获取验证码的次数已达上限，请 24 小时后再试"),
    "sms_code_wrong": NN_("短信验证码错误，还可尝试 %(left)s 次"),
    "sms_code_invalid": N_("短信验证码已失效，请重新获取"),
    # Sign-in (P8, P9, U6)
    "wrong_credentials": NN_("用户名或密码错误，还可尝试 %(left)s 次"),
    "too_many_failures": NN_("密码连续错误5次，账号已被锁定1小时，请于 %(minutes)s 分钟后再试"),
    "account_locked": N_("账号已被管理员锁定，如有疑问请拨打政务服务热线 12345 或到服务窗口咨询"),
    "unit_account_not_taken": N_("该应用不接受单位账号登录，请用经办人的个人账号登录"),
    # Further factors, and signing in without a password (P8, F6)
    "session_over": N_("登录已失效，请重新登录"),
    "fresh_login_needed": N_("请重新登录后再修改登录安全设置"),
    "second_factor_needed": N_("请先用两种方式验证身份，再修改登录安全设置"),
    "password_there": N_("您的账号已设置密码，无需再次设置"),
    "last_way_in": N_("这是您唯一的登录方式，不能移除"),
    "factor_locked": NN_("验证码连续错误5次，请于 %(minutes)s 分钟后再试"),
    "factor_code_wrong": NN_("动态验证码错误或已使用，还可尝试 %(left)s 次"),
    "recovery_code_wrong": NN_("备用码错误或已使用，还可尝试 %(left)s 次"),
    "totp_confirmation_wrong": N_("动态验证码错误，请核对手机时间后，输入应用中最新的 6 位数字"),
    "totp_enrolled": N_("您已添加身份验证器，如需更换，请先移除原有的"),
    "factor_gone": N_("该验证方式已不存在，请刷新页面查看"),
    "nobody_with_phone": N_("该手机号没有可登录的个人账号，请核对手机号或先注册"),
    "passkey_refused": N_("通行密钥验证未通过，请重试或改用其他方式"),
    "passkey_known": N_("该设备上已有您的通行密钥"),
    "scan_gone": N_("二维码已失效，请在要登录的设备上刷新二维码后重新扫描"),
    "scan_taken": N_("二维码已被另一部手机扫描。如果不是您本人的手机，请不要继续，并在要登录的设备上刷新二维码"),
    "scan_number_wrong": NN_("数字不正确，请核对要登录的设备上显示的数字，还可尝试 %(left)s 次"),
    "too_many_passkeys": N_("通行密钥数量已达上限，请先移除不用的"),
    # Digital certificates (P8, U6)
    "certificate_unreadable": N_("未能读取证书，请提供完整的 PEM 或 DER 格式证书"),
    "certificate_private_key": N_(
        "您提交的内容含有私钥，本平台已将其丢弃。私钥不应离开您的设备，请更换该证书，并只提交证书和签名值"
    ),
    "certificate_signature_unreadable": N_("未能读取签名值，请提供 Base64 格式的签名值"),
    "certificate_signature_wrong": N_("签名值与证书不符，请用该证书对应的密钥对本页显示的内容重新签名"),
    "certificate_challenge_gone": N_("本次验证已失效、已使用过，或不是在当前浏览器发起的，请重新开始"),
    "certificate_absent": N_("浏览器没有出示证书。请插入 USB Key 或导入证书后重试，仍不出现证书选择框时请重启浏览器"),
    "certificate_peer_untrusted": N_("证书不是经本平台的安全网关出示的，登录已停止"),
    "certificate_expired": N_("该证书已过有效期，请到颁发机构更新证书"),
    "certificate_not_yet_valid": N_("该证书尚未到生效时间"),
    "certificate_revoked": N_("该证书已被颁发机构吊销，请到颁发机构更换证书"),
    "certificate_self_signed": N_("该证书是自行签发的，不能用于登录，请使用依法设立的电子认证机构颁发的证书"),
    "certificate_issuer_unknown": N_("本平台不接受该颁发机构的证书，请使用其他机构颁发的证书"),
    "certificate_usage": N_("该证书的用途不是身份验证，请选择签名证书，不要选择加密证书"),
    "certificate_weak": N_("该证书的密钥或签名算法强度不足，或不受支持，请到颁发机构更换证书"),
    "certificate_revocation_unknown": N_("暂时无法核验该证书是否已被吊销，请稍后重试，或使用其他方式登录"),
    "certificate_subject": N_("该证书没有可用的姓名和证件号码，不能用于登录，请使用实名证书"),
    "certificate_kind": N_("该证书与所选登录身份不符：个人证书请在“个人登录”使用，单位证书请在“单位登录”使用"),
    "certificate_holder_unknown": N_("该证书持有人在本平台还没有账号，请先注册"),
    "certificate_name_differs": N_("证书上的姓名或单位名称与账号登记的不一致，请先更新账号信息或更换证书"),
    "certificate_control_unproven": N_(
        "用该证件号码注册的账号尚未核验身份。请先用密码登录该账号，5 分钟内再用数字证书登录一次，即自动添加"
    ),
    "certificate_removed": N_(
        "该证书已从账号中移除。请先用其他方式登录该账号，5 分钟内再用数字证书登录一次，即重新添加"
    ),
    "certificate_of_another": N_("该证书不是当前账号持有人的证书"),
    "too_many_certificates": N_("数字证书数量已达上限，请先移除不用的"),
    # Registration of units (U1–U5, P13) their data (U16) and their real names (U14)
    "agent_mismatch": N_("用户名与证件号码不匹配，请核对经办人员的个人账号信息"),
    "agent_level_too_low": N_("当前账号实名等级不足，请至少提升至二级实名后重试"),
    "person_data_wrong": N_("[自然人用户信息]数据错误"),
    "unit_data_refused": N_("填写的信息有误，请检查"),
    "unit_number_taken": N_("单位证件号码已被使用[%(reference)s]"),
    "unit_number_quota": N_("今日查询单位证件号码的次数已达上限，请 24 小时后再试"),
    "region_incomplete": N_("请将单位所在地选择到最后一级"),
    "password_needed_again": N_("修改用户名或证件号码后，请重新设置密码"),
    "unit_unknown": N_("没有使用该证件号码的单位账号"),
    "unit_verified": N_("该单位已完成实名认证"),
    "nobody_to_tell": N_("该单位尚未绑定经办人员，无法发送短信"),
    "authorisation_code_malformed": N_("授权码应为 12 位字母和数字，不含 0、1、I、L、O，请核对"),
    "authorisation_code_wrong": NN_("授权码不正确、已使用或已失效，还可尝试 %(left)s 次"),
    "authorisation_code_locked": NN_("授权码连续错误5次，请于 %(minutes)s 分钟后再试"),
    "unit_name_fixed": N_("单位已实名认证，单位名称和法定代表人不能自行修改"),
    # Bindings and grants (U9–U13, P14)
    "person_not_found": N_("未查询到对应用户，请检查用户信息后重新发起绑定"),
    "already_bound": N_("该用户已绑定，或已有等待其确认的绑定请求"),
    "binding_gone": N_("该绑定已被处理或已解除，请刷新页面查看"),
    "common_contact_stays": N_("常用联系人须先设置新的常用联系人，方可取消绑定"),
    "common_contact_cannot_leave": N_("您是该单位的常用联系人，须由单位先设置新的常用联系人，方可退出"),
    "business_unknown": N_("该业务不存在或已停办，请重新选择"),
    "grant_gone": N_("该授权已收回或已到期，请刷新页面查看"),
    "nothing_to_ask_for": N_("没有可以申请的业务：单位已授权、正在处理您的申请，或刚刚拒绝了申请"),
    "too_many_grant_requests": N_("今日申请授权的次数已达上限，请 24 小时后再试"),
    "grant_request_gone": N_("该申请已被处理或已失效，请刷新页面查看"),
    "window_reversed": N_("结束日期不能早于开始日期"),
    "window_over": N_("结束日期已过，请重新选择"),
    "window_too_far": N_("日期过远，请重新选择"),
    "too_many_tries": N_("尝试次数过多，请 24 小时后再试"),
    "account_gone": N_("账号状态已改变，请刷新页面查看"),
    "choice_needed": N_("请选择要办理业务的单位或身份"),
    "choice_refused": N_("所选单位当前不能使用，请查看原因或重新选择"),
    # Authorization requests and logout requests of portals (DESIGN 3, F3, F5)
    "authorization_request_unreadable": N_("登录请求格式有误，请返回应用重新发起登录"),
    "client_unknown": N_("该应用未在本平台登记或已停用，为保护您的账号，登录已停止"),
    "request_uri_unknown": N_("这次登录请求已失效或已使用，请返回应用重新登录"),
    "redirect_uri_unknown": N_("该应用的返回地址未经登记，为保护您的账号，登录已停止。请联系该应用的管理人员"),
    "uscc_account_needed": N_("请使用统一社会信用代码注册的账号登录办理业务"),
    "logout_refused": N_("应用发来的退出请求有误，您尚未退出登录"),
    # The check of a legal representative's face, U18
    "representative_data_differs": N_("单位登记信息与市场监管法人库不一致，请先完善单位资料"),
    "representative_not_in_register": N_("市场监管法人库中没有该单位的登记信息，不能以法人实人认证的方式办理"),
    "representative_unknown": N_("市场监管法人库中没有法定代表人的证件信息，不能进行人脸核验"),
    "representative_quota": N_("今日法人实人认证次数已达上限，请 24 小时后再试，或由经办人员办理"),
    # The check by UnionPay, P6
    "unionpay_mismatch": N_("银联核验未通过：姓名、证件号码、银行卡号与预留手机号不一致，请核对后重试"),
    "unionpay_card_not_supported": N_("该银行卡不支持实名认证，请更换一张银行卡"),
    "unionpay_card_blocked": N_("该银行卡状态异常，请更换银行卡或联系发卡银行"),
    "unionpay_quota": N_("今日实名认证次数已达上限，请 24 小时后再试"),
    # Signing in with the province and its like (F1–F4, P7)
    "upstream_unavailable": N_("该登录方式暂时不可用，请稍后重试，或使用账号密码登录"),
    "upstream_refused": N_("对方平台返回的登录信息未能通过核验，本次登录已停止，请重新登录"),
    "upstream_account_disabled": N_("您在对方平台的账号已被停用，请联系对方平台处理，或使用账号密码登录"),
    "upstream_trip_gone": N_("本次登录已失效、已使用过，或不是在当前浏览器发起的，请重新登录"),
    "upstream_given_up": N_("您已取消登录，或对方平台未能完成登录"),
    "upstream_kind_refused": N_("该登录方式不支持此类账号，请更换账号或登录方式"),
    "upstream_not_real_named": N_("您在对方平台的账号尚未实名核验，请先在对方平台完成核验后再登录"),
    "upstream_identity_changed": N_(
        "对方平台的身份信息与本平台登记的不一致，请到服务窗口核对，或拨打政务服务热线 12345"
    ),
    "upstream_phone_missing": N_("您在对方平台的账号没有可用的手机号，请先在对方平台补充后再登录"),
    "upstream_org_code": N_("请使用统一社会信用代码注册的账号登录办理业务"),
    "upstream_link_gone": N_("该关联已解除，请刷新页面查看"),
    "upstream_proof_needed": N_("该账号已实名认证，请用其密码登录，或通过账号找回取得"),
    # What administrators of the provider read
    "client_metadata_invalid": N_("应用的登记信息有误：%(what)s"),
    "client_taken": N_("该应用标识已被使用"),
    "next_key_too_young": N_("下一把签名密钥发布时间不足，尚不能启用"),
    "unknown_algorithm": N_("不支持该签名算法"),
}

_COUNTED = {
    "sms_code_too_soon": "seconds",
    "sms_code_wrong": "left",
    "wrong_credentials": "left",
    "too_many_failures": "minutes",
    "user_code_locked": "minutes",
    "factor_locked": "minutes",
    "factor_code_wrong": "left",
    "recovery_code_wrong": "left",
    "authorisation_code_wrong": "left",
    "authorisation_code_locked": "minutes",
}
"""The fact that chooses between singular and plural."""

_PASSWORD_POINTS: dict[PasswordPoint, str] = {
    PasswordPoint.TOO_SHORT: N_("密码不能少于 %(min_length)s 位"),
    PasswordPoint.TOO_LONG: N_("密码不能超过 %(max_length)s 位"),
    PasswordPoint.NO_UPPER: N_("密码须含大写字母"),
    PasswordPoint.NO_LOWER: N_("密码须含小写字母"),
    PasswordPoint.NO_DIGIT: N_("密码须含数字"),
    PasswordPoint.TOO_FEW_KINDS: N_("密码须含大写字母、小写字母、数字、符号中的至少三种"),
    PasswordPoint.CONTROL_CHARACTERS: N_("密码含有不可见的字符"),
    PasswordPoint.RUN: N_("密码不能有超过 %(longest_run)s 个键盘相邻或连续的字符（如 asdfg、12345）"),
    PasswordPoint.HAS_LOGIN_NAME: N_("密码不能含有用户名"),
    PasswordPoint.HAS_PHONE: N_("密码不能含有手机号"),
    PasswordPoint.HAS_DOCUMENT_NUMBER: N_("密码不能含有证件号码"),
}

_GATEWAYS: dict[str, str] = {
    "sms": N_("短信服务暂时不可用，请稍后重试"),
    "unionpay": N_("银联核验服务暂时不可用，您填写的内容已保留，请稍后重试"),
    "company_register": N_("市场监管法人库暂时不可用，请稍后重试"),
    "face_check": N_("人脸核验服务暂时不可用，请稍后重试"),
}


_REFUSED_BY: dict[str, str] = {
    "sms": N_("短信无法发送到该手机号，请核对手机号或更换手机号"),
    "unionpay": N_("银联未受理此次核验，请核对银行卡号或更换银行卡"),
    "company_register": N_("市场监管法人库未受理此次查询，请核对后重试"),
    "face_check": N_("人脸核验服务未受理此次核验，请由经办人员办理，或到服务窗口咨询"),
}

_ANY_GATEWAY = N_("相关服务暂时不可用，请稍后重试")


def _password(error: DomainError) -> str:
    """List every point that the password breaks (P3)."""
    assert isinstance(error, PasswordRefused)  # noqa: S101 - `_COMPOSED` sends no other
    return str(gettext("；")).join(str(gettext(_PASSWORD_POINTS[point], **error.facts)) for point in error.points)


def _other_kind(error: DomainError) -> str:
    kind: PersonDocument = error.facts["kind"]
    return str(gettext("该号码是%(kind)s的号码，请改选证件类型", kind=gettext(PERSON_DOCUMENTS[kind])))


def _gateway(error: DomainError) -> str:
    if error.code in SENTENCES:  # an upstream: an operator names it
        return str(gettext(SENTENCES[error.code]))
    if isinstance(error, GatewayRefused):
        return str(gettext(_REFUSED_BY.get(error.gateway, _ANY_GATEWAY)))
    return str(gettext(_GATEWAYS.get(error.facts["gateway"], _ANY_GATEWAY)))


_COMPOSED: dict[type[DomainError], Callable[[DomainError], str]] = {
    PasswordRefused: _password,
    DocumentOtherKind: _other_kind,
    GatewayError: _gateway,
}


def sentence(error: DomainError) -> str:
    """Return what a user reads about `error`, in the language of the request."""
    for kind, compose in _COMPOSED.items():
        if isinstance(error, kind):
            return compose(error)
    text = SENTENCES.get(error.code, SENTENCES["error"])
    if error.code in _COUNTED:
        return str(ngettext(text, text, error.facts[_COUNTED[error.code]], **error.facts))
    return str(gettext(text, **error.facts))
