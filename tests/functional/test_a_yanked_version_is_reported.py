"""A version that was yanked (PEP 592) and is locked nevertheless is a note of every lock, plan and check."""

from tests.host import Host

WHEEL = "alpha-1.0-py3-none-any.whl"
REASON = "broken \U0001f600 <b>\u202e \x1b[31m\nsecond line"
SHOWN = "`alpha==1.0` was yanked from its index: broken \U0001f600 <b>\\u202e"


def test_a_yanked_choice_is_reported_until_it_is_gone(host: Host) -> None:
    host.manifest('web: {python: "3.11", packages: [alpha==1.0]}\nother: {python: "3.11", packages: [gamma]}\n')
    host.apply()
    assert "yanked" not in host.envsync("plan").out
    host.index.yanked[WHEEL] = REASON
    locked = host.envsync("lock", "--upgrade")
    assert locked.code == 0
    assert f"note: web: {SHOWN}" in locked.err
    assert "second line" not in locked.err
    host.apply()
    for command in (("plan",), ("check",), ("check",), ("lock", "--check")):
        ran = host.envsync(*command)
        assert (ran.code, SHOWN in ran.out + ran.err) == (0, True), (command, ran.out, ran.err)
        assert "\u202e" not in ran.out + ran.err
    environments = {
        each["name"]: each["notes"] for each in host.envsync("plan", "--output", "json").json()["environments"]
    }
    assert environments["other"] == []
    assert [each.partition(":")[0] for each in environments["web"]] == ["`alpha==1.0` was yanked from its index"]
    host.index.yanked.clear()
    host.envsync("lock", "--upgrade")
    assert "yanked" not in host.envsync("plan").out
