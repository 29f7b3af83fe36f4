"""What RDS tells of the source and of the room for a clone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.finding import Severity
from kuroshio.aurora.preflight.rules import Rule, Verdict, blocking, counted, fine, note, warning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.aurora.cluster import Cluster, Parameter, Quota
    from kuroshio.aurora.preflight.rules import Case

MOST_CLONES = 15  # copy-on-write at a time; the next is a full copy (Aurora user guide, "Cloning")
_FEW_ADDRESSES = 3
_ON = frozenset({"ON", "1", "TRUE"})


def _status(cluster: Cluster, _case: Case) -> Verdict:
    if cluster.writer is None:
        return blocking("the cluster has no writer instance", "Give it one: a clone is made of a cluster that runs.")
    away = [f"{each.name} is {each.status}" for each in cluster.members if each.status not in ("", "available")]
    if cluster.status != "available" or away:
        said = ", ".join([f"the cluster is {cluster.status}", *away])
        return blocking(said, "Wait until all of it is available.", [each.name for each in cluster.members])
    return fine(f"the cluster and its {counted(cluster.members, 'instance')} are available")


def _clone_name(clusters: tuple[Cluster, ...], case: Case) -> Verdict:
    taken = next((each for each in clusters if each.name == case.request.clone), None)
    if taken is None:
        return fine(f"no cluster is called {case.request.clone}")
    return blocking(
        f"a cluster is called {taken.name} already ({taken.engine}, {taken.status})",
        "Take another name for the clone, or remove that cluster: nothing that exists is ever replaced.",
        [taken.name],
    )


def _runs(runs: tuple[str, ...], case: Case) -> Verdict:
    others = sorted(set(runs) - {case.request.clone})
    if not others:
        return fine("no other run is on this source")
    return blocking(
        f"another run makes {' and '.join(others)} of this source just now",
        "Let it end, or abort it: two runs would undo each other's parameters, retention and accounts.",
        others,
    )


def _group(clusters: tuple[Cluster, ...], case: Case) -> Verdict:
    group = case.cluster.parameter_group
    sharing = sorted(
        each.name for each in clusters if each.parameter_group == group and each.name != case.request.source
    )
    if case.binlog_is_right:
        return fine(f"the parameter group {group} stays as it is")
    if group.startswith("default."):
        return warning(
            f"{group} is a default parameter group, which nobody can change, and the binlog must be switched on",
            "The source gets a group of its own, after an approval that says what restarts.",
            [group],
        )
    if sharing:
        return warning(
            f"the parameter group {group} is that of {counted(sharing, 'other cluster')} too ({', '.join(sharing)}), and the binlog "
            "must be switched on",
            "The source gets a copy of it as a group of its own; the others keep theirs as it is.",
            sharing,
        )
    return fine(f"the parameter group {group} is the source's alone")


def _in_sync(cluster: Cluster, _case: Case) -> Verdict:
    waiting = [each.name for each in cluster.members if each.applied not in ("", "in-sync")]
    if not waiting:
        return fine("no parameter waits for a restart")
    return warning(
        f"changed parameters wait for a restart of {', '.join(waiting)}: the next restart applies them, whatever they are",
        "Look at the parameter group before the approval of a restart.",
        waiting,
    )


def _clone_group(parameters: Mapping[str, Parameter], case: Case) -> Verdict:
    """The clone has a group of its own (``cloning``), in which what would harm it is otherwise."""
    name = case.request.options.parameter_group or case.cluster.parameter_group
    filters = sorted(each for each in parameters if _filters(each) and parameters[each].value)
    if filters:
        return warning(
            f"{name} has filters of replication ({', '.join(filters)}), which the clone's own group will not have",
            "Set them on the clone after a cut-over, if they are needed there.",
            filters,
        )
    if _is_on(parameters, "event_scheduler"):
        return note(
            f"{name} has event_scheduler on; it is off in the clone's own group from before its first start, for events that "
            "exist on the source would write on the clone too",
            "Switch it on after a cut-over.",
        )
    if _is_on(parameters, "read_only"):
        return warning(f"{name} has read_only on", "The clone takes no writes after a cut-over until it is off.")
    return fine(f"the clone gets a group of its own with the values of {name}")


def _filters(name: str) -> bool:
    bare = name.replace("_", "-")
    return bare.startswith("replicate-") or bare in ("binlog-do-db", "binlog-ignore-db")


def _is_on(parameters: Mapping[str, Parameter], name: str) -> bool:
    found = parameters.get(name)
    return found is not None and (found.value or "").upper() in _ON


def _reading(parameters: Mapping[str, Parameter], _case: Case) -> Verdict:
    waits = parameters.get("aurora_binlog_replication_max_yield_seconds")
    wrong = []
    if waits is not None and waits.value not in (None, "", "0"):
        wrong.append(f"{waits.name} = {waits.value}")
    if _is_on(parameters, "aurora_enable_repl_bin_log_filtering"):
        wrong.append("aurora_enable_repl_bin_log_filtering = 1")
    if not wrong:
        return fine("nothing keeps a reader of the binlog waiting")
    return warning(
        f"{' and '.join(wrong)}: a clone may never catch up, for the source lets writers go before who reads its binlog",
        "Set it to 0 on the source; both are known from cut-overs that never came.",
        [each.partition(" ")[0] for each in wrong],
    )


def _clones(clusters: tuple[Cluster, ...], case: Case) -> Verdict:
    group = case.cluster.clone_group
    found = sorted(
        each.name for each in clusters if group and each.clone_group == group and each.name != case.cluster.name
    )
    if len(found) < MOST_CLONES:
        return fine(f"the source has {counted(found, 'clone')} in this account; {MOST_CLONES} can be")
    return blocking(
        f"the source has {counted(found, 'clone')} already, so the next is a full copy, which takes hours and its whole size",
        "Remove clones that are not needed, or take the time and the cost upon you.",
        found,
    )


def _addresses(free: Mapping[str, int], _case: Case) -> Verdict:
    if sum(free.values()) == 0:
        return blocking("the subnet group has no free address", "Free some, or name another group.", sorted(free))
    short = sorted(subnet for subnet, number in free.items() if number < _FEW_ADDRESSES)
    if short:
        return warning(
            f"{counted(short, 'subnet has', 'subnets have')} fewer than {_FEW_ADDRESSES} free addresses",
            "An instance in such a zone cannot be made, or cannot be replaced.",
            short,
        )
    return fine(f"{counted(free, 'subnet')} with {sum(free.values()):,} free addresses")


def _quotas(quotas: Mapping[str, Quota], _case: Case) -> Verdict:
    needed = {
        "DBClusters": "clusters",
        "DBInstances": "instances",
        "DBClusterParameterGroups": "cluster parameter groups",
    }
    full = [name for name in needed if name in quotas and quotas[name].used >= quotas[name].most]
    if full:
        said = ", ".join(f"{quotas[name].used} of {quotas[name].most} {needed[name]}" for name in full)
        return blocking(f"the account has {said}", "Ask for a higher quota, or remove some.", full)
    missing = [words for name, words in needed.items() if name not in quotas]
    if missing:
        return Verdict(
            Severity.UNKNOWN, f"RDS told no quota of {' and '.join(missing)}", "Look it up in Service Quotas."
        )
    return fine("the quotas of RDS leave room")


def _global(cluster: Cluster, _case: Case) -> Verdict:
    if not cluster.global_cluster:
        return fine("the cluster is in no global database")
    return warning(
        "the cluster is in a global database; its clone will be in none, and a secondary cluster takes no writes",
        "Run this on the primary cluster, and add the clone to a global database after a cut-over.",
    )


def _managed(cluster: Cluster, _case: Case) -> Verdict:
    if not cluster.master_secret:
        return fine("RDS does not manage the master password")
    return warning(
        "RDS manages the master password; the clone keeps the password of that moment, which RDS will rotate on the source "
        "alone",
        "Let RDS manage the clone's own password once it is made.",
        [cluster.master_secret],
    )


def _upgrade(targets: tuple[str, ...], case: Case) -> Verdict:
    wanted = case.request.upgrade_to
    if not wanted:
        return fine("no upgrade is asked for")
    if wanted in targets:
        return fine(f"{case.cluster.version} can become {wanted}")
    return blocking(
        f"{case.cluster.version} cannot become {wanted} in one step",
        f"It can become {', '.join(targets)}." if targets else "RDS tells no version that it can become.",
        targets,
    )


def _clusters(case: Case) -> object:
    return case.facts.rds.clusters


def _targets(case: Case) -> object:
    return case.facts.rds.upgrade_targets if case.request.upgrade_to else ()


CLUSTER_RULES = (
    Rule("status", "the status", lambda case: case.cluster, _status),
    Rule("clone-name", "whether the clone's name is free", _clusters, _clone_name, is_final=True),
    Rule("other-runs", "whether another run is on this source", lambda case: case.facts.rds.runs, _runs, is_final=True),
    Rule("parameter-group", "who shares the parameter group", _clusters, _group),
    Rule("pending-restart", "whether parameters wait for a restart", lambda case: case.cluster, _in_sync),
    Rule("clone-parameters", "the clone's parameters", lambda case: case.facts.rds.clone_parameters, _clone_group),
    Rule("binlog-reading", "the source's parameters", lambda case: case.facts.rds.parameters, _reading),
    Rule("clones", "how many clones there are", _clusters, _clones),
    Rule("addresses", "the free addresses", lambda case: case.facts.rds.free_addresses, _addresses),
    Rule("quotas", "the quotas", lambda case: case.facts.rds.quotas, _quotas),
    Rule("global-database", "the global database", lambda case: case.cluster, _global),
    Rule("master-password", "the master password", lambda case: case.cluster, _managed),
    Rule("upgrade", "what the source can be upgraded to", _targets, _upgrade),
)
