//! The provider: the way to its sign-in page, and the identity that its answer proves.

use std::error::Error as StdError;
use std::iter::successors;
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use reqwest::redirect::Policy;
use rocket::fairing::{AdHoc, Fairing};
use rocket::figment::Figment;
use rocket::serde::Deserialize;
use rocket::tokio::sync::RwLock;
use rocket_diesel_session::Error;

use crate::attempt::Attempt;

/// How long the provider's keys and addresses are used before they are read again.
const METADATA_LIFETIME: Duration = Duration::from_secs(600);

/// How long the provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type Reason = Box<dyn StdError + Send + Sync>;

/// `[default.provider]` of `Rocket.toml`.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Settings {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    callback: RedirectUrl,
}

/// A user as the provider knows the user.
pub(crate) struct Identity {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) name: String,
}

pub(crate) struct Provider {
    settings: Settings,
    http: reqwest::Client,
    metadata: RwLock<Option<(Instant, CoreProviderMetadata)>>,
}

impl Provider {
    /// Returns the fairing that reads the settings.
    pub(crate) fn fairing() -> impl Fairing {
        AdHoc::try_on_ignite("OpenID Connect", |rocket| async {
            match Self::new(rocket.figment()) {
                Ok(provider) => Ok(rocket.manage(provider)),
                Err(reason) => {
                    log::error!("[default.provider] cannot be used: {reason}");
                    Err(rocket)
                }
            }
        })
    }

    fn new(figment: &Figment) -> Result<Self, Reason> {
        // A redirect could lead the request into your own network.
        let http = reqwest::Client::builder().redirect(Policy::none());
        Ok(Self {
            settings: figment.extract_inner("provider")?,
            http: http.timeout(TIMEOUT).build()?,
            metadata: RwLock::default(),
        })
    }

    /// Returns a client with the provider's addresses and keys. Fails as unavailable if the provider does
    /// not answer; the application launches and runs without it.
    async fn client(&self) -> Result<Client, Error> {
        let known = self.metadata.read().await.clone();
        let known = known.filter(|(at, _)| at.elapsed() < METADATA_LIFETIME);
        let metadata = match known {
            Some((_, metadata)) => metadata,
            None => self.discover().await?,
        };
        let Settings {
            client_id,
            client_secret,
            callback,
            ..
        } = &self.settings;
        let secret = Some(client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata, client_id.clone(), secret);
        Ok(client.set_redirect_uri(callback.clone()))
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, Error> {
        let issuer = self.settings.issuer.clone();
        let discovery = CoreProviderMetadata::discover_async(issuer, &self.http).await;
        let metadata = discovery.map_err(|cause| unavailable("describe itself", cause))?;
        *self.metadata.write().await = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    /// Returns the address of the provider's sign-in page, and the attempt that leads there.
    pub(crate) async fn begin(&self, next: String) -> Result<(String, Attempt), Error> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let request = request.add_scope(Scope::new("profile".to_owned()));
        let (page, state, nonce) = request.set_pkce_challenge(challenge).url();
        let verifier = verifier.secret().clone();
        Ok((
            page.into(),
            Attempt {
                state,
                nonce,
                verifier,
                next,
            },
        ))
    }

    /// Exchanges the code of an answer for the identity that it proves. Returns `None` if it proves none.
    pub(crate) async fn identity(
        &self,
        code: &str,
        attempt: Attempt,
    ) -> Result<Option<Identity>, Error> {
        let client = self.client().await?;
        let code = AuthorizationCode::new(code.to_owned());
        let request = client.exchange_code(code);
        let request = request.map_err(|cause| unavailable("exchange codes", cause))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier));
        let verified = match request.request_async(&self.http).await {
            Ok(tokens) => verified(&client, &tokens, &attempt.nonce),
            Err(RequestTokenError::ServerResponse(refusal)) => Err(refusal.to_string().into()),
            Err(cause) => return Err(unavailable("exchange a code", cause)),
        };
        if let Err(reason) = &verified {
            log::warn!("a sign-in is refused: {reason}");
        }
        Ok(verified.ok())
    }
}

/// Checks the signature, issuer, audience, expiry and nonce of the ID token, and that the access token was
/// issued together with it.
fn verified(
    client: &Client,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
) -> Result<Identity, Reason> {
    let token = tokens.id_token().ok_or("the answer has no ID token")?;
    let verifier = client.id_token_verifier();
    let claims = token.claims(&verifier, nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let (algorithm, key) = (token.signing_alg()?, token.signing_key(&verifier)?);
        let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)?;
        if hash != *expected {
            return Err("the access token is another one than that of the ID token".into());
        }
    }
    let subject = claims.subject().to_string();
    let name = claims.name().and_then(|name| name.get(None));
    Ok(Identity {
        issuer: claims.issuer().to_string(),
        name: name.map_or_else(|| subject.clone(), |name| name.to_string()),
        subject,
    })
}

/// Returns an error that becomes 503 with `Retry-After`, and names each cause in the log.
fn unavailable(what: &str, cause: impl Into<Reason>) -> Error {
    let cause = cause.into();
    let first: &dyn StdError = &*cause;
    let causes = successors(Some(first), |cause| (*cause).source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    Error::unavailable(format!("the provider does not {what}")).with_source(causes.join(": "))
}
