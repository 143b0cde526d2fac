"""Every way a run can end badly: a stable name, an exit status, and what a person does about it in both languages.

The first sentence says what is so, the rest what to do. A name or an exit status that was ever given is never given
again to something else: scripts and people's notes hold on to them. docs/technician.md prints this table.

Exit statuses: 3 the tool itself, 10 port and chip, 20 files that are written, 30 the board, 40 and 59 the backend, 50
the manifest, 60 records of this computer, 70 eFuses, 130 interrupted (as a shell calls it). 0 is good, 1 a bug, 2 a
command line that is wrong.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """`name` stands in JSON, journal and summary; `exit_status` is 3..130; `en` and `vi` are the advice."""

    name: str
    exit_status: int
    en: str
    vi: str

    def advice(self, language: str) -> str:
        """The advice in `language` ("en", "vi"); English for every other."""
        return self.vi if language == "vi" else self.en


_ROWS = (
    Code(
        "tool_failed",
        3,
        "The tool itself failed. Run the same command again; if it fails again, send what it printed to your office.",
        "Chính công cụ bị lỗi. Hãy chạy lại đúng lệnh đó; nếu vẫn lỗi, gửi phần đã in ra về văn phòng.",
    ),
    Code(
        "no_board",
        10,
        "No board is plugged in. Use a cable that carries data, not only power; then `streetlight provision doctor`.",
        "Chưa cắm bo mạch nào. Hãy dùng cáp có truyền dữ liệu, không chỉ cấp nguồn, rồi chạy "
        "`streetlight provision doctor`.",
    ),
    Code(
        "several_boards",
        11,
        "More than one board is plugged in. Name one with --port, or do them all with `streetlight provision batch`.",
        "Có nhiều bo mạch đang cắm. Hãy chọn một bằng --port, hoặc làm tất cả bằng `streetlight provision batch`.",
    ),
    Code(
        "port_busy",
        12,
        "Another program holds the port. Close the serial monitor or the other technician's run, then try again.",
        "Cổng đang bị chương trình khác giữ. Hãy đóng cửa sổ theo dõi cổng nối tiếp hoặc lượt chạy khác, rồi thử lại.",
    ),
    Code(
        "port_denied",
        13,
        "You may not open the port. Join the group that owns it: `streetlight provision doctor` prints the command.",
        "Bạn không có quyền mở cổng. Hãy vào nhóm sở hữu cổng: `streetlight provision doctor` in ra lệnh cần chạy.",
    ),
    Code(
        "no_sync",
        14,
        "The chip does not answer. Hold BOOT, press EN (reset) once, let BOOT go and try again; then another cable.",
        "Chip không trả lời. Hãy giữ nút BOOT, bấm EN (reset) một lần, nhả BOOT rồi thử lại; sau đó thử cáp khác.",
    ),
    Code(
        "wrong_chip",
        15,
        "This chip is not one that was asked for. Put the board aside, or name its chip and its base image.",
        "Chip này không phải loại được yêu cầu. Hãy để bo mạch sang một bên, hoặc chọn đúng chip và tệp nền của nó.",
    ),
    Code(
        "already_sealed",
        16,
        "This board is a finished lamp. Check it with `streetlight provision verify`; to make another of it, wipe it.",
        "Bo mạch này đã là một đèn hoàn chỉnh. Kiểm tra bằng `streetlight provision verify`; muốn làm lại thì xoá.",
    ),
    Code(
        "secured",
        17,
        "This chip is locked for good and takes no new firmware over USB. Put it aside; it can only be replaced.",
        "Chip này đã bị khoá vĩnh viễn, không nạp được qua USB. Hãy để sang một bên; chỉ có thể thay bo mạch khác.",
    ),
    Code(
        "wrong_flash_size",
        18,
        "The flash memory is smaller than the firmware needs, or is not what it says. Use a board with 4 MB or more.",
        "Bộ nhớ flash nhỏ hơn mức cần, hoặc không đúng như nó khai. Hãy dùng bo mạch có từ 4 MB trở lên.",
    ),
    Code(
        "unplugged",
        19,
        "The board went away during the work. Plug it in again and run the same command: it goes on where it can.",
        "Bo mạch bị rút trong lúc làm việc. Hãy cắm lại và chạy đúng lệnh đó: công việc sẽ được tiếp tục.",
    ),
    Code(
        "base_unknown",
        20,
        "The base image is not one that this tool knows. Give its SHA-256 from the page you got it from with "
        "--base-sha256.",
        "Công cụ không biết tệp nền này. Hãy đưa mã SHA-256 của nó, lấy từ trang tải về, bằng --base-sha256.",
    ),
    Code(
        "base_damaged",
        21,
        "The base image is damaged, cut short or not the one you named. Download it again and compare its SHA-256.",
        "Tệp nền bị hỏng, bị cụt hoặc không phải tệp đã chọn. Hãy tải lại và so mã SHA-256.",
    ),
    Code(
        "base_wrong_chip",
        22,
        "The base image is for another chip. Take the one for the chip that is named here.",
        "Tệp nền dành cho chip khác. Hãy lấy tệp dành cho chip được nêu ở đây.",
    ),
    Code(
        "base_overlaps",
        23,
        "Parts of the base image or of its partition table overlap. Use an image as it was published, unchanged.",
        "Các phần của tệp nền hoặc bảng phân vùng chồng lên nhau. Hãy dùng tệp nguyên gốc như đã phát hành.",
    ),
    Code(
        "firmware_too_big",
        24,
        "The firmware does not fit into this base image's file system. Use a base image with a larger one.",
        "Phần mềm đèn không vừa vùng tệp của tệp nền này. Hãy dùng tệp nền có vùng tệp lớn hơn.",
    ),
    Code(
        "tool_missing",
        25,
        "A part of this tool is not installed. Run `pip install 'streetlight[provisioning]'`.",
        "Công cụ thiếu một thành phần. Hãy chạy `pip install 'streetlight[provisioning]'`.",
    ),
    Code(
        "base_too_old",
        26,
        "The base image holds a MicroPython that cannot run this firmware. Take version 1.24 or newer.",
        "MicroPython trong tệp nền quá cũ, không chạy được phần mềm đèn. Hãy dùng phiên bản 1.24 trở lên.",
    ),
    Code(
        "write_failed",
        30,
        "The chip did not take what was written. Run the same command again; twice in a row: put the board aside.",
        "Chip không nhận dữ liệu ghi. Hãy chạy lại đúng lệnh đó; nếu hai lần liền đều lỗi, để bo mạch sang một bên.",
    ),
    Code(
        "verify_failed",
        31,
        "What was read back differs from what was written. Run the command again; twice in a row: the flash is worn.",
        "Dữ liệu đọc lại khác dữ liệu đã ghi. Hãy chạy lại; nếu hai lần liền đều lỗi thì bộ nhớ flash đã hỏng.",
    ),
    Code(
        "no_boot",
        32,
        "The board does not start. Press EN (reset) and run the command again; then check the base image.",
        "Bo mạch không khởi động. Hãy bấm EN (reset) và chạy lại lệnh; sau đó kiểm tra tệp nền.",
    ),
    Code(
        "firmware_mismatch",
        33,
        "The board holds other firmware than this tool writes. Run `streetlight provision` to write it anew.",
        "Phần mềm trên bo mạch khác với phần mềm của công cụ. Hãy chạy `streetlight provision` để ghi lại.",
    ),
    Code(
        "self_test_failed",
        34,
        "The board failed its own test. Mend what is named (wiring, meter, relay, photocell, antenna) and run again.",
        "Bo mạch không qua bài tự kiểm tra. Hãy sửa phần được nêu (dây, đo điện, rơ-le, cảm biến sáng, ăng-ten) rồi "
        "chạy lại.",
    ),
    Code(
        "memory_low",
        35,
        "The board has too little memory left to run for years. Put it aside and report this; do not mount it.",
        "Bo mạch còn quá ít bộ nhớ để chạy nhiều năm. Hãy để sang một bên và báo lại; không lắp lên cột.",
    ),
    Code(
        "identity_invalid",
        36,
        "The identity of the lamp cannot be used. Correct the value that is named here and run again.",
        "Thông tin danh tính của đèn không dùng được. Hãy sửa giá trị được nêu ở đây rồi chạy lại.",
    ),
    Code(
        "not_provisioned",
        37,
        "This board is not a finished lamp. Run `streetlight provision` with it before it is mounted.",
        "Bo mạch này chưa phải đèn hoàn chỉnh. Hãy chạy `streetlight provision` trước khi lắp lên cột.",
    ),
    Code(
        "backend_down",
        40,
        "The backend cannot be reached. Check the network and --backend; without a network use --offline.",
        "Không tới được máy chủ. Hãy kiểm tra mạng và --backend; nếu không có mạng, dùng --offline.",
    ),
    Code(
        "backend_slow",
        41,
        "The backend did not answer in time. Run the same command again: what it may have done is not done twice.",
        "Máy chủ không trả lời kịp. Hãy chạy lại đúng lệnh đó: việc đã làm sẽ không bị làm hai lần.",
    ),
    Code(
        "token_refused",
        42,
        "The backend does not accept your token: it is missing, wrong or over. Ask for a new one and log in with it.",
        "Máy chủ không nhận mã truy cập: thiếu, sai hoặc đã hết hạn. Hãy xin mã mới rồi đăng nhập lại.",
    ),
    Code(
        "token_scope",
        43,
        "Your token does not allow this. It is for another city, or no technician's token: ask for the right one.",
        "Mã truy cập không cho phép việc này: của thành phố khác hoặc không phải của kỹ thuật viên. Hãy xin mã đúng.",
    ),
    Code(
        "lamp_known",
        44,
        "The backend already has this lamp with other keys. Check the label; if this board shall take over, --replace.",
        "Máy chủ đã có đèn này với khoá khác. Hãy kiểm tra nhãn; nếu bo mạch này thay thế nó, dùng --replace.",
    ),
    Code(
        "mac_known",
        45,
        "This board already has an identity in the journal or the manifest. Use that one, or add --replace on purpose.",
        "Bo mạch này đã có danh tính trong nhật ký hoặc danh sách. Hãy dùng danh tính đó, hoặc cố ý thêm --replace.",
    ),
    Code(
        "serial_used",
        46,
        "This serial was used for another board. Read it from the plate again, or take the next free one.",
        "Số sê-ri này đã dùng cho bo mạch khác. Hãy đọc lại trên nhãn máy, hoặc lấy số chưa dùng tiếp theo.",
    ),
    Code(
        "enrolment_refused",
        47,
        "The backend refuses what it was told of this lamp. Correct the field that is named here and run again.",
        "Máy chủ từ chối thông tin của đèn này. Hãy sửa trường được nêu ở đây rồi chạy lại.",
    ),
    Code(
        "backend_failed",
        48,
        "The backend had a fault of its own, or is not a Streetlight backend. Check --backend, or try in some minutes.",
        "Máy chủ gặp lỗi, hoặc không phải máy chủ Streetlight. Hãy kiểm tra --backend, hoặc thử lại sau vài phút.",
    ),
    Code(
        "not_logged_in",
        49,
        "This computer does not know the backend yet. While online: `streetlight provision login --backend URL`.",
        "Máy này chưa biết máy chủ. Khi có mạng, hãy chạy `streetlight provision login --backend URL`.",
    ),
    Code(
        "backend_open",
        59,
        "Keys never travel over plain http. Give the backend's https address; only this computer itself may be http.",
        "Khoá không bao giờ được gửi qua http thường. Hãy dùng địa chỉ https của máy chủ; http chỉ cho chính máy này.",
    ),
    Code(
        "manifest_invalid",
        50,
        "The manifest has errors, and no board was touched. Correct the lines that are named and run again.",
        "Danh sách có lỗi, chưa bo mạch nào bị động tới. Hãy sửa các dòng được nêu rồi chạy lại.",
    ),
    Code(
        "batch_incomplete",
        51,
        "Not every board of the batch is done. The summary names them; run the same command again to finish them.",
        "Chưa xong hết bo mạch trong lô. Bản tổng kết nêu tên chúng; hãy chạy lại đúng lệnh đó để làm nốt.",
    ),
    Code(
        "disk_full",
        60,
        "The disk of this computer is full. Free some space and run the same command again; no board was spoilt.",
        "Ổ đĩa của máy này đã đầy. Hãy giải phóng chỗ trống rồi chạy lại lệnh; không bo mạch nào bị hỏng.",
    ),
    Code(
        "ledger_damaged",
        61,
        "The ledger was changed or belongs to another computer or backend. Keep the file, and send it to your office.",
        "Sổ ngoại tuyến bị sửa, hoặc thuộc máy hay máy chủ khác. Hãy giữ nguyên tệp và gửi về văn phòng.",
    ),
    Code(
        "journal_broken",
        62,
        "The journal was changed since it was written. Keep the file, start with a new folder, and tell your office.",
        "Nhật ký đã bị sửa sau khi ghi. Hãy giữ nguyên tệp, bắt đầu thư mục mới và báo cho văn phòng.",
    ),
    Code(
        "folder_denied",
        63,
        "A file of this computer cannot be read or written. Correct its owner or its rights, or name another place.",
        "Không đọc hoặc ghi được một tệp trên máy này. Hãy sửa chủ sở hữu hoặc quyền, hoặc chọn nơi khác.",
    ),
    Code(
        "record_busy",
        64,
        "Another run on this computer holds the records. Wait until it is done, then try again.",
        "Một lượt chạy khác trên máy này đang giữ sổ sách. Hãy đợi nó xong rồi thử lại.",
    ),
    Code(
        "secure_refused",
        70,
        "Nothing was burnt. Do first what is named here: eFuses cannot be undone.",
        "Chưa đốt eFuse nào. Hãy làm trước điều được nêu ở đây: eFuse không thể hoàn tác.",
    ),
    Code(
        "secure_failed",
        71,
        "The eFuses do not read as they should after burning. Put this board aside and mark it; do not mount it.",
        "Đọc lại eFuse không đúng như đã đốt. Hãy để bo mạch sang một bên và đánh dấu; không lắp lên cột.",
    ),
    Code(
        "interrupted",
        130,
        "You stopped the run. The board is not finished: run the same command again before it is mounted.",
        "Bạn đã dừng lượt chạy. Bo mạch chưa xong: hãy chạy lại đúng lệnh đó trước khi lắp lên cột.",
    ),
)

ALL: dict[str, Code] = {row.name: row for row in _ROWS}
