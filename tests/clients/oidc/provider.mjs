// A certified OpenID provider with two people and no questions: whoever is sent here is signed in at once as the
// person whom `login_hint` names. Told by the environment: PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, and PREFIX,
// which stands before its paths, so that it can take the place of providers with fixed ones.
import http from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

// Its advice for production; and nobody reads on once the address is told.
console.info = console.warn = () => {};

const { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI } = process.env;
const routes = JSON.parse(process.env.ROUTES ?? "{}");
const prefix = process.env.PREFIX ?? "";

const people = {
  ann: { email: "ann@example.com", email_verified: true, name: "Ann Lee", department: "sales" },
  una: { email: "una@example.com", email_verified: false, name: "Una Unverified" },
  nemo: { name: "Nemo" },
};

let keys = 0;
function key() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys += 1;
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${keys}`, use: "sig", alg: "RS256" };
}

function build(issuer) {
  const provider = new Provider(issuer, {
    jwks: { keys: [key()] },
    clients: [
      { client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: process.env.AUTH_METHOD ?? "client_secret_basic" },
      { client_id: "other-app", client_secret: "other-secret", redirect_uris: ["http://localhost:1/cb"], token_endpoint_auth_method: "client_secret_basic" },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "department"] },
    conformIdTokenClaims: process.env.CLAIMS_IN_ID_TOKEN !== "true",
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    pkce: { required: () => process.env.PKCE !== "false" },
    scopes: ["openid", "email", "profile", "name"],
    routes,
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...people[id] }),
    }),
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      });
      grant.addOIDCScope("openid email profile name");
      await grant.save();
      return grant;
    },
    interactions: { url: (_ctx, interaction) => `${prefix}/interaction/${interaction.uid}` },
    cookies: { keys: ["for-tests-only"] },
  });
  // Test servers speak plain HTTP.
  provider.proxy = true;
  return provider;
}

const server = http.createServer();
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const issuer = `${base}${prefix}`;
  let provider = build(issuer);
  let callback = provider.callback();
  server.on("request", async (request, response) => {
    const url = new URL(request.url, base);
    if (url.pathname === "/rotate") {
      // Other keys from now on, as after a leak.
      provider = build(issuer);
      callback = provider.callback();
      response.end("rotated");
      return;
    }
    if (!url.pathname.startsWith(prefix)) {
      response.writeHead(404).end();
      return;
    }
    const interaction = url.pathname.match(/\/interaction\/([\w-]+)$/);
    if (interaction) {
      const { params } = await provider.interactionDetails(request, response);
      const refused = params.login_hint === "nobody";
      const result = refused
        ? { error: "access_denied", error_description: "The user refused" }
        : { login: { accountId: params.login_hint ?? "ann" } };
      await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
      return;
    }
    request.url = (url.pathname.slice(prefix.length) || "/") + url.search;
    request.originalUrl = url.pathname + url.search;
    callback(request, response);
  });
  console.log(`openid provider: ready on ${issuer}`);
});
