"""Finding a member, seeing how they stand, holding them and letting them go."""

from __future__ import annotations

from flask import Response, current_app, request, url_for

from matcher.errors import UnknownMemberError
from service.access import access
from service.console.blueprint import blueprint
from service.console.hold_forms import MEANINGS, HoldForm
from service.console.member_data import one
from service.console.opening import reading, writing
from service.console.rendering import done, page
from service.console.review import of_member
from service.state import state
from service.store import hold_acts, members
from service.store.moments import FOREVER, moment

FIELD = "member_id"


@blueprint.get("/members", endpoint="members")
def show() -> Response:
    """Ask for an id; where one is given, show that member."""
    name = request.args.get(FIELD, "").strip()
    return _member(name) if name else _look_up()


@blueprint.post("/members/hold", endpoint="hold")
def hold() -> Response:
    """Hold a member: from the very next request on, no list for them, and they are in nobody's."""
    name, now = request.form.get(FIELD, ""), state(current_app).clock()
    form = HoldForm.read(request.form, now)
    if form.wrong:
        return _member(name, form, 422)
    with writing() as (session, programme):
        if members.get(session, programme.id, name) is None:
            raise UnknownMemberError("no such member")
        hold_acts.place(session, programme, name, form.kind, until=form.end, now=now, by=access().key_id)
    return done("held", _address(name))


@blueprint.post("/members/lift", endpoint="lift")
def lift() -> Response:
    """Lift a hold. The member stays held for as long as another one runs."""
    name, hold_id = request.form.get(FIELD, ""), request.form.get("hold_id", "")
    now = state(current_app).clock()
    with writing() as (session, programme):
        if members.get(session, programme.id, name) is None:
            raise UnknownMemberError("no such member")
        lifted = hold_acts.lift(session, programme.id, name, hold_id, now=now, by=access().key_id)
    return done("lifted" if lifted else "not-held", _address(name))


def _look_up(asked: str | None = None) -> Response:
    with reading() as (_, programme):
        named = programme.name
    return page("members.html", 200 if asked is None else 404, programme_name=named, asked=asked)


def _member(name: str, form: HoldForm | None = None, status: int = 200) -> Response:
    try:
        with writing() as (session, programme):
            shown = one(session, programme, name, now=state(current_app).clock(), by=access().key_id)
    except UnknownMemberError:
        return _look_up(name)
    return page(
        "member.html",
        status,
        introductions=of_member(name),
        programme_name=programme.name,
        shown=shown,
        form=form or HoldForm(),
        kinds=MEANINGS,
        end_of=lambda until: None if until == FOREVER else moment(until),
        moment_of=moment,
    )


def _address(name: str) -> str:
    return url_for("console.members", member_id=name)
