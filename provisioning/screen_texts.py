"""What the screen says, in English and Vietnamese. Names of steps and states are the tool's own and stay in --json."""

import os
from collections.abc import Mapping

STEPS: Mapping[str, tuple[str, str]] = {
    "wait": ("Wait for a board", "Chờ cắm bo mạch"),
    "detect": ("Detect the chip", "Nhận dạng chip"),
    "read": ("Read what is there", "Đọc dữ liệu đang có"),
    "firmware": ("Make the firmware", "Tạo phần mềm đèn"),
    "backup": ("Keep the old identity", "Giữ danh tính cũ"),
    "erase": ("Erase", "Xoá"),
    "base": ("Write the base image", "Ghi tệp nền"),
    "files": ("Write the firmware", "Ghi phần mềm đèn"),
    "identity": ("Write the identity", "Ghi danh tính"),
    "verify": ("Read back and compare", "Đọc lại và so sánh"),
    "boot": ("Start the board", "Khởi động bo mạch"),
    "self_test": ("Self-test", "Tự kiểm tra"),
    "enrol": ("Enrol with the backend", "Đăng ký với máy chủ"),
    "seal": ("Seal", "Niêm phong"),
    "label": ("Label", "In nhãn"),
    "journal": ("Journal", "Ghi nhật ký"),
    "run": ("This board", "Bo mạch này"),
}
WORDS: Mapping[str, tuple[str, str]] = {
    "good": ("GOOD: this lamp may be mounted.", "TỐT: có thể lắp đèn này lên cột."),
    "wiped": ("WIPED: this board is nobody's lamp any more.", "ĐÃ XOÁ: bo mạch này không còn là đèn của ai."),
    "bad": ("NOT GOOD: do not mount this board.", "CHƯA ĐẠT: không lắp bo mạch này."),
    "code": ("code", "mã lỗi"),
    "skipped": ("not needed", "không cần"),
    "swap": ("done, swap the board", "xong, hãy thay bo mạch"),
    "waiting": ("plug in a board", "hãy cắm bo mạch"),
    "keep_apart": ("failed, put it aside", "lỗi, để sang một bên"),
    "no_work": ("no lamp of the manifest is left for it", "danh sách không còn đèn nào cho nó"),
    "nothing_burnt": ("Nothing was burnt.", "Chưa đốt eFuse nào."),
    "type_mac": ("This cannot be undone. To burn, type", "Không thể hoàn tác. Để đốt eFuse, hãy gõ"),
    "of": ("of", "trên"),
    "finished": ("finished", "đã xong"),
    "failed": ("failed", "lỗi"),
}


def language_of(given: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """ "en" or "vi": what --language says, else the first locale variable that is set, else English."""
    if given:
        return "vi" if given.lower().startswith("vi") else "en"
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "vi" if value.lower().startswith("vi") else "en"
    return "en"


def step(name: str, language: str) -> str:
    """The title of a step; a name without one is shown as it is."""
    en, vi = STEPS.get(name, (name, name))
    return vi if language == "vi" else en


def word(name: str, language: str) -> str:
    en, vi = WORDS[name]
    return vi if language == "vi" else en
