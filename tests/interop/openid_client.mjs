// npm openid-client: the whole life of a sign-in. What only a browser can do is asked for on standard output, a line
// each: "visit URL", answered on standard input by the URL where the browser ended.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const { issuer, clientId, clientSecret, redirectUri, afterLogout, scope } = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function visit(url) {
  console.log(`visit ${url.href}`);
  return new URL((await lines.next()).value);
}

const config = await client.discovery(new URL(issuer), clientId, clientSecret, client.ClientSecretBasic(clientSecret));
client.enableNonRepudiationChecks(config);

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const callback = await visit(
  client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    max_age: "3600",
  }),
);
const tokens = await client.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  maxAge: 3600,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const alive = await client.tokenIntrospection(config, renewed.access_token);
await client.tokenRevocation(config, renewed.refresh_token, { token_type_hint: "refresh_token" });
const revoked = await client.tokenIntrospection(config, renewed.access_token);
const refused = await client.refreshTokenGrant(config, renewed.refresh_token).then(
  () => null,
  (error) => error.error,
);
const out = await visit(
  client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: afterLogout,
    state,
  }),
);
console.log(
  JSON.stringify({
    claims,
    userinfo,
    renewedSubject: renewed.claims().sub,
    turned: renewed.refresh_token !== tokens.refresh_token,
    alive,
    revoked,
    refused,
    loggedOut: out.href === `${afterLogout}?state=${state}`,
  }),
);
process.exit(0);
