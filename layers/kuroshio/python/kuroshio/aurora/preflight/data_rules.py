"""What lies in the source's databases, and what goes on there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.preflight.rules import Rule, Verdict, blocking, counted, fine, note, warning

if TYPE_CHECKING:
    from kuroshio.aurora.preflight.facts import Transaction
    from kuroshio.aurora.preflight.rules import Case

LONG_S = 60  # of a transaction that a clone or a cut-over would wait for


def _keys(tables: tuple[str, ...], _case: Case) -> Verdict:
    if not tables:
        return fine("every table has a primary key")
    return warning(
        f"{counted(tables, 'table has', 'tables have')} no primary key that finds a row: each change there is looked for in "
        "the whole table by the clone, and such a table is verified only as a whole",
        "Give them a primary key.",
        tables,
    )


def _engines(tables: tuple[str, ...], _case: Case) -> Verdict:
    if not tables:
        return fine("every table is of InnoDB")
    return blocking(
        f"{counted(tables, 'table is', 'tables are')} not of InnoDB: Aurora replicates only InnoDB by binlog",
        "ALTER TABLE … ENGINE = InnoDB, or remove them.",
        tables,
    )


def _events(events: tuple[str, ...], _case: Case) -> Verdict:
    if not events:
        return fine("no event is enabled")
    return warning(
        f"{counted(events, 'event is', 'events are')} enabled, and stay so on a clone",
        "event_scheduler is off on the clone until the cut-over; switch it on there afterwards.",
        events,
    )


def _triggers(triggers: tuple[str, ...], case: Case) -> Verdict:
    if not triggers:
        return fine("there are no triggers")
    if case.facts.sql.binlog_format == "ROW":
        return note(f"{counted(triggers, 'trigger')}: with rows in the binlog none fires a second time", about=triggers)
    return warning(
        f"{counted(triggers, 'trigger')}: with statements in the binlog each fires on the clone as well",
        "It is well once binlog_format is ROW.",
        triggers,
    )


def _definers(definers: tuple[str, ...], _case: Case) -> Verdict:
    if not definers:
        return fine("every definer exists")
    return warning(
        f"{counted(definers, 'view, routine, trigger or event', 'views, routines, triggers or events')} of accounts that do "
        "not exist: they fail with 1449 when used, and may stop an upgrade",
        "Define them anew, or create the accounts.",
        definers,
    )


def _transactions(transactions: tuple[Transaction, ...], _case: Case) -> Verdict:
    old = [each for each in transactions if each.seconds >= LONG_S]
    if not old:
        return fine(f"no transaction is open for {LONG_S} s or longer")
    said = [f"{each.thread} of {each.user}, {each.seconds:,} s" for each in old]
    return warning(
        f"{counted(old, 'transaction is', 'transactions are')} open for long; the clone undoes them at its start, and a "
        f"cut-over waits for them: {'; '.join(said)}",
        "Let them end first.",
        said,
    )


def _prepared(prepared: tuple[str, ...], _case: Case) -> Verdict:
    if not prepared:
        return fine("no XA transaction is prepared")
    return warning(
        f"{counted(prepared, 'XA transaction is', 'XA transactions are')} prepared: the clone has them too, with their locks, "
        "and the commit that comes by the binlog may not find them",
        "Commit them or roll them back before the clone is made.",
        prepared,
    )


def _accounts(accounts: tuple[str, ...], _case: Case) -> Verdict:
    return note(
        f"{counted(accounts, 'account')}: CREATE USER and GRANT after the clone was made do not follow by the binlog",
        "They are compared at the cut-over; change none meanwhile, or on both sides.",
    )


def _privileged(accounts: tuple[str, ...], case: Case) -> Verdict:
    others = [each for each in accounts if each.partition("@")[0] != case.cluster.master_user]
    if not others:
        return fine("read_only stops every account but the master user")
    return warning(
        f"read_only does not stop {counted(others, 'account')}: {', '.join(others)}",
        "Lock them, or end what uses them, before the cut-over.",
        others,
    )


DATA_RULES = (
    Rule("primary-keys", "which tables have no key", lambda case: case.facts.sql.without_key, _keys),
    Rule("engines", "the engines of the tables", lambda case: case.facts.sql.other_engines, _engines),
    Rule("events", "the events", lambda case: case.facts.sql.events, _events),
    Rule("triggers", "the triggers", lambda case: case.facts.sql.triggers, _triggers),
    Rule("definers", "the definers", lambda case: case.facts.sql.definers, _definers),
    Rule("transactions", "the open transactions", lambda case: case.facts.sql.transactions, _transactions),
    Rule("prepared", "the prepared XA transactions", lambda case: case.facts.sql.prepared, _prepared),
    Rule("accounts", "the accounts", lambda case: case.facts.sql.accounts, _accounts),
    Rule("privileged", "which accounts read_only does not stop", lambda case: case.facts.sql.privileged, _privileged),
)
