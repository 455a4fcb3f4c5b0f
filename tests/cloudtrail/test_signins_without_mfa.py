"""signins_without_mfa.sql on both engines, against the records."""

from collections import Counter
from pathlib import Path

from cloudtrail.sample_records import day, kind, on_athena, on_duckdb, records, texts, who


def expected() -> list[list[str]]:
    count: Counter[tuple[str, str, str, str]] = Counter()
    for record in records():
        if record.get("eventName") != "ConsoleLogin":
            continue
        result = record["responseElements"]
        used = record.get("additionalEventData", {}).get("MFAUsed", "No")
        if result == {"ConsoleLogin": "Success"} and used == "No":
            own = kind(record) in ("IAMUser", "Root")
            verdict = "no MFA" if own else "ask the identity provider"
            count[day(record), who(record), record.get("sourceIPAddress", ""), verdict] += 1
    rows = sorted(
        ((*key, n) for key, n in count.items()),
        key=lambda r: (r[3] == "ask the identity provider", r[:3]),
    )
    return texts(rows)


def test_duckdb_finds_who_was_not_asked(tmp_path: Path) -> None:
    found = on_duckdb("signins_without_mfa.sql", tmp_path)
    assert found == expected()
    assert [row[:4] for row in found if row[3] == "no MFA"] == [
        ["2026-10-05", "user/ken", "192.0.2.10", "no MFA"],
        ["2026-10-09", "team/ken", "", "no MFA"],  # its event does not say whether MFA was used
        ["2026-10-14", "root", "198.51.100.23", "no MFA"],
        ["2026-10-21", "user/ken", "198.51.100.23", "no MFA"],
    ]


def test_of_federated_sign_ins_the_verdict_is_left_to_their_provider(tmp_path: Path) -> None:
    federated = [row for row in on_duckdb("signins_without_mfa.sql", tmp_path) if "/" in row[1]]
    named = {row[1]: row[3] for row in federated}
    assert named["AWSReservedSSO_ML_EXAMPLE/mei@example.com"] == "ask the identity provider"
    assert named["Auditor/rio@example.com"] == "ask the identity provider"
    assert named["federated/x"] == "ask the identity provider"


def test_a_user_of_identity_center_is_named(tmp_path: Path) -> None:
    named = {row[1]: row[3] for row in on_duckdb("signins_without_mfa.sql", tmp_path)}
    assert named["center-user-1"] == "ask the identity provider"


def test_failures_and_sign_ins_with_mfa_are_left_out(tmp_path: Path) -> None:
    found = on_duckdb("signins_without_mfa.sql", tmp_path)
    assert not [row for row in found if row[1] in ("user/aiko", "Root")]
    assert sum(int(row[4]) for row in found) == 13


def test_athena_finds_the_same(lab: None) -> None:
    assert on_athena("signins_without_mfa.sql") == expected()
