"""What the source's writer tells of itself and of its binlog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.preflight.rules import Rule, Verdict, blocking, counted, fine, note, warning

if TYPE_CHECKING:
    from kuroshio.aurora.preflight.rules import Case


def _server(name: str, case: Case) -> Verdict:
    writer = case.cluster.writer
    if not name:
        return warning(
            "the server tells no name of an Aurora instance, so that it is this cluster rests on its endpoint alone",
            "In the lab this is so; on AWS look at the endpoint again.",
        )
    if writer is not None and name == writer.name:
        return fine(f"the server is {name}, the writer of {case.request.source}")
    if name in {each.name for each in case.cluster.members}:
        return blocking(f"the server is {name}, a reader of {case.request.source}", "Use the cluster's own endpoint.")
    return blocking(
        f"the server is {name}, which is no instance of {case.request.source}: it is another cluster",
        "Look at the endpoint and its name in DNS. Nothing was changed.",
        [name],
    )


def _writable(is_writable: bool, _case: Case) -> Verdict:  # noqa: FBT001 - rules take a fact
    if is_writable:
        return fine("the server takes writes")
    return blocking("the server takes no writes: it is a reader", "Use the cluster's own endpoint, that of the writer.")


def _user(user: str, case: Case) -> Verdict:
    name, master = user.partition("@")[0], case.cluster.master_user
    if not master or name == master:
        return fine(f"the login is {name}, the master user")
    return blocking(
        f"the login is {name}, and only the master user {master} may call the procedures of replication",
        "Give the secret of the master user.",
        [name],
    )


def _tls(cipher: str, _case: Case) -> Verdict:
    if cipher:
        return fine(f"the connection is encrypted ({cipher}) and the server's certificate was verified")
    return blocking("the connection is not encrypted", "Switch TLS on: passwords and rows would pass in the clear.")


def _log_bin(is_on: bool, case: Case) -> Verdict:  # noqa: FBT001
    if is_on:
        return fine("the binlog is on")
    members = [each.name for each in case.cluster.members]
    return warning(
        "the binlog is off; switching it on restarts the writer and with it every reader: " + ", ".join(members),
        "It is switched on after an approval. Make no clone before: its event would tell no position, or a stale one.",
        members,
    )


def _format(value: str, case: Case) -> Verdict:
    if value == "ROW":
        return fine("the binlog has rows")
    if case.facts.sql.log_bin is False:
        return note(f"binlog_format is {value}; it becomes ROW with the binlog")
    return warning(
        f"binlog_format is {value}: statements can do another thing on the clone, and delta verification falls back to "
        "whole tables",
        "It becomes ROW after an approval, with a restart.",
    )


def _image(value: str, _case: Case) -> Verdict:
    if value == "FULL":
        return fine("the binlog has whole rows")
    return warning(
        f"binlog_row_image is {value}: changes tell only a part of each row, so less can be verified from them",
        "Aurora lets nobody set it for the cluster; look at what sets it in sessions.",
    )


def _checksum(value: str, _case: Case) -> Verdict:
    if value.upper() == "NONE":
        return warning("events of the binlog have no checksum", "Set binlog_checksum to CRC32 on the source.")
    return fine(f"events of the binlog have a checksum ({value})")


def _enhanced(is_active: bool, _case: Case) -> Verdict:  # noqa: FBT001
    if not is_active:
        return fine("enhanced binlog is off")
    return blocking(
        "enhanced binlog is on: a clone has none of its files and begins at 000001 again, so its position may be its own",
        "Switch aurora_enhanced_binlog off with a restart.",
    )


def _retention(hours: int, case: Case) -> Verdict:
    wanted = case.request.retention_hours
    if hours >= wanted:
        return fine(f"binlogs are kept for {hours:,} hours; {wanted:,} are asked for")
    kept = f"for {hours:,} hours" if hours else "until RDS purges them, which may be at once"
    return note(f"binlogs are kept {kept}; it becomes {wanted:,} hours and goes back at clean-up")


def _gtid(mode: str, _case: Case) -> Verdict:
    if mode in ("", "OFF", "OFF_PERMISSIVE"):
        return fine("positions are by file: GTIDs are off or permitted")
    return note(
        f"gtid_mode is {mode}; the clone follows by file and position nevertheless",
        "OFF_PERMISSIVE suits a clone that follows by position.",
    )


def _follows(sources: tuple[str, ...], _case: Case) -> Verdict:
    if not sources:
        return fine("the source follows no other server")
    return blocking(
        f"the source itself follows {' and '.join(sources)}: those writes would go on when its own are stopped to cut over",
        "Clone the server that is written to, or end that replication first.",
        sources,
    )


def _replicas(replicas: tuple[str, ...], _case: Case) -> Verdict:
    if not replicas:
        return fine("nobody else reads the binlog")
    return warning(
        f"{counted(replicas, 'other reader')} of the binlog: {', '.join(replicas)}",
        "They go on with the old source after a cut-over, unless somebody points them elsewhere.",
        replicas,
    )


def _filters(filters: tuple[str, ...], _case: Case) -> Verdict:
    if not filters:
        return fine("nothing is filtered out of the binlog")
    return blocking(
        f"the source filters its binlog: {', '.join(filters)}",
        "Take the filters away, or the clone lacks what they leave out and every verification of it differs.",
        filters,
    )


BINLOG_RULES = (
    Rule("server", "which server answers", lambda case: case.facts.sql.server_name, _server, is_final=True),
    Rule("writer", "whether the server is the writer", lambda case: case.facts.sql.is_writable, _writable),
    Rule("login", "who we are on the server", lambda case: case.facts.sql.user, _user),
    Rule("tls", "whether the connection is encrypted", lambda case: case.facts.sql.cipher, _tls),
    Rule("log-bin", "whether the binlog is on", lambda case: case.facts.sql.log_bin, _log_bin),
    Rule("binlog-format", "binlog_format", lambda case: case.facts.sql.binlog_format, _format),
    Rule("row-image", "binlog_row_image", lambda case: case.facts.sql.row_image, _image),
    Rule("checksum", "binlog_checksum", lambda case: case.facts.sql.checksum, _checksum),
    Rule("enhanced-binlog", "whether enhanced binlog is on", lambda case: case.facts.sql.enhanced, _enhanced),
    Rule("retention", "how long binlogs are kept", lambda case: case.facts.sql.retention_hours, _retention),
    Rule("gtid", "gtid_mode", lambda case: case.facts.sql.gtid_mode, _gtid),
    Rule("follows", "whether the source follows another", lambda case: case.facts.sql.follows, _follows),
    Rule("replicas", "who reads the binlog", lambda case: case.facts.sql.replicas, _replicas),
    Rule("filters", "the filters of the binlog", lambda case: case.facts.sql.filters, _filters),
)
