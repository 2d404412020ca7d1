#!/usr/bin/env bash
# Runs one command of the action. Inputs come as environment variables and reach envsync as arguments: no input becomes
# shell text. This step reads the files of a pull request, so it never has the token; action.yml writes the comment.
set -euo pipefail

report=$RUNNER_TEMP/envsync-report
[[ -z $AGAINST && -n ${GITHUB_BASE_REF:-} ]] && AGAINST=origin/$GITHUB_BASE_REF

# -I: neither the checkout, which is the current directory, nor a PYTHON* variable says what Python imports.
envsync() { "$RUNNER_TEMP/envsync/bin/python" -I -m reconciler "$@"; }

# Reports what merging will change. If planning fails, the comment says so: otherwise the old plan could be approved.
plan_against() {
    local code=0
    envsync plan --file="$FILE" --against="$AGAINST" --output=markdown >"$report.md" || code=$?
    ((code == 0)) || echo "**envsync could not plan \`${COMMIT:-$GITHUB_SHA}\`.** The log of this run shows the reason." >"$report.md"
    cat "$report.md" >>"$GITHUB_STEP_SUMMARY"
    [[ $COMMENT != true || -z $PULL_REQUEST ]] || echo "comment=$report.md" >>"$GITHUB_OUTPUT"
    return "$code"
}

# Saves what apply would do on this host, and shows it in the step summary for the reviewers.
save_plan() {
    envsync plan --file="$FILE" --out="$1"
    envsync show "$1" --output=markdown >>"$GITHUB_STEP_SUMMARY"
}

# Observes the host once and reports twice: annotations and step summary (both by `--output github`), and the HTML page.
check() {
    local code=0 only=()
    [[ -z $ONLY ]] || only=(--only="$ONLY")
    envsync observe --file="$FILE" --out="$report.json"
    report_as() { envsync check --file="$FILE" --actual="$report.json" "${only[@]}" --output="$1"; }
    report_as github || code=$?
    ((code == 0 || code == 2)) || return "$code"
    report_as html >"$report.html" || ((code == $?))
    echo "report=$report.html" >>"$GITHUB_OUTPUT"
    return "$code"
}

apply() {
    local plan_file=${PLAN_FILE:-$report.plan}
    [[ -n $PLAN_FILE ]] || save_plan "$plan_file"
    envsync apply --plan="$plan_file" --output=github
}

case $COMMAND in
    plan) if [[ -n $AGAINST ]]; then plan_against; else save_plan "${PLAN_FILE:-$report.plan}"; fi ;;
    check) check ;;
    apply) apply ;;
    *)
        echo "::error title=envsync::command: must be plan, check or apply"
        exit 3
        ;;
esac
