// What the recipe does without: bearer tokens, UserInfo by the library, frames, a popup, session monitoring.
import { UserManager } from "oidc-client-ts";

const { issuer } = await (await fetch("/given.json")).json();
const here = location.origin + location.pathname;

window.portal = new UserManager({
  authority: issuer,
  client_id: "same-site",
  redirect_uri: here,
  silent_redirect_uri: here,
  popup_redirect_uri: here,
  post_logout_redirect_uri: here,
  popup_post_logout_redirect_uri: here,
  scope: "openid profile",
  loadUserInfo: true,
  monitorSession: true,
  checkSessionIntervalInSeconds: 1,
  revokeTokensOnSignout: true,
});

const happened = (what) => { document.getElementById("happened").textContent += `${what} `; };
portal.events.addUserLoaded(() => happened("loaded"));
portal.events.addUserUnloaded(() => happened("unloaded"));
portal.events.addUserSignedOut(() => happened("signed-out"));

if (new URLSearchParams(location.search).has("state")) await portal.signinCallback(); // in the popup or the frame
document.getElementById("popup").addEventListener("click", () => portal.signinPopup());
