//! The encryption of connections to Redis: the authority in a URL, and `#insecure`.

use std::fs;

use redis::{Client, ConnectionInfo, RedisResult, TlsCertificates};

use crate::error::{Error, require};

/// Chooses the provider, since the Redis client finds none by itself. The application's choice stays.
pub(super) fn install() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Refuses a URL whose connections verify no certificate, unless the build has the feature for it.
pub(super) fn check_fragment(fragment: &str) -> Result<(), Error> {
    let refused = fragment == "#insecure" && !cfg!(feature = "redis-insecure");
    require(!refused, || {
        "its url has #insecure, which is not compiled in; name the file of the server's authority by \
         ?ssl_ca=FILE, or build with --features redis-insecure"
            .to_owned()
    })
}

/// Has connections accept the certificates of this authority alone.
pub(super) fn trusting(
    nodes: Vec<ConnectionInfo>,
    authority: &str,
) -> Result<Vec<ConnectionInfo>, Error> {
    let of_url = format!("its url has ssl_ca={authority}");
    let unreadable = format!("{of_url}, which cannot be read");
    let text =
        fs::read(authority).map_err(|cause| Error::configuration(unreadable).with_source(cause))?;
    require(
        String::from_utf8_lossy(&text).contains("-----BEGIN CERTIFICATE-----"),
        || format!("{of_url}, a file without a certificate; write it in PEM"),
    )?;
    let trust = |node| {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(text.clone()),
        };
        let client = Client::build_with_tls(node, certificates)?;
        Ok(client.get_connection_info().clone())
    };
    let nodes: RedisResult<_> = nodes.into_iter().map(trust).collect();
    nodes.map_err(|cause| {
        Error::configuration(format!("{of_url}, which cannot be used")).with_source(cause)
    })
}
