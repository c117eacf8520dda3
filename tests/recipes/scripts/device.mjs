// A device without a keyboard (RFC 8628): a public client whose tokens are bound to its key.
import * as oauth from "oauth4webapi";
import { answered, local, provider } from "./client.mjs";
import { done, given, visit } from "./user.mjs";

const client = { client_id: given.client_id };
const auth = oauth.None();
const options = { ...local, DPoP: oauth.DPoP(client, await oauth.generateKeyPair("ES256")) };

const scope = "openid profile rec.position";
const device = await oauth.processDeviceAuthorizationResponse(provider, client,
  await oauth.deviceAuthorizationRequest(provider, client, auth, { scope }, local));

await visit(device.verification_uri_complete);
const tokens = await answered(
  () => oauth.deviceCodeGrantRequest(provider, client, auth, device.device_code, options),
  (response) => oauth.processDeviceCodeResponse(provider, client, response),
);
const claims = oauth.getValidatedIdTokenClaims(tokens);

const refreshed = await answered(
  () => oauth.refreshTokenGrantRequest(provider, client, auth, tokens.refresh_token, options),
  (response) => oauth.processRefreshTokenResponse(provider, client, response),
);
// RFC 9449 §5: a public client's refresh token is worth nothing without its key.
const thief = { ...local, DPoP: oauth.DPoP(client, await oauth.generateKeyPair("ES256")) };
const stolen = await oauth.refreshTokenGrantRequest(provider, client, auth, refreshed.refresh_token, thief)
  .then((response) => oauth.processRefreshTokenResponse(provider, client, response))
  .catch((error) => error.error);

done({ tokens, claims, refreshed, stolen });
