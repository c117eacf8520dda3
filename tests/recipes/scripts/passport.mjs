// A portal with passport: openid-client's strategy, and the older passport-openidconnect, which knows no PKCE.
import express from "express";
import session from "express-session";
import * as oidc from "openid-client";
import { Strategy as OpenIDClient } from "openid-client/passport";
import passport from "passport";
import OpenIDConnect from "passport-openidconnect";

const { ISSUER, HOME, PORT, NEW_SECRET, OLD_SECRET } = process.env;

const config = await oidc.discovery(new URL(ISSUER), "passport-new", undefined, oidc.ClientSecretBasic(NEW_SECRET), {
  execute: [oidc.allowInsecureRequests],
});
const forAUnit = [{ type: "unit_delegation", actions: ["rec.position"], representation_required: true }];
passport.use("new", new OpenIDClient(
  { config, scope: "openid profile", callbackURL: `${HOME}/new/callback`, authorizationDetails: forAUnit, usePAR: true },
  (tokens, verified) => {
    const { sub, acting_for: actingFor } = tokens.claims();
    verified(null, { person: sub, actingFor, scope: tokens.scope });
  },
));

const metadata = config.serverMetadata();
passport.use("old", new OpenIDConnect(
  {
    issuer: metadata.issuer,
    authorizationURL: metadata.authorization_endpoint,
    tokenURL: metadata.token_endpoint,
    userInfoURL: metadata.userinfo_endpoint,
    clientID: "passport-old",
    clientSecret: OLD_SECRET,
    callbackURL: `${HOME}/old/callback`,
    scope: ["profile", "rec.position"],
    skipUserProfile: false,
  },
  (issuer, profile, context, idToken, accessToken, refreshToken, verified) => {
    const { acting_for: actingFor } = JSON.parse(Buffer.from(idToken.split(".")[1], "base64url"));
    verified(null, { person: profile.id, name: profile.displayName, actingFor });
  },
));
passport.serializeUser((user, stored) => stored(null, user));
passport.deserializeUser((user, found) => found(null, user));

const app = express();
app.use(session({ secret: "a key for cookies", resave: false, saveUninitialized: false }));
app.use(passport.session());
for (const name of ["new", "old"]) {
  app.get(`/${name}`, passport.authenticate(name));
  app.get(`/${name}/callback`, passport.authenticate(name, { successRedirect: "/", failureRedirect: "/?refused" }));
}
app.get("/", (request, response) => response.json(request.user ?? {}));
app.listen(PORT);
