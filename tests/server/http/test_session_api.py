"""`/auth/*` as its callers see it, on both databases."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from mapae.jose import base64url
from mapae.server.domain.passwords import parse_username
from mapae.server.store import tables
from tests.server.http.conftest import AUDIENCE, INSTANCE, ISSUER, PASSWORD, Server, bearer, serving


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return claims


async def pass_time(server: Server, seconds: int) -> None:
    """Let `seconds` pass for every session and family, by moving their moments back."""
    moved = {name: tables.families.c[name] - seconds for name in ("handed_out_at", "used_at", "expires_at")}
    authenticated_at = tables.sessions.c.authenticated_at - seconds
    async with server.database.writing.connect() as connection:
        await connection.execute(update(tables.families).values(moved))
        await connection.execute(update(tables.sessions).values(authenticated_at=authenticated_at))
        await connection.commit()


async def audit_trail(server: Server) -> list[tuple[str, dict[str, Any]]]:
    async with server.database.reading_engine.connect() as connection:
        rows = await connection.execute(
            select(tables.events)
            .where(tables.events.c.name.not_in(["user_changed", "key_scheduled"]))
            .order_by(tables.events.c.id)
        )
        return [(row.name, row.members) for row in rows]


class TestLogin:
    async def test_the_answer_is_a_pair_of_tokens(self, server: Server) -> None:
        answer = await server.login()
        tokens = answer.json()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert set(tokens) == {
            "access_token", "token_type", "expires_in", "refresh_token", "refresh_expires_in", "session_id", "scope",
        }  # fmt: skip
        assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
        assert tokens["refresh_expires_in"] == 2592000
        assert tokens["scope"] == "orders:read orders:write"

    async def test_the_access_token_says_what_rfc_9068_has_it_say_and_nothing_personal(
        self, server: Server
    ) -> None:
        token = (await server.login()).json()["access_token"]
        header = json.loads(base64url.decode(token.split(".")[0]))
        claims = claims_of(token)
        assert header == {"alg": "ES256", "typ": "at+jwt", "kid": header["kid"]}
        assert set(claims) == {
            "iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "sid", "auth_time", "roles",
        }  # fmt: skip
        assert (claims["iss"], claims["aud"], claims["roles"]) == (ISSUER, AUDIENCE, ["member"])
        assert claims["exp"] - claims["iat"] == 300
        assert "alice" not in json.dumps(claims)

    async def test_a_default_access_token_has_at_most_500_bytes(self, server: Server) -> None:
        assert len((await server.login()).json()["access_token"]) <= 500

    @pytest.mark.parametrize("spelling", ["ALICE", "Alice", "ａｌｉｃｅ"])
    async def test_a_user_name_is_compared_in_any_case_and_width(self, server: Server, spelling: str) -> None:
        assert (await server.login(spelling)).status_code == 200

    async def test_unknown_user_and_wrong_password_are_one_answer(self, server: Server) -> None:
        answers = [
            await server.login("nobody"),
            await server.login("alice", "not the password"),
            await server.login("no such\x00name"),
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert {answer.json()["code"] for answer in answers} == {"invalid_credentials"}
        assert len({answer.content for answer in answers}) == 1
        names = [set(answer.headers) for answer in answers]
        assert names[0] == names[1] == names[2]

    async def test_a_disabled_user_is_told_only_after_the_right_password(self, server: Server) -> None:
        await server.users.disable(parse_username("alice"))
        assert (await server.login()).json()["code"] == "user_disabled"
        assert (await server.login()).status_code == 403
        assert (await server.login("alice", "not the password")).json()["code"] == "invalid_credentials"

    async def test_a_scope_that_is_asked_for_is_the_scope_that_is_given(self, server: Server) -> None:
        tokens = (await server.login(scope="orders:read")).json()
        assert tokens["scope"] == claims_of(tokens["access_token"])["scope"] == "orders:read"

    async def test_an_unknown_scope_is_refused(self, server: Server) -> None:
        answer = await server.login(scope="orders:read everything")
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_scope")

    async def test_nothing_that_is_stored_can_be_used_as_a_token(self, server: Server) -> None:
        tokens = (await server.login()).json()
        stored = []
        async with server.database.reading_engine.connect() as connection:
            for table in tables.metadata.sorted_tables:
                stored += [value for row in await connection.execute(select(table)) for value in row]
        words = {value if isinstance(value, str) else str(value) for value in stored}
        assert words, "the tables hold something"
        secret_parts = [
            tokens["access_token"],
            tokens["refresh_token"],
            tokens["refresh_token"][4:],
            PASSWORD,
        ]
        assert not [word for word in words for part in secret_parts if part in word]
        for value in words:
            assert (await server.refresh(value)).status_code == 401

    async def test_sign_ins_are_in_the_audit_trail_with_who_and_where(self, server: Server) -> None:
        await server.login("alice", "not the password")
        await server.login("nobody")
        tokens = (await server.login(headers={"User-Agent": "a\x1bgent"})).json()
        refused, unknown, signed_in = await audit_trail(server)
        assert (refused[0], refused[1]["code"]) == ("sign_in_refused", "invalid_credentials")
        assert refused[1]["user_id"] is not None
        assert unknown[1]["user_id"] is None
        assert signed_in[0] == "signed_in"
        assert signed_in[1]["session_id"] == tokens["session_id"]
        assert (signed_in[1]["address"], signed_in[1]["user_agent"]) == ("192.0.2.7", "agent")

    async def test_a_password_whose_hash_has_old_parameters_is_hashed_anew(self, database_url: str) -> None:
        async with serving(database_url, MAPAE_ARGON2_TIME_COST="6") as server:
            assert (await server.login()).status_code == 200
            async with server.database.reading() as unit:
                alice = await unit.users.named("alice")
            assert alice is not None
            assert alice.password_hash is not None
            assert "t=6" in alice.password_hash
            assert (await server.login()).status_code == 200

    async def test_three_sign_ins_at_once_that_all_renew_the_hash_all_succeed(
        self, database_url: str
    ) -> None:
        async with serving(database_url, MAPAE_ARGON2_TIME_COST="6") as server:
            answers = await asyncio.gather(*(server.login() for _ in range(3)))
            assert [answer.status_code for answer in answers] == [200, 200, 200]


class TestRefresh:
    async def test_a_refresh_token_buys_the_next_pair(self, server: Server) -> None:
        first = (await server.login()).json()
        answer = await server.refresh(first["refresh_token"])
        second = answer.json()
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert second["refresh_token"] != first["refresh_token"]
        assert second["session_id"] == first["session_id"]
        assert claims_of(second["access_token"])["jti"] != claims_of(first["access_token"])["jti"]
        assert claims_of(second["access_token"])["auth_time"] == claims_of(first["access_token"])["auth_time"]

    async def test_fifty_refreshes_at_once_are_one_turn_and_one_write(self, server: Server) -> None:
        token = (await server.login()).json()["refresh_token"]
        for turn in range(1, 4):
            answers = await asyncio.gather(*(server.refresh(token) for _ in range(50)))
            assert {answer.status_code for answer in answers} == {200}
            (token,) = {answer.json()["refresh_token"] for answer in answers}
            async with server.database.reading_engine.connect() as connection:
                assert (await connection.execute(select(tables.families.c.turn))).scalars().all() == [turn]
            await pass_time(server, 100)

    async def test_a_lost_answer_is_given_again_hours_later(self, server: Server) -> None:
        first = (await server.login()).json()["refresh_token"]
        lost = (await server.refresh(first)).json()["refresh_token"]
        await pass_time(server, 7200)
        assert (await server.refresh(first)).json()["refresh_token"] == lost
        await pass_time(server, 7200)
        assert (await server.refresh(lost)).status_code == 200

    async def test_a_token_used_elsewhere_ends_the_session_and_says_so(self, server: Server) -> None:
        tokens = (await server.login()).json()
        stolen = await server.refresh(tokens["refresh_token"], {"Mapae-Instance": "somebody-else-entirely"})
        assert stolen.status_code == 401
        assert stolen.json()["code"] == "session_ended"
        assert stolen.json()["reason"] == "replayed"
        theirs = (await server.refresh(tokens["refresh_token"])).json()
        assert (theirs["code"], theirs["reason"]) == ("session_ended", "replayed")
        assert theirs["ended_at"] == stolen.json()["ended_at"]
        assert (
            await server.http.get("/auth/sessions", headers=bearer(tokens["access_token"]))
        ).status_code == 401
        trail = dict(await audit_trail(server))
        assert trail["refresh_reported"]["report"] == "theft"
        assert trail["session_ended"]["reason"] == "replayed"

    @pytest.mark.parametrize(
        ("settings", "seconds", "reason"),
        [
            ({"MAPAE_SESSION_LIFE": "1000", "MAPAE_SESSION_IDLE": "1000"}, 1000, "expired"),
            ({"MAPAE_SESSION_IDLE": "500"}, 500, "idle"),
        ],
    )
    async def test_a_session_past_its_end_says_which(
        self, database_url: str, settings: dict[str, str], seconds: int, reason: str
    ) -> None:
        async with serving(database_url, **settings) as server:
            token = (await server.login()).json()["refresh_token"]
            await pass_time(server, seconds)
            answer = await server.refresh(token)
            assert (answer.status_code, answer.json()["reason"]) == (401, reason)
            assert (await audit_trail(server))[-1][1]["reason"] == reason

    async def test_roles_are_read_at_each_refresh(self, server: Server) -> None:
        token = (await server.login()).json()["refresh_token"]
        async with server.database.writing.connect() as connection:
            await connection.execute(update(tables.users).values(roles=["admin"]))
            await connection.commit()
        assert claims_of((await server.refresh(token)).json()["access_token"])["roles"] == ["admin"]

    async def test_a_disabled_user_is_told_at_the_next_refresh(self, server: Server) -> None:
        token = (await server.login()).json()["refresh_token"]
        await server.users.disable(parse_username("alice"))
        assert (await server.refresh(token)).json()["reason"] == "user_disabled"

    async def test_a_token_of_another_secret_key_has_lost_its_key(self, server: Server) -> None:
        foreign = "mpr_" + base64url.encode(bytes(48))
        answer = await server.refresh(foreign)
        assert (answer.status_code, answer.json()["reason"]) == (401, "key_lost")


class TestLogout:
    async def test_this_session_ends_and_says_why(self, server: Server) -> None:
        token = (await server.login()).json()["refresh_token"]
        assert (await server.logout(token, "this", INSTANCE)).status_code == 204
        assert (await server.refresh(token)).json()["reason"] == "logged_out"
        assert (await server.logout(token, "this", INSTANCE)).status_code == 204

    async def test_the_others_end_and_this_one_stays(self, server: Server) -> None:
        mine, other = [(await server.login()).json()["refresh_token"] for _ in range(2)]
        assert (await server.logout(mine, "others", INSTANCE)).status_code == 204
        assert (await server.refresh(other)).json()["reason"] == "logged_out"
        assert (await server.refresh(mine)).status_code == 200

    async def test_all_end(self, server: Server) -> None:
        all_of_mine = [(await server.login()).json()["refresh_token"] for _ in range(3)]
        somebody_elses = (await server.login("bob")).json()["refresh_token"]
        assert (await server.logout(all_of_mine[0], "all", INSTANCE)).status_code == 204
        for token in all_of_mine:
            assert (await server.refresh(token)).json()["reason"] == "logged_out"
        assert (await server.refresh(somebody_elses)).status_code == 200

    async def test_an_access_token_does_as_well(self, server: Server) -> None:
        tokens = (await server.login()).json()
        answer = await server.http.post("/auth/logout", headers=bearer(tokens["access_token"]))
        assert answer.status_code == 204
        assert (await server.refresh(tokens["refresh_token"])).json()["reason"] == "logged_out"

    @pytest.mark.parametrize("scope", ["this", "others", "all"])
    async def test_a_token_of_turn_0_ends_nothing_later_on(self, server: Server, scope: str) -> None:
        old = token = (await server.login()).json()["refresh_token"]
        other = (await server.login()).json()["refresh_token"]
        for _ in range(3):
            token = (await server.refresh(token)).json()["refresh_token"]
            await pass_time(server, 100)
        for headers in (INSTANCE, {}):
            assert (await server.logout(old, scope, headers)).status_code == 204
        assert (await server.refresh(token)).status_code == 200
        assert (await server.refresh(other)).status_code == 200


class TestMe:
    async def test_it_answers_what_the_token_says(self, server: Server) -> None:
        tokens = (await server.login()).json()
        me = (await server.http.get("/auth/me", headers=bearer(tokens["access_token"]))).json()
        claims = claims_of(tokens["access_token"])
        assert me == {name: claims[name] for name in me}
        assert (me["sid"], me["roles"]) == (tokens["session_id"], ["member"])

    async def test_it_asks_no_database_once_the_audience_is_known(self, server: Server) -> None:
        headers = bearer(await server.login())
        assert (await server.http.get("/auth/me", headers=headers)).status_code == 200
        async with server.database.writing.connect() as connection:
            await connection.run_sync(tables.metadata.drop_all)
            await connection.commit()
        assert (await server.http.get("/auth/me", headers=headers)).status_code == 200

    async def test_without_a_token_the_challenge_names_no_error(self, server: Server) -> None:
        answer = await server.http.get("/auth/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "error" not in answer.headers["www-authenticate"]

    async def test_a_token_that_is_not_one_is_refused_with_a_challenge(self, server: Server) -> None:
        answer = await server.http.get("/auth/me", headers=bearer("not.a.token"))
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


class TestSessions:
    async def test_the_list_shows_the_live_ones_and_which_is_mine(self, server: Server) -> None:
        first = (await server.login(device_name="old \u202elaptop")).json()
        second = (await server.login(device_name="phone")).json()
        await server.login("bob")
        headers = bearer(second["access_token"])
        listed = (await server.http.get("/auth/sessions", headers=headers)).json()["sessions"]
        assert {one["id"]: one["current"] for one in listed} == {
            first["session_id"]: False,
            second["session_id"]: True,
        }
        assert {one["device_name"] for one in listed} == {"old laptop", "phone"}
        assert all(one["last_used_at"] % 3600 == 0 for one in listed)
        assert {one["address"] for one in listed} == {"192.0.2.7"}

    async def test_one_can_be_ended_and_is_told_why(self, server: Server) -> None:
        lost, mine = (await server.login()).json(), (await server.login()).json()
        headers = bearer(mine["access_token"])
        path = f"/auth/sessions/{lost['session_id']}"
        assert (await server.http.delete(path, headers=headers)).status_code == 204
        assert (await server.refresh(lost["refresh_token"])).json()["reason"] == "revoked_by_user"
        assert (await server.http.delete(path, headers=headers)).json()["code"] == "session_not_found"

    async def test_nobody_ends_the_session_of_another_user(self, server: Server) -> None:
        alices, bobs = (await server.login()).json(), (await server.login("bob")).json()
        path = f"/auth/sessions/{alices['session_id']}"
        answer = await server.http.delete(path, headers=bearer(bobs["access_token"]))
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
        assert (await server.refresh(alices["refresh_token"])).status_code == 200


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "kind", "expected"),
        [
            (b"", "application/json", (400, "invalid_request")),
            (b"{", "application/json", (400, "invalid_request")),
            (b"[]", "application/json", (400, "invalid_request")),
            (b'{"username":"a","username":"b","password":"c"}', "application/json", (400, "invalid_request")),
            (b'{"username":1,"password":"c"}', "application/json", (400, "invalid_request")),
            (b'{"username":"a"}', "application/json", (400, "invalid_request")),
            (b'{"username":"","password":""}', "application/json", (400, "invalid_request")),
            (b'{"username":"a","password":"\\ud800"}', "application/json", (400, "invalid_request")),
            (b'\xff{"username":"a","password":"c"}', "application/json", (400, "invalid_request")),
            (b"[" * 16000, "application/json", (400, "invalid_request")),
            (b'{"a":' + b"9" * 15000 + b"}", "application/json", (400, "invalid_request")),
            (b"username=a&password=c", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
            (b'{"username":"a","password":"c"}', "text/plain", (415, "unsupported_media_type")),
            (
                b'{"username":"a","password":"' + b"c" * 20000 + b'"}',
                "application/json",
                (413, "body_too_large"),
            ),
        ],
    )
    @pytest.mark.parametrize("path", ["/auth/login", "/auth/refresh"])
    async def test_a_malformed_body_is_refused_by_name(
        self, server: Server, path: str, content: bytes, kind: str, expected: tuple[int, str]
    ) -> None:
        answer = await server.http.post(path, content=content, headers={"Content-Type": kind})
        assert problem(answer) == expected
        assert await audit_trail(server) == []

    async def test_a_password_of_1025_characters_is_refused_and_never_cut(self, server: Server) -> None:
        assert problem(await server.login("alice", "x" * 1025)) == (400, "invalid_request")
        assert problem(await server.login("alice", PASSWORD + " " * 20)) == (401, "invalid_credentials")

    @pytest.mark.parametrize(
        "value", ["", "short", "x" * 87, "with spaces in the value", "ünïcödé-instance-name-here"]
    )
    @pytest.mark.parametrize("name", ["Mapae-Instance", "Mapae-Attempt"])
    async def test_a_malformed_instance_or_attempt_is_refused(
        self, server: Server, name: str, value: str
    ) -> None:
        token = (await server.login()).json()["refresh_token"]
        answer = await server.refresh(token, {name: value.encode()})  # type: ignore[dict-item]
        assert problem(answer) == (400, "invalid_request")

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "mpr_",
            "x" * 68,
            "mpr_" + "A" * 63,
            "mpr_" + "A" * 65,
            "mpr_" + "=" * 64,
            "mpr_ünïcödé",
            "\x00",
        ],
    )
    async def test_a_forged_refresh_token_is_refused_without_the_database(
        self, server: Server, token: str
    ) -> None:
        async with server.database.writing.connect() as connection:
            await connection.run_sync(tables.metadata.drop_all)
            await connection.commit()
        assert problem(await server.refresh(token)) == (401, "invalid_refresh_token")

    async def test_a_tampered_refresh_token_is_refused(self, server: Server) -> None:
        token = (await server.login()).json()["refresh_token"]
        for place in range(8, len(token), 7):
            other = "A" if token[place] != "A" else "B"
            answer = await server.refresh(token[:place] + other + token[place + 1 :])
            assert problem(answer) == (401, "invalid_refresh_token")
        assert (await server.refresh(token)).status_code == 200

    async def test_unknown_paths_and_methods_are_problems_too(self, server: Server) -> None:
        assert problem(await server.http.get("/auth/nothing")) == (404, "not_found")
        assert problem(await server.http.get("/auth/login")) == (405, "method_not_allowed")
        assert (await server.http.get("/auth/login")).headers["allow"] == "POST"

    async def test_an_unknown_client_is_refused(self, server: Server) -> None:
        assert problem(await server.login(client_id="somebody")) == (400, "unknown_client")


class TestPublic:
    async def test_the_key_set_has_public_members_only_and_may_be_cached(self, server: Server) -> None:
        answer = await server.http.get("/.well-known/jwks.json")
        (key,) = answer.json()["keys"]
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert answer.headers["access-control-allow-origin"] == "*"
        again = await server.http.get(
            "/.well-known/jwks.json", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")

    @pytest.mark.parametrize("name", ["oauth-authorization-server", "openid-configuration"])
    async def test_the_metadata_names_the_issuer_and_its_keys(self, server: Server, name: str) -> None:
        metadata = (await server.http.get(f"/.well-known/{name}")).json()
        assert metadata["issuer"] == ISSUER
        assert metadata["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"

    async def test_every_answer_has_the_security_headers_and_a_request_id(self, server: Server) -> None:
        for answer in (await server.http.get("/auth/me"), await server.http.get("/health/live")):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "max-age" in answer.headers["strict-transport-security"]
            assert len(answer.headers["x-request-id"]) == 12

    async def test_health_says_live_and_ready(self, server: Server) -> None:
        assert (await server.http.get("/health/live")).json() == {"status": "live"}
        assert (await server.http.get("/health/ready")).json() == {"status": "ready"}


class TestManySessions:
    async def test_one_session_too_many_ends_the_oldest(self, database_url: str) -> None:
        async with serving(database_url, MAPAE_SESSIONS_PER_USER="2") as server:
            async with server.database.writing.connect() as connection:
                first = (await server.login()).json()["refresh_token"]
                await connection.execute(update(tables.sessions).values(created_at=1))
                await connection.commit()
            second, third = [(await server.login()).json()["refresh_token"] for _ in range(2)]
            assert (await server.refresh(first)).json()["reason"] == "revoked_by_admin"
            for token in (second, third):
                assert (await server.refresh(token)).status_code == 200


class TestPassword:
    async def change(
        self, server: Server, access_token: str, current: str = PASSWORD, new: str = "another long password"
    ) -> httpx.Response:
        body = {"current_password": current, "new_password": new}
        return await server.http.post("/auth/password", json=body, headers=bearer(access_token))

    async def test_the_session_that_changed_it_stays_and_the_others_end(self, server: Server) -> None:
        mine, other = [(await server.login()).json() for _ in range(2)]
        assert (await self.change(server, mine["access_token"])).status_code == 204
        assert (await server.refresh(other["refresh_token"])).json()["reason"] == "password_changed"
        assert (await server.refresh(mine["refresh_token"])).status_code == 200
        assert (await server.login()).status_code == 401
        assert (await server.login("alice", "another long password")).status_code == 200

    async def test_a_stolen_access_token_is_not_enough(self, server: Server) -> None:
        tokens = (await server.login()).json()
        answer = await self.change(server, tokens["access_token"], current="a wild guess")
        assert problem(answer) == (401, "invalid_credentials")
        assert (await server.login()).status_code == 200

    async def test_nor_is_the_token_of_a_session_that_is_over(self, server: Server) -> None:
        tokens = (await server.login()).json()
        await server.logout(tokens["refresh_token"], "this", INSTANCE)
        assert problem(await self.change(server, tokens["access_token"])) == (401, "invalid_token")
        assert (await server.login()).status_code == 200

    @pytest.mark.parametrize("new", ["", "short", "x" * 1025, "with\x00nul inside"])
    async def test_a_password_that_cannot_be_one_is_refused(self, server: Server, new: str) -> None:
        tokens = (await server.login()).json()
        assert problem(await self.change(server, tokens["access_token"], new=new)) == (400, "invalid_request")
