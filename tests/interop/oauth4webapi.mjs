// npm oauth4webapi: a browser-like public client with PKCE, then a service that proves itself with a private key.
// What only a browser can do is asked for on standard output: "visit URL", answered by the URL where it ended.
import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const { issuer, publicClientId, redirectUri, scope, keyClientId, privateKey, resource } = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function visit(url) {
  console.log(`visit ${url.href}`);
  return new URL((await lines.next()).value);
}

const url = new URL(issuer);
const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));

const app = { client_id: publicClientId };
const verifier = oauth.generateRandomCodeVerifier();
const nonce = oauth.generateRandomNonce();
const state = oauth.generateRandomState();
const request = new URL(as.authorization_endpoint);
for (const [name, value] of Object.entries({
  client_id: app.client_id,
  redirect_uri: redirectUri,
  response_type: "code",
  scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  nonce,
  state,
})) {
  request.searchParams.set(name, value);
}
const callback = oauth.validateAuthResponse(as, app, await visit(request), state);
const grant = await oauth.authorizationCodeGrantRequest(as, app, oauth.None(), callback, redirectUri, verifier);
const tokens = await oauth.processAuthorizationCodeResponse(as, app, grant, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(as, grant);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const userinfo = await oauth.processUserInfoResponse(
  as,
  app,
  claims.sub,
  await oauth.userInfoRequest(as, app, tokens.access_token),
);
const renewed = await oauth.processRefreshTokenResponse(
  as,
  app,
  await oauth.refreshTokenGrantRequest(as, app, oauth.None(), tokens.refresh_token),
);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, app, oauth.None(), renewed.refresh_token),
);

const service = { client_id: keyClientId };
const key = await crypto.subtle.importKey("jwk", privateKey, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const proof = oauth.PrivateKeyJwt({ key, kid: privateKey.kid });
const own = await oauth.processClientCredentialsResponse(
  as,
  service,
  await oauth.clientCredentialsGrantRequest(as, service, proof, { scope: "orders:read", resource }),
);
const introspected = await oauth.processIntrospectionResponse(
  as,
  service,
  await oauth.introspectionRequest(as, service, proof, own.access_token),
);
const presented = new Request(resource, { headers: { authorization: `Bearer ${own.access_token}` } });
const atTheApi = await oauth.validateJwtAccessToken(as, presented, resource);
console.log(
  JSON.stringify({ claims, userinfo, turned: renewed.refresh_token !== tokens.refresh_token, introspected, atTheApi }),
);
process.exit(0);
