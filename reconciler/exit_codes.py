"""Exit codes: the one table that commands, errors and documentation use. Imports nothing, because `run` needs it."""

SUCCESS = 0
FAILURE = 1
DIFFERENCE = 2
INVALID_INPUT = 3
PARTLY_APPLIED = 4
RUN_FAILED = 125
NOT_EXECUTABLE = 126
COMMAND_NOT_FOUND = 127
INTERRUPTED = 130

MEANINGS = {
    SUCCESS: "Done. For `check`, `verify`, `lock --check` and `plan --detailed-exitcode`: nothing differs.",
    FAILURE: "It could not be done: everything failed, something could not be read or locked, or the root "
    "stayed locked.",
    DIFFERENCE: "Something differs: drift, a pending change, a blocked change, or a lock that is out of date. `doctor` "
    "found a problem.",
    INVALID_INPUT: "The input is invalid: the command line, the manifest, a lock, a saved plan, a snapshot or a "
    "revision.",
    PARTLY_APPLIED: "Not everything was applied: an environment is blocked, a hook or a health check failed, a new "
    "generation was rolled back, an old generation could not be deleted (reported once), or some environments failed "
    "while others were applied.",
    RUN_FAILED: "`run` could not enter the environment.",
    NOT_EXECUTABLE: "`run` found the command, but could not execute it.",
    COMMAND_NOT_FOUND: "`run` did not find the command.",
    INTERRUPTED: "Interrupted by a signal (SIGINT or SIGTERM). Every environment is either old or new.",
}

# The codes that each command can exit with. `run` exits with the code of the command that it starts.
_COMMON = (SUCCESS, FAILURE, INVALID_INPUT, INTERRUPTED)
_APPLYING = (SUCCESS, FAILURE, INVALID_INPUT, PARTLY_APPLIED, INTERRUPTED)
_COMPARING = (SUCCESS, FAILURE, DIFFERENCE, INVALID_INPUT, INTERRUPTED)
BY_COMMAND = {
    "validate": _COMMON,
    "schema": _COMMON,
    "lock": _COMPARING,
    "plan": _COMPARING,
    "show": _COMMON,
    "apply": _APPLYING,
    "publish": _APPLYING,
    "check": _COMPARING,
    "observe": _COMMON,
    "status": _COMMON,
    "freeze": _COMMON,
    "destroy": _APPLYING,
    "history": _COMMON,
    "rollback": _COMMON,
    "hold": _COMMON,
    "release": _COMMON,
    "diff": _COMPARING,
    "verify": _COMPARING,
    "gc": _COMMON,
    "trust": _COMMON,
    "doctor": _COMPARING,
    "run": (RUN_FAILED, NOT_EXECUTABLE, COMMAND_NOT_FOUND),
}
