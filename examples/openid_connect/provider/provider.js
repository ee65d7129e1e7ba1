// A provider for your own machine: it accepts every name, with any password.
import Provider from "oidc-provider";

const { PORT = "3000", CALLBACK = "http://127.0.0.1:8000/sign_in/callback" } = process.env;

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [
    { client_id: "club", client_secret: "for-your-own-machine-alone", redirect_uris: [CALLBACK] },
  ],
  claims: { openid: ["sub"], profile: ["name"] },
  conformIdTokenClaims: false, // the name is in the ID token, as with most providers
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
});

provider.listen(Number(PORT), "127.0.0.1");
