// A portal whose user signs in as a person, then acts for a unit without a new sign-in (RFC 8693).
import * as oauth from "oauth4webapi";
import { callOf, local, provider } from "./client.mjs";
import { done, given, visit } from "./user.mjs";

const client = { client_id: given.client_id };
const auth = oauth.ClientSecretBasic(given.client_secret);
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

async function signIn(more) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(provider.authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: given.redirect_uri,
    scope: "openid profile",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...more,
  });
  const callback = oauth.validateAuthResponse(provider, client, await visit(address), state);
  const response = await oauth.authorizationCodeGrantRequest(
    provider, client, auth, callback, given.redirect_uri, verifier, local);
  const tokens = await oauth.processAuthorizationCodeResponse(provider, client, response, {
    requireIdToken: true,
    ...(more.max_age && { maxAge: Number(more.max_age) }),
  });
  await oauth.validateApplicationLevelSignature(provider, response, local);
  return tokens;
}

async function exchanged(token, parameters) {
  const response = await oauth.genericTokenEndpointRequest(
    provider, client, auth, "urn:ietf:params:oauth:grant-type:token-exchange",
    { subject_token: token, subject_token_type: ACCESS_TOKEN, ...parameters }, local);
  return oauth.processGenericTokenEndpointResponse(provider, client, response);
}

// Once with the unit, so that the person has agreed; then as a person, who is not asked again.
const details = JSON.stringify([{ type: "unit_delegation", identifier: given.unit, actions: ["rec.position"] }]);
const agreed = await signIn({ authorization_details: details });
const person = await signIn({ max_age: "600" });

const unit = await exchanged(person.access_token, { authorization_details: details });
const call = await callOf(unit.access_token, given.resource);
const seen = await oauth.validateJwtAccessToken(provider, call, given.resource, local);
const { sub } = oauth.getValidatedIdTokenClaims(person);
const userinfo = await oauth.processUserInfoResponse(provider, client, sub,
  await oauth.userInfoRequest(provider, client, unit.access_token, local));
const tooMuch = await exchanged(unit.access_token, { scope: "openid profile rec.company" })
  .catch((error) => error.error);

done({
  agreed: oauth.getValidatedIdTokenClaims(agreed),
  person: oauth.getValidatedIdTokenClaims(person),
  unit, seen, userinfo, tooMuch,
});
