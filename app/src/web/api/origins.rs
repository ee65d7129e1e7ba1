//! Lets pages of the configured origins call the API (CORS).

use rocket::fairing::AdHoc;
use rocket::http::{Header, Method, Status};
use rocket::response::Body;
use rocket::{Request, Response};

use super::errors;

/// `session.trusted_origins`.
struct TrustedOrigins(Vec<String>);

/// Attach it after the sessions, whose error page would replace a response with its headers.
pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("API origins", |rocket| async {
        let figment = rocket.figment();
        let trusted = figment.extract_inner("session.trusted_origins");
        let mut trusted: Vec<String> = trusted.unwrap_or_default();
        // An attacker on the network can change pages without TLS, except those of this
        // machine.
        let plain = figment.extract_inner("session.cookie.secure").ok();
        trusted.retain(|origin| plain == Some(false) || is_trustworthy(origin));
        let trusted = TrustedOrigins(trusted);
        let allow = AdHoc::on_response("CORS", |request, response| {
            Box::pin(async move { allow(request, response) })
        });
        rocket.manage(trusted).attach(allow)
    })
}

pub(crate) fn allow(request: &Request<'_>, response: &mut Response<'_>) {
    if !errors::is_for_api(request) {
        return;
    }
    response.adjoin_header(Header::new("Vary", "Origin"));
    let Some(origin) = trusted_origin(request) else {
        return;
    };
    response.set_raw_header("Access-Control-Allow-Origin", origin.to_owned());
    response.set_raw_header("Access-Control-Allow-Credentials", "true");
    response.set_raw_header(
        "Access-Control-Expose-Headers",
        "Allow, Retry-After, WWW-Authenticate",
    );
    let asked = request.headers().get_one("Access-Control-Request-Method");
    if let Some(method) = asked.filter(|_| request.method() == Method::Options) {
        allow_to_ask(method, request, response);
    }
}

/// Answers the preflight request.
///
/// Allows unknown addresses and methods as well, so that the page can read the problem.
fn allow_to_ask(method: &str, request: &Request<'_>, response: &mut Response<'_>) {
    let mut methods = errors::methods_at(request);
    let is_name = method.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    if is_name && !methods.contains(&method) {
        methods.push(method);
    }
    if response.status() == Status::NotFound {
        response.set_status(Status::NoContent);
        response.remove_header("Content-Type");
        *response.body_mut() = Body::default();
    }
    response.set_raw_header("Access-Control-Allow-Methods", methods.join(", "));
    let headers = "Content-Type, X-CSRF-Token, X-Requested-With";
    response.set_raw_header("Access-Control-Allow-Headers", headers);
    response.set_raw_header("Access-Control-Max-Age", "600");
}

/// Returns whether pages of the origin cannot be changed on their way (W3C Secure Contexts).
fn is_trustworthy(origin: &str) -> bool {
    let host = origin.strip_prefix("http://");
    host.is_none_or(|host| {
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        ["localhost", "127.0.0.1", "[::1]"].contains(&host)
    })
}

/// Returns the request's origin if it is trusted. Several headers count as none.
fn trusted_origin<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let mut origins = request.headers().get("Origin");
    let origin = origins.next().filter(|_| origins.next().is_none())?;
    let TrustedOrigins(trusted) = request.rocket().state()?;
    let known = |trusted: &String| trusted.eq_ignore_ascii_case(origin);
    trusted.iter().any(known).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::is_trustworthy;

    #[test]
    fn pages_without_tls_are_trustworthy_only_on_this_machine() {
        for origin in [
            "https://example.org",
            "http://localhost",
            "http://localhost:3000",
            "http://127.0.0.1:8000",
            "http://[::1]:8000",
        ] {
            assert!(is_trustworthy(origin), "{origin}");
        }
        for origin in [
            "http://example.org",
            "http://example.org:8000",
            "http://localhost.example.org",
            "http://127.0.0.1.example.org:80",
            "http://192.168.0.1",
        ] {
            assert!(!is_trustworthy(origin), "{origin}");
        }
    }
}
